"""The surest answers, by how many are given."""

import numpy as np
import pytest

from autotl.scoring.abstaining import answered, risk_coverage, threshold_for


def asked(confidences, right):
    """Two classes: the first is named with this confidence, and is right or not."""
    confidence = np.asarray(confidences, dtype=np.float64)
    return np.where(right, 0, 1), np.stack([confidence, 1 - confidence], axis=1)


def test_the_curve_by_hand():
    labels, probabilities = asked([0.9, 0.8, 0.7, 0.6], [True, True, False, True])
    found = risk_coverage(labels, probabilities)
    assert [point["accuracy"] for point in found["curve"]] == pytest.approx([1, 1, 2 / 3, 3 / 4])
    assert [point["coverage"] for point in found["curve"]] == [0.25, 0.5, 0.75, 1.0]
    assert found["aurc"] == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)
    assert found["least_aurc"] == pytest.approx((0 + 0 + 0 + 1 / 4) / 4)
    assert found["accuracy"] == 0.75


def test_a_perfect_order_has_the_least_area_and_a_wrong_one_more():
    draws = np.random.default_rng(0)
    right = draws.random(500) < 0.8
    best = risk_coverage(*asked(np.where(right, 0.9, 0.6), right))
    worst = risk_coverage(*asked(np.where(right, 0.6, 0.9), right))
    blind = risk_coverage(*asked(np.full(500, 0.7), right))
    assert best["aurc"] == pytest.approx(best["least_aurc"])
    assert best["aurc"] < blind["aurc"] < worst["aurc"]
    assert blind["aurc"] == pytest.approx(1 - right.mean()), "equal confidences tell nothing"


def test_the_order_of_equally_sure_examples_does_not_matter():
    right = np.random.default_rng(1).random(200) < 0.7
    confidence = np.repeat([0.9, 0.8, 0.7, 0.6], 50)
    labels, probabilities = asked(confidence, right)
    order = np.random.default_rng(2).permutation(200)
    assert risk_coverage(labels, probabilities) == risk_coverage(labels[order], probabilities[order])


def test_the_lowest_threshold_that_keeps_what_was_wanted():
    right = np.repeat([True, False, True], [60, 20, 20])
    labels, probabilities = asked(np.linspace(0.99, 0.51, 100), right)
    threshold = threshold_for(0.95, labels, probabilities)
    given = answered(threshold, labels, probabilities)
    assert given["accuracy"]["value"] >= 0.95
    assert given["coverage"]["value"] == 0.63, "sixty right and three wrong are 95.2 %; a fourth would be too many"
    lower = np.nextafter(probabilities[63, 0], 1)
    assert answered(probabilities[63, 0], labels, probabilities)["accuracy"]["value"] < 0.95
    assert lower < threshold


def test_a_model_that_is_right_enough_answers_everything_and_a_hopeless_one_gets_no_rule():
    confidence = np.linspace(0.99, 0.51, 100)
    assert threshold_for(0.9, *asked(confidence, np.arange(100) % 20 > 0)) == 0.0
    assert threshold_for(0.9, *asked(confidence, np.arange(100) % 2 > 0)) is None
    assert threshold_for(0.9, *asked(confidence[:20], np.ones(20, dtype=bool))) is None, "20 answers prove little"


def test_without_labels_a_rule_still_tells_how_much_is_answered():
    _, probabilities = asked([0.9, 0.8, 0.6], [True, True, True])
    found = answered(0.75, None, probabilities)
    assert found["coverage"]["value"] == pytest.approx(2 / 3)
    assert found["accuracy"] is None
