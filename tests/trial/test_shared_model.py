"""A head each on what all tasks train: the losses against a slow formula, and what is left of it for one task."""

import keras
import numpy as np
import pytest
from pretend import a_plan, a_workshop
from pretend_companions import a_task_in_company

from autotl.plan import Choice
from autotl.plan.plan import TOGETHER
from autotl.trial.outcome import Job
from autotl.trial.shared_model import losses_of_tasks

TASK_OF = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2], dtype="int32")
HIDDEN = Choice("hidden", {"units": 16})


def slow_losses(logits, labels, *, smoothing, log_variances):
    """One example after the other, by the formula of the paper."""
    found = []
    for row, label in zip(logits.astype(np.float64), labels, strict=True):
        task = TASK_OF[label]
        own = np.flatnonzero(task == TASK_OF)
        told = np.full(len(own), smoothing / len(own))
        told[own == label] += 1 - smoothing
        probabilities = np.exp(row[own]) / np.exp(row[own]).sum()
        loss = -(told * np.log(probabilities)).sum()
        if log_variances is not None:
            deviation = np.sqrt(np.exp(log_variances[task]))
            loss = loss / deviation**2 + np.log(deviation)
        found.append(loss)
    return np.array(found)


@pytest.mark.parametrize("log_variances", [None, np.array([0.0, 0.7, -1.3])])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_losses_agree_with_a_slow_formula(log_variances, smoothing):
    draws = np.random.default_rng(0)
    logits, labels = draws.normal(size=(40, 9)).astype("float32") * 3, draws.integers(0, 9, 40)
    told = None if log_variances is None else log_variances.astype("float32")
    losses = losses_of_tasks(logits, labels, TASK_OF, label_smoothing=smoothing, log_variances=told)
    expected = slow_losses(logits, labels, smoothing=smoothing, log_variances=log_variances)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(losses), expected, rtol=2e-5, atol=2e-5)


def test_the_best_variance_of_a_task_is_twice_its_loss():
    logits, labels = np.zeros((8, 9), dtype="float32"), np.full(8, 3)  # of two classes: log 2 of loss
    at = np.linspace(-2, 2, 401)
    means = [
        float(np.mean(losses_of_tasks(logits, labels, TASK_OF, log_variances=np.array([0, s, 0], dtype="float32"))))
        for s in at
    ]
    assert at[int(np.argmin(means))] == pytest.approx(np.log(2 * np.log(2)), abs=0.01)


@pytest.fixture(scope="module", params=TOGETHER)
def trained(request, tmp_path_factory):
    """A plan that learnt three tasks, how it ended, and the workshop."""
    workshop = a_workshop(tmp_path_factory.mktemp("together"), a_task_in_company())
    plan = a_plan(together=request.param, head=HIDDEN, epochs=12, learning_rate=1e-2)
    *_, last = workshop.train([Job(0, plan)])
    assert last.ending.status == "complete", last.ending.reason
    return workshop, plan, last


def test_the_task_is_learnt_and_its_probabilities_are_of_its_own_classes(trained):
    _, _, last = trained
    said = last.ending.outputs.validation
    assert said.shape == (24, 3)
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)
    assert last.ending.score["value"] > 0.6


def test_what_it_keeps_is_the_model_of_a_plan_that_learnt_alone(trained):
    workshop, plan, last = trained
    outputs = last.ending.outputs
    alone = workshop.trained(plan, last.ending.weights)
    assert alone.trainer.model.structure.companions == ()
    said, _ = alone.predict(outputs.rows)
    np.testing.assert_allclose(said, outputs.validation, atol=1e-6)
    assert alone.size() == last.size


def test_the_same_seed_gives_the_same_model(trained):
    workshop, plan, last = trained
    *_, again = workshop.train([Job(1, plan)])
    np.testing.assert_allclose(again.ending.outputs.validation, last.ending.outputs.validation, atol=1e-6)


def test_uncertainty_moves_the_weights_of_tasks_and_uniform_has_none(trained):
    workshop, plan, _ = trained
    model = workshop.bench.learner(plan, lambda: None).trainer.model
    if plan.together == "uniform":
        assert model.log_variances is None
    else:
        moved = keras.ops.convert_to_numpy(model.log_variances)
        assert moved.shape == (3,)
        assert np.abs(moved).max() > 0.05


def test_retrained_without_validation_rows_it_learns_from_all(trained):
    workshop, plan, _ = trained
    from autotl.production.refit import all_labelled

    learner = workshop.fit(plan, all_labelled(workshop.data, workshop.data.folds))
    alone = workshop.trained(plan, learner.weights())
    assert (alone.predict(np.arange(120))[0].argmax(axis=1) == workshop.data.labels).mean() > 0.7


def test_folds_and_unfrozen_layers_are_learnt_together_too(tmp_path):
    workshop = a_workshop(tmp_path, a_task_in_company(folds=3))
    plan = a_plan(together="uncertainty", unfrozen_layers="all", epochs=2)
    *_, last = workshop.train([Job(0, plan)])
    assert last.ending.status == "complete", last.ending.reason
    assert len(last.ending.outputs.rows) == 72
    kept = workshop.trained(plan, last.ending.weights)
    assert kept.predict(np.arange(5))[0].shape == (5, 3)
