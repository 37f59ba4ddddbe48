"""Metrics of predicted numbers, over weights as those of classes: a resample is a weight for each example.

The definitions are scikit-learn's (SciPy's for Spearman's correlation), and the tests hold them equal.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.ranked import OfDraws, Values, Weights, ratio

Numbers = NDArray[np.float64]  # (n,)
OfNumbers = Callable[[Numbers, Numbers], OfDraws]  # true, predicted -> the metric of weighted draws


def rmse(true: Numbers, predicted: Numbers) -> OfDraws:
    """Root of the mean squared error, in the unit of the numbers."""
    squares = np.square(predicted - true)
    return lambda weights: np.sqrt(_mean(weights, squares))


def mae(true: Numbers, predicted: Numbers) -> OfDraws:
    """Mean absolute error, in the unit of the numbers."""
    errors = np.abs(predicted - true)
    return lambda weights: _mean(weights, errors)


def r2(true: Numbers, predicted: Numbers) -> OfDraws:
    """Share of the variance that is explained; below 0 where the mean would do better. NaN of numbers all alike."""
    squares, centred = np.square(predicted - true), true - true.mean()

    def of_draws(weights: Weights) -> Values:
        variance = _mean(weights, np.square(centred)) - np.square(_mean(weights, centred))
        is_spread = variance > 1e-12 * np.square(true).mean()  # what rounding leaves of numbers all alike is no spread
        return 1.0 - ratio(_mean(weights, squares), np.where(is_spread, variance, 0.0))

    return of_draws


def median_error(true: Numbers, predicted: Numbers) -> OfDraws:
    """The error that half of the examples stay below; the middle between two where a half ends between them."""
    errors = np.abs(predicted - true)
    order = np.argsort(errors, kind="stable")
    rising = errors[order]

    def of_draws(weights: Weights) -> Values:
        running = np.cumsum(weights[:, order], axis=1)
        half = 0.5 * running[:, -1:]
        lower = (running < half - 1e-9).sum(axis=1)
        upper = (running < half + 1e-9).sum(axis=1)  # the next with any weight, where a half ends exactly
        last = len(rising) - 1
        middle = 0.5 * (rising[np.minimum(lower, last)] + rising[np.minimum(upper, last)])
        return np.where(running[:, -1] > 0, middle, math.nan)

    return of_draws


def spearman(true: Numbers, predicted: Numbers) -> OfDraws:
    """Correlation of ranks, equals sharing theirs: whether the order is right, whatever the distances."""
    ranks_of_true, ranks_of_predicted = _ranking(true), _ranking(predicted)

    def of_draws(weights: Weights) -> Values:
        total = weights.sum(axis=1, keepdims=True)
        first, second = (
            ranks - ratio((weights * ranks).sum(axis=1, keepdims=True), total)
            for ranks in (ranks_of_true(weights), ranks_of_predicted(weights))
        )
        together = (weights * first * second).sum(axis=1)
        alone = np.sqrt((weights * first**2).sum(axis=1) * (weights * second**2).sum(axis=1))
        return np.clip(ratio(together, np.where(alone > 1e-9, alone, 0.0)), -1.0, 1.0)

    return of_draws


def _ranking(values: Numbers) -> Callable[[Weights], NDArray[np.float64]]:
    """Weights -> ranks (draws, n) among so many copies of each, equals in the middle of their run."""
    order = np.argsort(values, kind="stable")
    rising = values[order]
    begins, ends = np.searchsorted(rising, values, side="left"), np.searchsorted(rising, values, side="right")

    def ranks(weights: Weights) -> NDArray[np.float64]:
        running = np.zeros((len(weights), len(values) + 1))
        np.cumsum(weights[:, order], axis=1, out=running[:, 1:])
        return 0.5 * (running[:, begins] + running[:, ends])

    return ranks


def _mean(weights: Weights, values: Numbers) -> Values:
    return ratio(weights @ values, weights.sum(axis=1))
