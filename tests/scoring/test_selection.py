"""The winner's luck is taken off its score, by the rule that chose it."""

import math

import numpy as np
import pytest

from autotl.scoring.intervals import interval
from autotl.scoring.metrics import METRICS
from autotl.scoring.selection import choose, corrected_gain, corrected_interval

LABELS = np.arange(200) % 4
ACCURACY = METRICS["accuracy"]


def models(count, *, right=0.7, seed=0):
    """Models that guess right by luck alone, each as often on average."""
    draws = np.random.default_rng(seed)
    stray = (LABELS + draws.integers(1, 4, size=(count, len(LABELS)))) % 4
    said = np.where(draws.random((count, len(LABELS))) < right, LABELS, stray)
    return [0.7 * np.eye(4)[each] + 0.075 for each in said]


def test_the_best_of_many_equals_is_brought_back_to_what_they_are_worth():
    trials = models(40)
    raw = max(ACCURACY(LABELS, trial) for trial in trials)
    found = corrected_interval(ACCURACY, LABELS, trials, seed=0)
    assert raw > 0.75
    assert found.value == pytest.approx(0.7, abs=0.02)
    assert found.low < 0.7 < found.high < 0.79


def test_one_trial_was_not_selected():
    (trial,) = models(1)
    assert corrected_interval(ACCURACY, LABELS, [trial], seed=0) == interval(ACCURACY, LABELS, trial, seed=0)


def test_a_winner_without_rivals_keeps_its_score_and_its_width():
    trials = [*models(1, right=0.9), *models(3, right=0.4, seed=1)]
    found, alone = corrected_interval(ACCURACY, LABELS, trials, seed=0), interval(ACCURACY, LABELS, trials[0], seed=0)
    assert found.value == pytest.approx(alone.value, abs=0.01)
    assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.15)


def test_ties_go_to_the_cheapest_in_every_draw_as_on_the_leaderboard():
    trials = [*models(20, right=0.74), *models(1, right=0.70, seed=1)]
    dear = corrected_interval(ACCURACY, LABELS, trials, seed=0)
    cheap = corrected_interval(ACCURACY, LABELS, trials, costs=[5.0] * 20 + [1.0], seed=0)
    own = ACCURACY(LABELS, trials[-1])
    assert abs(cheap.value - own) < abs(dear.value - own)


def test_lower_is_better_is_understood():
    trials = models(30)
    found = corrected_interval(METRICS["log_loss"], LABELS, trials, seed=0)
    best = min(METRICS["log_loss"](LABELS, trial) for trial in trials)
    assert found.value > best
    assert found.low < found.value < found.high


def test_the_gain_over_an_equal_is_none():
    trials = models(40)
    found = corrected_gain(ACCURACY, LABELS, trials, trials[0], seed=0)
    best = max(ACCURACY(LABELS, trial) for trial in trials)
    assert found.low < 0 < found.high
    assert found.value < best - ACCURACY(LABELS, trials[0])


def test_the_gain_over_a_poor_model_is_seen():
    poor = models(1, right=0.4, seed=3)[0]
    found = corrected_gain(ACCURACY, LABELS, [*models(10), poor], poor, seed=0)
    assert 0.15 < found.low < found.value < found.high


def test_groups_are_left_out_whole():
    groups = np.arange(200) // 10
    by_group = np.repeat(np.random.default_rng(0).random(20) < 0.7, 10)
    trial = 0.7 * np.eye(4)[np.where(by_group, LABELS, (LABELS + 1) % 4)] + 0.075
    other = 0.7 * np.eye(4)[(LABELS + 1) % 4] + 0.075
    alone = corrected_interval(ACCURACY, LABELS, [trial, other], seed=0)
    grouped = corrected_interval(ACCURACY, LABELS, [trial, other], groups=groups, seed=0)
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_the_same_seed_gives_the_same_interval():
    trials = models(6)
    first, again = (corrected_interval(ACCURACY, LABELS, trials, seed=2, draws=100) for _ in range(2))
    assert first == again


def test_choose_takes_the_highest_and_skips_what_has_no_score():
    goodness = np.array([[0.1, 0.3, math.nan], [0.4, 0.3, 0.2], [math.nan] * 3])
    assert choose(goodness, None).tolist() == [1, 0, -1]


def test_choose_gives_ties_to_the_cheapest_then_the_earlier():
    draws = np.random.default_rng(0)
    noise = 0.05 * draws.normal(size=(500, 3))
    goodness = np.array([0.80, 0.79, 0.30]) + noise
    assert set(choose(goodness, [2.0, 1.0, 0.5]).tolist()) <= {0, 1}
    assert np.mean(choose(goodness, [2.0, 1.0, 0.5]) == 1) > 0.9
    assert np.mean(choose(goodness, [1.0, 1.0, 1.0]) == 0) > 0.9


def test_a_search_without_a_single_mistake_is_not_certain():
    labels = np.arange(60) % 2
    perfect = np.eye(2)[labels]
    found = corrected_interval(METRICS["accuracy"], labels, [perfect, perfect], seed=0)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.9 < found.low < 0.98


def test_a_figure_in_another_metric_is_that_of_the_models_that_the_first_metric_picks():
    labels = np.repeat([0, 1], [380, 20])
    says_majority = np.tile([0.9, 0.1], (400, 1))
    finds_minority = np.where(labels[:, None] == 1, [[0.2, 0.8]], [[0.9, 0.1]])
    finds_minority[:40] = [0.2, 0.8]  # at the price of 40 false alarms: less accuracy, more balanced accuracy
    models_ = [says_majority, finds_minority]
    accuracy, balanced = METRICS["accuracy"], METRICS["balanced_accuracy"]
    own = corrected_interval(balanced, labels, models_, seed=0)
    chosen = corrected_interval(balanced, labels, models_, chosen_by=accuracy, seed=0)
    assert own.value > 0.9
    assert chosen.value == pytest.approx(0.5, abs=0.05), "accuracy picks the model that always says the majority"
