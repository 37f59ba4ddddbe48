"""Intervals agree with independent formulas, admit what they cannot know, and are fast."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import log_loss

from autotl.scoring.intervals import Interval, interval, wilson
from autotl.scoring.metrics import METRICS
from autotl.scoring.resampling import OVER_WINDOWS

OF_CLASSES = [name for name, metric in METRICS.items() if metric.prepare is not None]


def examples(*, n=300, classes=3, seed=0, lean=1.5):
    draws = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    logits = draws.normal(size=(n, classes))
    logits[np.arange(n), labels] += lean
    return labels, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def perfect(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    return labels, 0.9 * np.eye(len(counts))[labels] + 0.1 / len(counts)


@pytest.mark.parametrize(("right", "n"), [(0, 10), (7, 10), (10, 10), (80, 100), (999, 1000)])
def test_wilson_agrees_with_scipy(right, n):
    expected = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right, n) == pytest.approx((expected.low, expected.high))


def test_accuracy_over_examples_is_wilsons():
    labels, probabilities = examples()
    right = int((probabilities.argmax(axis=1) == labels).sum())
    found = interval(METRICS["accuracy"], labels, probabilities, seed=0)
    assert (found.low, found.high) == wilson(right, len(labels))
    assert found.value == pytest.approx(right / len(labels))


def test_the_bootstrap_agrees_with_scipys_bca():
    draws = np.random.default_rng(5)
    labels, probabilities = np.zeros(120, dtype=int), draws.beta(2, 1, size=(120, 1))
    probabilities = np.concatenate([probabilities, 1 - probabilities], axis=1)
    losses = -np.log(probabilities[:, 0])
    found = interval(METRICS["log_loss"], labels, probabilities, seed=0, draws=8_000)
    expected = stats.bootstrap((losses,), np.mean, n_resamples=8_000, method="BCa", rng=1).confidence_interval
    assert found.value == pytest.approx(log_loss(labels, probabilities, labels=[0, 1]))
    half_width = (expected.high - expected.low) / 2
    assert found.low == pytest.approx(expected.low, abs=0.06 * half_width)
    assert found.high == pytest.approx(expected.high, abs=0.06 * half_width)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_the_value_lies_inside_and_more_examples_narrow_the_interval(name):
    widths = []
    for n in (120, 1_200):
        labels, probabilities = examples(n=n, classes=2)
        found = interval(METRICS[name], labels, probabilities, seed=0, draws=500)
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < 0.6 * widths[0]


@pytest.mark.parametrize("name", ["macro_f1", "log_loss"])
def test_the_same_seed_gives_the_same_interval(name):
    first, again = (interval(METRICS[name], *examples(), seed=4, draws=300) for _ in range(2))
    assert first == again


def test_a_higher_level_is_wider():
    narrow, wide = (interval(METRICS["macro_f1"], *examples(), seed=0, draws=500, level=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_examples_of_one_group_tell_less_than_as_many_of_many_groups():
    labels, probabilities = examples(n=40)
    labels, probabilities = np.repeat(labels, 10), np.repeat(probabilities, 10, axis=0)
    groups = np.repeat(np.arange(40), 10)
    alone = interval(METRICS["accuracy"], labels, probabilities, seed=0)
    grouped = interval(METRICS["accuracy"], labels, probabilities, groups=groups, seed=0)
    assert grouped.high - grouped.low > 2.5 * (alone.high - alone.low)
    assert grouped.note is None


def test_fewer_than_ten_groups_are_over_windows_and_say_so():
    labels, probabilities = examples()
    found = interval(METRICS["accuracy"], labels, probabilities, groups=np.arange(len(labels)) % 9, seed=0)
    assert found.note == OVER_WINDOWS
    assert found.as_dict()["note"] == OVER_WINDOWS


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1", "matthews_corrcoef", "cohen_kappa"])
def test_no_mistake_is_not_proof_of_none(name):
    labels, probabilities = perfect([40, 40])
    found = interval(METRICS[name], labels, probabilities, seed=0)
    assert found.value == found.high == 1.0
    assert 0.85 < found.low < 0.98


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_perfect_ranking_is_not_proof_of_one(name):
    labels, probabilities = perfect([40, 10])
    found = interval(METRICS[name], labels, probabilities, seed=0)
    assert found.value == found.high == 1.0
    assert 0.6 < found.low < 0.95


def test_a_rare_class_without_a_mistake_widens_the_interval_below():
    labels = np.repeat([0, 1], [90, 10])
    probabilities = 0.8 * np.eye(2)[labels] + 0.1
    probabilities[:9] = probabilities[:9, ::-1]  # nine mistakes in the large class, none in the small one
    found = interval(METRICS["balanced_accuracy"], labels, probabilities, seed=0)
    assert found.value == pytest.approx(0.95)
    assert found.low < 0.83
    assert found.high < 0.99


def test_a_model_that_always_says_the_same_is_not_known_to_the_last_digit():
    labels = np.repeat([0, 1], [30, 10])
    found = interval(METRICS["balanced_accuracy"], labels, np.tile([0.9, 0.1], (40, 1)), seed=0)
    assert found.value == 0.5
    assert found.low < 0.5 < found.high


@pytest.mark.parametrize("name", OF_CLASSES)
def test_what_is_not_defined_has_no_interval(name):
    labels, probabilities = examples(classes=2)
    found = interval(METRICS[name], labels, np.full_like(probabilities, math.nan), seed=0)
    assert found.as_dict() == {"value": None, "low": None, "high": None}


def test_one_class_only_never_raises():
    labels = np.zeros(30, dtype=int)
    for metric in (METRICS[name] for name in OF_CLASSES):
        found = interval(metric, labels, examples(n=30, classes=2)[1], seed=0, draws=100)
        assert found.low <= found.value <= found.high or math.isnan(found.value)


def test_an_interval_is_plain_json_without_a_note_where_there_is_none():
    assert Interval(0.5, math.nan, 0.7).as_dict() == {"value": 0.5, "low": None, "high": 0.7}
