"""Rankings of weighted examples, and the areas under their curves, in thousands of draws at once."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]  # how often each example counts in each draw, shape (draws, n)
Values = NDArray[np.float64]  # a metric in each draw, shape (draws,); NaN where it is not defined
OfDraws = Callable[[Weights], Values]


@dataclass(frozen=True)
class Steps:
    """At each positive example of a ranking, per draw: its weight, and what stands above it, runs of equals as one."""

    weight: Values
    negatives_above: Values
    negatives_down_to: Values  # its own run counted in
    positives_down_to: Values
    negatives: Values  # of the whole ranking, shape (draws,)


class Ranking:
    """Examples by falling probability of one class. Sorted once: no weight changes the order."""

    def __init__(self, is_positive: NDArray[np.bool_], probability: NDArray[np.floating]) -> None:
        self._order = np.argsort(-probability, kind="stable")
        falling, is_positive = probability[self._order], is_positive[self._order]
        self._positives = np.flatnonzero(is_positive)
        positives_before = np.concatenate([[0], np.cumsum(is_positive)])
        self._above = np.searchsorted(-falling, -falling[self._positives], side="left")
        self._down_to = np.searchsorted(-falling, -falling[self._positives], side="right")
        self._positives_above = positives_before[self._above]
        self._positives_down_to = positives_before[self._down_to]

    def steps(self, weights: Weights) -> Steps:
        """The ranking of examples that count so much, shape (draws, positives)."""
        ranked = np.take(weights, self._order, axis=1)
        weight = np.take(ranked, self._positives, axis=1)
        running, running_positives = _running_sum(ranked), _running_sum(weight)
        positives_down_to = np.take(running_positives, self._positives_down_to, axis=1)
        return Steps(
            weight,
            np.take(running, self._above, axis=1) - np.take(running_positives, self._positives_above, axis=1),
            np.take(running, self._down_to, axis=1) - positives_down_to,
            positives_down_to,
            running[:, -1] - running_positives[:, -1],
        )


def area_under_roc(steps: Steps) -> Values:
    """In each draw; NaN where one side is missing."""
    below = steps.negatives[:, None] - 0.5 * (steps.negatives_above + steps.negatives_down_to)
    return ratio(np.einsum("ij,ij->i", steps.weight, below), steps.weight.sum(axis=1) * steps.negatives)


def average_precision(steps: Steps) -> Values:
    """In each draw; NaN without a positive example."""
    precision = ratio(steps.positives_down_to, steps.positives_down_to + steps.negatives_down_to)
    return ratio(np.where(steps.weight > 0, steps.weight * precision, 0.0).sum(axis=1), steps.weight.sum(axis=1))


def _running_sum(values: Values) -> Values:
    """Along axis 1, from 0: one longer than the values."""
    sums = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums


def ratio(part: Values, whole: Values) -> Values:
    """Element by element; NaN where the whole is nothing."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), math.nan), where=np.asarray(whole) > 0))


def mean_of_defined(values: Values) -> Values:
    """Mean over classes (axis 1) of those for which there is a value; NaN where there is none."""
    defined = np.isfinite(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1))
