"""Gaussian noise on statistics, so that no single example can be told from them: (ε, δ) differential privacy.

Two sets of examples are neighbours when one holds one example more than the other. An example adds 1 to a count, its
features x to a class's sum and x xᵀ to the products. With the norm of x clipped to C, and sums told in units of C and
products in units of C², each of the three parts changes by at most 1, so all of them together by at most √3. The
analytic Gaussian mechanism says how much noise that needs, and every number gets it.

Paper: Balle & Wang, "Improving the Gaussian mechanism for differential privacy: analytical calibration and optimal
denoising", ICML 2018, theorem 8 (arXiv:1805.06530).
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from autotl.data.statistics import Statistics

SENSITIVITY = math.sqrt(3.0)
NARROW = 1e-12  # relative, of the interval in which the deviation is sought
SMALLEST_SCALE, LARGEST_SCALE = 1e-6, 1e6  # deviations per unit of sensitivity that are looked at


@dataclass(frozen=True)
class Noise:
    """What is asked for, and what it takes.

    Attributes:
        epsilon, delta: the guarantee for each example, under adding or removing it.
        clip: the largest norm of an example's features; longer ones are shortened to it. It must not be chosen by
            looking at the examples.
    """

    epsilon: float
    delta: float
    clip: float

    @property
    def deviation(self) -> float:
        """Of the noise on every number, sums counted in units of `clip` and products in units of its square."""
        return SENSITIVITY * smallest_deviation(self.epsilon, self.delta)


def smallest_deviation(epsilon: float, delta: float) -> float:
    """The deviation of Gaussian noise on a function of sensitivity 1 that is just enough for (ε, δ).

    Args:
        epsilon: above 0. delta: between 0 and 1.
    Raises:
        ValueError: a million deviations are not enough; beyond them rounding decides what is reckoned.
    """
    low, high = SMALLEST_SCALE, LARGEST_SCALE
    if _delta_of(high, epsilon) > delta:
        raise ValueError(f"epsilon {epsilon:g} and delta {delta:g} are so little that no noise keeps them")
    while high / low > 1 + NARROW:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if _delta_of(middle, epsilon) > delta else (low, middle)
    return high


def _delta_of(deviation: float, epsilon: float) -> float:
    """The δ that noise of this deviation gives for ε."""
    from scipy.special import log_ndtr

    far, near = 1 / (2 * deviation), epsilon * deviation
    return math.exp(float(log_ndtr(far - near))) - math.exp(min(epsilon + float(log_ndtr(-far - near)), 700.0))


def clipped(features: NDArray[np.floating], bound: float) -> NDArray[np.float64]:
    """Rows (n, d), those longer than `bound` shortened to it."""
    exact = features.astype(np.float64)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    return np.asarray(exact * np.minimum(1.0, bound / np.maximum(norms, 1e-300)))


class NormalDraws(Protocol):
    """Where noise comes from."""

    def normal(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Draws of mean 0 and deviation 1."""
        ...


def noised(statistics: Statistics, noise: Noise, draws: NormalDraws) -> Statistics:
    """The statistics of clipped features with noise on every number.

    Args:
        draws: from a secret key where the outcome leaves the house, for who knows how noise was drawn can take it off
            again.
    """
    scale, clip = noise.deviation, noise.clip
    width = statistics.width
    # An off-diagonal product stands twice in x xᵀ, and so counts twice in its norm.
    upper = np.triu(scale / math.sqrt(2) * draws.normal((width, width)), 1)
    of_products = upper + upper.T + np.diag(scale * draws.normal((width,)))
    return Statistics(
        statistics.counts + scale * draws.normal(statistics.counts.shape),
        statistics.sums + clip * scale * draws.normal(statistics.sums.shape),
        statistics.products + clip**2 * of_products,
    )
