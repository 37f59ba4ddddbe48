"""Metrics of label sets are scikit-learn's for indicator matrices; thresholds never judge what they were tuned on."""

import numpy as np
import pytest
from sklearn import metrics as sk

from autotl.scoring.intervals import interval
from autotl.scoring.label_sets import as_decisions, said_sets
from autotl.scoring.label_thresholds import MOST_SAID, cross_fitted, tuned
from autotl.scoring.metrics import METRICS, compute_all

OF_SETS = [name for name, metric in METRICS.items() if metric.of_sets is not None]
HALF = (0.5, 0.5, 0.5, 0.5)


def examples(*, n=300, seed=0, decimals=None, prevalence=(0.5, 0.3, 0.1, 0.05), signal=1.5):
    """Sets of four labels of falling prevalence, and probabilities that lean towards them."""
    draws = np.random.default_rng(seed)
    sets = (draws.random((n, len(prevalence))) < prevalence).astype(np.int64)
    logits = draws.normal(size=sets.shape) + signal * (sets - 0.5)
    probabilities = 1 / (1 + np.exp(-logits))
    return sets, probabilities if decimals is None else np.round(probabilities, decimals)


def from_sklearn(name, sets, probabilities, weights):
    said = said_sets(probabilities, HALF)
    if name in ("roc_auc", "average_precision"):
        area = sk.roc_auc_score if name == "roc_auc" else sk.average_precision_score
        return area(sets, probabilities, average="macro", sample_weight=weights)
    if name == "micro_average_precision":
        return sk.average_precision_score(sets, probabilities, average="micro", sample_weight=weights)
    if name in ("macro_f1", "micro_f1"):
        return sk.f1_score(sets, said, average=name.removesuffix("_f1"), sample_weight=weights)
    if name == "hamming_loss":
        return sk.hamming_loss(sets, said, sample_weight=weights)
    if name == "subset_accuracy":
        return sk.accuracy_score(sets, said, sample_weight=weights)
    columns = range(sets.shape[1])
    losses = [sk.log_loss(sets[:, at], probabilities[:, at], labels=(0, 1), sample_weight=weights) for at in columns]
    return np.mean(losses)


@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize("name", OF_SETS)
def test_a_metric_of_sets_is_scikit_learns_on_weighted_examples(name, decimals):
    sets, probabilities = examples(decimals=decimals)
    probabilities = np.clip(probabilities, 0.01, 0.99)
    metric = METRICS[name].with_thresholds(HALF)
    weights = np.random.default_rng(1).integers(0, 3, (2, len(sets))).astype(float)
    found = metric.of_draws(sets, probabilities)(weights)
    assert found == pytest.approx([from_sklearn(name, sets, probabilities, draw) for draw in weights], abs=1e-9)
    plain = from_sklearn(name, sets, probabilities, np.ones(len(sets)))
    assert metric(sets, probabilities) == pytest.approx(plain, abs=1e-9)


def test_all_metrics_of_sets_are_computed_and_no_other():
    sets, probabilities = examples()
    assert list(compute_all(sets, probabilities)) == OF_SETS
    with pytest.raises(ValueError, match="one class per example"):
        METRICS["accuracy"](sets, probabilities)
    with pytest.raises(ValueError, match="no meaning for one class per example"):
        METRICS["hamming_loss"](sets[:, 0], probabilities)


def test_odd_sets_give_no_number_or_are_refused():
    sets, probabilities = examples()
    assert np.isnan(METRICS["average_precision"](sets[:0], probabilities[:0]))
    assert np.isnan(METRICS["average_precision"](np.zeros_like(sets), probabilities))
    with pytest.raises(ValueError, match="0 or 1"):
        METRICS["macro_f1"](sets - 1, probabilities)
    with pytest.raises(ValueError, match="must both have shape"):
        METRICS["macro_f1"](sets[:, :2], probabilities)


