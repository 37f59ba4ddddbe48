"""The run folder: every file of a search, each written whole or not at all."""

import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from autotl import __version__
from autotl.errors import EnvironmentProblemError, StorageError, UsageError

TASK = "task.yaml"
SPACE = "space.yaml"
STUDY = "study.db"
TRIALS = "trials"
LEADERBOARD_JSON = "leaderboard.json"
LEADERBOARD_CSV = "leaderboard.csv"
WINNER = "winner"
REPORT = "report.html"
LOG = "log.jsonl"
LOCK = ".lock"
OWNER = ".owner.json"  # who holds the lock
FORM = "run.json"  # which version wrote the folder, and in which format
LONGEST_NAME = 64  # of a folder that is called after a task
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)

FORMAT = 1  # raised when a version that knows the number before could not read what is written


class RunFolder:
    """A folder with everything one search did. `docs/run-folder.md` lists them for readers."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """A new run folder; one that already holds something is refused, so that no run is overwritten or resumed by
        accident.

        Raises:
            UsageError: the folder is not empty.
            StorageError: it cannot be made.
        """
        make_empty(path, TRIALS)
        write_whole(path / FORM, (json.dumps({"format": FORMAT, "autotl": __version__}) + "\n").encode())
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run folder.

        Raises:
            UsageError: the folder is not a run.
            EnvironmentProblemError: a newer autotl wrote it, in a format that this one does not know.
            StorageError: what says so cannot be read.
        """
        if not (path / STUDY).is_file():
            raise UsageError(f"{path} is no run folder: there is no {STUDY} in it.")
        _refuse_unknown_format(path)
        return cls(path)

    @contextmanager
    def owned(self) -> Iterator[None]:
        """For as long as it lasts this process alone may write the run.

        The system gives the lock back when its holder ends, however that happens, so the lock of a process that was
        killed is in nobody's way.

        Raises:
            StorageError: another process holds it; the message says which.
        """
        lock = FileLock(self.path / LOCK, blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise StorageError(f"{self.path} is being worked on by {self._owner()}. Wait for it, or end it.") from error
        except OSError as error:
            raise StorageError(f"{self.path / LOCK} cannot be locked: {error.strerror}") from error
        try:
            self.write(OWNER, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
            yield
        finally:
            (self.path / OWNER).unlink(missing_ok=True)
            lock.release()

    @property
    def shown(self) -> str:
        """Where the run is, in a person's words."""
        return str(self.path)

    @property
    def readable(self) -> Path:
        """Where the run's files are read when it has ended."""
        return self.path

    def mark(self) -> int:
        """Asks that what is on disk now be kept wherever else the run is kept; a number to ask after."""
        return 0

    def is_safe(self, mark: int) -> bool:  # noqa: ARG002 - of a run that is kept elsewhere, too, this needs an answer
        """Whether it is: here it is on disk, and nowhere else."""
        return True

    def wait_for(self, mark: int) -> None:
        """Until it is."""

    def _owner(self) -> str:
        try:
            owner = json.loads(self.read(OWNER))
            return f"process {owner['pid']} on {owner['host']}"
        except (OSError, ValueError, KeyError, TypeError):  # it has the lock, and has not written its name yet
            return "another process"

    def remove(self) -> None:
        """Takes away the whole folder: of a run that ended before its first trial."""
        shutil.rmtree(self.path, ignore_errors=True)

    def trial(self, number: int) -> Path:
        """Folder of one trial."""
        return self.path / TRIALS / str(number)

    def write(self, name: str, content: bytes | str) -> Path:
        """Writes a file under its final name in one step: temporary file, fsync, rename.

        Raises:
            StorageError: disk full, or no right to write.
        """
        # a file name in an unknown encoding holds what UTF-8 cannot; it must not cost a leaderboard
        return write_whole(
            self.path / name, content.encode(errors="backslashreplace") if isinstance(content, str) else content
        )

    def read(self, name: str) -> bytes:
        """Content of a file of the run."""
        return (self.path / name).read_bytes()

    def has(self, name: str) -> bool:
        """Whether the file or folder exists."""
        return (self.path / name).exists()


def _refuse_unknown_format(path: Path) -> None:
    """Runs of the time before there was a `run.json` are of the first format."""
    try:
        form = json.loads((path / FORM).read_text(encoding="utf-8"))
        number, version = int(form["format"]), str(form["autotl"])
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path / FORM}, which says how the run is written, cannot be read: {error}") from error
    if number > FORMAT:
        raise EnvironmentProblemError(
            f"{path} was written by autotl {version}, in format {number}. This is autotl {__version__}, which reads "
            f"formats up to {FORMAT}. Install autotl {version} or a newer one to open it."
        )


def make_empty(path: Path, *folders: str) -> None:
    """A new folder, or one that is empty, with these folders in it.

    Raises:
        UsageError: it is not empty.
        StorageError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise UsageError(f"{path} is not empty. Choose another --out, or leave it out for a new folder.")
        for name in folders:
            (path / name).mkdir()
    except OSError as error:
        raise StorageError(f"the folder {path} cannot be created: {error.strerror}") from error


def write_whole(path: Path, content: bytes) -> Path:
    """Writes a file so that a reader, or a crash, sees the old content or the new one and nothing between."""
    return _write(path, content, before_naming=lambda file: os.fsync(file.fileno()))


def write_copy(path: Path, content: bytes) -> Path:
    """The same for what the study holds, too: a machine that loses its power may lose the file, so no time is spent on
    waiting for the disk."""
    return _write(path, content, before_naming=lambda _: None)


def _write(path: Path, content: bytes, *, before_naming: Callable[[BinaryIO], None]) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                before_naming(file)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(f"{path} could not be written ({len(content):,} bytes): {error.strerror}") from error
    return path


@contextmanager
def written_whole(place: Path) -> Iterator[Path]:
    """A new folder to write in, which takes the place's name once it is whole, from one that had it before.

    Whatever breaks the writing off, nothing of it is left, and what was there before stays.

    Raises:
        StorageError: it could not be renamed.
    """
    folder, former = place.with_name(f".{place.name}"), place.with_name(f".former.{place.name}")
    discard(folder)
    try:
        yield folder
        discard(former)
        if place.exists():
            place.replace(former)
        folder.replace(place)
    except OSError as error:
        raise StorageError(f"{place} could not be written: {error.strerror or error}") from error
    finally:
        if former.exists() and not place.exists():  # it was broken off between the two renames
            former.replace(place)
        discard(former)
        discard(folder)


def discard(folder: Path) -> None:
    """Takes away an unfinished or outdated folder, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)


def slug(task_name: str) -> str:
    """A task's name as the name of a file on any system."""
    return fit_for_a_folder(re.sub(r"[^A-Za-z0-9._-]+", "-", task_name)[:LONGEST_NAME].strip("-.") or "task")


def fit_for_a_folder(name: str) -> str:
    """The name, with a word before it where Windows takes it for a device's, as `con` and `nul.txt`."""
    return f"task-{name}" if _DEVICES.fullmatch(name) else name


def default_path(task_name: str, runs: Path, *, now: datetime) -> Path:
    """`runs/<task>-<YYYYmmdd-HHMMSS>`, with a number behind it where two runs start within one second."""
    base = runs / f"{slug(task_name)}-{now:%Y%m%d-%H%M%S}"
    path, attempt = base, 1
    while path.exists():
        attempt += 1
        path = base.with_name(f"{base.name}-{attempt}")
    return path
