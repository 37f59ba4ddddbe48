"""Two models are tested on the very same examples or not at all, and the reason is told."""

from dataclasses import replace

import numpy as np
import pytest
from board_trials import CLASSES, LABELS, ROWS, outputs, row

from autotl.leaderboard.comparing import Said, Side, compare_sides
from autotl.scoring.comparison import paired_difference
from autotl.scoring.metrics import METRICS

NAMES = tuple("abcd")


def said(*, wrong, data="d", first=0, order=None):
    order = np.arange(len(ROWS)) if order is None else order
    digests = np.array([f"{data}{number:03}" for number in ROWS])
    return Said(digests[order], LABELS[ROWS][order], None, outputs(wrong=wrong, first=first).validation[order])


def side(label, *, test=None, validation=None, plan=None, **more):
    made = row(0, 0.9)
    made["plan"] = made["plan"] | (plan or {})
    known = {"run": "r", "task": "pets", "metric": "accuracy", "regime": "validation", "classes": NAMES, "positive": 1}
    return Side(label, row=made, corrected=None, validation=validation, test=test, **{**known, **more})


def only_test(*sides):
    (found,) = compare_sides(sides).tests
    return found


def test_the_difference_is_the_paired_bootstraps():
    one, other = said(wrong=20), said(wrong=80)
    found = only_test(side("A", test=one), side("B", test=other))
    expected = paired_difference(METRICS["accuracy"], one.labels, one.probabilities, other.probabilities, seed=0)
    assert found.difference == expected.as_dict()
    assert (found.on, found.examples, found.better) == ("test", 400, "A")
    assert (found.only_first_right, found.only_second_right) == (60, 0)
    assert found.sentence.startswith("On the same 400 test examples A is better than B: +15.0 points")


def test_the_worse_one_is_told_to_be_worse():
    found = only_test(side("A", test=said(wrong=80)), side("B", test=said(wrong=20)))
    assert found.better == "B"
    assert "A is worse than B: −15.0 points" in found.sentence


def test_what_cannot_be_told_apart_is_not():
    found = only_test(side("A", test=said(wrong=40)), side("B", test=said(wrong=41, first=200)))
    assert found.better is None
    assert "cannot be told apart" in found.sentence


def test_the_same_examples_in_another_order_are_the_same():
    shuffled = np.random.default_rng(0).permutation(len(ROWS))
    plain = only_test(side("A", test=said(wrong=20)), side("B", test=said(wrong=80)))
    moved = only_test(side("A", test=said(wrong=20)), side("B", test=said(wrong=80, order=shuffled)))
    assert moved == plain


def test_other_test_examples_lead_to_the_same_validation_examples_and_it_is_said():
    found = only_test(
        side("A", test=said(wrong=1), validation=said(wrong=20, data="v")),
        side("B", test=said(wrong=1, data="other"), validation=said(wrong=80, data="v")),
    )
    assert (found.on, found.better) == ("validation", "A")
    assert "chosen by, because their test examples are not the same" in found.sentence


def test_the_same_contents_under_other_labels_are_not_the_same():
    relabelled = replace(said(wrong=0), labels=(LABELS[ROWS] + 1) % CLASSES)
    found = only_test(side("A", validation=said(wrong=1)), side("B", validation=relabelled))
    assert found.on is None


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (side("A", validation=said(wrong=1)), side("B"), "B left no outputs"),
        (side("A", validation=said(wrong=1)), side("B", validation=said(wrong=1, data="x")), "not the same either"),
        (side("A", classes=("x", "y")), side("B"), "their classes are not the same"),
        (
            side("A", validation=said(wrong=1), regime="label_free"),
            side("B", validation=said(wrong=9), regime="label_free"),
            "there are no test outputs of A and B, and no target label was known",
        ),
    ],
)
def test_without_the_same_examples_there_is_no_test_and_a_reason(first, second, why):
    found = only_test(first, second)
    assert (found.on, found.difference, found.better, found.examples) == (None, None, None, 0)
    assert why in found.sentence


def test_a_class_that_no_model_can_name_counts_as_a_miss_for_both():
    unknown = replace(said(wrong=0), labels=np.where(ROWS % 10 == 0, -1, LABELS[ROWS]))
    other = replace(said(wrong=0), labels=unknown.labels)
    found = only_test(side("A", test=unknown), side("B", test=other))
    assert found.difference["value"] == 0
    assert (found.only_first_right, found.only_second_right) == (0, 0)


def test_only_fields_that_differ_are_listed_with_a_gap_where_a_plan_has_none():
    mcc = {"adaptation": {"method": "mcc", "weight": 0.5}, "learning_rate": 0.1}
    found = compare_sides([side("A"), side("B", plan=mcc), side("C")])
    assert found.differences == {
        "learning_rate": [1e-3, 0.1, 1e-3],
        "adaptation.method": ["none", "mcc", "none"],
        "adaptation.weight": [None, 0.5, None],
    }
    assert [(test.first, test.second) for test in found.tests] == [("A", "B"), ("A", "C")]


def test_other_tasks_and_metrics_are_noted():
    notes = compare_sides([side("A"), side("B", task="zoo", metric="log_loss")]).notes
    assert any("pets, zoo" in note for note in notes)
    assert any("accuracy, log_loss" in note for note in notes)


def test_several_labels_per_example_are_tested_on_the_same_examples_in_any_order():
    draws = np.random.default_rng(0)
    marks = draws.integers(0, 2, (200, 3))
    digests = np.array([f"d{number:03}" for number in range(200)])
    good, poor = (np.clip(marks * 0.5 + draws.uniform(0, width, marks.shape), 0, 1) for width in (0.6, 2.0))
    shuffled = draws.permutation(200)
    both = {"metric": "average_precision", "classes": ("a", "b", "c")}
    first = side("A", test=Said(digests, marks, None, good), **both)
    found = only_test(first, side("B", test=Said(digests[shuffled], marks[shuffled], None, poor[shuffled]), **both))
    assert (found.on, found.examples, found.better) == ("test", 200, "A")
    assert found.difference["value"] > 0.05
