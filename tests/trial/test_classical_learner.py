"""A classical model on the workshop's bench keeps the contract of every learner."""

from dataclasses import replace

import numpy as np
import pytest
from pretend_rows import MAKERS, MODELS, a_task_of_rows

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.data.examples import UNKNOWN, Fold
from autotl.features import FeatureStore
from autotl.plan import Plan
from autotl.trial.classical_learner import ClassicalLearner
from autotl.trial.outcome import Job, OutOfTimeError
from autotl.trial.scorer import Scorer
from autotl.trial.workshop import Workshop

MODALITIES = list(MODELS)


def go_on() -> None:
    """A check that never stops."""


def a_plan(modality, **values):
    return Plan(BackboneSpec(CLASSICAL, MODELS[modality]), **{"seed": 5, **values}).canonical()


def learner_of(data, **values):
    return ClassicalLearner(a_plan(data.modality, **values), data, Scorer("accuracy"))


def trained(data, fold=0, **values):
    learner = learner_of(data, **values)
    learner.start(data.folds[fold], fold_number=fold)
    loss = learner.train_epoch(data.folds[fold], fold_number=fold, epoch=0, check=go_on)
    assert np.isfinite(loss)
    return learner


@pytest.mark.parametrize("modality", MODALITIES)
def test_it_learns_and_says_probabilities_with_their_logarithms_as_features(modality):
    data = a_task_of_rows(modality)
    learner = trained(data)
    rows = data.folds[0].validation
    said, features = learner.predict(rows)
    assert said.shape == features.shape == (len(rows), 3)
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.exp(features), said, rtol=1e-4, atol=1e-6)
    assert (said.argmax(axis=1) == data.labels[rows]).mean() > 0.6
    assert learner.size().params > 0


@pytest.mark.parametrize("modality", MODALITIES)
def test_rows_of_mixed_domains_come_back_in_the_order_asked_for(modality):
    data = a_task_of_rows(modality)
    learner = trained(data)
    rows = np.random.default_rng(3).permutation(150)
    whole, _ = learner.predict(np.arange(150))
    mixed, _ = learner.predict(rows)
    np.testing.assert_allclose(mixed, whole[rows], atol=1e-6)
    twice, _ = learner.predict(np.array([149, 0, 149, 60, 59]))
    np.testing.assert_allclose(twice, whole[[149, 0, 149, 60, 59]], atol=1e-6)
    np.testing.assert_allclose(learner.predict_inputs(data.inputs[1]), whole[60:], atol=1e-6)
    none, features = learner.predict(np.arange(0))
    assert none.shape == features.shape == (0, 3)


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_order_of_training_rows_is_nothing_to_the_labels_they_go_with(modality):
    """Rows of two domains in turns: an example must never meet another one's label."""
    data = a_task_of_rows(modality)
    fold = data.folds[0]
    shuffled = Fold(np.random.default_rng(1).permutation(fold.train), fold.validation)
    learner = learner_of(data)
    learner.start(shuffled, fold_number=0)
    learner.train_epoch(shuffled, fold_number=0, epoch=0, check=go_on)
    said, _ = learner.predict(fold.validation)
    assert (said.argmax(axis=1) == data.labels[fold.validation]).mean() > 0.6


@pytest.mark.parametrize("modality", MODALITIES)
def test_weights_are_plain_arrays_that_bring_the_model_back(modality):
    data = a_task_of_rows(modality)
    learner = trained(data)
    weights = learner.weights()
    assert all(array.dtype.kind in "uif" for array in weights)
    another = learner_of(data)
    another.load_weights(weights)
    for rows in (data.folds[0].validation, np.arange(150)):
        np.testing.assert_array_equal(another.predict(rows)[0], learner.predict(rows)[0])
    assert another.size() == learner.size()


