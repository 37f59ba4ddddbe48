"""The run's one database: Optuna's own tables, so that optuna-dashboard opens it, and ours beside them.

Only the driver writes it, through one connection. A trial that has been shown as finished is on disk: the transaction
that ends it is followed by a full checkpoint of the write-ahead log. Trials that end together end in one transaction.
"""

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from autotl.errors import StorageError

ENDED = "ended_because"  # the fact that a search leaves when its last trial has ended
FINISHED = "finished"  # likewise when winner and report are written, and nothing is left to be resumed
PARTIAL = "partial"  # why a report tells of a part only
SPENT = "seconds_spent"  # on the run, in all sittings

_TABLES = """
CREATE TABLE IF NOT EXISTS autotl_trials (number INTEGER PRIMARY KEY, status TEXT NOT NULL, row TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS autotl_epochs (
    number INTEGER NOT NULL, epoch INTEGER NOT NULL, train_loss REAL, score REAL, PRIMARY KEY (number, epoch));
CREATE TABLE IF NOT EXISTS autotl_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Study:
    """Rows of trials, their epochs, and named facts about the run (data, time, headline …), all plain JSON."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._depth = 0  # of transactions inside each other
        self._to_disk = False
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(_TABLES)
        except sqlite3.Error as error:
            raise StorageError(f"{path} cannot be opened: {error}") from error

    def put_trial(self, number: int, status: str, row: Mapping[str, Any]) -> None:
        """Writes a trial's leaderboard row; when it has ended, it is on disk when this returns."""
        with self.transaction():
            self.execute("INSERT OR REPLACE INTO autotl_trials VALUES (?, ?, ?)", (number, status, _as_json(row)))
            self._to_disk = self._to_disk or status != "running"

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything written inside is written at once or not at all. When the outermost ends, so do the trials in it:
        they are on disk."""
        if self._depth == 0:
            self.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                with suppress(sqlite3.Error):  # of a full disk; the error that led here says so
                    self._connection.rollback()
                self._to_disk = False
            raise
        self._depth -= 1
        if self._depth == 0:
            self.execute("COMMIT")
            if self._to_disk:
                self._to_disk = False
                self.flush()

    def flush(self) -> None:
        """Puts what was written so far on disk, where it outlasts a power cut; a commit alone may not."""
        self.execute("PRAGMA wal_checkpoint(FULL)")

    def put_epoch(self, number: int, epoch: int, train_loss: float, score: float) -> None:
        """Writes one step of a learning curve."""
        self.execute("INSERT OR REPLACE INTO autotl_epochs VALUES (?, ?, ?, ?)", (number, epoch, train_loss, score))

    def drop_epochs(self, number: int) -> None:
        """Takes a trial's learning curve away: it is trained from the beginning again."""
        self.execute("DELETE FROM autotl_epochs WHERE number = ?", (number,))

    def put_fact(self, name: str, value: Any) -> None:
        """Writes a named fact about the run."""
        self.execute("INSERT OR REPLACE INTO autotl_facts VALUES (?, ?)", (name, _as_json(value)))

    def drop_fact(self, name: str) -> None:
        """Takes a fact back that is none any more."""
        self.execute("DELETE FROM autotl_facts WHERE name = ?", (name,))

    def trials(self) -> list[dict[str, Any]]:
        """All rows in the order of their numbers."""
        rows = self.execute("SELECT row FROM autotl_trials ORDER BY number")
        return [json.loads(row) for (row,) in rows]

    def curves(self, trials: Iterable[int] | None = None) -> dict[int, list[dict[str, Any]]]:
        """Learning curve of every trial, or of these: epoch, train_loss, score."""
        wanted = "" if trials is None else f"WHERE number IN ({', '.join(str(int(number)) for number in trials)}) "
        curves: dict[int, list[dict[str, Any]]] = {}
        for number, epoch, loss, score in self.execute(f"SELECT * FROM autotl_epochs {wanted}ORDER BY number, epoch"):
            curves.setdefault(number, []).append({"epoch": epoch, "train_loss": loss, "score": score})
        return curves

    def facts(self) -> dict[str, Any]:
        """All facts by their names."""
        return {name: json.loads(value) for name, value in self.execute("SELECT * FROM autotl_facts")}

    def close(self) -> None:
        """Ends the connection; the database is one file again."""
        with suppress(sqlite3.Error):  # a full disk: what is in the log is found there when it is opened again
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def execute(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """One statement of SQL.

        Raises:
            StorageError: a full disk, a damaged file.
        """
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(f"{self.path}: {error}") from error


@contextmanager
def reading(path: Path) -> Iterator[Study]:
    """A study that another process may be writing; nothing is changed in it.

    Raises:
        StorageError: it cannot be read.
    """
    study = Study.__new__(Study)
    study.path = path
    try:
        study._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be opened: {error}") from error
    try:
        yield study
    finally:
        study._connection.close()


def _as_json(value: Any) -> str:
    """JSON as other tools read it: not-a-number and infinities are null."""
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
