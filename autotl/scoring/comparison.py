"""Two models on the same examples: which is better, and how small a difference these examples can show."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.intervals import DRAWS, Interval
from autotl.scoring.metrics import Labels, Metric, Probabilities, Values
from autotl.scoring.resampling import Groups, Units

TIE_LEVEL = 0.90


def resampled_scores(
    metric: Metric,
    labels: Labels,
    probabilities_of_models: Sequence[Probabilities],
    *,
    groups: Groups | None = None,
    seed: int,
    draws: int = DRAWS,
) -> Values:
    """The metric of every model in the same resamples of the examples, shape (draws, models)."""
    models = [metric.of_draws(labels, probabilities) for probabilities in probabilities_of_models]
    blocks = Units.of(labels, groups).bootstrap(seed=seed, draws=draws)
    return np.concatenate([np.stack([of_draws(weights) for of_draws in models], axis=1) for weights in blocks])


def paired_difference(
    metric: Metric,
    labels: Labels,
    first: Probabilities,
    second: Probabilities,
    *,
    groups: Groups | None = None,
    seed: int,
    level: float = TIE_LEVEL,
    draws: int = DRAWS,
) -> Interval:
    """By how much the first model is better than the second (negative: worse), with the interval of that difference.

    Both are scored on the same resamples, so what makes an example hard for both cancels out.
    """
    scores = resampled_scores(metric, labels, (first, second), groups=groups, seed=seed, draws=draws)
    low, high = difference_ends(metric.gain(scores[:, 0], scores[:, 1]), level=level)
    value = float(metric.gain(metric(labels, first), metric(labels, second)))
    return Interval(value, low, high, Units.of(labels, groups).note)


def difference_ends(differences: Values, *, level: float = TIE_LEVEL) -> tuple[float, float]:
    """Both percentiles of resampled differences; NaN where fewer than half are defined."""
    defined = differences[np.isfinite(differences)]
    if len(defined) < max(len(differences) / 2, 1):
        return math.nan, math.nan
    low, high = np.quantile(defined, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


def cannot_be_told_apart(difference: tuple[float, float]) -> bool:
    """Whether the interval of a difference holds 0; so it does where it is not known."""
    low, high = difference
    return not (low > 0 or high < 0)


def smallest_resolvable_difference(examples: int, *, accuracy: float = 0.8, level: float = TIE_LEVEL) -> float:
    """The difference in accuracy from which on two models can be told apart on so many examples.

    Two models of this accuracy are taken to share half of the mistakes that they could share: just one of them is right
    on a share a (1 - a) of the examples, and the difference varies by the square root of that share over `examples`.
    """
    disputed = accuracy * (1 - accuracy)
    return min(NormalDist().inv_cdf(0.5 + level / 2) * math.sqrt(disputed / max(examples, 1)), 1.0)


def resolution_sentence(examples: int) -> str:
    """The same in words, for a task with few examples."""
    points = 100 * smallest_resolvable_difference(examples)
    return (
        f"With {examples} examples to score on, two models must differ by about {points:.0f} points of accuracy "
        "to be told apart."
    )


def agreement(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Share of examples that two models give the same label; NaN for no example."""
    return float(np.mean(first == second)) if len(first) else math.nan
