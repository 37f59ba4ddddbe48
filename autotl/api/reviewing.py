"""What people look at who did not run the search. Nothing here loads TensorFlow."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotl import leaderboard
from autotl.api.searching import RUNS
from autotl.api.standing import read_leaderboard
from autotl.errors import UsageError
from autotl.leaderboard import BestOfTask, FinishedRun
from autotl.run import RunFolder, Study
from autotl.run.folder import LEADERBOARD_JSON, STUDY, TASK


def leaderboard_of(run: Path | str, *, sort: str | None = None, only_pareto: bool = False) -> list[Mapping[str, Any]]:
    """The rows of a run's leaderboard.json.

    Args:
        sort: a column to order them by (`leaderboard.sort_rows`); best first where left out.
        only_pareto: only trials that no other beats in score, latency and size at once.
    Raises:
        UsageError: no such column, or the folder is no run.
        StorageError: leaderboard.json is missing or cannot be read.
    """
    content = read_leaderboard(RunFolder.open(Path(run)))
    rows: Sequence[Mapping[str, Any]] = content["trials"]
    better = content["higher_is_better"]
    if only_pareto:
        front = set(leaderboard.pareto_front(rows, higher_is_better=better))
        rows = [row for row in rows if row["trial"] in front]
    return list(rows) if sort is None else leaderboard.sort_rows(rows, sort, higher_is_better=better)


def read_overview(folder: Path | str | None = None) -> list[BestOfTask]:
    """The best of every task among the runs in a folder.

    Args:
        folder: `runs` where left out.
    Raises:
        UsageError: there is no run in it.
    """
    place = RUNS if folder is None else Path(folder)
    runs = [path.parent for path in place.glob(f"*/{STUDY}")] if place.is_dir() else []
    if not runs:
        raise UsageError(
            f"{place} is no run folder, and there is none in it. Name a run, or search first: autotl search task.yaml"
        )
    begun = sorted(runs, key=lambda path: (_began(path), path.name))
    return leaderboard.best_of_tasks(_finished(path) for path in begun if (path / LEADERBOARD_JSON).is_file())


def _began(run: Path) -> float:
    """When: a search writes its task before the first trial, and nobody touches it again."""
    path = run / TASK
    return (path if path.is_file() else run / STUDY).stat().st_mtime


def _finished(path: Path) -> FinishedRun:
    run = RunFolder.open(path)
    facts = facts_of(run)
    data = str(facts.get("data", {}).get("fingerprint", ""))
    return FinishedRun(str(path), read_leaderboard(run), facts.get("headline") or {}, data)


def facts_of(run: RunFolder) -> dict[str, Any]:
    """The named facts in a run's database.

    Raises:
        StorageError: it cannot be read.
    """
    study = Study(run.path / STUDY)
    try:
        return study.facts()
    finally:
        study.close()
