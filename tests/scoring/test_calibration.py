"""The temperature is the one that made the model too sure, and calibration figures are what they say."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from autotl.scoring.calibration import (
    brier_score,
    calibrate,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
    with_temperature,
)


def honest(*, n=6_000, classes=4, seed=0):
    """Labels drawn from the very probabilities that are given."""
    draws = np.random.default_rng(seed)
    logits = 1.5 * draws.normal(size=(n, classes))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (draws.random((n, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return labels, probabilities


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_was_applied_is_found_again(temperature):
    labels, probabilities = honest()
    distorted = with_temperature(probabilities, 1 / temperature)
    assert fit_temperature(labels, distorted) == pytest.approx(temperature, rel=0.06)


def test_scaling_keeps_the_predicted_class_and_sums_to_one():
    _, probabilities = honest(n=50)
    scaled = with_temperature(probabilities, 3.0)
    assert (scaled.argmax(axis=1) == probabilities.argmax(axis=1)).all()
    assert scaled.sum(axis=1) == pytest.approx(np.ones(50))
    assert with_temperature(probabilities, 1.0) == pytest.approx(probabilities)


def test_calibrate_tells_the_error_before_and_after():
    labels, probabilities = honest()
    found = calibrate(labels, with_temperature(probabilities, 0.4))
    assert found["temperature"] == pytest.approx(2.5, rel=0.06)
    assert found["error_after"] < 0.02 < 0.1 < found["error_before"]
    assert found["brier_after"] < found["brier_before"]
    assert sum(each["count"] for each in found["bins"]) == len(labels)


def test_calibrate_leaves_out_unknown_labels():
    labels, probabilities = honest(n=500)
    hidden = labels.copy()
    hidden[:100] = -1
    assert calibrate(hidden, probabilities) == calibrate(labels[100:], probabilities[100:])
    assert calibrate(np.full(5, -1), probabilities[:5]) == {"temperature": 1.0, "bins": []}


def test_a_certain_mistake_and_a_half_precision_zero_are_survived():
    found = calibrate(np.array([0, 1, 1]), np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]], dtype=np.float16))
    assert np.isfinite([found["temperature"], found["error_before"], found["error_after"]]).all()


def test_bins_agree_with_sklearn():
    labels, probabilities = honest(n=800, classes=2)
    right = probabilities.argmax(axis=1) == labels
    expected_accuracy, expected_confidence = calibration_curve(right, probabilities.max(axis=1), n_bins=15)
    bins = reliability_bins(labels, probabilities)
    assert [each["accuracy"] for each in bins] == pytest.approx(expected_accuracy)
    assert [each["confidence"] for each in bins] == pytest.approx(expected_confidence)


def test_expected_calibration_error_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]])
    labels = np.array([0, 1, 0, 0])  # half right at 0.9, all right at 0.6
    assert expected_calibration_error(labels, probabilities) == pytest.approx(0.5 * 0.4 + 0.5 * 0.4)


def test_brier_agrees_with_sklearn():
    labels, probabilities = honest(n=300, classes=2)
    assert brier_score(labels, probabilities) == pytest.approx(2 * brier_score_loss(labels, probabilities[:, 1]))
