"""Under which terms a task is private: how its budget is divided, told before anything is spent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotl.api.opening import OpenedTask
from autotl.data.private_split import ProtectedRows, refuse_loose_delta
from autotl.data.summary import share_set_aside
from autotl.errors import TaskError
from autotl.plan import Plan
from autotl.plan.private import private_plans
from autotl.report.wording import counted
from autotl.task import Task, is_protected
from autotl.task.values import share_of
from autotl.trial.private.accountant import RELATION, BudgetTooSmallError, accountant
from autotl.trial.private.division import Division, divided, rehearsed, sampling_words


@dataclass(frozen=True)
class Sizes:
    """How many protected examples trials may learn from and be scored on, and public ones in their place."""

    train: int
    validation: int
    public: int

    @classmethod
    def of(cls, rows: ProtectedRows) -> "Sizes":
        """Of data that were read."""
        has_public = len(rows.public_train) and len(rows.public_validation)
        return cls(len(rows.train), len(rows.validation), len(rows.public_train) if has_public else 0)

    @classmethod
    def listed(cls, task: Task, description: Mapping[str, Any]) -> "Sizes":
        """As listings let expect, before the data are read."""
        protected = [0.0, 0.0]
        public = 0.0
        for name, splits in description["domains"].items():
            train, validation = _listed(task, name, splits)
            if is_protected(task, name):
                protected = [protected[0] + train, protected[1] + validation]
            elif name != "target" or task.data.target.labels == "all":
                public += train
        return cls(round(protected[0]), round(protected[1]), round(public))


def _listed(task: Task, name: str, splits: Mapping[str, Any]) -> tuple[float, float]:
    """Training and validation examples of a domain, by the shares that the task asks for."""
    rows = splits["train"]["rows"]
    if name == "target":
        written = task.data.target
        tested = share_set_aside(task, rows, has_test="test" in splits, has_labels=written.labels != "none")
        given = written.validation
    else:
        places = {source.name or "source": source for source in task.data.source}
        tested, given = 0.0, places[name].validation
    if "validation" in splits:
        return rows * (1 - tested), splits["validation"]["rows"]
    return rows * (1 - tested - share_of(given)), rows * share_of(given)


def plans_of(task: OpenedTask) -> list[Plan]:
    """All plans that a private search of the task may try."""
    given = [plan for plan in task.given if plan.backbone not in task.unavailable]
    return private_plans(task.space, given)


def division_of(task: OpenedTask, sizes: Sizes) -> Division:
    """How the task's budget is divided.

    Raises:
        TaskError: it is so small that no noise keeps it.
    """
    try:
        return _division_of(task, sizes)
    except BudgetTooSmallError as error:
        assert task.task.privacy is not None
        words = f"{task.task.privacy.epsilon:g} is so little that no noise keeps it ({error}). Write a larger budget."
        raise TaskError(f"{task.task.where('privacy.epsilon')}: {words}") from error


def _division_of(task: OpenedTask, sizes: Sizes) -> Division:
    privacy = task.task.privacy
    assert privacy is not None
    asked = task.task.budget.trials if task.overrides.trials is None else task.overrides.trials
    trials = max(min(asked, len(plans_of(task))), 1)
    if sizes.public:
        protected = sizes.train + sizes.validation
        return rehearsed(
            privacy.epsilon, privacy.delta, trials=trials, protected=max(protected, 1), public=sizes.public
        )
    train, validation = max(sizes.train, 1), max(sizes.validation, 1)
    return divided(privacy.epsilon, privacy.delta, trials=trials, train=train, validation=validation)


def division_as_listed(task: OpenedTask) -> Division:
    """The same before the data are read: their examples may turn out to be a few less.

    Raises:
        TaskError: delta is too large for so many examples.
    """
    rows = {
        name: sum(part["rows"] for part in splits.values() if isinstance(part, dict) and "rows" in part)
        for name, splits in task.description["domains"].items()
    }
    refuse_loose_delta(task.task, rows)
    return division_of(task, Sizes.listed(task.task, task.description))


def sentences_of(task: Task, division: Division) -> list[str]:
    """The terms in words."""
    assert task.privacy is not None
    whose = task.privacy.protects
    lines = [
        f"Privacy: epsilon {division.epsilon:g} and delta {division.delta:g} for every {whose} example, search, scores "
        f"and test included.",
        f"Neighbouring: {RELATION}. Sampling: {sampling_words(division.final)}. Accountant: {accountant()}.",
    ]
    if division.ships_the_trial:
        assert division.score is not None
        lines.append("There is one plan and nothing to choose: its training gets the whole budget.")
    elif division.pays_for_trials:
        assert division.score is not None
        lines.append(
            f"Divided beforehand: {counted(division.trials, 'trial')} of epsilon {division.epsilon_of_trial:.3g} each, "
            f"their scores of {division.score.epsilon:.3g} each, {division.epsilon_of_final:.3g} for the model that "
            f"ships; composed, no example spends more than {division.epsilon:g}."
        )
    else:
        lines.append(
            "The search rehearses on public examples, with the noise of the real training, and spends nothing; the "
            "model that ships gets the whole budget."
        )
    if task.classes is None or isinstance(task.classes, str):
        lines.append("The names of the classes count as public. If they are, write them down: classes: [A, B, …].")
    return lines
