"""A private head as it ships says what it said when it was trained."""

import keras
import numpy as np
import pytest
from pretend import a_plan, a_task, a_workshop

from autotl.production.serving_model import KerasServing, serving_private_head
from autotl.trial.private.bench import PrivateBench
from autotl.trial.private.head import Training, train_head
from autotl.trial.private.noise import SecretDraws

KEY = b"a key of thirty-two bytes or more"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    data = a_task()
    bench, plan = PrivateBench(a_workshop(tmp_path_factory.mktemp("bench"), data)), a_plan(unfrozen_layers=0)
    learnt = bench.labelled(plan, data.folds[0].train)
    head = train_head(learnt, Training.on(len(learnt), noise_multiplier=2.0), SecretDraws(KEY), classes=3)
    return data, bench, plan, head


def test_from_an_example_to_its_probabilities(trained):
    data, bench, plan, head = trained
    rows = data.folds[0].validation
    model = serving_private_head(bench.network(plan), head)
    said = model.predict(model.reading(data.inputs[0], rows))
    np.testing.assert_allclose(said, head.predict(bench.features(plan, rows)), atol=1e-4)


def test_read_back_from_its_file_it_says_the_same_and_holds_no_class_of_ours(trained, tmp_path):
    data, bench, plan, head = trained
    model = serving_private_head(bench.network(plan), head)
    model.model.save(tmp_path / "model.keras")
    loaded = KerasServing(keras.models.load_model(tmp_path / "model.keras", compile=False), model.reading)
    examples = model.reading(data.inputs[0], data.folds[0].validation)
    np.testing.assert_allclose(loaded.predict(examples), model.predict(examples), atol=1e-6)


def test_features_of_fresh_examples_are_those_of_the_tasks_own(trained):
    data, bench, plan, _ = trained
    rows = np.arange(20)
    fresh = bench.features_of(plan, data.inputs[0].take(rows))
    np.testing.assert_allclose(fresh, bench.features(plan, rows), atol=1e-5)
    assert bench.features(plan, rows[:0]).shape[0] == 0


def test_the_layers_say_what_the_formula_says(trained):
    _, bench, plan, head = trained
    model = serving_private_head(bench.network(plan), head).model
    names = [layer.name for layer in model.layers]
    for wanted in ("direction", "alignment", "direction_from_centre", "head_logits", "temperature", "probabilities"):
        assert wanted in names
    assert model.get_layer("temperature").scale == 1.0
