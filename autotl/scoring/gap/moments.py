"""Which moment moved: the distance of the domains' covariances, and of their means."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.statistics import Moments

Points = NDArray[Any]


def coral_distance(source: Points, target: Points) -> float:
    """Squared Frobenius distance of the covariances, by 4 d²; 0 where they agree.

    Paper: Sun & Saenko, "Deep CORAL", ECCV Workshops 2016, eq. 1 (arXiv:1607.01719).
    """
    width = source.shape[1]
    if not width:
        return 0.0
    gap: Points = Moments.of(source).covariance - Moments.of(target).covariance
    return float(np.square(gap).sum() / (4 * width**2))


def mean_shift(source: Points, target: Points) -> float:
    """Distance of the domains' means in units of the distance that an example usually has from its domain's mean."""
    of_source, of_target = Moments.of(source), Moments.of(target)
    distance = float(np.linalg.norm(of_source.mean - of_target.mean))
    spread = float(np.trace(of_source.covariance + of_target.covariance) / 2) ** 0.5
    if distance == 0:
        return 0.0
    return distance / spread if spread > 0 else float("inf")
