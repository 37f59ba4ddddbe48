"""How good a model is: labelled metrics with their intervals, and scores that need no target labels."""

from autotl.scoring.bnm import BNM
from autotl.scoring.class_ami import CLASS_AMI
from autotl.scoring.entropy import ENTROPY
from autotl.scoring.infomax import INFOMAX
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import METRICS, Metric
from autotl.scoring.mixval import MIXVAL, MIXVAL_SAME
from autotl.scoring.source_accuracy import SOURCE_ACCURACY

# This table is also the menu in error messages and docs. One file per score; adding one adds a line.
LABEL_FREE_SCORES: dict[str, LabelFreeScore] = {
    "source_accuracy": SOURCE_ACCURACY,
    "entropy": ENTROPY,
    "infomax": INFOMAX,
    "bnm": BNM,
    "class_ami": CLASS_AMI,
    "mixval": MIXVAL,
    "mixval_same": MIXVAL_SAME,
}

__all__ = ["LABEL_FREE_SCORES", "METRICS", "LabelFreeScore", "Metric"]
