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
    """
    low, high = SMALLEST_SCALE, LARGEST_SCALE
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


def noised(statistics: Statistics, noise: Noise, draws: np.random.Generator) -> Statistics:
    """The statistics of clipped features with noise on every number.

    Args:
        draws: seeded by the operating system where the outcome leaves the house, for who knows the seed can take the
            noise off again.
    """
    scale, clip = noise.deviation, noise.clip
    width = statistics.width
    # An off-diagonal product stands twice in x xᵀ, and so counts twice in its norm.
    upper = np.triu(draws.normal(0, scale / math.sqrt(2), (width, width)), 1)
    of_products = upper + upper.T + np.diag(draws.normal(0, scale, width))
    return Statistics(
        statistics.counts + draws.normal(0, scale, statistics.counts.shape),
        statistics.sums + clip * draws.normal(0, scale, statistics.sums.shape),
        statistics.products + clip**2 * of_products,
    )
