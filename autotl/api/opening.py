"""From a path and a command line to a task that is ready to run, or to every mistake in it."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from autotl.backbones import BackboneSpec, offline_by_environment, why_not_at_hand
from autotl.backbones.text_network import why_it_cannot_ship
from autotl.data import Finding, check_quickly, describe, raise_errors, refuse_unlike, told_modality, unknown_codes
from autotl.errors import AutotlError, DataError, EnvironmentProblemError, TaskError, UsageError
from autotl.features import check_precision
from autotl.leaderboard.gate import Gate, read_gate
from autotl.plan import Plan
from autotl.plan.baselines import SOURCE_ONLY
from autotl.plan.private import privately, refuse_without_privacy
from autotl.plan.reading import read_plans, read_space
from autotl.plan.space import Space
from autotl.plan.suiting import PLANS, SPACE, Ground, refuse_together_alone, refuse_unsuited, suited_to
from autotl.run import RunFolder
from autotl.scoring.metrics import METRICS
from autotl.search.limits import too_large
from autotl.task import (
    BASELINE_NAMES,
    PROBLEMS,
    ReadablePart,
    Task,
    companions_of,
    names_in,
    read_task,
    readable_part,
    refused_privately,
    tasks_of,
)
from autotl.task.duration import parse_duration
from autotl.trial.private.accountant import refuse_without_accountant

Value = TypeVar("Value")


@dataclass(frozen=True)
class Overrides:
    """What the command line may say beyond, or instead of, the task."""

    trials: int | None = None
    wall: str | None = None
    trial_wall: str | None = None
    workers: int | None = None
    out: Path | str | None = None  # a folder, or the URL of one
    start_with: Path | None = None
    early_stopping: bool = True
    baselines: str | None = None
    refit: bool = True
    require: str | None = None
    offline: bool = False
    stops_when_done: bool = True
    resume: Path | str | None = None  # the run to go on with
    history: bool = True  # earlier searches are asked, and this one is kept for later ones
    address: str | None = None  # of a Ray cluster to run on


@dataclass(frozen=True)
class BegunRun:
    """A run that goes on.

    Attributes:
        facts: the named facts in its database.
        has_more_time: than it was given before.
        has_more_trials: likewise.
    """

    run: RunFolder
    facts: Mapping[str, Any]
    has_more_time: bool
    has_more_trials: bool


@dataclass(frozen=True)
class OpenedTask:
    """A task that has been read and checked as far as that goes without opening every file."""

    path: Path
    task: Task
    space: Space
    unavailable: Mapping[BackboneSpec, str]  # backbones that are not at hand or over a limit, and why
    given: tuple[Plan, ...]
    metric: str
    description: Mapping[str, Any]
    findings: tuple[Finding, ...]
    gate: Gate | None
    overrides: Overrides
    asked_space: Space  # as it was asked for, whatever is at hand
    begun: "BegunRun | None" = None
    opened_at: float = field(default_factory=time.monotonic)

    @property
    def higher_is_better(self) -> bool:
        """The metric's direction."""
        return METRICS[self.metric].higher_is_better


def open_task(path: Path, overrides: Overrides, *, name: str | None = None) -> OpenedTask:
    """Reads a task, its space and its plans, and says everything that is wrong with them at once.

    Args:
        name: of one of the tasks that the file lists.
    Raises:
        TaskError, DataError, UsageError, EnvironmentProblemError
    """
    task, space, given, findings = read_and_checked(path, overrides, name=name)
    return opened(path, task, space, (*space.start_with, *given), findings, overrides)


def open_tasks(path: Path, overrides: Overrides) -> list[OpenedTask]:
    """The task of a file, or all that it lists; what is wrong with any of them is said at once.

    Raises:
        TaskError, DataError, UsageError, EnvironmentProblemError
    """
    found: list[OpenedTask] = []
    errors: list[AutotlError] = []
    names: list[str | None] = [*names_in(path)]
    for name in names or [None]:
        try:
            found.append(open_task(path, overrides, name=name))
        except AutotlError as error:
            errors.append(error)
    if not errors:
        return found
    first = next((error for error in errors if isinstance(error, TaskError)), errors[0])
    if not isinstance(first, TaskError | DataError):
        raise first
    lines = [words for error in errors if isinstance(error, TaskError | DataError) for words in error.mistakes]
    raise type(first)(list(dict.fromkeys(lines)))  # what stands beside `tasks` is wrong for each of them


