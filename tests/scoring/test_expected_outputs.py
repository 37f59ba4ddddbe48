"""What is expected of Gaussian classes is what counting on a great many of them finds."""

import numpy as np
import pytest
from scipy.stats import norm

from autotl.scoring.calibration import fit_temperature
from autotl.scoring.expected_outputs import expected_confusion, expected_temperature


def logits_of(seed=0, *, classes=4, rows=40_000):
    draws = np.random.default_rng(seed)
    means = 3 * np.eye(classes)
    mixing = draws.normal(size=(classes, classes))
    labels = np.arange(rows) % classes
    return means, mixing @ mixing.T, means[labels] + draws.normal(size=(rows, classes)) @ mixing.T, labels


def test_the_confusion_is_what_counting_finds():
    means, covariance, logits, labels = logits_of()
    counted = np.zeros((4, 4))
    np.add.at(counted, (labels, logits.argmax(axis=1)), 1)
    found = expected_confusion(means, covariance, np.full(4, 10_000.0))
    np.testing.assert_allclose(found.sum(axis=1), 10_000)
    np.testing.assert_allclose(found / 10_000, counted / 10_000, atol=0.02)


def test_two_classes_agree_with_the_normal_distribution():
    means, covariance = np.array([[1.0, 0.0], [0.0, 1.0]]), np.eye(2)
    found = expected_confusion(means, covariance, np.array([30.0, 10.0]))
    right = norm.cdf(1 / np.sqrt(2))
    assert found[0, 0] == pytest.approx(30 * right, rel=0.02)
    assert found[1, 1] == pytest.approx(10 * right, rel=0.02)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 50.0])
def test_the_temperature_is_that_of_the_outputs_whatever_their_unit(scale):
    means, covariance, logits, labels = logits_of()
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    known = fit_temperature(labels, (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32))
    found = expected_temperature(scale * means, scale**2 * covariance, np.full(4, 100.0))
    assert found == pytest.approx(scale * known, rel=0.1)


def test_a_covariance_that_noise_pushed_below_zero_still_counts():
    found = expected_confusion(np.eye(2), np.diag([1.0, -0.5]), np.array([10.0, 10.0]))
    assert np.isfinite(found).all()
