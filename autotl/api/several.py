"""Several tasks searched by one command, one after the other: one cluster, store and history, and one index page."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from autotl.api.asked import OVERRIDES
from autotl.api.opening import OpenedTask, Overrides, open_task, open_tasks
from autotl.api.resuming import facts_as_begun, open_run
from autotl.api.room import RUNS
from autotl.api.searching import Run, search
from autotl.api.standing import read_leaderboard
from autotl.errors import AutotlError, InterruptedSearchError, NothingToResumeError, SeveralTasksError, UsageError
from autotl.report.series_page import SeriesEntry, render_series
from autotl.run import RunFolder, default_path
from autotl.run.folder import LEADERBOARD_JSON, REPORT, write_copy
from autotl.run.series import INDEX, SeriesFolder, SeriesTask
from autotl.run.study import FINISHED, PARTIAL, SPENT
from autotl.search.events import Listener, silent
from autotl.task import names_in
from autotl.task.duration import format_duration, parse_duration

ONE_TASK = {"start_with": "--start-with"}  # what can only be said to one task

Listen = Callable[[int, OpenedTask], AbstractContextManager[Listener]]


@dataclass(frozen=True)
class OpenedSeries:
    """Tasks that have been read and checked, or the series that is to go on.

    Attributes:
        opened: the tasks that are to be searched, by their place in the series.
    """

    folder: SeriesFolder
    opened: dict[int, OpenedTask]
    overrides: Overrides

    @property
    def path(self) -> Path:
        """Where the runs and the index page are."""
        return self.folder.path

    def settings_of(self, index: int) -> Overrides:
        """What is asked of one search, its time aside."""
        path = self.folder.run_path(self.folder.tasks[index])
        if facts_as_begun(path) is None:
            return replace(self.overrides, out=path, resume=None)
        return replace(self.overrides, out=None, wall=None, baselines=None, early_stopping=True, resume=path)


@dataclass(frozen=True)
class Turn:
    """What came of one task of a series.

    Attributes:
        run: None where the search could not be done at all, and `error` says why.
    """

    task: SeriesTask
    run: Run | None
    error: AutotlError | None


def open_series(tasks: Sequence[Path], overrides: Overrides) -> OpenedSeries:
    """Reads all tasks and says everything that is wrong with any of them, before anything is searched.

    Args:
        tasks: two or more, or files that list several.
        overrides: for each of them; `wall` is for all together, `out` the folder in which each gets a run folder.
    Raises:
        UsageError: a task is named twice, or an option is for one task only.
        SeveralTasksError: what is wrong with which.
        StorageError: the folder cannot be made.
    """
    given = [option for name, option in ONE_TASK.items() if getattr(overrides, name) is not None]
    if given:
        raise UsageError(f"{given[0]} is for one task: plans of one do not suit another. Search that task alone.")
    places = [task.resolve() for task in tasks]
    if twice := next((task for task, place in zip(tasks, places, strict=True) if places.count(place) > 1), None):
        raise UsageError(f"{twice} is named twice.")
    opened = []
    errors: dict[str, AutotlError] = {}
    for task in tasks:
        try:
            opened += open_tasks(task, replace(overrides, out=None))
        except AutotlError as error:
            if len(tasks) == 1:
                raise
            errors[str(task)] = error
    if errors:
        raise SeveralTasksError(errors)
    if len(tasks) == 1 and overrides.wall is None:  # the file's own time is for all of them
        overrides = replace(overrides, wall=format_duration(_wall_together(opened)))
    asked = {name: getattr(overrides, name) for name in OVERRIDES}
    named = [(task.path, task.task.name) for task in opened]
    if isinstance(overrides.out, str):
        raise UsageError(f"--out {overrides.out}: several tasks need a folder of this machine.")
    path = overrides.out or default_path(tasks[0].stem if len(tasks) == 1 else "series", RUNS, now=datetime.now())
    folder = SeriesFolder.create(path, named, asked, listed={task for task in tasks if names_in(task)})
    write_index(folder)
    return OpenedSeries(folder, dict(enumerate(opened)), overrides)


def reopen_series(path: Path, overrides: Overrides) -> OpenedSeries:
    """The tasks of a series that are not finished.

    Args:
        overrides: more trials or time; what else was asked when the series was begun is known.
    Raises:
        UsageError: an option is given that is settled when a series is begun.
        NothingToResumeError: every task is finished.
        SeveralTasksError: which cannot go on, and why.
    """
    if overrides.out is not None:
        raise UsageError("--out cannot go with --resume: a series goes on where it was begun.")
    folder = SeriesFolder.open(path)
    asked = {name: value for name, value in folder.asked.items() if name in OVERRIDES}
    series = OpenedSeries(folder, {}, Overrides(**{**asked, **_given(overrides), "address": overrides.address}))
    errors: dict[str, AutotlError] = {}
    for index, task in enumerate(folder.tasks):
        facts = facts_as_begun(folder.run_path(task))
        try:
            if facts is None:
                name = task.name if task.listed else None
                series.opened[index] = open_task(Path(task.file), series.overrides, name=name)
            elif FINISHED not in facts or overrides.trials is not None:
                series.opened[index] = open_run(folder.run_path(task), None, series.settings_of(index))
        except NothingToResumeError:
            continue  # it has all the trials that are asked for
        except AutotlError as error:
            errors[task.name] = error
    if errors:
        raise SeveralTasksError(errors)
    if not series.opened:
        raise NothingToResumeError(
            f"nothing to resume: every task of {path} is finished. They go on with more trials: --trials."
        )
    return series


def search_series(series: OpenedSeries, *, listen: Listen = lambda _, __: nullcontext(silent)) -> Iterator[Turn]:
    """Searches task after task and tells what came of each; the index page is up to date whenever it does.

    All of them share one Ray cluster, the feature store and what this machine remembers of earlier searches. A task
    whose search fails keeps none of the others from being searched; a signal ends them all, and `--resume` goes on.

    Args:
        listen: makes, for the time of one search, the listener of its events, given the task's place in the series.
    """
    from autotl.search.cluster import joined_cluster, private_cluster
    from autotl.search.resources import usable_cores

    address = series.overrides.address
    cores = max(usable_cores(), *map(_cores_asked, series.opened.values()))
    with private_cluster(cpus=cores) if address is None else joined_cluster(address):
        for index, opened in series.opened.items():
            task = series.folder.tasks[index]
            turn = _search_one(series, index, opened, listen)
            series.folder.note_error(index, None if turn.run is not None else str(turn.error))
            write_index(series.folder)
            yield Turn(task, turn.run, turn.error)
            if isinstance(turn.error, InterruptedSearchError):
                return


def _search_one(series: OpenedSeries, index: int, opened: OpenedTask, listen: Listen) -> Turn:
    task = series.folder.tasks[index]
    path = series.folder.run_path(task)
    try:
        settings = replace(series.settings_of(index), wall=_wall_of(series, index))
        if opened.begun is None:
            if path.exists():
                RunFolder(path).remove()  # it holds nothing: its search was killed before it began
            opened = replace(opened, overrides=settings)
        elif settings.wall is not None:
            opened = open_run(path, None, settings)  # with its part of the time
        opened = replace(opened, opened_at=time.monotonic())
        with listen(index, opened) as listener:
            run = search(opened, listen=listener)
    except AutotlError as error:
        return Turn(task, None, error)
    return Turn(task, run, run.error)


def _wall_of(series: OpenedSeries, index: int) -> str | None:
    """The time of one search, earlier sittings included: of what is left of the time of all its part, by the times that
    the tasks themselves ask for."""
    if series.overrides.wall is None:
        return None
    spent = [_spent(series.folder, task) for task in series.folder.tasks]
    left = max(0.0, parse_duration(series.overrides.wall).total_seconds() - sum(spent))
    to_come = [task for number, task in series.opened.items() if number >= index]
    share = left * (series.opened[index].task.budget.wall / _wall_together(to_come))
    return f"{max(1, round(spent[index] + share))}s"


def _wall_together(opened: Sequence[OpenedTask]) -> timedelta:
    return sum((task.task.budget.wall for task in opened), timedelta())


def _spent(folder: SeriesFolder, task: SeriesTask) -> float:
    facts = facts_as_begun(folder.run_path(task)) or {}
    return float(facts.get(SPENT, 0.0))


def _cores_asked(task: OpenedTask) -> int:
    """Cores of its workers, where their number is given."""
    return math.ceil(task.task.resources.cpus_per_trial * (task.overrides.workers or 0))


def _given(overrides: Overrides) -> dict[str, Any]:
    """What the command line says, without what it leaves as it was."""
    usual = Overrides()
    return {name: value for name in OVERRIDES if (value := getattr(overrides, name)) != getattr(usual, name)}


def write_index(folder: SeriesFolder) -> Path:
    """The page that leads to the reports, as far as the runs have come."""
    entries = [_entry(folder, task) for task in folder.tasks]
    return write_copy(folder.path / INDEX, render_series(folder.path.name, entries).encode(errors="backslashreplace"))


def _entry(folder: SeriesFolder, task: SeriesTask) -> SeriesEntry:
    path = folder.run_path(task)
    facts = facts_as_begun(path)
    if facts is None or not (path / LEADERBOARD_JSON).is_file():
        return SeriesEntry(task.name, error=task.error)
    run = RunFolder.open(path)
    report = f"{task.folder}/{REPORT}" if run.has(REPORT) else None
    stopped = facts.get(PARTIAL) or (None if FINISHED in facts else "its search has not ended, or was killed")
    return SeriesEntry(
        task.name,
        leaderboard=read_leaderboard(run),
        facts=facts,
        report=report,
        stopped=stopped,
        error=task.error,
    )
