"""Where a worker leaves what its trials leave behind: the run folder, on the machine that the search runs on.

A worker of that machine writes there itself. One of another machine need not see the folder: its files pass through one
actor beside the search, which writes each under its final name in one step, so a machine that is lost, or thought to
be, leaves no half of a file.
"""

import contextlib
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from autotl.run import trial_files
from autotl.run.folder import write_whole

if TYPE_CHECKING:
    from autotl.trial.checkpoint import Checkpoint
    from autotl.trial.outcome import Outputs

SECONDS_FOR_A_LAST_WORD = 5.0
CLERKS_HANDS = 8  # files written at once: most of the time a disk is waited for


# Given a machine's id, or None, and trials: what watchdogs left there on these is in the run folder when it returns.
BringLastWords = Callable[[str | None, Sequence[int]], None]


def nothing_to_bring(node: str | None, trials: Sequence[int]) -> None:
    """On one machine: it is left in the run folder."""


class Home(Protocol):
    """The run folder's trials, as a worker sees them."""

    def checkpoint(self, number: int) -> "Checkpoint | None":
        """From which a trial goes on; None where it begins."""
        ...

    def keep(self, number: int, outputs: "Outputs", weights: Sequence[NDArray[Any]]) -> None:
        """What a trained plan says, and what it has learnt; on disk when this returns.

        Raises:
            StorageError: it could not be written.
        """
        ...

    def keep_checkpoint(self, number: int, checkpoint: "Checkpoint") -> None:
        """Raises a StorageError where it could not be written."""
        ...

    def leave_word(self, number: int, words: str) -> None:
        """Why this worker ends itself."""
        ...

    def hung_file(self, number: int) -> Path:
        """On this worker's machine: where its watchdog leaves why it ended it."""
        ...

    def log(self, number: int) -> logging.Handler:
        """For what is logged while a trial is trained."""
        ...

    def seconds_ahead(self) -> float:
        """How far the search's time.monotonic() is ahead of ours: each machine has its own."""
        ...


class ThisMachine:
    """The folder itself.

    Args:
        trials: one folder a trial in it.
    """

    def __init__(self, trials: Path) -> None:
        self._trials = trials

    def checkpoint(self, number: int) -> "Checkpoint | None":
        """Read from its file."""
        return trial_files.read_checkpoint(self._trials / str(number))

    def keep(self, number: int, outputs: "Outputs", weights: Sequence[NDArray[Any]]) -> None:
        """Writes both."""
        trial_files.write_outputs(self._trials / str(number), outputs)
        trial_files.write_weights(self._trials / str(number), weights)

    def keep_checkpoint(self, number: int, checkpoint: "Checkpoint") -> None:
        """Writes it."""
        trial_files.write_checkpoint(self._trials / str(number), checkpoint)

    def leave_word(self, number: int, words: str) -> None:
        """Writes them."""
        trial_files.write_out_of_memory(self._trials / str(number), words)

    def hung_file(self, number: int) -> Path:
        """In the trial's folder."""
        return self._trials / str(number) / trial_files.HUNG

    def log(self, number: int) -> logging.Handler:
        """A file."""
        path = self._trials / str(number) / trial_files.LOG
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return logging.FileHandler(path, encoding="utf-8", delay=True)

    def seconds_ahead(self) -> float:
        """None: it is the same clock."""
        return 0.0


class Clerk:
    """Keeps the trials' files for workers of other machines; an actor beside the search.

    Args:
        trials: one folder a trial in it.
    """

    def __init__(self, trials: Path) -> None:
        self._trials = trials

    def write(self, number: int, name: str, content: bytes) -> None:
        """A file of a trial, on disk when this returns."""
        write_whole(self._trials / str(number) / name, content)

    def append(self, number: int, name: str, text: str) -> None:
        """More of a file that grows."""
        path = self._trials / str(number) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    def read(self, number: int, name: str) -> bytes | None:
        """A file of a trial; None where there is none."""
        try:
            return (self._trials / str(number) / name).read_bytes()
        except FileNotFoundError:
            return None

    def now(self) -> float:
        """The search's own clock."""
        return time.monotonic()


class AnotherMachine:
    """The folder behind a clerk.

    Args:
        clerk: the handle of a `Clerk` that is a Ray actor.
        search: a name that no other search has.
    """

    def __init__(self, clerk: Any, search: str) -> None:
        self._clerk = clerk
        self._search = search

    def checkpoint(self, number: int) -> "Checkpoint | None":
        """Fetched, and read as it would be there."""
        content = self._ask("read", number, trial_files.CHECKPOINT)
        if content is None:
            return None
        with _folder() as folder:
            (folder / trial_files.CHECKPOINT).write_bytes(content)
            return trial_files.read_checkpoint(folder)

    def keep(self, number: int, outputs: "Outputs", weights: Sequence[NDArray[Any]]) -> None:
        """Sends both."""
        with _folder() as folder:
            trial_files.write_outputs(folder, outputs)
            trial_files.write_weights(folder, weights)
            self._send(number, folder)

    def keep_checkpoint(self, number: int, checkpoint: "Checkpoint") -> None:
        """Sends it."""
        with _folder() as folder:
            trial_files.write_checkpoint(folder, checkpoint)
            self._send(number, folder)

    def leave_word(self, number: int, words: str) -> None:
        """Sends them; a machine that is short of memory may fail to, and then the trial merely died."""
        import ray

        with contextlib.suppress(Exception):
            sent = self._clerk.write.remote(number, trial_files.OUT_OF_MEMORY, words.encode())
            ray.get(sent, timeout=SECONDS_FOR_A_LAST_WORD)

    def hung_file(self, number: int) -> Path:
        """In a folder of the worker's machine, from which somebody else brings it: the worker can do nothing more."""
        path = hung_files(self._search) / str(number) / trial_files.HUNG
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, number: int) -> logging.Handler:
        """Sent line by line: there are few, and a machine may be lost at any moment."""
        return _SentLines(self._clerk, number)

    def seconds_ahead(self) -> float:
        """By asking for the time; wrong by no more than half of what the answer took."""
        asked = time.monotonic()
        there = float(self._ask("now"))
        return there - (asked + time.monotonic()) / 2

    def _send(self, number: int, folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            self._ask("write", number, path.name, path.read_bytes())

    def _ask(self, method: str, *arguments: Any) -> Any:
        import ray

        return ray.get(getattr(self._clerk, method).remote(*arguments))


@contextlib.contextmanager
def at_home(trials: Path, search: str) -> Iterator[AnotherMachine]:
    """A clerk on this machine, for as long as the context lasts; what is given out can be sent to any other."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    clerk = ray.remote(Clerk).options(
        num_cpus=0, max_concurrency=CLERKS_HANDS, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here
    )
    handle = clerk.remote(trials)
    try:
        yield AnotherMachine(handle, search)
    finally:
        with contextlib.suppress(Exception):  # the cluster may be gone
            ray.kill(handle)


class _SentLines(logging.Handler):
    def __init__(self, clerk: Any, number: int) -> None:
        super().__init__()
        self._clerk = clerk
        self._number = number
        clerk.append.remote(number, trial_files.LOG, "")

    def emit(self, record: logging.LogRecord) -> None:
        self._clerk.append.remote(self._number, trial_files.LOG, self.format(record) + "\n")


def hung_files(search: str) -> Path:
    """Where watchdogs of this machine leave their words on a search's trials."""
    return Path(tempfile.gettempdir()) / f"autotl-{search}"


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="autotl-worker-") as folder:
        yield Path(folder)
