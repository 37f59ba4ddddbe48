"""Every metric is scikit-learn's, for plain and for weighted examples, and never raises on odd data."""

import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from autotl.scoring.metrics import METRICS, compute_all
from autotl.task.problem import METRIC_NAMES

OF_CLASSES = [name for name, metric in METRICS.items() if metric.prepare is not None]


def examples(*, n=200, classes=4, seed=0, decimals=None):
    """Labels and probabilities that lean towards them; rounded, many probabilities are equal."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, classes, n)
    logits = draws.normal(size=(n, classes))
    logits[np.arange(n), labels] += 1.0
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, probabilities if decimals is None else np.round(probabilities, decimals)


def from_sklearn(name, labels, probabilities, weights):
    """The same figure by scikit-learn."""
    predicted, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    one_hot = np.eye(classes)[labels]
    label_metrics = {
        "accuracy": sk.accuracy_score,
        "balanced_accuracy": sk.balanced_accuracy_score,
        "matthews_corrcoef": sk.matthews_corrcoef,
    }
    if name in label_metrics:
        return label_metrics[name](labels, predicted, sample_weight=weights)
    if name == "cohen_kappa":
        return sk.cohen_kappa_score(labels, predicted, sample_weight=weights)
    if name == "macro_f1":
        return sk.f1_score(labels, predicted, average="macro", sample_weight=weights)
    if name == "f1":
        return sk.f1_score(labels, predicted, labels=[1], average="macro", sample_weight=weights)
    if name == "log_loss":
        return sk.log_loss(labels, probabilities, labels=range(classes), sample_weight=weights)
    if name == "roc_auc":
        if classes == 2:
            return sk.roc_auc_score(labels, probabilities[:, 1], sample_weight=weights)
        return sk.roc_auc_score(one_hot, probabilities, average="macro", sample_weight=weights)
    if classes == 2:
        return sk.average_precision_score(labels, probabilities[:, 1], sample_weight=weights)
    return sk.average_precision_score(one_hot, probabilities, average="macro", sample_weight=weights)


def test_the_table_holds_the_names_that_a_task_may_write():
    assert tuple(METRICS) == METRIC_NAMES
    assert all(metric.name == name for name, metric in METRICS.items())


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", OF_CLASSES)
def test_agrees_with_sklearn(name, classes):
    labels, probabilities = examples(classes=classes)
    expected = from_sklearn(name, labels, probabilities, None)
    assert METRICS[name](labels, probabilities) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", OF_CLASSES)
def test_weighted_draws_agree_with_sklearn_sample_weights(name, classes):
    labels, probabilities = examples(classes=classes, seed=1)
    weights = np.random.default_rng(2).integers(0, 4, size=(3, len(labels))).astype(float)
    found = METRICS[name].of_draws(labels, probabilities)(weights)
    expected = [from_sklearn(name, labels, probabilities, weight) for weight in weights]
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_equal_probabilities_count_as_one_step_of_a_ranking(name, classes):
    labels, probabilities = examples(classes=classes, decimals=1)
    assert METRICS[name](labels, probabilities) == pytest.approx(
        from_sklearn(name, labels, probabilities, None), abs=1e-9
    )


def test_the_positive_class_can_be_the_first():
    labels, probabilities = examples(classes=2)
    predicted = probabilities.argmax(axis=1)
    f1, precision = METRICS["f1"].with_positive(0), METRICS["average_precision"].with_positive(0)
    assert f1(labels, probabilities) == pytest.approx(sk.f1_score(labels, predicted, pos_label=0))
    assert precision(labels, probabilities) == pytest.approx(
        sk.average_precision_score(1 - labels, probabilities[:, 0])
    )


def test_a_class_missing_in_validation_is_left_out_of_means():
    labels, probabilities = examples(classes=3)
    kept = labels != 2
    labels, probabilities = labels[kept], probabilities[kept]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = sk.balanced_accuracy_score(labels, probabilities.argmax(axis=1))
        two = [sk.roc_auc_score(labels == index, probabilities[:, index]) for index in (0, 1)]
    assert METRICS["balanced_accuracy"](labels, probabilities) == pytest.approx(expected)
    assert METRICS["roc_auc"](labels, probabilities) == pytest.approx(np.mean(two))


@pytest.mark.parametrize("name", OF_CLASSES)
def test_one_class_only_never_raises(name):
    _, probabilities = examples(classes=2)
    value = METRICS[name](np.zeros(len(probabilities), dtype=int), probabilities)
    if name in ("roc_auc", "average_precision"):
        assert math.isnan(value)
    else:
        assert math.isfinite(value)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_model_that_says_not_a_number_has_no_score(name):
    labels, probabilities = examples(classes=2)
    probabilities[3, 0] = math.nan
    assert math.isnan(METRICS[name](labels, probabilities))


@pytest.mark.parametrize("name", OF_CLASSES)
def test_no_example_gives_no_score(name):
    assert math.isnan(METRICS[name](np.zeros(0, dtype=int), np.zeros((0, 2))))


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_better_model_gains_and_a_worse_one_loses(name):
    labels, poor = examples(classes=2)
    good = 0.5 * poor + 0.5 * np.eye(2)[labels]
    metric = METRICS[name]
    assert metric.gain(metric(labels, good), metric(labels, poor)) > 0
    assert metric.gain(metric(labels, poor), metric(labels, good)) < 0


def test_a_label_without_a_column_is_refused():
    _, probabilities = examples(classes=3, n=4)
    with pytest.raises(ValueError, match="0 to 2"):
        METRICS["accuracy"](np.array([0, 1, 2, 3]), probabilities)
    with pytest.raises(ValueError, match="shapes"):
        METRICS["accuracy"](np.array([0, 1]), probabilities)


def test_log_loss_of_a_certain_mistake_is_finite():
    assert METRICS["log_loss"](np.array([0]), np.array([[0.0, 1.0]])) == pytest.approx(-math.log(1e-7))


def test_compute_all_leaves_out_what_needs_two_classes():
    assert set(compute_all(*examples(classes=2))) == set(OF_CLASSES)
    assert set(compute_all(*examples(classes=3))) == set(OF_CLASSES) - {"f1"}


def test_the_table_is_read_without_heavy_libraries():
    code = "import sys, autotl.scoring.metrics, autotl.scoring.calibration, autotl.leaderboard; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sklearn", "scipy", "pandas", "keras", "tensorflow", "optuna", "ray"} & set(loaded)
