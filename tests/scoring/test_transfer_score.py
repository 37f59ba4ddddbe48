"""The Transfer Score and its three parts, each against a slow formula."""

import math

import numpy as np
import pytest

from autotl.scoring.entropy import mean_entropy
from autotl.scoring.transfer_score import MOST_POINTS, clusterability, non_uniformity, transfer_score


def hopkins_by_hand(points):
    """An example at a time."""
    drawn = np.random.default_rng(0).uniform(points.min(axis=0), points.max(axis=0), size=points.shape)
    of_drawn = [min(math.dist(one, other) for other in points) for one in drawn]
    of_own = [min(math.dist(one, other) for j, other in enumerate(points) if j != i) for i, one in enumerate(points)]
    return sum(of_drawn) / (sum(of_drawn) + sum(of_own))


def angles_by_hand(weights):
    """A pair of classes at a time."""
    classes = weights.shape[1]
    wanted = math.acos(-1 / (classes - 1))
    squares = []
    for i in range(classes):
        for j in range(classes):
            if i != j:
                one, other = weights[:, i], weights[:, j]
                cosine = float(one @ other) / (np.linalg.norm(one) * np.linalg.norm(other))
                squares.append((math.acos(cosine) - wanted) ** 2)
    return sum(squares) / len(squares)


def test_each_part_by_hand():
    draws = np.random.default_rng(0)
    points, weights = draws.normal(size=(40, 3)), draws.normal(size=(5, 4))
    said = draws.dirichlet(np.ones(4), 40)
    assert clusterability(points) == pytest.approx(hopkins_by_hand(points))
    assert non_uniformity(weights) == pytest.approx(angles_by_hand(weights))
    information = (mean_entropy(said.mean(axis=0, keepdims=True)) - mean_entropy(said)) / math.log(4)
    expected = hopkins_by_hand(points) + information - angles_by_hand(weights)
    assert transfer_score(points, said, weights) == pytest.approx(expected)


def test_points_spread_evenly_are_no_clusters():
    draws = np.random.default_rng(1)
    even = draws.uniform(size=(900, 2))
    tight = draws.integers(0, 3, size=(900, 1)) + 0.01 * draws.normal(size=(900, 2))
    assert clusterability(even) == pytest.approx(0.5, abs=0.05)
    assert clusterability(tight) > 0.85
    assert clusterability(np.ones((20, 2))) == 0.5


def test_classes_equally_far_apart_cost_nothing():
    simplex = np.eye(4) - 0.25
    assert non_uniformity(simplex) == pytest.approx(0.0, abs=1e-12)
    assert non_uniformity(np.array([[1.0, -1.0], [0.0, 0.0]])) == pytest.approx(0.0)
    assert non_uniformity(np.ones((3, 4))) == pytest.approx(math.acos(-1 / 3) ** 2)
    assert math.isfinite(non_uniformity(np.zeros((3, 4))))


def test_sure_and_varied_models_with_clusters_score_higher():
    draws = np.random.default_rng(0)
    truth = np.arange(300) % 3
    clusters, cloud = 9 * np.eye(3)[truth] + draws.normal(size=(300, 3)), draws.uniform(size=(300, 3))
    sure, unsure = np.eye(3)[truth], draws.dirichlet(np.full(3, 5.0), 300)
    weights = np.eye(3) - 1 / 3
    best = transfer_score(clusters, sure, weights)
    assert best > transfer_score(clusters, unsure, weights)
    assert best > transfer_score(cloud, sure, weights)
    assert best > transfer_score(clusters, sure, np.ones((3, 3)))


def test_a_large_target_is_sampled():
    points = np.random.default_rng(1).normal(size=(4 * MOST_POINTS, 5))
    assert clusterability(points) == pytest.approx(clusterability(points[:MOST_POINTS]), abs=0.05)


def test_components_of_other_examples_give_no_score():
    said = np.eye(3)
    assert math.isnan(transfer_score(np.ones((2, 2)), said, np.ones((2, 3))))
    assert math.isnan(transfer_score(np.ones((1, 2)), said[:1], np.ones((2, 3))))
