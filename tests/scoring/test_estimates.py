"""Estimates of target accuracy: each against a slow formula, close for a fixed model, and kept out of all choices."""

import itertools
import math

import numpy as np
import pytest

from autotl.scoring import ESTIMATORS, LABEL_FREE_SCORES
from autotl.scoring.atc import average_thresholded_confidence
from autotl.scoring.committee import MEMBERS
from autotl.scoring.cot import MOST_ROWS, confidence_optimal_transport, places_of
from autotl.scoring.doc import difference_of_confidences
from autotl.scoring.estimates import estimated_range


def a_calibrated_model(rows=4000, classes=4, sureness=2.0, seed=0):
    """What it says, and labels that are as often right as it says."""
    draws = np.random.default_rng(seed)
    powers = np.exp(sureness * draws.normal(size=(rows, classes)))
    said = powers / powers.sum(axis=1, keepdims=True)
    labels = (draws.random((rows, 1)) > said.cumsum(axis=1)).sum(axis=1)
    return said, np.minimum(labels, classes - 1)


def accuracy(said, labels):
    return float((said.argmax(axis=1) == labels).mean())


def test_no_estimate_is_a_score_or_judges():
    assert not set(ESTIMATORS) & set(LABEL_FREE_SCORES)
    assert not set(ESTIMATORS) & set(MEMBERS)
    assert not any(estimator.ranks for estimator in ESTIMATORS.values())


def test_atc_by_hand():
    source, labels = a_calibrated_model(rows=50)
    target, _ = a_calibrated_model(rows=70, seed=1)

    def certainty(row):
        return sum(p * math.log(p) for p in row)

    ranked = sorted(certainty(row) for row in source)
    errors = sum(row.argmax() != label for row, label in zip(source, labels, strict=True))
    threshold = ranked[errors]
    assert sum(value < threshold for value in ranked) == errors
    expected = sum(certainty(row) >= threshold for row in target) / 70
    assert average_thresholded_confidence(source, labels, target) == pytest.approx(expected)


def test_doc_by_hand():
    source, labels = a_calibrated_model(rows=50)
    target, _ = a_calibrated_model(rows=70, seed=1, sureness=1.0)
    drop = sum(max(row) for row in source) / 50 - sum(max(row) for row in target) / 70
    assert difference_of_confidences(source, labels, target) == pytest.approx(accuracy(source, labels) - drop)


def test_cot_by_hand():
    """Every way of handing out the classes' places, on few examples."""
    draws = np.random.default_rng(0)
    for _ in range(5):
        target, labels = draws.dirichlet(np.ones(3), 6), np.array([0, 0, 1, 2, 2, 2])
        best = max(
            sum(target[example, label] for example, label in enumerate(given))
            for given in set(itertools.permutations(labels.tolist()))
        )
        assert confidence_optimal_transport(labels, target) == pytest.approx(best / 6)


def test_places_add_up_and_follow_the_shares():
    assert places_of(np.array([0, 0, 1]), 9, 3).tolist() == [6, 3, 0]
    assert places_of(np.array([0, 1, 2]), 10, 3).sum() == 10
    assert places_of(np.array([2]), 1, 3).tolist() == [0, 0, 1]


def test_they_come_close_where_nothing_shifts():
    source, labels = a_calibrated_model()
    target, truth = a_calibrated_model(seed=1)
    for estimate in (
        average_thresholded_confidence(source, labels, target),
        difference_of_confidences(source, labels, target),
        confidence_optimal_transport(labels, target),
    ):
        assert estimate == pytest.approx(accuracy(target, truth), abs=0.06)


def test_doc_and_cot_follow_a_calibrated_model_to_a_harder_target():
    source, labels = a_calibrated_model(sureness=3.0)
    target, truth = a_calibrated_model(sureness=1.5, seed=1)
    real = accuracy(target, truth)
    assert accuracy(source, labels) > real + 0.15
    assert difference_of_confidences(source, labels, target) == pytest.approx(real, abs=0.05)
    assert confidence_optimal_transport(labels, target) == pytest.approx(real, abs=0.1)


def test_overconfidence_fools_them_and_a_collapse_fools_cot_least():
    source, labels = a_calibrated_model()
    collapsed = np.tile([1.0, 0.0, 0.0, 0.0], (400, 1))
    assert average_thresholded_confidence(source, labels, collapsed) == 1.0
    assert difference_of_confidences(source, labels, collapsed) > 0.9
    assert confidence_optimal_transport(labels, collapsed) < 0.35


def test_a_source_that_is_never_read_right():
    source = np.eye(3)[np.zeros(5, dtype=int)]
    assert average_thresholded_confidence(source, np.ones(5, dtype=int), source) == 0.0
    assert difference_of_confidences(source, np.ones(5, dtype=int), source) == 0.0


def test_a_large_target_is_sampled_by_cot():
    target, labels = a_calibrated_model(rows=4 * MOST_ROWS)
    assert confidence_optimal_transport(labels, target) == pytest.approx(
        confidence_optimal_transport(labels, target[:MOST_ROWS]), abs=0.05
    )


def test_without_examples_there_is_no_estimate():
    said, labels = a_calibrated_model(rows=5)
    assert math.isnan(average_thresholded_confidence(said[:0], labels[:0], said))
    assert math.isnan(difference_of_confidences(said, labels, said[:0]))
    assert math.isnan(confidence_optimal_transport(labels[:0], said))


def test_a_range_spans_what_is_known():
    scores = {"estimate_atc": 0.8, "estimate_doc": None, "estimate_cot": 0.7, "entropy": 0.1}
    assert estimated_range(scores) == (0.7, 0.8)
    assert estimated_range({"estimate_atc": math.nan, "infomax": 1.0}) is None