def test_a_tuned_threshold_gives_the_best_f1_of_those_that_do_not_say_a_label_too_often():
    sets, probabilities = examples(decimals=2)
    found = tuned(sets, probabilities)
    for index, threshold in enumerate(found):
        column, of_label = sets[:, index], probabilities[:, index]
        allowed = [each for each in np.unique(of_label) if (of_label >= each).sum() <= MOST_SAID * column.sum()]
        best = max(sk.f1_score(column, of_label >= each) for each in allowed)
        assert sk.f1_score(column, of_label >= threshold) == pytest.approx(best)


def test_a_rare_label_of_which_nothing_can_be_learnt_is_not_said_always():
    sets, noise = examples(n=2_000, signal=0.0, prevalence=(0.01,))
    (threshold,) = tuned(sets, noise)
    assert (noise >= threshold).sum() <= 3 * sets.sum()
    assert METRICS["hamming_loss"].with_thresholds((threshold,))(sets, noise) < 0.05


def test_a_label_that_nobody_bears_is_decided_at_even_odds_and_unknown_rows_do_not_count():
    sets, probabilities = examples(prevalence=(0.5, 0.0))
    assert tuned(sets, probabilities)[1] == 0.5
    unknown = np.concatenate([sets, np.full((50, 2), -1)])
    more = np.concatenate([probabilities, np.random.default_rng(2).random((50, 2))])
    assert tuned(unknown, more) == tuned(sets, probabilities)


def test_no_example_is_decided_by_a_threshold_that_its_own_label_moved():
    sets, probabilities = examples(n=100)
    before = cross_fitted(sets, probabilities)
    for row in (3, 57):
        changed = probabilities.copy()
        changed[row] = 1 - changed[row]
        assert cross_fitted(sets, changed)[row] == pytest.approx(before[row])


def test_thresholds_tuned_on_noise_promise_nothing_where_they_are_cross_fitted():
    metric, fresh = METRICS["macro_f1"], examples(n=5_000, seed=99, signal=0.0, prevalence=(0.1, 0.1))
    flattering, honest, truth = [], [], []
    for seed in range(20):
        sets, noise = examples(n=80, seed=seed, signal=0.0, prevalence=(0.1, 0.1))
        at = tuned(sets, noise)
        flattering.append(metric.with_thresholds(at)(sets, noise))
        honest.append(metric(sets, noise))
        truth.append(metric.with_thresholds(at)(*fresh))
    assert np.mean(flattering) > np.mean(truth) + 0.05
    assert np.mean(honest) < np.mean(truth) + 0.02


@pytest.mark.parametrize("name", ["macro_f1", "micro_f1", "subset_accuracy", "hamming_loss"])
def test_intervals_hold_the_figure_of_fresh_examples(name):
    metric = METRICS[name].with_thresholds(HALF)
    truth = metric(*examples(n=40_000, seed=1))
    held = 0
    for seed in range(30):
        found = interval(metric, *examples(n=250, seed=100 + seed), seed=seed, draws=300)
        held += found.low <= truth <= found.high
    assert held >= 26


@pytest.mark.parametrize("name", ["macro_f1", "average_precision", "micro_f1"])
def test_few_right_answers_are_no_proof(name):
    sets = np.zeros((60, 2), dtype=np.int64)
    sets[:5, 0] = sets[5:40, 1] = 1
    found = interval(METRICS[name].with_thresholds((0.5, 0.5)), sets, np.where(sets == 1, 0.9, 0.1), seed=0, draws=200)
    assert found.value == 1.0
    assert 0.5 < found.low < 0.96


def test_decisions_are_examples_of_two_classes():
    sets, probabilities = examples(n=5)
    labels, said = as_decisions(sets, probabilities)
    assert labels.shape == (20,)
    assert said[7] == pytest.approx([1 - probabilities[1, 3], probabilities[1, 3]])
    assert labels[7] == sets[1, 3]
