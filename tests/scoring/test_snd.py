"""SND: the entropy of who is near whom, and why it must not rank."""

import math

import numpy as np
import pytest

from autotl.scoring.snd import MOST_ROWS, TEMPERATURE, snd


def by_hand(said):
    """The paper's mean entropy, a pair at a time, divided by its largest value."""
    unit = [row / math.sqrt(sum(value**2 for value in row)) for row in said]
    entropies = []
    for i, one in enumerate(unit):
        powers = [math.exp(float(one @ other) / TEMPERATURE) for j, other in enumerate(unit) if j != i]
        shares = [power / sum(powers) for power in powers]
        entropies.append(-sum(share * math.log(share) for share in shares))
    return sum(entropies) / len(entropies) / math.log(len(unit) - 1)


def test_the_formula_by_hand():
    for seed in range(3):
        said = np.random.default_rng(seed).dirichlet(np.full(4, 0.5), 30)
        assert snd(said) == pytest.approx(by_hand(said))


def test_tight_groups_are_denser_than_scattered_predictions():
    draws = np.random.default_rng(0)
    tight = np.eye(3)[np.arange(90) % 3]
    assert snd(tight) > snd(draws.dirichlet(np.full(3, 0.3), 90))


def test_a_collapse_is_densest_of_all():
    assert snd(np.tile([1.0, 0.0, 0.0], (30, 1))) == pytest.approx(1.0)


def test_fewer_than_three_have_no_neighbourhood():
    assert math.isnan(snd(np.eye(2)))
    assert math.isfinite(snd(np.eye(3)))


def test_a_large_target_is_sampled():
    said = np.random.default_rng(0).dirichlet(np.ones(3), 2 * MOST_ROWS)
    assert snd(said) == pytest.approx(snd(said[:MOST_ROWS]), abs=0.02)
