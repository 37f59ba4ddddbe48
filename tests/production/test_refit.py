"""Retrained weights ship only where they are still the model that won."""

import time
from types import SimpleNamespace

import numpy as np
import pytest

from autotl.backbones import BackboneSpec
from autotl.data.examples import Fold
from autotl.plan import Plan
from autotl.production.refit import TOLERATED_DISAGREEMENT, all_labelled, refit
from autotl.task.problem import CLASSIFICATION
from autotl.trial.outcome import OutOfTimeError

PLAN = Plan(BackboneSpec("application", "MobileNetV2"), epochs=3, seed=7)
TRIAL_WEIGHTS = [np.zeros(2)]
REFIT_WEIGHTS = [np.ones(2)]
TARGETS = 100
FOLD = Fold(train=np.arange(6), validation=np.arange(6, 10))
LABELS = np.array([0, 1, 0, 1, -1, -1, 0, 1, 0, 1])


def said(*, differing=0):
    """Probabilities on the target inputs, other than the trial's on so many of them."""
    classes = np.arange(TARGETS) % 2
    classes[:differing] = 1 - classes[:differing]
    return np.eye(2, dtype=np.float32)[classes]


class PretendWorkshop:
    """Trains nothing: a second seed and a refit differ from the trial's model on as many targets as it is told."""

    def __init__(self, *, second_seed=0, refitted=0, fits_in_time=2):
        self.data = SimpleNamespace(labels=LABELS, target_rows=np.arange(TARGETS), problem=CLASSIFICATION)
        self.fitted = []
        self._differing = {"second seed": second_seed, "refit": refitted}
        self._fits_in_time = fits_in_time

    def folds(self, plan):
        return (FOLD,)

    def taught(self, plan, rows):
        return rows

    def fit(self, plan, fold, *, deadline):
        if len(self.fitted) == self._fits_in_time:
            raise OutOfTimeError
        self.fitted.append((plan, fold))
        probabilities = said(differing=self._differing["refit" if plan == PLAN else "second seed"])
        return SimpleNamespace(predict=lambda rows: (probabilities, None), weights=self._weights)

    def _weights(self):
        assert self.fitted[-1][0] == PLAN, "the weights on the bench are not the refit's"
        return REFIT_WEIGHTS


def refitted_by(workshop):
    outputs = SimpleNamespace(target=said())
    return refit(PLAN, TRIAL_WEIGHTS, outputs, workshop, deadline=time.monotonic() + 60)


def test_a_refit_that_agrees_ships():
    result = refitted_by(PretendWorkshop(second_seed=10, refitted=5))
    assert (result.shipped, result.weights) == ("refit", REFIT_WEIGHTS)
    assert result.agreement == pytest.approx(0.95)
    assert result.required_agreement == pytest.approx(0.90 - TOLERATED_DISAGREEMENT)
    assert "agrees with the scored model on 95.0% of the target inputs" in result.reason


def test_a_refit_just_within_what_is_tolerated_ships():
    assert refitted_by(PretendWorkshop(second_seed=10, refitted=11)).shipped == "refit"


def test_a_refit_that_agrees_less_than_a_second_seed_does_not_ship():
    result = refitted_by(PretendWorkshop(second_seed=10, refitted=13))
    assert (result.shipped, result.weights) == ("trial", TRIAL_WEIGHTS)
    assert result.agreement == pytest.approx(0.87)
    assert "agrees with the model that was scored on 87.0%" in result.reason
    assert "less than the 88.0%" in result.reason


@pytest.mark.parametrize("fits_in_time", [0, 1])
def test_without_time_the_trials_own_weights_ship(fits_in_time):
    result = refitted_by(PretendWorkshop(fits_in_time=fits_in_time))
    assert (result.shipped, result.weights) == ("trial", TRIAL_WEIGHTS)
    assert result.agreement is None
    assert "no time was left to retrain" in result.reason


def test_the_second_seed_sees_the_trials_examples_and_the_refit_all_labelled_ones():
    workshop = PretendWorkshop()
    refitted_by(workshop)
    (second, its_fold), (again, all_of_them) = workshop.fitted
    assert second.key() == PLAN.key()
    assert second.seed != PLAN.seed
    assert its_fold is FOLD
    assert again == PLAN
    assert all_of_them.train.tolist() == [0, 1, 2, 3, 6, 7, 8, 9]


def test_overlapping_folds_give_each_labelled_row_once():
    folds = (Fold(np.array([0, 1, 2]), np.array([3, 4])), Fold(np.array([3, 4, 2]), np.array([0, 1])))
    everything = all_labelled(SimpleNamespace(labels=LABELS), folds)
    assert everything.train.tolist() == [0, 1, 2, 3]
    assert everything.validation.size == 0


def test_what_is_stored_of_a_refit_is_plain_json_without_weights():
    stored = refitted_by(PretendWorkshop()).as_dict()
    assert set(stored) == {"shipped", "reason", "agreement", "required_agreement"}
    assert isinstance(stored["agreement"], float)
