"""Figures class by class are scikit-learn's, with intervals that hold them."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from autotl.scoring.per_class import per_class, share

CLASSES = ("a", "b", "c")


def said(*, n=300, right=0.7, seed=0):
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, 3, n)
    named = np.where(draws.random(n) < right, labels, draws.integers(0, 3, n))
    return labels, np.eye(3)[named] * 0.7 + 0.1


def test_they_agree_with_sklearn():
    labels, probabilities = said()
    expected = precision_recall_fscore_support(labels, probabilities.argmax(axis=1))
    for index, line in enumerate(per_class(labels, probabilities, CLASSES)):
        found = [line[name]["value"] for name in ("precision", "recall", "f1")] + [line["support"]]
        assert found == pytest.approx([each[index] for each in expected])
        assert line["class"] == CLASSES[index]
        for name in ("precision", "recall", "f1"):
            assert 0 <= line[name]["low"] < line[name]["value"] < line[name]["high"] <= 1


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(name):
    labels, probabilities = said(n=400_000, seed=1)
    truth = [line[name]["value"] for line in per_class(labels, probabilities, CLASSES)]
    covered = [
        line[name]["low"] <= true <= line[name]["high"]
        for seed in range(2, 202)
        for line, true in zip(per_class(*said(n=120, seed=seed), CLASSES), truth, strict=True)
    ]
    assert 0.92 < np.mean(covered) < 0.985


def test_a_class_that_no_model_can_name_makes_others_less_precise():
    labels, probabilities = np.array([0, 0, -1, 1]), np.eye(3)[[0, 0, 0, 1]]
    first, _, third = per_class(labels, probabilities, CLASSES)
    assert first["precision"]["value"] == pytest.approx(2 / 3)
    assert first["recall"]["value"] == 1
    assert (third["support"], third["said"]) == (0, 0)
    assert third["precision"] == third["recall"] == third["f1"] == {"value": None, "low": None, "high": None}


def test_no_example_at_all_is_told_as_nothing():
    (line, *_) = per_class(np.empty(0, dtype=np.int64), np.empty((0, 3)), CLASSES)
    assert line["recall"] == share(0, 0)