def opened(
    path: Path,
    task: Task,
    space: Space,
    plans: tuple[Plan, ...],
    findings: Sequence[Finding],
    overrides: Overrides,
) -> OpenedTask:
    """What is ready to run, of a task that has been read.

    Raises:
        EnvironmentProblemError: no backbone's weights are at hand.
    """
    check_precision(task.resources.precision, where=task.where("resources.precision"))
    if task.privacy is not None:
        refuse_without_accountant(task.where("privacy"))
        space = privately(space, task)
    description = describe(task)
    offline = overrides.offline or offline_by_environment()
    asked: list[BackboneSpec] = space.values("backbone")
    named = dict.fromkeys([*asked, *(plan.backbone for plan in plans)])
    missing = {spec: why_not_at_hand(spec, offline=offline) for spec in named}
    if space.modality == "text":
        missing = {spec: why or why_it_cannot_ship(spec) for spec, why in missing.items()}
    unavailable = {spec: why for spec, why in missing.items() if why is not None}
    at_hand = [spec for spec in asked if spec not in unavailable]
    if not at_hand:
        raise EnvironmentProblemError("\n".join(["no backbone's weights are at hand:", *unavailable.values()]))
    over, _ = too_large(space.with_backbones(at_hand), task.limits)
    at_hand = [spec for spec in at_hand if spec not in over]
    if not at_hand:
        raise TaskError([f"{task.where('limits.model_mb')}: no backbone of the space is that small:", *over.values()])
    unavailable |= over
    return OpenedTask(
        path=path,
        task=task,
        space=space.with_backbones(at_hand),
        unavailable=unavailable,
        given=plans,
        metric=str(description["metric"]),
        description=description,
        findings=tuple(findings),
        gate=None if overrides.require is None else read_gate(overrides.require),
        overrides=overrides,
        asked_space=space,
    )


def read_and_checked(
    path: Path, overrides: Overrides, *, name: str | None = None
) -> tuple[Task, Space, list[Plan], list[Finding]]:
    """The task and all that it names, or every mistake in any of them at once.

    Args:
        name: of one of the tasks that the file lists.
    Raises:
        TaskError: mistakes in the configuration; with them, in the same error, what is wrong with the data.
        DataError: only the data are wrong.
        UsageError: the file lists several tasks, and one is wanted.
    """
    mistakes: list[str] = []
    task = _collected(lambda: read_task(path), mistakes)
    part = readable_part(path) if task is None else ReadablePart(task, has_data=True)
    if part is None:
        raise TaskError(mistakes)
    readable = part.task  # mistakes in one key must not hide those in a table behind another
    if readable.holds_several:
        readable = _task_called(name, readable, path)
        task = readable if task is not None else None
    mistakes += unknown_codes(readable)
    told = _collected(lambda: told_modality(readable), mistakes) if part.has_data else readable.modality
    mistakes += refused_privately(readable, told)
    space, given = None, None
    if told is not None or not part.has_data:  # of data that cannot be read nobody knows which space they need
        modality = told or "image"
        space = _collected(lambda: read_space(readable, modality), mistakes)
        given = _collected(lambda: read_plans(readable, overrides.start_with, modality), mistakes)
    plans = [*(() if space is None else space.start_with), *(given or ())]
    if part.has_data:
        if told is not None:
            _collected(lambda: refuse_unlike(readable, told), mistakes)
        ground = Ground.promised_by(readable)
        _collected(lambda: refuse_unsuited(plans, ground, where=readable.where(PLANS)), mistakes)
        if space is not None:
            _collected(lambda: suited_to(space, ground, where=readable.where(SPACE)), mistakes)
            at = readable.where("search_space.together")
            _collected(lambda: refuse_together_alone(space, ground, where=at), mistakes)
    if readable.privacy is not None:
        _collected(lambda: refuse_without_privacy(plans, readable), mistakes)
        if space is not None:
            _collected(lambda: privately(space, readable), mistakes)
    can_be_listed = part.has_data and (told is not None or not mistakes)
    findings = _collected(lambda: _looked_at(readable, name), mistakes) if can_be_listed else None
    if mistakes or task is None:
        raise TaskError([*mistakes, *(found.message for found in findings or () if found.severity == "error")])
    check_words(overrides, task)
    raise_errors(findings or ())
    assert space is not None, "data that cannot be read are an error"
    return task, space, given or [], findings or []


