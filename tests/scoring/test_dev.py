"""DEV: a weighted risk without the part that only the noise of the weights explains."""

import math

import numpy as np
import pytest

from autotl.scoring.dev import dev


def by_hand(probabilities, labels, log_importance):
    """Algorithm 1 of the paper, with weights divided by the largest: loops and plain sums."""
    n = len(labels)
    largest = max(log_importance)
    weights = [math.exp(value - largest) for value in log_importance]
    losses = [
        weight * (0.0 if list(said).index(max(said)) == label else 1.0)
        for weight, said, label in zip(weights, probabilities, labels, strict=True)
    ]
    mean_weight, mean_loss = sum(weights) / n, sum(losses) / n
    covariance = sum((a - mean_loss) * (b - mean_weight) for a, b in zip(losses, weights, strict=True)) / n
    variance = sum((b - mean_weight) ** 2 for b in weights) / n
    eta = -covariance / variance
    return 1 - (mean_loss + eta * mean_weight - eta)


def a_case(rows=40, classes=3, seed=0, spread=1.0):
    draws = np.random.default_rng(seed)
    log_importance = spread * draws.normal(size=rows)
    return draws.dirichlet(np.ones(classes), rows), draws.integers(0, classes, rows), log_importance


def test_the_formula_by_hand():
    for seed in range(3):
        assert dev(*a_case(seed=seed)) == pytest.approx(by_hand(*a_case(seed=seed)))


def test_it_is_where_a_line_through_weighted_losses_meets_the_largest_weight():
    said, labels, log_importance = a_case()
    weights = np.exp(log_importance - log_importance.max())
    line = np.polyfit(weights, weights * (said.argmax(axis=1) != labels), 1)
    assert dev(said, labels, log_importance) == pytest.approx(1 - np.polyval(line, 1.0))


def test_equal_weights_give_plain_accuracy():
    said, labels, _ = a_case()
    assert dev(said, labels, np.full(40, 2.0)) == pytest.approx((said.argmax(axis=1) == labels).mean())


def test_always_right_and_always_wrong_are_the_ends():
    said, _, log_importance = a_case()
    right = said.argmax(axis=1)
    assert dev(said, right, log_importance) == pytest.approx(1.0)
    assert dev(said, (right + 1) % 3, log_importance) == pytest.approx(0.0)


def test_weights_that_explode_stay_finite():
    assert math.isfinite(dev(*a_case(rows=300, spread=300.0)))


def test_weights_of_other_examples_give_no_score():
    said, labels, log_importance = a_case()
    assert math.isnan(dev(said, labels, log_importance[:-1]))
