"""`RUN` or `RUN/TRIAL`: how the commands name one trial, and what it left behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.api.standing import read_leaderboard
from autotl.errors import UsageError
from autotl.leaderboard import winner_of
from autotl.run import RunFolder
from autotl.run.folder import STUDY, TRIALS


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


def names_a_run(written: str) -> bool:
    """Whether a run folder, or a trial in one, may be meant: something lies there."""
    path = Path(written)
    return path.exists() or _split(path) is not None


def open_trial(written: str) -> RunTrial:
    """The winner of `RUN`, or the trial of `RUN/TRIAL`.

    Raises:
        UsageError: no run, no such trial, or a run that nobody won.
    """
    path = Path(written)
    if (path / STUDY).is_file():
        return _winner(written, RunFolder(path))
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
    return (RunFolder(run), int(path.name)) if (run / STUDY).is_file() else None
