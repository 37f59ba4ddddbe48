import numpy as np
import pytest
from gap_domains import clusters

from autotl.scoring.gap.mmd import mmd


def test_it_agrees_with_the_formula_written_out():
    source, target = clusters(0, rows=12)[0], clusters(1, rows=9, shift=0.5)[0]
    both = np.concatenate([source, target])
    pairs = [np.sum((both[i] - both[j]) ** 2) for i in range(len(both)) for j in range(i)]
    width_squared = np.median(pairs)

    def kernel(x, y):
        return np.exp(-np.sum((x - y) ** 2) / (2 * width_squared))

    def within(points):
        n = len(points)
        return sum(kernel(points[i], points[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    between = np.mean([[kernel(x, y) for y in target] for x in source])
    assert mmd(source, target).value == pytest.approx(within(source) + within(target) - 2 * between)


def test_equal_domains_differ_no_more_than_chance():
    points, _ = clusters(0)
    assert mmd(points, points.copy()).p_value > 0.9
    found = mmd(points, clusters(1)[0])
    assert abs(found.value) < 0.01
    assert found.p_value > 0.05


def test_different_domains_differ_more_than_every_shuffle():
    found = mmd(clusters(0)[0], clusters(1, shift=2.0)[0])
    assert found.value > 0.1
    assert found.p_value == 1 / 201


def test_points_that_are_all_the_same_are_not_apart():
    same = np.ones((10, 3))
    assert mmd(same, same).value == 0.0
    assert mmd(same, same).p_value == 1.0