def _task_called(name: str | None, task: Task, path: Path) -> Task:
    """One of the tasks that a file lists."""
    found = next((each for each in tasks_of(task) if each.name == name), None)
    if found is None:
        raise UsageError(f"{path} lists several tasks, and this takes one. All are searched by: autotl search {path}")
    return found


def _looked_at(task: Task, name: str | None) -> list[Finding]:
    """What listings tell; of tasks beside it errors alone, and nothing where they have their turn, too."""
    findings = check_quickly(task)
    if name is None:
        beside = [found for each in companions_of(task) for found in check_quickly(each)]
        findings += [found for found in beside if found.severity == "error"]
    return findings


def wall_seconds(task: Task, overrides: Overrides) -> float:
    """Wall time of the whole command."""
    wall: timedelta = task.budget.wall if overrides.wall is None else parse_duration(overrides.wall)
    return wall.total_seconds()


def trial_seconds(task: Task, overrides: Overrides) -> float:
    """Time for one trial; infinity where nobody set a limit."""
    wall = task.budget.trial_wall if overrides.trial_wall is None else parse_duration(overrides.trial_wall)
    return math.inf if wall is None else wall.total_seconds()


def wanted_baselines(task: Task, overrides: Overrides) -> str | tuple[str, ...]:
    """`auto`, `none` or names; of a private search none, for each would spend."""
    if task.privacy is not None:
        return "none"
    if overrides.baselines is None:
        return task.baselines
    if overrides.baselines in ("auto", "none"):
        return overrides.baselines
    return tuple(overrides.baselines.split(","))


def check_words(overrides: Overrides, task: Task) -> None:
    """Raises a UsageError for what the command line may not say."""
    if isinstance(overrides.out, Path) and overrides.out.is_dir() and any(overrides.out.iterdir()):
        raise UsageError(f"{overrides.out} is not empty. Choose another --out, or leave it out for a new folder.")
    if task.privacy is not None:
        _refuse_in_private(overrides)
    gate = None if overrides.require is None else read_gate(overrides.require)
    problem = PROBLEMS[task.problem]
    if gate is not None and not gate.is_cost and gate.metric not in problem.metrics:
        words = f"{gate.metric!r} cannot measure 'problem: {problem.name}'. Allowed: {', '.join(problem.metrics)}."
        raise UsageError(f"--require {overrides.require}: {words}")
    if gate is not None and not gate.on_test and task.data.target.labels == "none":
        words = "without target labels only the test set can tell. Write test. before the metric."
        raise UsageError(f"--require {overrides.require}: {words}")
    for option, duration in (("--wall", overrides.wall), ("--trial-wall", overrides.trial_wall)):
        try:
            _ = None if duration is None else parse_duration(duration)
        except ValueError as error:
            raise UsageError(f"{option}: {error}") from error
    if overrides.baselines not in (None, "auto", "none"):
        assert overrides.baselines is not None
        unknown = [name for name in overrides.baselines.split(",") if name not in BASELINE_NAMES]
        if unknown:
            allowed = ", ".join(("auto", "none", *BASELINE_NAMES))
            raise UsageError(f"--baselines: {unknown[0]!r} is not known. Allowed: {allowed}.")
        if SOURCE_ONLY in overrides.baselines.split(",") and not task.data.source:
            raise UsageError(f"--baselines: {SOURCE_ONLY!r} needs a source, and this task has none.")


def _refuse_in_private(overrides: Overrides) -> None:
    """Raises a UsageError for what the command line may not say of a task under a privacy budget."""
    words = {
        "--address": overrides.address is not None and "protected examples stay on this machine",
        "--out": "://" in str(overrides.out or "") and "a private run is kept in a folder of this machine",
        "--no-refit": not overrides.refit and "the model that ships is trained with what the trials left of the budget",
        "--baselines": overrides.baselines not in (None, "auto", "none") and "every baseline would spend",
    }
    for option, why in words.items():
        if why:
            raise UsageError(f"{option} does not go with 'privacy': {why}.")


def _collected(read: Callable[[], Value], mistakes: list[str]) -> Value | None:
    try:
        return read()
    except TaskError as error:
        mistakes.extend(error.mistakes)
        return None
