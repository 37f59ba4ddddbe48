"""Accuracy on held-out source examples, each counted by how much it looks like the target's."""

import math

import numpy as np

from autotl.scoring.components import are_numbers, sampled
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.metrics import Labels, OfDraws, Probabilities, Values, Weights, predicted_labels

CLIPPED_FROM = 0.95  # above this quantile weights are cut, so that no handful of examples decides


def iw_accuracy(probabilities: Probabilities, labels: Labels, log_importance: Values) -> float:
    """Share of source validation examples that are read right, by weight, 0 to 1; NaN where no weight is known.

    Weights are the density ratio of target to source, clipped and divided by their sum.

    Args:
        probabilities, labels: of all source validation examples, shapes (n, classes) and (n,).
        log_importance: log of the ratio at those that `sampled` names.
    """
    rows = sampled(len(labels))
    if not _are_usable(probabilities, labels, log_importance):
        return math.nan
    weights = clipped(log_importance)
    right = predicted_labels(probabilities[rows]) == labels[rows]
    return float(weights @ right / weights.sum())


def iw_accuracy_of_draws(probabilities: Probabilities, labels: Labels, log_importance: Values) -> OfDraws:
    """`iw_accuracy` in weighted draws of the examples; the ratio is that of all of them."""
    if not _are_usable(probabilities, labels, log_importance):
        return lambda weights: np.full(len(weights), math.nan)
    rows = sampled(len(labels))
    own = clipped(log_importance)
    right = predicted_labels(probabilities[rows]) == labels[rows]

    def of_draws(weights: Weights) -> Values:
        kept = weights[:, rows] * own
        return np.asarray(kept @ right / np.maximum(kept.sum(axis=1), 1e-12))

    return of_draws


def clipped(log_importance: Values) -> Values:
    """Weights (n,) of which the largest is 1, by the logarithms of ratios (n,)."""
    cut = np.minimum(log_importance, np.quantile(log_importance, CLIPPED_FROM))
    return np.asarray(np.exp(cut - cut.max()))


def _are_usable(probabilities: Probabilities, labels: Labels, log_importance: Values) -> bool:
    return len(log_importance) == len(sampled(len(labels))) > 0 and are_numbers(log_importance, probabilities)


IW_ACCURACY = LabelFreeScore(
    name="iw_accuracy",
    reads=("source_probabilities", "source_labels", "source_log_importance"),
    compute=iw_accuracy,
    ranks=True,
    blind_to="domains that the model's features tell apart: no source example looks like the target then",
    paper='Sugiyama, Krauledat & Müller, "Covariate shift adaptation by importance weighted cross validation", JMLR '
    "2007",
    of_draws=iw_accuracy_of_draws,
    spoken="importance-weighted accuracy",
)
