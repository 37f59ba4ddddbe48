"""A model's features in few dimensions: what several scores read, so that it is computed once for all of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.importance import log_density_ratio

COMPONENTS = 64  # so that networks of unlike width are judged in spaces of like width
MOST_ROWS = 5_000  # of a larger domain a sample is looked at
CLASSIFIER_C = 0.01  # scikit-learn's inverse penalty of the domain classifier

Features = NDArray[np.floating]  # (m, d)
Points = NDArray[np.float64]  # (up to MOST_ROWS, up to COMPONENTS)


def sampled(m: int, most: int = MOST_ROWS) -> NDArray[np.int64]:
    """The places of at most so many of m examples, in their order; the same ones for every model."""
    return np.arange(m) if m <= most else np.sort(np.random.default_rng(0).permutation(m)[:most])


def principal_axes(features: Features) -> NDArray[np.float64]:
    """Directions in which the sampled examples vary most, (d, up to COMPONENTS); all of the space where it is small.

    Features that are no numbers have none that could be told apart, and any axes keep them no numbers.
    """
    points = features[sampled(len(features))].astype(np.float64)
    rows, width = points.shape
    if width <= COMPONENTS or not rows or not np.isfinite(points).all():
        return np.eye(width, min(width, COMPONENTS))
    points -= points.mean(axis=0)
    if rows <= COMPONENTS:
        return np.asarray(np.linalg.svd(points, full_matrices=False)[2].T)
    from sklearn.decomposition import PCA

    found = PCA(COMPONENTS, svd_solver="randomized", iterated_power=2, random_state=0).fit(points)
    return np.asarray(found.components_.T, dtype=np.float64)


def on_axes(features: Features, axes: NDArray[np.float64]) -> Points:
    """The sampled examples by their components along the axes.

    In double precision, so that the order of sums decides nothing.
    """
    if features.shape[1] != len(axes):
        return np.zeros((0, axes.shape[1]))
    return np.asarray(features[sampled(len(features))].astype(np.float64) @ axes)


def log_importance(source: Points, target: Points) -> NDArray[np.float64]:
    """(n,) log of target density by source density at source examples; NaN where nothing tells.

    Args:
        source, target: components of examples, (n, k) and (m, k).
    """
    known = len(source) > 0 and len(target) > 0 and source.shape[1] > 0
    if not (known and are_numbers(source, target)):
        return np.full(len(source), np.nan)
    one, other = source.astype(np.float32), target.astype(np.float32)
    return log_density_ratio(one, other, classifier_c=CLASSIFIER_C)


def are_numbers(*arrays: NDArray[Any]) -> bool:
    """Whether no element is NaN or infinite."""
    return all(bool(np.isfinite(array).all()) for array in arrays)
