"""The card's account of a model's behaviour holds the figures that were measured, and says of the others that they were
not."""

import numpy as np
import pytest

from autotl.production.card_evidence import figures_of_behaviour
from autotl.production.evidence.figures import NOTHING, TARGET, TEST, Said, figures_of
from autotl.scoring.calibration import calibrate

CLASSES = ("no | never", "yes\nof course")


def said(split, *, seed, labelled=True):
    draws = np.random.default_rng(seed)
    labels = (draws.random(400) < 0.3).astype(np.int64)
    probability = np.clip(0.25 + 0.5 * labels + draws.normal(0, 0.2, 400), 0.01, 0.99).astype(np.float32)
    return Said.of(
        split, np.stack([1 - probability, probability], axis=1), labels if labelled else None, temperature=0.8
    )


def share(value):
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


@pytest.fixture(scope="module")
def measured():
    validation, test = said("validation", seed=0), said(TEST, seed=1)
    evidence = figures_of(
        validation,
        test=test,
        target=said(TARGET, seed=2, labelled=False),
        classes=CLASSES,
        positive=1,
        temperature=0.8,
        grouped=True,
    )
    unlike = {
        "features": "the features that its head reads",
        "neighbours": 10,
        "expected": 0.05,
        "splits": [
            {"split": "test", "outside": share(0.08), "accuracy_inside": share(0.93), "accuracy_outside": share(0.51)},
            {"split": TARGET, "outside": share(0.4), "accuracy_inside": None, "accuracy_outside": None},
        ],
    }
    return {"evidence": {**evidence, "unlike": unlike}, "calibration": calibrate(validation.labels, validation.raw)}


def test_every_measured_figure_is_there(measured):
    card, evidence = figures_of_behaviour(measured), measured["evidence"]
    for line in evidence["per_class"]["classes"]:
        assert f"{100 * line['recall']['value']:.1f} % ({100 * line['recall']['low']:.1f} % to" in card
    for name in ("error", "nll", "brier"):
        assert f"{measured['calibration'][f'{name}_before']:.4f}" in card
        assert f"{evidence['calibration_on_test'][f'{name}_after']:.4f}" in card
    assert f"AURC {evidence['abstaining']['curves'][1]['aurc']:.4f}" in card
    assert "8.0 % (7.0 % to 9.0 %) lie further from the training data than 95 % of the training examples do" in card
    assert "right 93.0 % (92.0 % to 94.0 %) inside, 51.0 %" in card
    assert f"average precision {evidence['thresholds']['views'][0]['average_precision']:.4f}" in card
    assert "not measured" not in card
    assert "\n\nCalibration error over 15 bins of equal width" in card
    assert evidence["note"] in card


def test_what_was_not_measured_is_said_to_be_so():
    card = figures_of_behaviour({"evidence": NOTHING, "calibration": {"temperature": 1.0, "bins": []}})
    assert card.count("not measured") == 4
    assert "Not asked for: more than two classes, none of them rare." in card


def test_no_name_of_a_class_breaks_a_table(measured):
    table = figures_of_behaviour(measured).split("## ")[1]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [6] * 4
    assert "| no \\| never |" in table
    assert "| yes of course |" in table


def test_of_many_classes_the_worst_are_told(measured):
    (line, *_) = measured["evidence"]["per_class"]["classes"]
    lines = [{**line, "class": f"class {number}", "f1": share(number / 100)} for number in range(60)]
    per_class = {"split": "test", "examples": 900, "classes": lines}
    card = figures_of_behaviour({**measured, "evidence": {**NOTHING, "per_class": per_class}})
    assert "The 40 with the lowest F1 of 60." in card
    assert "class 39" in card
    assert "class 40" not in card
