"""A plan's own choices, completed by what the data are like."""

import pytest
from pretend import a_task
from pretend_rows import a_task_of_rows

from autotl.backbones import BackboneSpec
from autotl.backbones.form import Form, of_images
from autotl.plan import Plan
from autotl.plan.modalities import defaults_of
from autotl.trial.forms import form_of

SPEC = BackboneSpec("saved", "own.keras")


def plan_of(modality, **values):
    return Plan(SPEC, **{**defaults_of(modality), **values})


def test_images_are_taken_at_the_plans_size():
    assert form_of(plan_of("image", image_size=48), a_task()) == of_images(48)


def test_images_are_cropped_as_the_plan_says_and_nothing_else_is():
    assert form_of(plan_of("image", image_size=48, crop="content"), a_task()) == of_images(48, crop="content")
    for modality in ("text", "table", "signal"):
        assert form_of(plan_of(modality), a_task_of_rows(modality)).crop == "none"


def test_texts_are_cut_and_pooled_as_the_plan_says():
    data = a_task_of_rows("text")
    form = form_of(plan_of("text", sequence_length=64, pooling="cls"), data)
    assert form == Form("text", sequence_length=64, pooling="cls")
    assert form_of(plan_of("text"), data).pooling == "mean"


def test_rows_bring_their_schema_and_windows_their_shape():
    table, signal = a_task_of_rows("table"), a_task_of_rows("signal")
    assert form_of(plan_of("table"), table) == Form("table", schema=table.inputs[0].schema)
    assert form_of(plan_of("signal", image_size=64), signal) == Form("signal", image_size=64, window=(64, 1))


@pytest.mark.parametrize("modality", ["text", "table", "signal"])
def test_a_classical_models_canonical_plan_has_a_form_too(modality):
    plan = plan_of(modality, learning_rate=0.5).canonical()
    assert form_of(plan, a_task_of_rows(modality)).modality == modality
