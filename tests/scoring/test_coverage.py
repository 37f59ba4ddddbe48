"""The intervals are honest where the truth is known: a small form of `python -m benchmarks.intervals`.

A coverage near 0.95 over 150 runs varies by 0.018; the bounds below stand three times that away.
"""

import pytest

from autotl.scoring.metrics import METRICS
from benchmarks.intervals import EVEN, GROUPED, RARE, coverage, equal, headlines, spread, told_apart


@pytest.mark.parametrize(
    ("population", "name"), [(EVEN, "accuracy"), (EVEN, "macro_f1"), (RARE, "balanced_accuracy"), (RARE, "log_loss")]
)
def test_intervals_hold_the_truth_about_as_often_as_they_say(population, name):
    tally = coverage(population, METRICS[name], 200, repeats=150, draws=500)
    assert tally.coverage >= 0.895


def test_intervals_over_groups_are_honest_and_those_that_ignore_them_are_not():
    told = coverage(GROUPED, METRICS["accuracy"], 400, groups=30, repeats=150, draws=500)
    ignored = coverage(GROUPED, METRICS["accuracy"], 400, groups=30, groups_are_known=False, repeats=150)
    assert told.coverage >= 0.88
    assert ignored.coverage < 0.8


def test_the_headline_of_equal_trials_is_free_of_luck_once_corrected():
    found = headlines(equal(40), 200, repeats=40, draws=200)
    assert found.highest.bias > 0.04
    assert found.highest.coverage < 0.8
    assert found.raw.bias > 0.01
    assert abs(found.corrected.bias) < 0.01
    assert found.corrected.coverage >= 0.9
    assert found.corrected.coverage >= found.raw.coverage


def test_the_headline_of_unequal_trials_errs_little_and_rather_low():
    found = headlines(spread(24, 0.04), 400, repeats=40, draws=200)
    assert -0.015 < found.corrected.bias < 0.01
    assert found.corrected.coverage >= 0.85


def test_equal_models_are_seldom_told_apart_and_unequal_ones_often():
    assert told_apart(0.0, 400, repeats=120) <= 0.18  # 10 % by the rule
    assert told_apart(0.10, 400, repeats=40) >= 0.9
