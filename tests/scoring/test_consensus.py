"""What trials say together, and that a few good ones are heard among many poor ones."""

import numpy as np
import pytest

from autotl.scoring.consensus import CONSENSUS, consensus, trust_in_neighbours
from autotl.scoring.panel import Panel

ROWS, CLASSES = 90, 3
TRUTH = np.arange(ROWS) % CLASSES
SAME_CLASS = np.stack([(np.arange(1, 6) * CLASSES + row) % ROWS for row in range(ROWS)])


def sure(said, sureness=0.8):
    return (1 - sureness) / CLASSES + sureness * np.eye(CLASSES)[said]


def noise(seed, wrong=0.6):
    draws = np.random.default_rng(seed)
    return np.where(draws.random(ROWS) < wrong, draws.integers(0, CLASSES, ROWS), TRUTH)


def test_without_neighbours_it_is_the_mean_of_all():
    said = [sure(noise(seed), 0.3 + 0.2 * seed) for seed in range(3)]
    expected = np.mean(said, axis=0).argmax(axis=1)
    np.testing.assert_array_equal(consensus(Panel(said, None)), expected)
    shares = [float((each.argmax(axis=1) == expected).mean()) for each in said]
    assert CONSENSUS(Panel(said, None)) == pytest.approx(shares)


def test_those_whose_neighbours_agree_are_heard_more():
    said = [sure(TRUTH), *(sure(np.random.default_rng(seed).integers(0, CLASSES, ROWS)) for seed in range(3))]
    plain, weighted = ((consensus(Panel(said, nearest)) == TRUTH).mean() for nearest in (None, SAME_CLASS))
    assert weighted == 1.0 > plain


def test_it_is_a_mean_over_the_drawn_inputs():
    panel = Panel([sure(noise(1)), sure(noise(2))], None)
    together = consensus(panel)
    weights = np.random.default_rng(0).integers(0, 3, size=(4, ROWS)).astype(float)
    for said, of_draws in zip(panel.said, CONSENSUS.of_draws(panel), strict=True):
        expected = [np.average(said == together, weights=each) for each in weights]
        np.testing.assert_allclose(of_draws(weights), expected)


def test_neighbours_are_trusted_as_far_as_they_agree():
    assert trust_in_neighbours(Panel([sure(TRUTH)], SAME_CLASS)) == 1
    assert trust_in_neighbours(Panel([sure(TRUTH)], None)) == 0
    assert trust_in_neighbours(Panel([sure(np.zeros(ROWS, int))], SAME_CLASS)) == 0
    opposite = (np.arange(1, 6) + np.arange(ROWS)[:, None] // CLASSES * 0 + np.arange(ROWS)[:, None]) % ROWS
    assert 0 <= trust_in_neighbours(Panel([sure(TRUTH)], opposite)) < 0.2


def test_a_trial_alone_agrees_with_itself():
    assert CONSENSUS(Panel([sure(noise(1))], None)) == [1.0]