@pytest.mark.parametrize("modality", MODALITIES)
def test_folds_take_turns_on_one_learner(modality):
    data = a_task_of_rows(modality, folds=3)
    alone = [trained(data, fold).predict(data.folds[fold].validation)[0] for fold in range(3)]
    learner, states = learner_of(data), []
    for number, fold in enumerate(data.folds):
        learner.start(fold, fold_number=number)
        learner.train_epoch(fold, fold_number=number, epoch=0, check=go_on)
        states.append(learner.state())
    for number in (2, 0, 1):
        learner.load_state(states[number])
        np.testing.assert_array_equal(learner.predict(data.folds[number].validation)[0], alone[number])


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_same_plan_gives_the_same_model_and_starting_again_forgets_the_last(modality):
    data = a_task_of_rows(modality, folds=2)
    learner = trained(data, 1)
    learner.start(data.folds[0], fold_number=0)
    with pytest.raises(AssertionError, match="not fitted"):
        learner.predict(np.arange(3))
    learner.train_epoch(data.folds[0], fold_number=0, epoch=0, check=go_on)
    for one, other in zip(learner.weights(), trained(data, 0).weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("modality", MODALITIES)
def test_labels_that_are_unknown_or_scored_on_are_not_learnt_from(modality):
    data = a_task_of_rows(modality)
    fold = data.folds[0]
    hidden = data.labels.copy()
    hidden[fold.validation] = UNKNOWN
    hidden[60:90] = UNKNOWN
    blind = trained(replace(data, labels=hidden))
    wrong = hidden.copy()
    wrong[fold.validation] = 0
    known = replace(data, labels=wrong, folds=(Fold(np.setdiff1d(fold.train, np.arange(60, 90)), fold.validation),))
    for one, other in zip(blind.weights(), trained(known).weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("modality", MODALITIES)
def test_balanced_weights_reach_the_model(modality):
    data = a_task_of_rows(modality)
    fold = data.folds[0]
    rare = np.concatenate([fold.train[data.labels[fold.train] != 2], fold.train[data.labels[fold.train] == 2][:6]])
    few = replace(data, folds=(Fold(rare, fold.validation),))
    plain, balanced = learner_of(few), ClassicalLearner(a_plan(modality), few, Scorer("accuracy", balanced=True))
    said = []
    for learner in (plain, balanced):
        learner.start(few.folds[0], fold_number=0)
        learner.train_epoch(few.folds[0], fold_number=0, epoch=0, check=go_on)
        said.append(learner.predict(fold.validation)[0][:, 2].mean())
    assert said[1] > said[0]


@pytest.mark.parametrize("modality", MODALITIES)
def test_a_check_that_raises_ends_the_fit(modality):
    def stop() -> None:
        raise OutOfTimeError

    data = a_task_of_rows(modality)
    learner = learner_of(data)
    learner.start(data.folds[0], fold_number=0)
    with pytest.raises(OutOfTimeError):
        learner.train_epoch(data.folds[0], fold_number=0, epoch=0, check=stop)


@pytest.mark.parametrize("modality", MODALITIES)
def test_new_inputs_of_any_number_are_predicted(modality):
    data = a_task_of_rows(modality)
    learner = trained(data)
    new = MAKERS[modality](7, seed=9)
    new = new.with_schema(data.inputs[0].schema) if modality == "table" else new
    said = learner.predict_inputs(new)
    assert said.shape == (7, 3)
    np.testing.assert_allclose(learner.predict_inputs(new.take(np.array([4]))), said[4:5], atol=1e-6)


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("folds", [1, 3])
def test_a_whole_trial_leaves_what_every_trial_leaves(tmp_path, modality, folds):
    data = a_task_of_rows(modality, folds=folds)
    workshop = Workshop(data, FeatureStore(tmp_path, limit_bytes=1 << 20), Scorer("accuracy"))
    plan = a_plan(modality)
    rows = list(workshop.train([Job(0, plan)]))
    assert [row.epoch for row in rows] == [1]
    ending = rows[-1].ending
    assert ending.status == "complete", ending.reason
    assert ending.score["value"] > 0.6
    scored = np.sort(np.concatenate([fold.validation for fold in data.folds]))
    np.testing.assert_array_equal(ending.outputs.rows, scored)
    assert ending.outputs.target.shape == (len(data.target_rows), 3)
    again, _ = workshop.trained(plan, ending.weights).predict(data.target_rows)
    np.testing.assert_array_equal(again, ending.outputs.target)
    assert workshop.bench.store.bytes_used() == 0, "a classical model needs no stored activation"
    for learns_from in ("source", "target"):
        only = list(workshop.train([Job(1, a_plan(modality, learns_from=learns_from))]))[-1].ending
        assert only.status == "complete", only.reason
        assert not np.array_equal(only.outputs.target, ending.outputs.target)
