"""Draws keep classes or groups whole, and their spread is that of fresh examples."""

import numpy as np
import pytest

from autotl.scoring.resampling import MOST_LEAVE_OUTS, OVER_WINDOWS, Units

LABELS = np.array([0] * 5 + [1] * 30 + [2] * 1)


def all_weights(blocks):
    return np.concatenate(list(blocks))


def test_every_draw_keeps_the_weight_of_every_class():
    weights = all_weights(Units.of(LABELS, None).bootstrap(seed=0, draws=50))
    for label, count in ((0, 5), (1, 30), (2, 1)):
        assert weights[:, label == LABELS].sum(axis=1) == pytest.approx(np.full(50, count))


def test_the_mean_of_a_draw_varies_as_the_mean_of_fresh_examples_does():
    values = np.random.default_rng(0).normal(size=6)
    weights = all_weights(Units.of(np.zeros(6, dtype=int), None).bootstrap(seed=1, draws=40_000))
    assert np.var(weights @ values / 6) == pytest.approx(np.var(values, ddof=1) / 6, rel=0.03)


def test_groups_are_drawn_whole():
    groups = np.repeat(np.arange(12), 3)
    weights = all_weights(Units.of(LABELS, groups).bootstrap(seed=0, draws=20)).reshape(20, 12, 3)
    assert np.ptp(weights, axis=2).max() == 0
    assert np.ptp(weights, axis=1).min() > 0


def test_few_groups_fall_back_to_examples_and_say_so():
    few = Units.of(LABELS, np.arange(len(LABELS)) % 9)
    assert few.are_examples
    assert few.note == OVER_WINDOWS
    enough = Units.of(LABELS, np.arange(len(LABELS)) % 10)
    assert not enough.are_examples
    assert enough.note is None


def test_groups_of_one_example_each_are_no_groups():
    units = Units.of(LABELS, np.arange(len(LABELS))[::-1] * 7)
    assert units.are_examples
    assert units.note is None


def test_a_bag_leaves_out_about_a_third():
    weights = all_weights(Units.of(np.zeros(1_000, dtype=int), None).bags(seed=0, draws=100))
    assert weights.sum(axis=1) == pytest.approx(np.full(100, 1_000))
    assert np.mean(weights == 0) == pytest.approx(np.exp(-1), abs=0.01)


def test_the_same_seed_gives_the_same_draws():
    units = Units.of(LABELS, None)
    first, again, other = (all_weights(units.bootstrap(seed=seed, draws=30)) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_each_example_is_left_out_once_and_its_class_makes_up_for_it():
    weights = all_weights(block for _, block in Units.of(LABELS, None).leave_outs())
    assert weights.shape == (35, 36)  # the class of one example cannot do without it
    assert (weights == 0).sum(axis=0).tolist() == [1] * 35 + [0]
    assert weights[:, LABELS == 0].sum(axis=1) == pytest.approx(np.full(35, 5))


def test_many_examples_are_left_out_in_parts():
    labels = np.zeros(10_000, dtype=int)
    weights = all_weights(block for _, block in Units.of(labels, None).leave_outs())
    assert len(weights) <= MOST_LEAVE_OUTS
    assert (weights == 0).sum(axis=0).tolist() == [1] * 10_000
