import numpy as np
import pytest
from gap_domains import clusters
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from autotl.scoring.gap.a_distance import proxy_a_distance


def test_equal_domains_are_not_told_apart():
    points, _ = clusters(0)
    assert proxy_a_distance(points, points.copy()) == 0.0
    assert proxy_a_distance(points, clusters(1)[0]) < 0.3


def test_domains_far_apart_are_always_told_apart():
    assert proxy_a_distance(clusters(0)[0], clusters(1, shift=10.0)[0]) == 2.0


def test_another_linear_classifier_agrees_on_fresh_examples():
    (source, target), (fresh_source, fresh_target) = (
        (clusters(seed, rows=1000, apart=0.0)[0], clusters(seed + 1, rows=1000, apart=0.0, shift=0.4)[0])
        for seed in (0, 10)
    )
    domain = np.repeat([0, 1], 1000)
    other = LinearDiscriminantAnalysis().fit(np.concatenate([source, target]), domain)
    error = (other.predict(np.concatenate([fresh_source, fresh_target])) != domain).mean()
    assert proxy_a_distance(source, target) == pytest.approx(2 * (1 - 2 * error), abs=0.15)


def test_the_smaller_domain_counts_as_much_as_the_larger():
    assert proxy_a_distance(clusters(0, rows=600)[0], clusters(1, rows=60)[0]) < 0.5


def test_points_without_columns_are_the_same():
    assert proxy_a_distance(np.zeros((20, 0)), np.zeros((20, 0))) == 0.0
