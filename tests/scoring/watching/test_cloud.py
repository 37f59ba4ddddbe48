"""Clouds against plain NumPy on the examples that they were made of."""

import numpy as np
import pytest

from autotl.scoring.watching.cloud import Cloud, shrunk


@pytest.fixture
def points():
    draws = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], [300, 200, 100])
    return draws.normal(size=(600, 4)) + groups[:, None] * [3.0, 0, -2.0, 0], groups


def test_mean_and_covariance_are_those_of_all_examples(points):
    cloud = Cloud.of(*points)
    assert cloud.mean == pytest.approx(points[0].mean(axis=0))
    assert cloud.covariance == pytest.approx(np.cov(points[0].T, bias=True), abs=1e-9)
    assert cloud.shares == pytest.approx([1 / 2, 1 / 3, 1 / 6])


def test_groups_of_fewer_than_ten_have_no_mean_of_their_own(points):
    values, groups = points
    groups = groups.copy()
    groups[:9] = 7
    assert len(Cloud.of(values, groups).means) == 3
    assert Cloud.of(values[:5], groups[:5]).means.shape == (1, 4)
    assert len(Cloud.of(values[:18], np.repeat([0, 1], 9)).means) == 1


def test_a_distance_is_to_the_nearest_group(points):
    cloud = Cloud.of(*points)
    asked = np.random.default_rng(1).normal(size=(5, 4)) * 4
    inverse = np.linalg.inv(shrunk(cloud.spread))
    expected = [min(float((x - m) @ inverse @ (x - m)) ** 0.5 for m in cloud.means) for x in asked]
    assert cloud.distances(asked) == pytest.approx(expected)


@pytest.mark.parametrize("threshold", [-2.0, 0.0, 1.0, 4.0])
def test_the_share_beyond_is_the_examples_share_where_groups_are_normal(points, threshold):
    direction = np.array([1.0, 0.5, -0.3, 0.1])
    counted = float((points[0] @ direction > threshold).mean())
    assert Cloud.of(*points).share_beyond(direction, threshold) == pytest.approx(counted, abs=0.03)
