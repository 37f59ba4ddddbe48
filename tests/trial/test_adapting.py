"""Adaptation methods at work in a trial: every method trains, makes a difference, and ships."""

import keras
import numpy as np
import pytest
from pretend import a_workshop
from pretend_domains import a_plan, two_domains

from autotl.adaptation import METHODS
from autotl.backbones.reading import own_reading
from autotl.data.examples import UNKNOWN
from autotl.plan import Choice
from autotl.production.serving_model import serving_model
from autotl.trial.adapting import Adapting
from autotl.trial.forms import form_of
from autotl.trial.outcome import Job

ADAPTED = [name for name in METHODS if name != "none"]


@pytest.fixture(scope="module")
def data():
    return two_domains()


@pytest.fixture(scope="module")
def workshop(tmp_path_factory, data):
    """One for all tests: what was trained before must not matter."""
    return a_workshop(tmp_path_factory.mktemp("store"), data)


def choice(name, **values):
    return Choice(name, {**METHODS[name].defaults, **values})


def ending(workshop, plan, number=0):
    rows = list(workshop.train([Job(number, plan)]))
    assert rows[-1].ending.status == "complete", rows[-1].ending.reason
    return rows


@pytest.mark.parametrize("unfrozen", [0, 3])
@pytest.mark.parametrize("name", ADAPTED)
def test_every_method_trains_to_its_end(workshop, name, unfrozen):
    """That it says the same whatever was trained before is in test_no_leaks.py."""
    plan = a_plan(adaptation=choice(name), unfrozen_layers=unfrozen, epochs=2, learning_rate=1e-2)
    rows = ending(workshop, plan)
    assert len(rows) == plan.canonical().all_epochs
    assert np.isfinite(rows[-1].ending.outputs.target).all()


@pytest.mark.parametrize("name", ADAPTED)
def test_a_method_makes_a_difference_on_a_frozen_backbone(workshop, name):
    head = Choice("hidden", {"units": 16})
    bare = ending(workshop, a_plan(head=head))[-1].ending.outputs.target
    adapted = ending(workshop, a_plan(head=head, adaptation=choice(name)), number=1)[-1].ending.outputs.target
    assert not np.allclose(bare, adapted, atol=1e-6)


@pytest.mark.parametrize("name", ADAPTED)
def test_stored_weights_and_the_serving_model_say_what_the_trial_said(workshop, data, name):
    plan = a_plan(adaptation=choice(name), epochs=2)
    done = ending(workshop, plan)[-1].ending
    ending(workshop, a_plan(seed=9), number=1)
    learner = workshop.trained(plan, done.weights)
    said, _ = learner.predict(data.target_rows)
    np.testing.assert_allclose(said, done.outputs.target, atol=1e-6)
    np.testing.assert_allclose(learner.predict_inputs(data.inputs[0]), said, atol=1e-5)
    served = serving_model(learner, own_reading(form_of(plan, data)), temperature=1.0)
    pixels = served.reading(data.inputs[0], data.target_rows)
    np.testing.assert_allclose(served.predict(pixels), said, atol=1e-4)


@pytest.mark.parametrize("name", ["mcc", "dann", "self_training", "shot", "standardize", "importance"])
def test_sides_of_any_size_are_trained_on(tmp_path, name):
    for source, target in [(120, 5), (20, 90)]:
        workshop = a_workshop(tmp_path / f"{source}-{target}", two_domains(source=source, target=target))
        ending(workshop, a_plan(adaptation=choice(name), batch_size=32, epochs=1))


def test_known_target_labels_join_the_supervised_loss_and_stand_for_themselves(tmp_path):
    data = two_domains(known=12)
    workshop = a_workshop(tmp_path, data)
    method = Adapting(a_plan(adaptation=choice("self_training")), data, data.folds[0])
    assert set(range(12)) <= set(method.source.tolist())
    assert set(range(90)) == set(method.target.tolist())
    learner = workshop.fit(a_plan(adaptation=choice("self_training"), epochs=1), data.folds[0])
    labels = method.pseudo_labels(learner.predict, progress=0.5)
    np.testing.assert_array_equal(labels[:12], data.labels[:12])
    assert (labels[90:] == UNKNOWN).all(), "source rows get none"


