"""Curves are scikit-learn's; costs are those that counting gives."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve, roc_auc_score, roc_curve

from autotl.scoring.thresholds import (
    COST_RATIOS,
    can_be_drawn,
    classes_that_need_a_threshold,
    threshold_for_costs,
    thresholds_of,
)


def honest(*, n=400, share=0.3, seed=0):
    """Labels drawn from the probabilities that are given, some of these equal."""
    draws = np.random.default_rng(seed)
    probability = np.round(draws.beta(share * 2, (1 - share) * 2, n), 2)
    labels = (draws.random(n) < probability).astype(np.int64)
    return labels, np.stack([1 - probability, probability], axis=1)


def cost(labels, probability, threshold, ratio):
    """Per 100 examples, in false alarms."""
    named = probability >= threshold
    return 100 * np.mean(ratio * (labels & ~named) + (~labels.astype(bool) & named))


def test_areas_and_curves_agree_with_sklearn():
    labels, probabilities = honest()
    found = thresholds_of(labels, probabilities, 1)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(labels, probabilities[:, 1]))
    assert found["average_precision"] == pytest.approx(average_precision_score(labels, probabilities[:, 1]))
    false_alarms, recalls, thresholds = roc_curve(labels, probabilities[:, 1], drop_intermediate=False)
    precisions, _, of_precisions = precision_recall_curve(labels, probabilities[:, 1])
    for point in found["curve"]:
        place = int(np.flatnonzero(thresholds == point["threshold"])[0])
        assert point["recall"] == pytest.approx(recalls[place])
        assert point["false_alarms"] == pytest.approx(false_alarms[place])
        assert point["precision"] == pytest.approx(
            precisions[int(np.flatnonzero(of_precisions == point["threshold"])[0])]
        )


def test_every_cost_is_what_counting_gives():
    labels, probabilities = honest()
    for line in thresholds_of(labels, probabilities, 1)["costs"]:
        probability, ratio = probabilities[:, 1], line["ratio"]
        assert line["cost"] == pytest.approx(cost(labels, probability, line["threshold"], ratio))
        every = [cost(labels, probability, threshold, ratio) for threshold in (*np.unique(probability), 2.0)]
        assert line["best_cost"] == pytest.approx(min(every))
        assert line["idle_cost"] == pytest.approx(min(every[0], every[-1], 100 * np.mean(labels == 0)))
        assert line["missed"] + line["false"] == pytest.approx(len(labels) * line["cost"] / 100) or ratio != 1


def test_with_true_probabilities_elkans_threshold_is_nearly_the_cheapest():
    labels, probabilities = honest(n=40_000)
    for line in thresholds_of(labels, probabilities, 1)["costs"]:
        assert line["best_cost"] <= line["cost"] + 1e-9
        assert line["cost"] <= 1.03 * line["best_cost"] + 0.05
        assert line["threshold"] == threshold_for_costs(line["ratio"])
    assert threshold_for_costs(1) == 0.5


def test_the_threshold_of_the_best_f1_has_it_and_a_model_of_two_classes_ships_at_even_odds():
    labels, probabilities = honest()
    ships, best = thresholds_of(labels, probabilities, 1)["marks"]
    every = [f1_score(labels, probabilities[:, 1] >= threshold) for threshold in np.unique(probabilities[:, 1])]
    assert f1_score(labels, probabilities[:, 1] >= best["threshold"]) == pytest.approx(max(every))
    assert (ships["name"], ships["threshold"]) == ("as it ships", 0.5)
    (only,) = thresholds_of(labels, np.column_stack([probabilities, np.zeros(len(labels))]), 1)["marks"]
    assert only["name"] == "best F1", "with three classes no threshold decides"


def test_a_model_that_knows_nothing_is_worth_no_more_than_saying_always_the_same():
    labels, _ = honest()
    (ratio, *_), even = COST_RATIOS, np.full((len(labels), 2), 0.5)
    found = thresholds_of(labels, even, 1)
    assert found["roc_auc"] == 0.5
    assert len(found["curve"]) == 1
    cheapest = found["costs"][0]
    assert cheapest["ratio"] == ratio
    assert cheapest["best_threshold"] is None, "never to name it is cheapest where misses cost nothing"
    assert cheapest["best_cost"] == cheapest["idle_cost"] == cheapest["cost"]


def test_a_curve_stays_small():
    labels, probabilities = honest(n=5_000)
    probabilities = probabilities + np.random.default_rng(0).random(probabilities.shape) * 1e-4
    assert len(thresholds_of(labels, probabilities, 1)["curve"]) <= 120


def test_only_rare_classes_need_a_threshold_and_only_those_with_examples_get_one():
    labels = np.repeat([0, 1, 2, 3], [100, 90, 9, 30])
    assert classes_that_need_a_threshold(labels, 4) == [2]
    assert classes_that_need_a_threshold(np.repeat([0, 1, 2], 30), 3) == []
    assert not can_be_drawn(labels, 2)
    assert can_be_drawn(labels, 3)
    assert not can_be_drawn(np.zeros(50, dtype=np.int64), 0)
