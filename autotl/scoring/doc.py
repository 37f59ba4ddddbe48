"""An estimate of target accuracy: the source's, less what the model is less sure of on the target."""

import math

from autotl.scoring.components import are_numbers
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Labels, Probabilities
from autotl.scoring.source_accuracy import source_accuracy


def difference_of_confidences(source: Probabilities, labels: Labels, target: Probabilities) -> float:
    """Source accuracy minus the drop in mean confidence, kept within 0 to 1; NaN without examples of either.

    Args:
        source, labels: of source validation examples, shapes (n, classes) and (n,).
        target: of target examples, shape (m, classes).
    """
    if not (len(source) and len(target) and are_numbers(source, target)):
        return math.nan
    return less_the_drop(source_accuracy(source, labels), float(source.max(axis=1).mean()), target)


def less_the_drop(accuracy: float, confidence: float, target: Probabilities) -> float:
    """The accuracy less what the model's mean confidence fell to on target examples, (m, classes); NaN without one."""
    if not len(target):
        return math.nan
    drop = confidence - float(target.max(axis=1).mean())
    return min(max(accuracy - drop, 0.0), 1.0)


DOC = LabelFreeScore(
    name="estimate_doc",
    reads=("source_probabilities", "source_labels", "target_probabilities"),
    compute=difference_of_confidences,
    ranks=False,
    blind_to="adaptation, which makes a model surer on the target whether it is right or not",
    paper='Guillory, Shankar, Ebrahimi, Darrell & Schmidt, "Predicting with confidence on unseen distributions", ICCV '
    "2021 (arXiv:2107.03315)",
    spoken="DoC",
)
