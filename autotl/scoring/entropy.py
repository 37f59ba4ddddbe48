"""How sure a model is of its target predictions."""

import math

import numpy as np

from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Probabilities, Values


def entropies(probabilities: Probabilities) -> Values:
    """Of each row of probabilities, in nats, 0 to log(classes), shape (m,)."""
    wide = probabilities.astype(np.float64)
    return np.asarray(-(wide * np.log(np.where(wide > 0, wide, 1.0))).sum(axis=1))


def entropies_of_sums(sums: Values) -> Values:
    """Of the shares that sums of weights have in each draw, in nats, shape (draws,).

    Args:
        sums: of the draws' weights by class or by any other cell, shape (draws, cells).
    """
    return entropies(sums / np.maximum(sums.sum(axis=1, keepdims=True), 1e-12))


def mean_entropy(probabilities: Probabilities) -> float:
    """Mean over examples of the entropy of their probabilities, in nats, 0 to log(classes); NaN without examples."""
    return float(entropies(probabilities).mean()) if len(probabilities) else math.nan


def certainty(probabilities: Probabilities) -> float:
    """Minus the mean entropy: at most 0, more is better."""
    return -mean_entropy(probabilities)


ENTROPY = LabelFreeScore(
    name="entropy",
    reads=("target_probabilities",),
    compute=certainty,
    ranks=False,
    blind_to="a collapse: a model that names one class with certainty scores best",
    paper='Grandvalet & Bengio, "Semi-supervised learning by entropy minimization", NIPS 2004',
)
