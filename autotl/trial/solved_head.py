"""Heads that are solved, not trained: all they need of the examples are counts, sums and products.

So a head over many houses is the head of their statistics added up, and it is the same one, to rounding, that the
pooled examples would give.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.statistics import ZERO_EIGENVALUE, Exact
from autotl.data.statistics import Statistics

LEAST_SHARE = 1e-3  # of an even share, below which no class's share falls: the logarithm of 0 is no bias


@dataclass(frozen=True, eq=False)
class SolvedHead:
    """Logits are `features @ kernel + bias`.

    Attributes:
        kernel: (d, k). bias: (k,).
        note: what had to be done so that it could be solved; empty for nothing.
    """

    kernel: Exact
    bias: Exact
    note: str = ""

    def divided_by(self, temperature: float) -> "SolvedHead":
        """The same labels, said with another confidence."""
        return SolvedHead(self.kernel / temperature, self.bias / temperature, self.note)


def ridge(statistics: Statistics, *, shrinkage: float, weights: NDArray[np.floating]) -> SolvedHead:
    """Least squares on one-hot labels with a penalty on the kernel.

    Args:
        shrinkage: the penalty, relative to the mean variance of the features.
        weights: (k,) of the classes.
    """
    weighted, scatter = _weighted(statistics, weights)
    mean, shares = weighted.mean, weighted.shares
    crossed = (weighted.sums - np.outer(weighted.counts, mean)).T / weighted.examples
    kernel, note = _solve(scatter / weighted.examples, crossed, add=shrinkage, keep=1.0)
    return SolvedHead(kernel, shares - mean @ kernel, note)


def lda(statistics: Statistics, *, shrinkage: float, weights: NDArray[np.floating]) -> SolvedHead:
    """Linear discriminant analysis: every class a Gaussian about its mean, with one covariance for all of them.

    Args:
        shrinkage: share of the pooled covariance that is replaced by its mean variance in every direction, 0 to 1.
        weights: (k,) of the classes.
    """
    keep = 1.0 - min(shrinkage, 1.0)
    means = statistics.class_means
    kernel, note = _solve(statistics.within, means.T, add=1.0 - keep, keep=keep)
    shares = statistics.counts * weights
    shares = np.maximum(shares / shares.sum(), LEAST_SHARE / len(shares))
    return SolvedHead(kernel, np.log(shares) - 0.5 * np.einsum("kd,dk->k", means, kernel), note)


# By the names that plans know them by.
SOLVERS: Mapping[str, Callable[..., SolvedHead]] = {"ridge": ridge, "lda": lda}


def _weighted(statistics: Statistics, weights: NDArray[np.floating]) -> tuple[Statistics, Exact]:
    """The statistics in which an example counts as much as its class weighs, and their scatter.

    Products of single classes are not known, so where weights differ every class is taken to spread alike.
    """
    if np.ptp(weights) == 0:
        return statistics, statistics.scatter
    counts = statistics.counts * weights
    means, within = statistics.class_means, statistics.within
    products = within * counts.sum() + (means * counts[:, None]).T @ means
    weighted = Statistics(counts, means * counts[:, None], products)
    return weighted, weighted.scatter


def _solve(covariance: Exact, right: Exact, *, add: float, keep: float) -> tuple[Exact, str]:
    """`(keep * covariance + add * mean variance * identity)⁻¹ right`.

    A covariance that noise has pushed below zero in some direction, or that is singular, gets what it takes to be
    inverted, which the note says.
    """
    eigenvalues, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    level = float(np.maximum(eigenvalues, 0.0).mean())
    if level == 0:
        return np.zeros_like(right), "the features do not vary within a class: the head knows the classes' shares alone"
    spread = keep * np.maximum(eigenvalues, 0.0) + add * level
    least = max(ZERO_EIGENVALUE, 1e-6) * level
    raised = int((spread < least).sum())
    note = f"the covariance is singular: {raised} of its {len(spread)} directions were given a little variance"
    return (vectors / np.maximum(spread, least)) @ (vectors.T @ right), note if raised else ""
