"""Means, deviations, covariances and principal axes in float64: what the closed forms are made of."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.method import AffineMap, Features
from autotl.data.statistics import Statistics

Exact = NDArray[np.float64]

# Deviations below this share of the mean are the rounding of float32 features, not something that varies.
ROUNDING = 1e-6
# Eigenvalues below this share of the mean (or, of axes, the largest) one count as zero.
ZERO_EIGENVALUE = 1e-10


@dataclass(frozen=True, eq=False)
class Columns:
    """Where each column lies and how wide it spreads.

    Attributes:
        mean: (d,).
        deviation: (d,), divided by n rather than n - 1; 1 where the column is constant.
        constant: (d,) bool, true where values differ by rounding at most.
    """

    mean: Exact
    deviation: Exact
    constant: NDArray[np.bool_]

    @classmethod
    def of(cls, features: Features) -> Self:
        """Statistics of features (n, d); one row makes every column constant."""
        exact = features.astype(np.float64)
        mean = exact.mean(axis=0)
        exact -= mean
        deviation = np.sqrt(np.einsum("ij,ij->j", exact, exact) / len(exact))
        return cls._told_apart(mean, deviation)

    @classmethod
    def of_statistics(cls, statistics: Statistics) -> Self:
        """The same of examples of which only sums are known."""
        variance = np.diag(statistics.scatter) / statistics.examples
        return cls._told_apart(statistics.mean, np.sqrt(np.maximum(variance, 0.0)))

    @classmethod
    def _told_apart(cls, mean: Exact, deviation: Exact) -> Self:
        constant = deviation <= ROUNDING * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, deviation), constant)

    def centred(self, features: Features) -> Exact:
        """Features (n, d) without the mean; constant columns are exactly 0."""
        centred = features.astype(np.float64) - self.mean
        centred[:, self.constant] = 0.0
        return centred

    def standardized(self, features: Features) -> Exact:
        """Features (n, d) of mean 0 and deviation 1; constant columns are exactly 0."""
        standardized = self.centred(features)
        standardized /= self.deviation
        return standardized

    def then(self, matrix: Exact) -> AffineMap:
        """The map that standardises features and multiplies the outcome by a matrix (d, d)."""
        scaled = matrix / self.deviation[:, None]
        return affine_map(scaled, -self.mean @ scaled)


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean (d,) and covariance (d, d), divided by n - 1, of n examples."""

    examples: int
    mean: Exact
    covariance: Exact

    @classmethod
    def of(cls, features: Features) -> Self:
        """Moments of features (n, d); the covariance of one row is 0."""
        columns = Columns.of(features)
        centred = columns.centred(features)
        return cls(len(features), columns.mean, centred.T @ centred / max(len(features) - 1, 1))

    @classmethod
    def of_statistics(cls, statistics: Statistics) -> Self:
        """The same of examples of which only sums are known; what noise pushed below zero does not vary."""
        varies = ~Columns.of_statistics(statistics).constant
        scatter = statistics.scatter * np.outer(varies, varies)
        eigenvalues, vectors = np.linalg.eigh(scatter)
        if eigenvalues[0] < -ZERO_EIGENVALUE * max(eigenvalues[-1], 0.0):
            scatter = (vectors * np.maximum(eigenvalues, 0.0)) @ vectors.T
        examples = max(round(statistics.examples), 1)
        return cls(examples, statistics.mean, scatter / max(examples - 1, 1))

    @property
    def mean_variance(self) -> float:
        """Mean of the columns' variances."""
        return float(np.trace(self.covariance)) / len(self.mean)

    @property
    def singular(self) -> bool:
        """Whether the covariance, as it is, cannot be inverted in good faith."""
        least = np.eye(len(self.mean)) * (ZERO_EIGENVALUE * self.mean_variance)
        try:
            np.linalg.cholesky(self.covariance - least)
        except np.linalg.LinAlgError:
            return True
        return False

    def shrunk(self, shrinkage: float) -> Exact:
        """The covariance with this share of the mean variance added to its diagonal."""
        return self.covariance + np.eye(len(self.mean)) * (shrinkage * self.mean_variance)


def affine_map(matrix: Exact, offset: Exact) -> AffineMap:
    """The map in the features' own precision."""
    return AffineMap(matrix.astype(np.float32), offset.astype(np.float32))


def power(matrix: Exact, exponent: float) -> Exact:
    """Symmetric power of a symmetric matrix (d, d) that is positive definite, or not negative where exponent > 0."""
    eigenvalues, vectors = np.linalg.eigh(matrix)
    # Rounding may leave eigenvalues of zero a little below it.
    return (vectors * np.maximum(eigenvalues, 0.0) ** exponent) @ vectors.T


def principal_axes(centred: Exact, wanted: int) -> Exact:
    """Directions of most variance, largest first, each with its largest entry positive.

    Args:
        centred: (n, d), of column means 0.
        wanted: number of axes, at least 1.
    Returns:
        (d, k) of orthonormal columns, k = min(wanted, rank); (d, 0) where nothing varies.
    """
    from scipy.linalg import eigh

    width = centred.shape[1]
    scatter: Any = centred.T @ centred
    eigenvalues, axes = eigh(scatter, subset_by_index=(max(width - wanted, 0), width - 1), overwrite_a=True)
    axes = axes[:, eigenvalues > ZERO_EIGENVALUE * eigenvalues[-1]][:, ::-1] if eigenvalues[-1] > 0 else axes[:, :0]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0, keepdims=True), axis=0)
    return np.asarray(axes * np.sign(largest))
