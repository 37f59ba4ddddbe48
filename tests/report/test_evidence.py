"""What the page says of the winner's behaviour is what was stored, with nothing of the data able to act."""

import re
from dataclasses import replace

import pytest
from sample import CLASSES, EVIL_NAMES, sample_values
from sample_evidence import SHOWN, sample_evidence, sample_examples
from test_page import Reading

from autotl.report import render, sections, wording
from autotl.report.charts import columns_that_matter, reliability, risk_coverage, threshold_curves

EVIDENCE = sample_evidence(CLASSES)


def section(page, name):
    """The text of one section."""
    start = page.index(f'<section id="{name}"')
    return " ".join(" ".join(Reading(page[start : page.index("</section>", start)]).texts).split())


@pytest.fixture(scope="module")
def page():
    return render(sample_values())


def test_every_class_stands_with_its_intervals(page):
    text = section(page, "mistakes")
    assert "Class by class, on test" in text
    for line in EVIDENCE["per_class"]["classes"]:
        assert f"{line['class']} 100 96 0.780 0.750 – 0.810 0.810 0.780 – 0.840 0.790" in text
    assert EVIDENCE["note"] in text


def test_decisions_on_labels_are_told_as_such():
    told = {**sample_examples("words", CLASSES), "each": "label"}
    text = section(render(replace(sample_values(), examples=told)), "examples")
    assert "decisions furthest on the wrong side of their label's threshold; 2 of 217" in text
    assert "the surest of each label" in text


def test_of_many_classes_the_worst_are_shown():
    lines = [
        {**EVIDENCE["per_class"]["classes"][0], "class": f"class {number}", "f1": {"value": number / 100}}
        for number in range(90, 0, -1)
    ]
    found = sections.by_class({"per_class": {"split": "test", "classes": lines}})
    assert [line.name for line in found.lines[:2]] == ["class 1", "class 2"]
    assert (len(found.lines), found.left_out) == (40, 50)
    nothing = {**lines[0], "f1": {"value": None, "low": None, "high": None}}
    assert sections.by_class({"per_class": {"split": "test", "classes": [nothing]}}).lines[0].f1 is None


def test_calibration_stands_before_and_after_on_validation_and_on_test(page):
    text = section(page, "trust")
    assert "Expected calibration error, validation 0.061 0.024" in text
    assert "Negative log likelihood, test 0.043 0.043" in text
    assert "15 bins of equal width" in text
    chart = reliability(sample_values().calibration["bins"], sample_values().calibration["bins_before"])
    assert [row["probabilities"] for row in chart.rows] == ["before scaling"] * 8 + ["as it ships"] * 8


def test_a_rule_says_what_is_answered_and_how_much_of_that_is_right(page):
    text = section(page, "trust")
    assert "90.0 % 0.612 83.0 % 90.2 % right 61.0 %" in text
    assert "99.0 % none is enough – –" in text
    assert "(AURC) 0.071; 0.021 would be the least" in text
    assert {row["split"] for row in risk_coverage(EVIDENCE["abstaining"]["curves"]).rows} == {"validation", "test"}


def test_unlike_inputs_are_told_with_what_the_model_makes_of_them(page):
    text = section(page, "trust")
    assert "validation 400 6.8 % 3.8 % – 9.8 % 83.0 % 80.0 % – 86.0 % 41.0 %" in text
    assert "target inputs 900 31.0 % 28.0 % – 34.0 % – –" in text
    assert "10th nearest of 1,600, by the features that its head reads" in text


def test_inputs_that_the_winner_was_not_prepared_for_are_among_the_risks(page):
    assert "31.0 % of the target inputs are unlike anything that it was trained on" in section(page, "summary")
    assert sections.misgivings({}) == []
    few = {**EVIDENCE["unlike"]["splits"][1], "outside": {"value": 0.2, "low": 0.06, "high": 0.4}}
    assert sections.misgivings({"unlike": {"splits": [few]}}) == [], "that may be chance"
    chosen_by = {**EVIDENCE["unlike"]["splits"][1], "split": "validation"}
    assert sections.misgivings({"unlike": {"splits": [chosen_by]}}) == []


def test_untrue_probabilities_are_a_risk_where_enough_examples_say_so():
    untrue = {"error_after": 0.123, "examples": 900}
    (words,) = sections.misgivings({"calibration_on_test": untrue})
    assert "confidence and accuracy are 0.12 apart" in words
    assert sections.misgivings({"calibration_on_test": {**untrue, "examples": 100}}) == []
    assert sections.misgivings({"calibration_on_test": {**untrue, "error_after": 0.02}}) == []


def test_every_ratio_of_costs_stands_in_the_table_and_in_a_sentence(page):
    text = section(page, "thresholds")
    assert "test played no part" in text
    assert "10 0.091 50.0 % 75.0 % 4 7 5.2 10.5 from 0.310: 5.0" in text
    assert "never: 5.0" in text
    (view,) = sections.thresholds(EVIDENCE).views
    assert view.prices[2].sentence == (
        "A miss costs one false alarm: call it “airplane” from a probability of 0.500 on. 50.0 % are found and 75.0 % "
        "of its alarms are right; errors cost 5.2 false alarms per 100 examples, 5.2 less than without a model."
    )
    assert [price.is_even for price in view.prices] == [False, False, True, False, False]


def test_a_model_that_is_worth_nothing_at_some_costs_is_told_so():
    costs = [{**EVIDENCE["thresholds"]["views"][0]["costs"][0], "cost": 11.0, "precision": None}]
    view = {**EVIDENCE["thresholds"]["views"][0], "costs": costs}
    (price,) = sections.thresholds({"thresholds": {"split": "s", "views": [view], "missing": None}}).views[0].prices
    assert "do without the model at these costs" in price.sentence
    assert price.precision == wording.NOTHING


