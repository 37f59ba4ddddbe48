"""Retraining the winner on all labelled examples, and the check that it is still the model that won."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Fold, TaskData, is_known
from autotl.plan import Plan
from autotl.scoring.answers import ANSWERS
from autotl.trial.learner import Learner
from autotl.trial.outcome import DivergedError, OutOfTimeError, Outputs
from autotl.trial.workshop import Workshop

TOLERATED_DISAGREEMENT = 0.02  # below what two trainings of the same plan agree
OTHER_SEED = 1_000_003


@dataclass(frozen=True)
class Refit:
    """Which weights ship, and why."""

    shipped: Literal["refit", "trial"]
    weights: list[NDArray[Any]]
    reason: str
    agreement: float | None = None  # share of target inputs on which refit and trial say the same
    required_agreement: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, without the weights."""
        return {name: value for name, value in asdict(replace(self, weights=[])).items() if name != "weights"}


def refit(
    plan: Plan, trial_weights: list[NDArray[Any]], outputs: Outputs, workshop: Workshop, *, deadline: float
) -> Refit:
    """Trains the winning plan on train and validation together, for the same number of epochs, and so for the same
    optimiser steps per example as the model that was scored.

    The result ships if it agrees with the trial's model on target inputs at least as often as a second model does, less
    two points: one of another seed and, under cross-validation, of another fold, for the trial's own knew a part of the
    labels only, and with few labels the others rightly change answers. Labels play no part in the comparison, so
    nothing is chosen by looking at them. Otherwise, or when the time is up, the trial's own weights ship.

    Args:
        outputs: what the trial's model said.
        deadline: time.monotonic() by which training must be done.
    """
    data = workshop.data
    predicted = outputs.target
    try:
        again = replace(plan, seed=plan.seed ^ OTHER_SEED)
        second = workshop.fit(again, workshop.folds(plan)[-1], deadline=deadline)
        required = _agreement(second, predicted, data) - TOLERATED_DISAGREEMENT
        everything = all_labelled(data, workshop.folds(plan))
        everything = replace(everything, train=workshop.taught(plan, everything.train))
        refitted = workshop.fit(plan, everything, deadline=deadline)
        agreement = _agreement(refitted, predicted, data)
    except OutOfTimeError:
        return Refit("trial", trial_weights, "no time was left to retrain: the trial's own weights ship")
    except DivergedError as diverged:
        return Refit("trial", trial_weights, f"retraining went wrong ({diverged}): the trial's own weights ship")
    if not agreement >= required:
        return Refit(
            "trial",
            trial_weights,
            f"retrained, it agrees with the model that was scored on {agreement:.1%} of the target inputs, less than "
            f"the {required:.1%} that a second training reaches less two points: the trial's own weights ship",
            agreement,
            required,
        )
    reason = f"retrained on train and validation; agrees with the scored model on {agreement:.1%} of the target inputs"
    return Refit("refit", refitted.weights(), reason, agreement, required)


def all_labelled(data: TaskData, folds: tuple[Fold, ...]) -> Fold:
    """Every row that some fold trains on or scores on, as training rows."""
    rows = np.unique(np.concatenate([rows for fold in folds for rows in (fold.train, fold.validation)]))
    return Fold(train=rows[is_known(data.labels[rows])], validation=rows[:0])


def _agreement(learner: Learner, predicted: NDArray[np.float32], data: TaskData) -> float:
    return ANSWERS[data.problem.name].agreement(learner.predict(data.target_rows)[0], predicted)
