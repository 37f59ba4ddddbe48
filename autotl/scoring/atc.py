"""An estimate of target accuracy: the share of predictions that are as sure as the right ones on the source."""

import math

import numpy as np

from autotl.scoring.components import are_numbers
from autotl.scoring.entropy import entropies
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Labels, Probabilities, predicted_labels


def average_thresholded_confidence(source: Probabilities, labels: Labels, target: Probabilities) -> float:
    """Share of target examples above the certainty that as many source examples reach as are read right, 0 to 1; NaN
    without examples of either.

    Args:
        source, labels: of source validation examples, shapes (n, classes) and (n,).
        target: of target examples, shape (m, classes).
    """
    if not (len(source) and len(target) and are_numbers(source, target)):
        return math.nan
    return share_as_sure(target, certainty_threshold(source, labels))


def certainty_threshold(source: Probabilities, labels: Labels) -> float:
    """The certainty (negative entropy) that as many examples reach as are read right; inf where none is.

    Args:
        source, labels: of at least one example, shapes (n, classes) and (n,).
    """
    wrong = int((predicted_labels(source) != labels).sum())
    return math.inf if wrong == len(source) else float(np.sort(-entropies(source))[wrong])


def share_as_sure(target: Probabilities, threshold: float) -> float:
    """Share of examples, (m, classes), that reach a certainty; NaN without one."""
    return float((-entropies(target) >= threshold).mean()) if len(target) else math.nan


ATC = LabelFreeScore(
    name="estimate_atc",
    reads=("source_probabilities", "source_labels", "target_probabilities"),
    compute=average_thresholded_confidence,
    ranks=False,
    blind_to="adaptation, which makes a model surer on the target whether it is right or not",
    paper='Garg, Balakrishnan, Lipton, Neyshabur & Sedghi, "Leveraging unlabeled data to predict out-of-distribution '
    'performance", ICLR 2022 (arXiv:2201.04234), with negative entropy',
    spoken="ATC",
)
