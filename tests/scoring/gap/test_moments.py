import numpy as np
import pytest
from gap_domains import clusters

from autotl.scoring.gap.moments import coral_distance, mean_shift


def test_they_agree_with_numpy():
    source, target = clusters(0)[0], 2 * clusters(1, shift=1.0)[0]
    one, other = np.cov(source, rowvar=False), np.cov(target, rowvar=False)
    assert coral_distance(source, target) == pytest.approx(((one - other) ** 2).sum() / (4 * 6**2))
    distance = np.linalg.norm(source.mean(axis=0) - target.mean(axis=0))
    spread = np.sqrt((source.var(axis=0, ddof=1).sum() + target.var(axis=0, ddof=1).sum()) / 2)
    assert mean_shift(source, target) == pytest.approx(distance / spread)


def test_each_sees_its_own_moment_only():
    points, _ = clusters(0)
    assert coral_distance(points, points + 5) == pytest.approx(0.0, abs=1e-12)
    assert mean_shift(points, points + 5) > 1
    around_mean = points - points.mean(axis=0)
    assert mean_shift(around_mean, 3 * around_mean) == pytest.approx(0.0, abs=1e-12)
    assert coral_distance(around_mean, 3 * around_mean) > 1


def test_equal_domains_have_no_distance():
    points, _ = clusters(0)
    assert coral_distance(points, points) == mean_shift(points, points) == 0.0
    assert coral_distance(np.zeros((9, 0)), np.zeros((9, 0))) == 0.0


def test_two_points_without_spread_are_infinitely_far_apart():
    assert mean_shift(np.zeros((5, 2)), np.ones((5, 2))) == float("inf")
