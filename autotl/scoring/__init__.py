"""How good a model is: labelled metrics with their intervals, and scores that need no target labels."""

from autotl.scoring.atc import ATC
from autotl.scoring.bnm import BNM
from autotl.scoring.class_ami import CLASS_AMI
from autotl.scoring.cot import COT
from autotl.scoring.dev import DEV
from autotl.scoring.doc import DOC
from autotl.scoring.ensv import ENSV
from autotl.scoring.entropy import ENTROPY
from autotl.scoring.infomax import INFOMAX
from autotl.scoring.iw_accuracy import IW_ACCURACY
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import METRICS, Metric
from autotl.scoring.mixval import MIXVAL, MIXVAL_SAME
from autotl.scoring.reverse_validation import REVERSE_VALIDATION
from autotl.scoring.snd import SND
from autotl.scoring.source_accuracy import SOURCE_ACCURACY
from autotl.scoring.transfer_score import TRANSFER_SCORE

# This table is also the menu in error messages and docs. One file per score; adding one adds a line.
LABEL_FREE_SCORES: dict[str, LabelFreeScore] = {
    "source_accuracy": SOURCE_ACCURACY,
    "iw_accuracy": IW_ACCURACY,
    "dev": DEV,
    "reverse_validation": REVERSE_VALIDATION,
    "entropy": ENTROPY,
    "infomax": INFOMAX,
    "bnm": BNM,
    "class_ami": CLASS_AMI,
    "mixval": MIXVAL,
    "mixval_same": MIXVAL_SAME,
    "snd": SND,
    "transfer_score": TRANSFER_SCORE,
    "ensv": ENSV,
}

# Estimates of accuracy on the target, shown as a range beside their record (`scoring.estimates`): none of them judges.
ESTIMATORS: dict[str, LabelFreeScore] = {
    "estimate_atc": ATC,
    "estimate_doc": DOC,
    "estimate_cot": COT,
}

__all__ = ["ESTIMATORS", "LABEL_FREE_SCORES", "METRICS", "LabelFreeScore", "Metric"]
