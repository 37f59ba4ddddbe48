"""A run that is worked on here and kept elsewhere: what has been shown as finished is there before it is shown.

One thread copies: first a snapshot of the database, then whatever other files have changed, and last the snapshot. So
what the copy's database calls finished has its files in the copy, too, and a new machine goes on from the copy alone.
"""

import hashlib
import json
import logging
import os
import re
import secrets
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from autotl.backbones import cache_folder
from autotl.errors import NothingToResumeError, StorageError, UsageError
from autotl.run.folder import LOCK, OWNER, STUDY, RunFolder, discard
from autotl.run.place import FolderPlace, Place, a_file, place_of

SECONDS_BETWEEN_BEATS = 5.0  # signs of life, and copies where no trial ends meanwhile
PATIENCE = 300.0  # seconds that a place may be out of reach before the search breaks off
COPIED_AT_ONCE = 8

_log = logging.getLogger(__name__)

Seen = tuple[int, int]  # a file's time of change and its size


class RemoteRun(RunFolder):
    """A run folder of this machine, of which a copy is kept at a place.

    Attributes:
        place: where.
    """

    def __init__(self, place: Place) -> None:
        super().__init__(_working_folder(place))
        self.place = place
        self._copied: dict[str, Seen] = {}
        self._copied_study: list[Seen] = []
        self._token = secrets.token_hex(8)
        self._changed = threading.Condition()
        self._wanted = self._reached = 0
        self._trouble: StorageError | None = None
        self._is_over = self._is_taken_over = False
        self._beats = 0

    @classmethod
    def create_at(cls, place: Place) -> "RemoteRun":
        """A new run; a place that already holds something is refused.

        Raises:
            UsageError: it does.
            StorageError: it cannot be reached.
        """
        if place.names():
            raise UsageError(f"{place.name} is not empty. Choose another --out, or leave it out for a new folder.")
        run = cls(place)
        run._make_room()
        RunFolder.create(run.path)
        return run

    @classmethod
    def fetched(cls, place: Place) -> "RemoteRun":
        """A run that was begun before, here or on another machine, as its copy has it.

        Raises:
            NothingToResumeError: there is none.
            StorageError: another process works on it, or it cannot be reached.
        """
        names = place.names()
        if STUDY not in names:
            raise NothingToResumeError(
                f"nothing to resume: {place.name} holds no run. A search would be begun by its task alone."
            )
        run = cls(place)
        run._refuse_if_alive()
        run._make_room()
        with ThreadPoolExecutor(COPIED_AT_ONCE) as pool:
            list(pool.map(lambda name: place.get(name, run.path / name), names))
        run._copied = {name: _seen(run.path / name) for name in names if name != STUDY}
        return run

    @property
    def shown(self) -> str:
        """The place."""
        return self.place.name

    @property
    def readable(self) -> Path:
        """The place where it is a folder, else the folder that is worked on."""
        return self.place.path if isinstance(self.place, FolderPlace) else self.path

    def mark(self) -> int:
        """Asks for a copy of all that is on disk now."""
        with self._changed:
            self._wanted += 1
            self._changed.notify_all()
            return self._wanted

    def is_safe(self, mark: int) -> bool:
        """Whether the copy holds it.

        Raises:
            StorageError: the place has been out of reach for long.
        """
        if self._trouble is not None:
            raise self._trouble
        return self._reached >= mark

    def wait_for(self, mark: int) -> None:
        """Until the copy holds it."""
        with self._changed:
            self._changed.wait_for(lambda: self._reached >= mark or self._trouble is not None)
        self.is_safe(mark)

    @contextmanager
    def owned(self) -> Iterator[None]:
        """While it lasts the copy follows; when it ends, everything is in it."""
        with super().owned():
            self._beat()
            copying = threading.Thread(target=self._copy_on, name="copy of the run", daemon=True)
            copying.start()
            try:
                yield
            finally:
                with self._changed:
                    self._is_over = True
                    self._changed.notify_all()
                copying.join()
                if not self._is_taken_over:
                    self._copy_all()
                    with suppress(StorageError):
                        self.place.remove(OWNER)

    def remove(self) -> None:
        """Takes it away, here and there."""
        super().remove()
        for name in self.place.names():
            self.place.remove(name)

    def _copy_on(self) -> None:
        """The thread."""
        reached_last = time.monotonic()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted > self._reached or self._is_over, SECONDS_BETWEEN_BEATS)
                if self._is_over:
                    return
                wanted = self._wanted
            try:
                self._beat()
                self._copy_all()
                reached_last = time.monotonic()
                with self._changed:
                    self._reached = wanted
                    self._changed.notify_all()
            except _TakenOverError as error:
                self._is_taken_over = True
                self._give_up(StorageError(str(error)))
                return
            except (StorageError, OSError) as error:  # OSError: of this machine's own disk
                if time.monotonic() - reached_last > PATIENCE:
                    words = f"the copy of the run could not be written for {PATIENCE:.0f} s: {error}. {self._advice()}"
                    self._give_up(StorageError(words))
                    return
                _log.warning("the copy of the run cannot be written now: %s", error)
                time.sleep(min(SECONDS_BETWEEN_BEATS, PATIENCE / 10))

    def _give_up(self, trouble: StorageError) -> None:
        with self._changed:
            self._trouble = trouble
            self._changed.notify_all()

    def _advice(self) -> str:
        return f"All that had finished is in {self.path}: autotl search --resume {self.path}"

    def _copy_all(self) -> None:
        if not (self.path / STUDY).exists():
            return
        with tempfile.TemporaryDirectory(prefix="autotl-copy-") as folder:
            snapshot, state = Path(folder) / STUDY, self._state_of_study()
            if state != self._copied_study:
                _snapshot(self.path / STUDY, snapshot)
            there = self._files()
            changed = [name for name, seen in there.items() if self._copied.get(name) != seen]
            with ThreadPoolExecutor(COPIED_AT_ONCE) as pool:
                list(pool.map(self._copy, changed))
            for name in set(self._copied) - set(there):
                self.place.remove(name)
                del self._copied[name]
            if state != self._copied_study:
                self.place.put(STUDY, snapshot)
                self._copied_study = state

    def _state_of_study(self) -> list[Seen]:
        """Changes with every change of the database."""
        found = []
        for name in (STUDY, f"{STUDY}-wal"):
            with suppress(FileNotFoundError):
                found.append(_seen(self.path / name))
        return found

    def _copy(self, name: str) -> None:
        """One that goes away meanwhile is gone from the next list."""
        with suppress(FileNotFoundError):
            seen = _seen(self.path / name)
            self.place.put(name, self.path / name)
            self._copied[name] = seen

    def _files(self) -> dict[str, Seen]:
        found = {}
        for folder, folders, files in os.walk(self.path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                path = Path(folder) / name
                relative = path.relative_to(self.path).as_posix()
                if not name.startswith(".") and PurePosixPath(relative).name not in _LIVE:
                    with suppress(FileNotFoundError):
                        found[relative] = _seen(path)
        return found

    def _beat(self) -> None:
        """A sign of life. Where somebody else has taken the run over, it is not ours any more."""
        owner = _owner_at(self.place)
        if owner is not None and owner.get("token") != self._token and self._beats:
            raise _TakenOverError(f"{self.place.name} was taken over by {_words(owner)}: this search stops.")
        self._beats += 1
        ours = {"pid": os.getpid(), "host": socket.gethostname(), "token": self._token, "beat": self._beats}
        with a_file(json.dumps(ours).encode()) as file:
            self.place.put(OWNER, file)

    def _refuse_if_alive(self) -> None:
        """Clocks of machines differ, so whether an owner lives is told by its next sign of life."""
        before = _owner_at(self.place)
        if before is None:
            return
        end = time.monotonic() + 3 * SECONDS_BETWEEN_BEATS
        while time.monotonic() < end:
            time.sleep(SECONDS_BETWEEN_BEATS / 5)
            if _owner_at(self.place) not in (None, before):
                words = f"{self.place.name} is being worked on by {_words(before)}. Wait for it, or end it."
                raise StorageError(words)

    def _make_room(self) -> None:
        """What is left here of an earlier sitting has its copy."""
        if (self.path / LOCK).exists():
            try:
                with FileLock(self.path / LOCK, blocking=False):
                    pass
            except Timeout as error:
                raise StorageError(f"{self.place.name} is being worked on by another process here.") from error
        discard(self.path)
        self.path.mkdir(parents=True)


class _TakenOverError(Exception):
    """Another process owns the run now."""


_LIVE = frozenset((STUDY, f"{STUDY}-wal", f"{STUDY}-shm"))


def create_run(where: Path | str) -> RunFolder:
    """A new run, on this machine's disk or elsewhere.

    Raises:
        AutotlError: as `RunFolder.create` and `RemoteRun.create_at` do.
    """
    place = place_of(where)
    return RunFolder.create(Path(where)) if place is None else RemoteRun.create_at(place)


def run_to_resume(where: Path | str) -> RunFolder:
    """A run that was begun before; where it is elsewhere, it is fetched.

    Raises:
        AutotlError: as `RemoteRun.fetched` does.
    """
    place = place_of(where)
    return RunFolder(Path(where)) if place is None else RemoteRun.fetched(place)


def written_in(where: Path | str) -> Path:
    """The folder of this machine that a run is worked on in."""
    place = place_of(where)
    return Path(where) if place is None else _working_folder(place)


def _working_folder(place: Place) -> Path:
    """Where a run of this place is worked on."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", place.name.rstrip("/").rpartition("/")[2]).strip("-.") or "run"
    return cache_folder() / "runs" / f"{slug}-{hashlib.sha256(place.name.encode()).hexdigest()[:12]}"


def _snapshot(database: Path, to: Path) -> None:
    """A copy of a database that is being written."""
    try:
        with (
            closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as live,
            closing(sqlite3.connect(to)) as copy,
        ):
            live.backup(copy)
    except sqlite3.Error as error:
        raise StorageError(f"{database} could not be copied: {error}") from error


def _seen(path: Path) -> Seen:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def _owner_at(place: Place) -> dict[str, object] | None:
    content = place.read(OWNER)
    try:
        owner = None if content is None else json.loads(content)
    except ValueError:
        return {}
    return owner if isinstance(owner, dict) else None


def _words(owner: dict[str, object]) -> str:
    return f"process {owner.get('pid', '?')} on {owner.get('host', '?')}"
