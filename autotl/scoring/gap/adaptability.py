"""Whether one model could serve both domains: the joint error without which no adaptation is safe."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.gap.probe import Probe, cross_predicted

Points = NDArray[Any]


def joint_error(
    source: Points, labels: NDArray[np.int64], target: Points, probe: Probe, *, seed: int = 0
) -> float | None:
    """Error, on held-out examples of both domains alike, of one probe that learns source labels and target pseudo-
    labels.

    A probe agrees with labels that another probe made, whatever the target is like. So the target's pseudo-labels are
    those of the nearest class mean of its own examples: where its clusters are not the source's classes, no one probe
    fits both.

    Args:
        source, target: points (n, d) and (m, d) of like scale; labels (n,) of the source.
    Returns:
        From 0 to 1; None with fewer than two classes.
    Papers: the joint error λ of Ben-David et al., "A theory of learning from different domains", Machine Learning 2010;
        pseudo-labels: Liang, Hu & Feng, "Do we really need to access the source data?", ICML 2020 (arXiv:2002.08546).
    """
    known = labels >= 0
    source, labels = source[known], labels[known]
    classes = probe.source.shape[1]
    if len(np.unique(labels)) < 2 or not source.shape[1]:
        return None
    points = np.concatenate([source, target])
    both = np.concatenate([labels, _of_nearest_mean(target, probe)])
    wrong = cross_predicted(points, both, classes=classes, seed=seed).argmax(axis=1) != both
    return float((wrong[: len(source)].mean() + wrong[len(source) :].mean()) / 2)


def _of_nearest_mean(target: Points, probe: Probe) -> NDArray[np.int64]:
    """(m,) class whose mean, over target examples weighed by their probabilities, is the nearest."""
    from scipy.spatial.distance import cdist

    weights = probe.target / probe.target.sum(axis=0)
    distances = cdist(target, weights.T @ target)
    distances[:, ~np.isin(np.arange(distances.shape[1]), probe.labels)] = np.inf
    return np.asarray(distances.argmin(axis=1))
