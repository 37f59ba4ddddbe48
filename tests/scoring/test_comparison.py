"""Two models on the same examples."""

import math

import numpy as np
import pytest

from autotl.scoring.comparison import (
    agreement,
    cannot_be_told_apart,
    difference_ends,
    paired_difference,
    resampled_scores,
    resolution_sentence,
    smallest_resolvable_difference,
)
from autotl.scoring.metrics import METRICS
from autotl.scoring.resampling import OVER_WINDOWS

LABELS = np.arange(400) % 4


def model(*, wrong, first=0):
    """Right but for `wrong` examples from `first` on."""
    said = LABELS.copy()
    said[first : first + wrong] = (said[first : first + wrong] + 1) % 4
    return 0.7 * np.eye(4)[said] + 0.075


def test_a_paired_difference_is_narrower_than_two_intervals_of_models_that_err_alike():
    found = paired_difference(METRICS["accuracy"], LABELS, model(wrong=80), model(wrong=100), seed=0)
    assert found.value == pytest.approx(0.05)
    # 20 of 400 examples decide it: a spread of sqrt(0.05 * 0.95 / 400), times 1.645 on both sides
    assert found.high - found.low == pytest.approx(2 * 1.645 * math.sqrt(0.05 * 0.95 / 400), rel=0.15)
    assert not cannot_be_told_apart((found.low, found.high))


def test_models_that_err_elsewhere_as_often_cannot_be_told_apart():
    found = paired_difference(METRICS["macro_f1"], LABELS, model(wrong=80), model(wrong=80, first=200), seed=0)
    assert cannot_be_told_apart((found.low, found.high))


def test_a_model_cannot_be_told_apart_from_itself():
    found = paired_difference(METRICS["accuracy"], LABELS, model(wrong=9), model(wrong=9), seed=0)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
    assert cannot_be_told_apart((found.low, found.high))


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "roc_auc"])
def test_positive_means_the_first_is_better_whatever_the_metric(name):
    found = paired_difference(METRICS[name], LABELS, model(wrong=20), model(wrong=120), seed=0, draws=300)
    back = paired_difference(METRICS[name], LABELS, model(wrong=120), model(wrong=20), seed=0, draws=300)
    assert 0 < found.low < found.value < found.high
    assert (back.value, back.low) == pytest.approx((-found.value, -found.high))


def test_groups_are_resampled_whole_or_said_not_to_be():
    blocks = np.repeat(np.arange(20), 20)
    alone = paired_difference(METRICS["accuracy"], LABELS, model(wrong=80), model(wrong=100), seed=0)
    grouped = paired_difference(METRICS["accuracy"], LABELS, model(wrong=80), model(wrong=100), groups=blocks, seed=0)
    few = paired_difference(METRICS["accuracy"], LABELS, model(wrong=80), model(wrong=100), groups=blocks // 4, seed=0)
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)
    assert few.note == OVER_WINDOWS


def test_all_models_meet_the_same_resamples():
    scores = resampled_scores(METRICS["accuracy"], LABELS, [model(wrong=50), model(wrong=50)], seed=1, draws=64)
    assert scores.shape == (64, 2)
    assert (scores[:, 0] == scores[:, 1]).all()
    assert np.ptp(scores[:, 0]) > 0


def test_undefined_differences_tell_nothing_apart():
    ends = difference_ends(np.array([math.nan, math.nan, 1.0]))
    assert all(math.isnan(end) for end in ends)
    assert cannot_be_told_apart(ends)


def test_the_resolvable_difference_shrinks_with_the_root_of_the_examples():
    assert smallest_resolvable_difference(400) == pytest.approx(1.645 * math.sqrt(0.16 / 400), rel=1e-3)
    assert smallest_resolvable_difference(100) == pytest.approx(2 * smallest_resolvable_difference(400))
    assert smallest_resolvable_difference(0) <= 1
    assert "400 examples" in resolution_sentence(400)
    assert "3 points" in resolution_sentence(400)


def test_agreement_is_the_share_of_equal_labels():
    assert agreement(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])) == 0.75
    assert math.isnan(agreement(np.zeros(0, dtype=int), np.zeros(0, dtype=int)))
