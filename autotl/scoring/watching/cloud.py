"""Where examples of a domain lie: a mean for each group that a model tells apart, and one spread around all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FEWEST_IN_A_GROUP = 10  # no mean tells of fewer examples
SHRINKAGE = 0.05  # share of the mean variance that is added to the spread's diagonal

Points = NDArray[np.float64]  # (n, k)


@dataclass(frozen=True, eq=False)
class Cloud:
    """Sums over examples, and none of them.

    Attributes:
        examples: how many.
        means: (groups, k).
        shares: (groups,), of the examples; they add up to 1.
        spread: (k, k) covariance within groups.
    """

    examples: int
    means: Points
    shares: NDArray[np.float64]
    spread: Points

    @classmethod
    def of(cls, points: Points, groups: NDArray[np.int64]) -> Self:
        """The cloud of points (n, k), at least one.

        Args:
            groups: (n,), such as the predicted class; groups of fewer than ten are one.
        """
        counts = np.bincount(groups)
        small = counts[groups] < FEWEST_IN_A_GROUP
        groups = np.where(small, -1, groups)
        if 0 < small.sum() < FEWEST_IN_A_GROUP and not small.all():
            points, groups = points[~small], groups[~small]
        _, groups, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        means = np.stack([points[groups == group].mean(axis=0) for group in range(len(sizes))])
        apart = points - means[groups]
        return cls(len(points), means, sizes / len(points), apart.T @ apart / len(points))

    @property
    def mean(self) -> NDArray[np.float64]:
        """(k,), of all examples."""
        return np.asarray(self.shares @ self.means)

    @property
    def covariance(self) -> Points:
        """(k, k), of all examples."""
        between = self.means - self.mean
        return np.asarray(self.spread + (between.T * self.shares) @ between)

    def distances(self, points: Points) -> NDArray[np.float64]:
        """(n,) Mahalanobis distance of each point from the nearest group.

        Paper: Lee, Lee, Lee & Shin, "A simple unified framework for detecting out-of-distribution samples and
            adversarial attacks", NeurIPS 2018 (arXiv:1807.03888).
        """
        inverse = np.linalg.inv(shrunk(self.spread))
        squared = [
            np.einsum("nk,kl,nl->n", apart, inverse, apart, optimize=True)
            for apart in (points - mean for mean in self.means)
        ]
        return np.sqrt(np.maximum(np.min(squared, axis=0), 0.0))

    def share_beyond(self, direction: NDArray[np.float64], threshold: float) -> float:
        """Share of examples whose product with a direction (k,) is above a threshold, each group taken as normal."""
        from scipy.special import ndtr

        deviation = float(direction @ self.spread @ direction) ** 0.5
        above = (self.means @ direction - threshold) / max(deviation, 1e-12)
        return float(self.shares @ ndtr(above))

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Plain arrays, by name."""
        found = {"examples": np.array(self.examples), "means": self.means, "shares": self.shares, "spread": self.spread}
        return {f"{prefix}_{name}": values for name, values in found.items()}

    @classmethod
    def from_arrays(cls, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` gave."""
        examples, means, shares, spread = (
            arrays[f"{prefix}_{name}"] for name in ("examples", "means", "shares", "spread")
        )
        return cls(int(examples), means, shares, spread)


def shrunk(covariance: Points) -> Points:
    """The covariance, made safe to invert."""
    width = len(covariance)
    mean_variance = max(float(np.trace(covariance)) / width, 1e-12)
    return covariance + np.eye(width) * (SHRINKAGE * mean_variance)
