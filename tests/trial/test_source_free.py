"""Trials that start from an exported source: its head, no epoch on labels, and nothing of the source but figures."""

import numpy as np
import pytest
from pretend import a_task, a_workshop
from pretend_domains import true_labels
from pretend_exported import an_adapting_plan, an_exported_source, at_the_target

from autotl.adaptation import METHODS
from autotl.backbones.reading import own_reading
from autotl.plan import Choice
from autotl.production.serving_model import serving_model
from autotl.scoring.candidates import CHANGED
from autotl.trial.forms import form_of
from autotl.trial.outcome import Job

ALLOWED = ["none", "standardize", "label_shift", "shot", "tent"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return an_exported_source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory, exported):
    """One for all tests: what was trained before must not matter."""
    return a_workshop(tmp_path_factory.mktemp("store"), at_the_target(exported))


def choice(name, **values):
    return Choice(name, {**METHODS[name].defaults, **values})


def ending(workshop, plan, number=0):
    rows = list(workshop.train([Job(number, plan)]))
    assert rows[-1].ending.status == "complete", rows[-1].ending.reason
    return rows


def accuracy(found):
    return float(np.mean(found.outputs.target.argmax(axis=1) == true_labels()))


@pytest.mark.parametrize("unfrozen", [0, 3])
@pytest.mark.parametrize("name", ALLOWED)
def test_every_method_that_needs_no_source_ends_and_says_the_same_twice(workshop, exported, name, unfrozen):
    plan = an_adapting_plan(exported, adaptation=choice(name), unfrozen_layers=unfrozen)
    rows = ending(workshop, plan)
    first = rows[-1].ending
    assert rows[-1].epoch == plan.adapting_epochs
    assert np.isfinite(first.outputs.target).all()
    assert first.outputs.validation.shape == (0, 3)
    assert first.score == {"value": None, "low": None, "high": None, "kind": "label_free"}
    assert not any(each.startswith("source_") for each in first.scores)
    assert {"infomax", "mixval", CHANGED} <= set(first.scores)
    ending(workshop, an_adapting_plan(exported, adaptation=choice("shot"), unfrozen_layers=3, seed=5), number=1)
    again = ending(workshop, plan, number=2)[-1].ending
    np.testing.assert_array_equal(first.outputs.target, again.outputs.target)


def test_without_adaptation_it_says_what_the_source_would_have_said(tmp_path, workshop, exported):
    found = ending(workshop, an_adapting_plan(exported))[-1].ending
    assert found.scores[CHANGED] == 0.0
    data = a_task(rows=240)
    source = a_workshop(tmp_path / "source", data)
    from pretend import a_plan

    plan = a_plan(unfrozen_layers="all", backbone_rate_ratio=1.0, epochs=10)
    at_home = source.fit(plan, data.folds[0]).predict_inputs(workshop.data.inputs[0])
    np.testing.assert_allclose(found.outputs.target, at_home, atol=1e-5)


def test_figures_of_the_source_bring_a_darker_target_back(workshop, exported):
    untouched = accuracy(ending(workshop, an_adapting_plan(exported))[-1].ending)
    adapted = accuracy(
        ending(workshop, an_adapting_plan(exported, adaptation=choice("standardize")), number=1)[-1].ending
    )
    assert adapted > untouched + 0.1


def test_class_shares_of_the_source_correct_the_bias(workshop, exported):
    plan = an_adapting_plan(exported, adaptation=choice("label_shift"))
    shifted = ending(workshop, plan)[-1].ending.outputs.target
    untouched = ending(workshop, an_adapting_plan(exported), number=1)[-1].ending.outputs.target
    moved = np.log(shifted) - np.log(untouched)
    moved -= moved.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(moved, moved[:1].repeat(len(moved), axis=0), atol=1e-3)  # one summand a class
    assert np.abs(moved[0]).max() > 0.1


def test_a_hidden_head_comes_along(tmp_path):
    exported = an_exported_source(tmp_path / "a", head=Choice("hidden", {"units": 16}), epochs=1)
    assert exported.description.hidden_units == 16
    workshop = a_workshop(tmp_path / "b", at_the_target(exported))
    plan = an_adapting_plan(exported, adaptation=choice("shot"))
    assert plan.canonical().unfrozen_layers == 0  # the hidden layer can learn
    assert ending(workshop, plan)[-1].ending.scores[CHANGED] <= 1.0


def test_what_it_started_from_is_told_whatever_was_trained_before(workshop, exported):
    adapted = an_adapting_plan(exported, adaptation=choice("shot", rate=1.0), unfrozen_layers="all", learning_rate=0.02)
    first = ending(workshop, adapted)[-1].ending.scores[CHANGED]
    assert first > 0
    assert ending(workshop, an_adapting_plan(exported), number=1)[-1].ending.scores[CHANGED] == 0.0
    assert ending(workshop, adapted, number=2)[-1].ending.scores[CHANGED] == first


@pytest.mark.parametrize("name", ALLOWED)
def test_stored_weights_and_the_serving_model_say_what_the_trial_said(workshop, exported, name):
    plan = an_adapting_plan(exported, adaptation=choice(name), unfrozen_layers=3).canonical()
    found = ending(workshop, plan)[-1].ending
    ending(workshop, an_adapting_plan(exported), number=1)
    learner = workshop.trained(plan, found.weights)
    data = workshop.data
    np.testing.assert_allclose(learner.predict(data.target_rows)[0], found.outputs.target, atol=1e-6)
    model = serving_model(learner, own_reading(form_of(plan, data)), temperature=1.0)
    said = model.predict(model.reading(data.inputs[0], data.target_rows))
    np.testing.assert_allclose(said, found.outputs.target, atol=1e-4)


def test_an_alignment_that_needs_examples_ends_the_trial_with_the_reason(workshop, exported):
    plan = an_adapting_plan(exported, adaptation=choice("shot", align="coral"), unfrozen_layers=3)
    (row,) = workshop.train([Job(0, plan)])
    assert row.ending.status == "failed"
    assert "an exported source has no examples to fit this transform on" in row.ending.reason


def test_an_adapted_model_can_be_exported_again(tmp_path, workshop, exported):
    """Its alignment becomes part of the network, so that the head reads what it was made for."""
    from autotl.production.source_export import _model

    plan = an_adapting_plan(exported, adaptation=choice("standardize")).canonical()
    found = ending(workshop, plan)[-1].ending
    model = _model(workshop.trained(plan, found.weights))
    examples = workshop.bench.network(plan).reading(workshop.data.inputs[0], workshop.data.target_rows)
    _, logits = model.predict_on_batch(examples)
    np.testing.assert_array_equal(np.argmax(logits, axis=1), found.outputs.target.argmax(axis=1))