def test_where_no_curve_could_be_drawn_the_reason_stands():
    missing = {**EVIDENCE, "thresholds": {"split": "validation", "views": [], "missing": "fewer than 10 examples"}}
    assert "Not measured: fewer than 10 examples." in section(
        render(replace(sample_values(), evidence=missing)), "thresholds"
    )


def test_curves_hold_every_threshold_and_the_marked_ones():
    precision, roc = threshold_curves(EVIDENCE["thresholds"]["views"])
    assert len(precision.table) == len(roc.table) == 23
    assert [row["name"] for row in roc.table[-2:]] == ["as it ships", "best F1"]
    assert len(columns_that_matter(EVIDENCE["columns"]).table) == len(CLASSES)
    assert columns_that_matter({**EVIDENCE["columns"], "columns": []}) is None


@pytest.mark.parametrize("kind", SHOWN)
def test_examples_say_what_they_are_and_what_the_answer_hangs_on(kind):
    text = section(render(replace(sample_values(), examples=sample_examples(kind, CLASSES))), "examples")
    assert "bird , it is automobile" in text
    assert f"97.3 % sure, {'with bird covered' if kind == 'picture' else 'without'}" in text
    assert "not looked into: the time was up" in text
    assert "2 of 217" in text
    assert "pass this page on only to those who may see it" in text


@pytest.mark.parametrize("kind", SHOWN)
def test_no_example_runs_or_adds_markup(kind):
    honest, evil = (
        Reading(render(replace(sample_values(), examples=sample_examples(kind, names))))
        for names in (CLASSES, EVIL_NAMES)
    )
    assert {tag for tag, _ in evil.tags} == {tag for tag, _ in honest.tags}
    assert {name for _, attributes in evil.tags for name in attributes} == {
        name for _, attributes in honest.tags for name in attributes
    }
    assert evil.scripts[1:] == honest.scripts[1:]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x.jpg",
        'data:image/jpeg;base64,AAAA" onerror="alert(1)',
        "data:text/html;base64,AAAA",
        "data:image/jpeg;base64," + "A" * 30_000,
        None,
        7,
    ],
)
def test_a_thumbnail_that_is_not_ours_is_not_shown(address):
    given = sample_examples("picture", CLASSES)
    given["examples"][0]["thumbnail"] = address
    shown = sections.examples(given)
    assert shown.wrong[0].thumbnail == ""
    assert shown.wrong[1].thumbnail


def test_marks_are_strongest_where_most_is_lost():
    picture, words, cells = (
        sections.examples(sample_examples(kind, CLASSES)).wrong[0] for kind in ("picture", "words", "cells")
    )
    lost = [value for line in sample_examples("picture", CLASSES)["examples"][0]["map"] for value in line]
    strongest = max(picture.squares, key=lambda square: square.opacity)
    place = lost.index(max(lost))
    assert (strongest.x, strongest.y) == pytest.approx((place % 7 * 100 / 7, place // 7 * 100 / 7), abs=0.01)
    assert len(picture.squares) < len(lost), "what speaks against the answer is not marked"
    assert [word.mark for word in words.words[:5]] == [0, 1, 4, -3, 2]
    assert [cell.weight for cell in cells.cells[:2]] == [27.3, 9.1], "the longest bar is the one that speaks against it"


def test_an_answer_that_hangs_on_no_single_part_says_so():
    given = sample_examples("picture", CLASSES)
    given["examples"][0] |= {"before": 1.0, "after": 0.9999}
    assert sections.examples(given).wrong[0].reason == "100.0 % sure, whatever single part is taken away"


def test_numbers_are_told_with_how_far_they_are_off_and_marked_to_both_sides():
    given = {**sample_examples("stretches", CLASSES), "each": "number"}
    for each in given["examples"]:
        each |= {"true": 41.5, "said": 40.0}
        del each["probability"], each["probability_of_true"]
    given["examples"][0] |= {"before": 40.0, "after": 52.25, "place": "samples 1 to 8", "lost": [-12.25, 3.0]}
    shown = sections.examples(given)
    assert (shown.wrong[0].true, shown.wrong[0].said, shown.wrong[0].sure) == ("41.5", "40", "−1.5")
    assert shown.wrong[0].reason == "40, without samples 1 to 8 52.25"
    assert [square.opacity for square in shown.wrong[0].squares] == [0.7, 0.17], "what lowers a number is marked too"
    page = render(replace(sample_values(), examples=given))
    assert "Furthest off" in page
    assert "−1.5 off" in page
    assert "Sure of the truth" not in page
    given["examples"][0] |= {"said": float("nan")}
    assert sections.examples(given).wrong[0].sure == "–"


def test_at_most_24_examples_are_on_a_page():
    given = sample_examples("picture", CLASSES)
    many = {**given, "examples": given["examples"] * 20}
    page = render(replace(sample_values(), examples=many))
    assert len(re.findall("<img ", page)) == 24


def test_without_examples_none_is_shown():
    page = render(replace(sample_values(), examples=None, evidence={**EVIDENCE, "columns": None}))
    assert "<img " not in page
    assert 'id="examples"' not in page


def test_a_run_from_before_there_was_evidence_still_has_a_page():
    old = replace(sample_values(), evidence={}, examples=None, calibration={"temperature": 1.2, "bins": []})
    page = render(old)
    assert "By class" in section(page, "mistakes")
    assert "1.200" in section(page, "trust")
    assert 'id="thresholds"' not in page
