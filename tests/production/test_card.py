"""The model card tells what was measured, and says so where nothing was."""

import pytest

from autotl.production.card import model_card
from autotl.production.evidence.figures import NOTHING

VALUES = {
    "task": "flowers",
    "modality": "image",
    "setting": "inductive",
    "problem": "classification",
    "subject": "2 classes",
    "metric": "accuracy",
    "classes": ["daisy", "tulip"],
    "plan": {"backbone": "MobileNetV2", "learning_rate": 0.00123456, "head": {"name": "hidden", "units": 256}},
    "headline": ["Trial 3 won.", "Expect less."],
    "corrected": {"value": 0.9, "low": 0.85, "high": 0.94321},
    "test": {"value": 0.875, "low": 0.8, "high": 0.92},
    "test_uses": 2,
    "refit": {"reason": "retrained on train and validation"},
    "calibration": {"temperature": 1.23456},
    "data": ["target: 200 images", "source: 500 images"],
    "versions": {"autotl": "0.1", "keras": "3.15.1"},
    "evidence": NOTHING,
    "run": "flowers-20260304-120005",
    "trial": 3,
}


def test_every_figure_stands_with_its_interval():
    card = model_card(VALUES)
    assert "- Selection-corrected, on validation: 0.9000 (95 % interval 0.8500 to 0.9432)" in card
    assert "- Test: 0.8750 (95 % interval 0.8000 to 0.9200) (use 2 of this test set on this machine)" in card
    assert "temperature 1.23," in card


def test_a_figure_without_an_interval_stands_alone():
    card = model_card(VALUES | {"corrected": {"value": 0.9, "low": None, "high": None}})
    assert "- Selection-corrected, on validation: 0.9000\n" in card


@pytest.mark.parametrize("test", [None, {}])
def test_a_task_without_a_test_set_says_so(test):
    assert "- Test: not measured: no test set\n" in model_card(VALUES | {"test": test, "test_uses": 0})


def test_an_uncorrected_score_is_not_made_up():
    assert "- Selection-corrected, on validation: not measured\n" in model_card(VALUES | {"corrected": None})


def test_whoever_calls_a_cropping_model_is_told_so():
    plain, cropping = (
        model_card(VALUES | {"plan": {"backbone": "VGG16", "crop": crop}}) for crop in ("none", "content")
    )
    assert "- Input: image files; stretched to the model's size, everything else is inside the model.\n" in plain
    assert "except that images are cropped to their content first" in cropping


def test_plan_data_versions_and_origin_are_there():
    card = model_card(VALUES)
    assert card.startswith("# flowers\n\nTrial 3 won.\nExpect less.\n")
    assert "- backbone: MobileNetV2\n- learning_rate: 0.001235\n- head: name hidden, units 256\n" in card
    assert "- target: 200 images\n- source: 500 images\n" in card
    assert "autotl 0.1, keras 3.15.1\n" in card
    assert "(run flowers-20260304-120005, trial 3)" in card
    assert "one of 2 classes: daisy, tulip." in card


@pytest.mark.parametrize(
    ("modality", "words"), [("text", "raw strings"), ("table", "rows of a table"), ("signal", "windows of the length")]
)
def test_what_goes_in_is_said_for_each_modality(modality, words):
    assert f"- Input: {words}" in model_card(VALUES | {"modality": modality})
