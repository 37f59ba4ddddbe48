"""The ledger of a private run: what was spent of its budget, when, and for which trial.

A line is on the disk before the noise that it pays for is drawn, so that a kill can make the ledger say too much and
never too little. What is done again with the noise that was paid for (`trial/private/noise.py`) is not paid for twice.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from autotl.errors import AutotlError, StorageError
from autotl.plan import Plan
from autotl.trial.private.accountant import Look, as_mapping, epsilon_of, look_from
from autotl.trial.private.noise import new_key

LEDGER = "ledger.jsonl"
OWNERS = "private"  # folder of the run that stays with whoever owns the data
KEY = "noise.key"
SPENT_ROWS = ("train", "validation", "test")

Rows = Literal["train", "validation", "all", "test"]  # all: train and validation


class BudgetSpentError(AutotlError):
    """Something would spend more than the budget of privacy allows."""

    exit_code = 5


@dataclass(frozen=True)
class Entry:
    """One purpose for which protected examples were looked at.

    Attributes:
        trial: for which trial; of the model that ships, the winner's.
        plan: tells its plan from others.
        purpose: `training`, `score`, `final` or `test`.
        rows: whose budget pays; no example is among the rows of two parts.
        noise: tells keys of noise apart without telling the key.
    """

    time: str
    trial: int
    plan: str
    purpose: str
    rows: Rows
    looks: tuple[Look, ...]
    noise: str

    def is_same_as(self, other: "Entry") -> bool:
        """Whether both are for the very same noise on the very same sums."""
        return {**asdict(self), "time": ""} == {**asdict(other), "time": ""}

    def as_line(self) -> str:
        """One line of JSON."""
        return json.dumps({**asdict(self), "looks": [as_mapping(look) for look in self.looks]}) + "\n"


@dataclass
class Ledger:
    """What a run has spent; `charge` before every look."""

    path: Path
    epsilon: float
    delta: float
    noise: str

    def charge(self, trial: int, plan: Plan, purpose: str, rows: Rows, looks: Sequence[Look]) -> None:
        """Writes down that this is about to be spent; of what is done again to the same noise, nothing.

        Raises:
            BudgetSpentError: it would be more than there is. Nothing is written then.
            StorageError: it could not be written; then it must not be spent.
        """
        now = datetime.now(tz=UTC).isoformat(timespec="seconds")
        name = hashlib.sha256(plan.key().encode()).hexdigest()[:12]
        entry = Entry(now, trial, name, purpose, rows, tuple(looks), self.noise)
        entries = list(self.entries())
        if any(entry.is_same_as(earlier) for earlier in entries):
            return
        would_be = spent_by([*entries, entry], self.delta)
        if would_be > self.epsilon * (1 + 1e-9):
            raise BudgetSpentError(
                f"{purpose} of trial {trial} would bring what is spent to epsilon {would_be:.4g}, and the budget is "
                f"{self.epsilon:g}: nothing more is computed from protected examples."
            )
        self._append(entry.as_line().encode())

    def _append(self, line: bytes) -> None:
        try:
            with self.path.open("ab") as file:
                if file.tell() and not self.path.read_bytes().endswith(b"\n"):  # a power cut left half a line
                    file.write(b"\n")
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(f"{self.path} could not be written: {error.strerror}") from error

    def entries(self) -> Iterator[Entry]:
        """All of them, in their order. Half a line pays for nothing: what it was to pay for had not begun."""
        return read_ledger(self.path)

    @property
    def spent(self) -> float:
        """The epsilon that the example has spent that has spent most."""
        return spent_by(list(self.entries()), self.delta)


def spent_by(entries: Sequence[Entry], delta: float) -> float:
    """The epsilon of entries together. An example is a training, a validation or a test row, and pays for no other."""
    return max(epsilon_of(looks, delta) if (looks := looks_at(entries, rows)) else 0.0 for rows in SPENT_ROWS)


def looks_at(entries: Sequence[Entry], rows: str) -> list[Look]:
    """Everything that rows of one kind took part in."""
    parts = (rows,) if rows == "test" else (rows, "all")
    return [look for entry in entries if entry.rows in parts for look in entry.looks]


def read_ledger(path: Path) -> Iterator[Entry]:
    """The entries of a ledger; none where there is none yet.

    Raises:
        StorageError: it cannot be read, or a line of it was changed.
    """
    try:
        content = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error
    lines = content.split(b"\n")
    for place, line in enumerate(lines):
        if not line:
            continue
        try:
            written: dict[str, Any] = json.loads(line)
            yield Entry(**{**written, "looks": tuple(look_from(look) for look in written["looks"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if line.startswith(b"{") and not line.endswith(b"}") and place < len(lines):
                continue  # half a line
            raise StorageError(f"{path}, line {place + 1}, cannot be read, so what was spent is not known") from error


def open_ledger(run: Path, *, epsilon: float, delta: float) -> tuple[Ledger, bytes]:
    """The ledger of a run and the key of its noise, which is made where there is none.

    A key that was lost is replaced: whatever is done again then has other noise, and is paid for again.
    """
    key = _key_of(run)
    return Ledger(run / LEDGER, epsilon, delta, hashlib.sha256(b"name" + key).hexdigest()[:16]), key


def owners_file(run: Path, name: str) -> Path:
    """A file of a private run that stays with whoever owns the data."""
    try:
        (run / OWNERS).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{run / OWNERS} could not be made: {error.strerror}") from error
    return run / OWNERS / name


def _key_of(run: Path) -> bytes:
    path = owners_file(run, KEY)
    try:
        if path.exists():
            return path.read_bytes()
        key = new_key()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"{path} could not be written: {error.strerror}") from error
    return key


def forget_key(run: Path) -> None:
    """Takes the key of the noise away: nobody needs it when a run has come to its end."""
    (run / OWNERS / KEY).unlink(missing_ok=True)
