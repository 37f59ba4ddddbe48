"""Importance-weighted accuracy: source examples that look like the target's decide, no handful of them alone."""

import math

import numpy as np
import pytest

from autotl.scoring import IW_ACCURACY
from autotl.scoring.iw_accuracy import CLIPPED_FROM, clipped, iw_accuracy, iw_accuracy_of_draws
from autotl.scoring.label_free import derivable


def by_hand(probabilities, labels, log_importance):
    """The weighted share, an example at a time."""
    ratios = [math.exp(value) for value in log_importance]
    most = math.exp(np.quantile(log_importance, CLIPPED_FROM))
    right = whole = 0.0
    for said, label, ratio in zip(probabilities, labels, ratios, strict=True):
        weight = min(ratio, most)
        whole += weight
        right += weight if list(said).index(max(said)) == label else 0.0
    return right / whole


def a_case(rows=40, classes=3, seed=0):
    draws = np.random.default_rng(seed)
    return draws.dirichlet(np.ones(classes), rows), draws.integers(0, classes, rows), 2 * draws.normal(size=rows)


def test_the_formula_by_hand():
    for seed in range(3):
        assert iw_accuracy(*a_case(seed=seed)) == pytest.approx(by_hand(*a_case(seed=seed)))


def test_equal_weights_give_plain_accuracy():
    said, labels, _ = a_case()
    assert iw_accuracy(said, labels, np.full(40, -3.0)) == pytest.approx((said.argmax(axis=1) == labels).mean())


def test_one_example_that_carries_all_weight_is_clipped():
    said, labels, log_importance = a_case(rows=200)
    log_importance[0] = 500.0
    weights = clipped(log_importance)
    assert weights.max() == 1.0
    assert weights[0] / weights.sum() < 0.1
    assert 0 < iw_accuracy(said, labels, log_importance) < 1


def test_draws_are_the_formula_on_repeated_examples():
    said, labels, log_importance = a_case()
    counts = np.random.default_rng(5).integers(0, 3, size=(4, 40)).astype(float)
    own = clipped(log_importance)
    right = said.argmax(axis=1) == labels
    expected = [np.average(right, weights=own * count) for count in counts]
    assert iw_accuracy_of_draws(said, labels, log_importance)(counts) == pytest.approx(expected)


def test_mistakes_where_the_target_is_cost_more_than_elsewhere():
    draws = np.random.default_rng(0)
    source, target = draws.normal(0, 1, size=(600, 2)), draws.normal((1.5, 0), 1, size=(600, 2))
    labels = np.zeros(600, dtype=int)

    def score(wrong):
        said = np.eye(2)[np.where(wrong, 1, 0)]
        evidence = {"source_probabilities": said, "source_labels": labels}
        features = {"source_features": source, "target_features": target}
        return IW_ACCURACY(derivable({**evidence, **features}))

    near, far = source[:, 0] > np.quantile(source[:, 0], 0.8), source[:, 0] < np.quantile(source[:, 0], 0.2)
    assert score(near) < 0.7 < 0.9 < score(far)


def test_weights_of_other_examples_give_no_score():
    said, labels, log_importance = a_case()
    assert math.isnan(iw_accuracy(said, labels, log_importance[:-1]))
    assert np.isnan(iw_accuracy_of_draws(said, labels, log_importance[:-1])(np.ones((2, 40)))).all()
