import numpy as np
import pytest
from gap_domains import clusters

from autotl.scoring.gap.support import effective_share, share_outside


@pytest.mark.parametrize("width", [3, 6])
def test_it_agrees_with_the_distances_written_out(width):
    source, target = clusters(0, rows=60, width=width)[0], clusters(1, rows=40, width=width, shift=1.0)[0]
    own = [min(np.linalg.norm(x - y) for j, y in enumerate(source) if j != i) for i, x in enumerate(source)]
    others = [min(np.linalg.norm(x - y) for y in source) for x in target]
    assert share_outside(source, target) == pytest.approx(np.mean(np.array(others) > np.quantile(own, 0.99)))


def test_equal_domains_cover_each_other():
    points, _ = clusters(0)
    assert share_outside(points, points) == 0.0
    assert share_outside(points, clusters(1)[0]) < 0.1
    assert effective_share(points, points) == pytest.approx(1.0, abs=1e-3)


def test_a_target_elsewhere_is_not_covered():
    source, target = clusters(0)[0], clusters(1, shift=20.0)[0]
    assert share_outside(source, target) == 1.0


def test_a_target_that_looks_like_few_source_examples_uses_few():
    source = clusters(0, rows=1000, apart=0.0)[0]
    assert effective_share(source, clusters(1, apart=0.0, shift=1.5)[0]) < 0.1


def test_points_without_columns_are_covered():
    assert share_outside(np.zeros((9, 0)), np.zeros((9, 0))) == 0.0