def test_a_map_of_each_domain_is_fitted_on_its_own_features(workshop, data):
    plan = a_plan(adaptation=choice("standardize"))
    learner = workshop.fit(plan, data.folds[0])
    pooled = learner.trainer.pooled(learner._material.prediction_batches(np.arange(len(data.labels))))
    maps = Adapting(plan, data, data.folds[0]).maps(lambda rows: pooled[rows])
    mapped = maps[1](pooled[data.folds[0].train])
    moving = pooled[data.folds[0].train].std(axis=0) > 1e-4
    np.testing.assert_allclose(mapped.mean(axis=0)[moving], 0.0, atol=1e-3)
    alone = Adapting(a_plan(adaptation=choice("coral")), data, data.folds[0])
    unseen = alone.maps(lambda rows: pooled[rows])
    np.testing.assert_array_equal(unseen[0].matrix, np.eye(pooled.shape[1], dtype=np.float32))


def test_a_source_free_phase_reads_no_source_row(workshop, data, monkeypatch):
    plan = a_plan(adaptation=choice("shot", epochs=2), epochs=1)
    learner = workshop._learner(plan.canonical(), lambda: None)
    learner.start(data.folds[0], fold_number=0)
    learner.train_epoch(data.folds[0], fold_number=0, epoch=0, check=lambda: None)
    taken = []
    take = type(learner._material).take
    monkeypatch.setattr(
        type(learner._material),
        "take",
        lambda self, rows, view_of=None: taken.append(rows) or take(self, rows, view_of),
    )
    before = keras.ops.convert_to_numpy(learner.trainer.model.head[-1].kernel).copy()
    learner.train_epoch(data.folds[0], fold_number=0, epoch=1, check=lambda: None)
    assert (np.concatenate(taken) < 90).all()
    np.testing.assert_array_equal(before, keras.ops.convert_to_numpy(learner.trainer.model.head[-1].kernel))


def test_plans_that_differ_in_a_losss_numbers_share_one_compiled_step(workshop):
    plans = [a_plan(adaptation=choice("mcc", weight=weight, temperature=2.0 + weight)) for weight in (0.1, 0.5, 2.0)]
    assert len({id(workshop.bench.trainer(plan.canonical())) for plan in plans}) == 1
    other = a_plan(adaptation=choice("mcc", align="standardize"))
    assert workshop.bench.trainer(other.canonical()) is not workshop.bench.trainer(plans[0].canonical())


def test_a_head_on_few_rows_passes_over_them_until_it_has_made_its_steps(tmp_path):
    workshop = a_workshop(tmp_path, two_domains(source=20, target=20))
    learner = workshop.fit(a_plan(epochs=2, batch_size=16), workshop.data.folds[0])
    assert int(learner.trainer.optimizer.iterations) == 2 * 20


def test_while_layers_are_trained_the_source_stays_and_the_target_is_brought_to_it(workshop, data):
    plan = a_plan(adaptation=choice("coral"), unfrozen_layers=3)
    features = np.random.default_rng(0).normal(size=(len(data.labels), 6)).astype(np.float32)
    features[:90] = features[:90] @ np.diag([1, 2, 3, 1, 2, 3]) + 5
    to_source = Adapting(plan, data, data.folds[0]).maps(lambda rows: features[rows])
    np.testing.assert_array_equal(to_source[1].matrix, np.eye(6))
    mapped = to_source[0](features[:90])
    source = features[data.folds[0].train]
    np.testing.assert_allclose(mapped.mean(axis=0), source.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(np.cov(mapped, rowvar=False), np.cov(source, rowvar=False), atol=0.1)


def test_several_sources_have_a_map_each(tmp_path):
    data = two_domains()
    inputs = data.inputs[1]
    halves = [inputs.take(np.arange(0, 60)), inputs.take(np.arange(60, 120))]
    several = two_domains(domains=("target", "one", "other"), inputs=(data.inputs[0], *halves))
    workshop = a_workshop(tmp_path, several)
    learner = workshop.fit(a_plan(adaptation=choice("standardize"), epochs=1), several.folds[0])
    matrices = keras.ops.convert_to_numpy(learner.trainer.model.domain_maps.matrices)
    assert len(matrices) == 3
    assert not np.allclose(matrices[1], matrices[2])
    for method in ("mcc", "dann", "coral", "importance"):
        ending(workshop, a_plan(adaptation=choice(method), epochs=1))
