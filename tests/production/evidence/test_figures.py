"""Figures are of the right split, and thresholds never see the test."""

import json

import numpy as np
import pytest

from autotl.production.evidence.figures import NOTHING, OVER_EXAMPLES, TARGET, TEST, Said, figures_of


def said(split, *, n=300, classes=2, seed=0, labelled=True, right=0.85):
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, classes, n)
    named = np.where(draws.random(n) < right, labels, draws.integers(0, classes, n))
    raw = (np.eye(classes)[named] * draws.uniform(0.2, 0.9, (n, 1)) + 0.05).astype(np.float32)
    raw /= raw.sum(axis=1, keepdims=True)
    return Said.of(split, raw, labels if labelled else None, temperature=1.5)


def figures(*, validation=None, test=None, target=None, classes=("no", "yes"), grouped=False):
    validation = said("validation") if validation is None else validation
    return figures_of(
        validation, test=test, target=target, classes=classes, positive=1, temperature=1.5, grouped=grouped
    )


def test_every_figure_is_plain_json_under_a_known_name():
    found = figures(test=said(TEST, seed=1), target=said(TARGET, seed=2, labelled=False))
    assert set(found) <= set(NOTHING)
    json.dumps(found, allow_nan=False)


def test_classes_are_told_on_test_where_it_was_opened_and_thresholds_never():
    alone, tested = figures(), figures(test=said(TEST, seed=1))
    assert alone["per_class"]["split"] == "validation"
    assert tested["per_class"]["split"] == TEST
    assert alone["calibration_on_test"] is None
    assert tested["calibration_on_test"]["examples"] == 300
    assert alone["thresholds"] == tested["thresholds"]
    assert [rule["threshold"] for rule in alone["abstaining"]["rules"]] == [
        rule["threshold"] for rule in tested["abstaining"]["rules"]
    ]


def test_rules_are_told_on_every_split_and_without_labels_only_how_much_is_answered():
    found = figures(test=said(TEST, seed=1), target=said(TARGET, seed=2, labelled=False))
    rule = next(rule for rule in found["abstaining"]["rules"] if rule["threshold"] is not None)
    assert [each["split"] for each in rule["on"]] == ["validation", TEST, TARGET]
    assert [each["accuracy"] is None for each in rule["on"]] == [False, False, True]
    assert [curve["split"] for curve in found["abstaining"]["curves"]] == ["validation", TEST]


def test_many_even_classes_need_no_threshold_and_a_rare_one_does():
    names = tuple("abcd")
    even = said("validation", classes=4, n=400)
    assert figures(validation=even, classes=names)["thresholds"] is None
    kept = np.flatnonzero((even.labels != 3) | (np.arange(400) % 8 == 0))
    (view,) = figures(validation=even.at(kept), classes=names)["thresholds"]["views"]
    assert view["class"] == "d"
    assert view["of_class"] == int((even.labels[kept] == 3).sum())


def test_too_few_examples_give_no_curve_and_a_reason():
    few = said("validation", n=30)
    lonely = few.at(np.flatnonzero((few.labels == 0) | (np.cumsum(few.labels) <= 3)))
    found = figures(validation=lonely)["thresholds"]
    assert found["views"] == []
    assert "fewer than 10" in found["missing"]


@pytest.mark.parametrize("test", [None, said(TEST, seed=1)])
def test_a_source_that_is_not_here_leaves_only_the_test(test):
    nothing = said("validation").at(np.empty(0, dtype=np.int64))
    found = figures(validation=nothing, test=test)
    assert found["thresholds"] is found["abstaining"] is None
    assert (found["per_class"] is None) == (test is None)


def test_classes_that_no_model_can_name_are_no_mistake_of_calibration_but_of_precision():
    test = said(TEST, seed=1)
    strange = Said(TEST, test.raw, test.probabilities, np.where(np.arange(300) < 30, -1, test.labels))
    found = figures(test=strange)
    assert found["calibration_on_test"]["examples"] == 270
    assert sum(line["support"] for line in found["per_class"]["classes"]) == 270
    assert sum(line["said"] for line in found["per_class"]["classes"]) == 300


def test_groups_are_mentioned():
    assert figures()["note"] is None
    assert figures(grouped=True)["note"] == OVER_EXAMPLES
