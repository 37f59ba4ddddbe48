"""H-score: how far the classes' means lie apart, in units of the features' own spread."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def h_score(features: NDArray[Any], labels: NDArray[np.int64]) -> float:
    """Trace of the inverse covariance of the features times the covariance of their class means.

    With fewer examples than features the plain covariance cannot be inverted, so it is shrunk towards a multiple of the
    identity by the share that Ledoit and Wolf derive, and the class means by what remains.

    Args:
        features: (n, d).
        labels: (n,) class indices.
    Returns:
        At least 0, more is better; comparable between networks on the same examples only.
    Paper: Bao et al., "An information-theoretic approach to transferability in task transfer learning", ICIP 2019;
        shrunk as in Ibrahim, Ponomareva & Mazumder, "Newer is not always better", 2021 (arXiv:2110.06893).
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    points = np.asarray(features, dtype=np.float64)
    points = points - points.mean(axis=0)
    rows, width = points.shape
    spread = float((points**2).sum()) / (rows * width)  # mean variance
    if spread == 0.0:
        return 0.0
    share = float(ledoit_wolf_shrinkage(points, assume_centered=True))
    means, weights = _class_means(points, labels)
    scaled = means * np.sqrt(weights)[:, None]  # (classes, d): its Gram matrix is the covariance of the class means
    return (1 - share) * float((scaled * _solved(points, share, spread, scaled)).sum())


def _class_means(
    points: NDArray[np.float64], labels: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    present, counts = np.unique(labels, return_counts=True)
    return np.stack([points[labels == label].mean(axis=0) for label in present]), counts / len(labels)


def _solved(points: NDArray[np.float64], share: float, spread: float, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """`rows` (k, d) times the inverse of the shrunk covariance, by the smaller of its two forms.

    The covariance is `ridge` I + `kept` X'X. With more features than examples Woodbury's identity leaves a system of
    the size of the examples.
    """
    count, width = points.shape
    ridge, kept = share * spread, (1 - share) / count
    if width <= count or ridge == 0.0:
        covariance = kept * points.T @ points + ridge * np.eye(width)
        return np.asarray(np.linalg.lstsq(covariance, rows.T, rcond=None)[0].T)
    inner = np.eye(count) * (ridge / kept) + points @ points.T
    return np.asarray((rows - np.linalg.solve(inner, points @ rows.T).T @ points) / ridge)
