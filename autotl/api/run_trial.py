"""`RUN` or `RUN/TRIAL`: how the commands name one trial, and what it left behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.api.standing import read_leaderboard
from autotl.errors import UsageError
from autotl.leaderboard import winner_of
from autotl.run import RunFolder
from autotl.run.folder import STUDY, TRIALS
from autotl.run.trial_files import PLAN, WEIGHTS


@dataclass(frozen=True)
class RunTrial:
    """A trial of a run, as it was named."""

    label: str
    run: RunFolder
    content: Mapping[str, Any]  # of leaderboard.json
    row: Mapping[str, Any]

    @property
    def number(self) -> int:
        """Its trial number."""
        return int(self.row["trial"])

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self.run.trial(self.number)


def open_trial(written: str) -> RunTrial:
    """The winner of `RUN`, or the trial of `RUN/TRIAL`.

    Raises:
        UsageError: no run, no such trial, or a run that nobody won.
    """
    path = Path(written)
    if (path / STUDY).is_file():
        return _winner(written, RunFolder.open(path))
    found = _split(path)
    if found is None:
        RunFolder.open(path)  # says what is missing
        raise UsageError(f"{written} is no run.")
    run, number = found
    content = read_leaderboard(run)
    row = next((row for row in content["trials"] if row["trial"] == number), None)
    if row is None:
        last = max((row["trial"] for row in content["trials"]), default=None)
        there = "it has none yet" if last is None else f"its trials are 0 to {last}"
        raise UsageError(f"{run.path} has no trial {number}: {there}.")
    return RunTrial(written, run, content, row)


def refuse_unless_kept(run: RunFolder, rows: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> None:
    """Raises a UsageError for a trial whose weights are not in the run folder, with those that are."""
    if _kept(run, row):
        return
    kept = [str(each["trial"]) for each in rows if _kept(run, each)]
    hint = f"Trials that did: {', '.join(kept)}." if kept else "None did."
    raise UsageError(
        f"{run.path}: trial {row['trial']} ({row['status']}) kept no weights. {hint} To have its plan trained again, "
        f"put {run.trial(row['trial']) / PLAN} into a list: autotl search task.yaml --start-with LIST"
    )


def _kept(run: RunFolder, row: Mapping[str, Any]) -> bool:
    return (run.trial(row["trial"]) / WEIGHTS).is_file()


def _winner(written: str, run: RunFolder) -> RunTrial:
    content = read_leaderboard(run)
    row = winner_of(content["trials"])
    if row is None:
        raise UsageError(f"{run.path} has no winner. Name a trial: {run.path}/NUMBER")
    return RunTrial(written, run, content, row)


def _split(path: Path) -> tuple[RunFolder, int] | None:
    """Run and trial number of `RUN/7` or, as the files lie, `RUN/trials/7`."""
    if not path.name.isdecimal():
        return None
    run = path.parent.parent if path.parent.name == TRIALS else path.parent
    return (RunFolder.open(run), int(path.name)) if (run / STUDY).is_file() else None
