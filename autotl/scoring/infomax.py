"""How sure a model is of its target predictions while still naming every class."""

import math

import numpy as np

from autotl.scoring.entropy import entropies, mean_entropy
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import OfDraws, Probabilities, Values, Weights


def infomax(probabilities: Probabilities) -> float:
    """Entropy of the mean prediction minus the mean entropy of predictions, 0 to log(classes), more is better; NaN
    without examples."""
    if not len(probabilities):
        return math.nan
    return mean_entropy(probabilities.mean(axis=0, keepdims=True)) - mean_entropy(probabilities)


def infomax_of_draws(probabilities: Probabilities) -> OfDraws:
    """`infomax` in weighted draws of the examples."""
    wide, own = probabilities.astype(np.float64), entropies(probabilities)

    def of_draws(weights: Weights) -> Values:
        whole = np.maximum(weights.sum(axis=1), 1e-12)
        return np.asarray(entropies(weights @ wide / whole[:, None]) - weights @ own / whole)

    return of_draws


INFOMAX = LabelFreeScore(
    name="infomax",
    reads=("target_probabilities",),
    compute=infomax,
    ranks=True,
    blind_to="confident wrong clusters, and a target whose classes are of unlike size",
    paper='Gomes, Krause & Perona, "Discriminative clustering by regularized information maximization", NIPS 2010',
    of_draws=infomax_of_draws,
    spoken="InfoMax",
)
