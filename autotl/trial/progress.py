"""How far a job has come: its epochs, clocks and deadline."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from autotl.errors import AutotlError, first_line
from autotl.features import ExtractionProgress
from autotl.trial.checkpoint import SECONDS_BETWEEN, Arrays, Checkpoint, Kind, plan_identity
from autotl.trial.outcome import DivergedError, Ending, EpochRow, Job, OutOfTimeError, Seconds, Size


class Progress:
    """A job's epoch counter, clocks and deadline."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.size: Size | None = None
        self.score = math.nan
        self.extracted = 0  # examples whose activations were computed for this job
        self._seconds = Seconds()
        self._curve: list[tuple[float, float]] = []  # loss and score of each epoch
        self._loss = math.nan
        self._checkpointed = time.monotonic()

    @property
    def epochs(self) -> int:
        """Epochs that have ended."""
        return len(self._curve)

    def clock(self, what: str) -> "_Clock":
        """A context whose time counts for one of the fields of `Seconds`."""
        return _Clock(self, what)

    def spend(self, what: str, seconds: float) -> None:
        """Counts time that was measured elsewhere."""
        setattr(self._seconds, what, getattr(self._seconds, what) + seconds)

    def check_deadline(self) -> None:
        """Raises `OutOfTimeError` where it has passed."""
        if time.monotonic() > self.job.deadline:
            raise OutOfTimeError

    def advance(self, loss: float, score: float | None) -> None:
        """An epoch has ended.

        Raises:
            DivergedError: with a score that is no finite number.
        """
        self._loss, self.score = loss, math.nan if score is None else score
        self._curve.append((self._loss, self.score))
        if score is not None and not math.isfinite(score):
            raise DivergedError(f"diverged: the score is {score} in epoch {self.epochs}")

    def take_up(self, checkpoint: Checkpoint) -> Iterator[EpochRow]:
        """Goes on after a checkpoint; its epochs are told again, for the last ones may not have been heard."""
        self._seconds = Seconds(**checkpoint.seconds)
        for loss, score in checkpoint.curve:
            self._loss, self.score = loss, score
            self._curve.append((loss, score))
            yield self._row(None)

    @property
    def needs_checkpoint(self) -> bool:
        """Whether the last one is so old that a new one is worth its time."""
        return time.monotonic() - self._checkpointed >= SECONDS_BETWEEN

    def checkpointed(self, states: Sequence[Arrays], *, kind: Kind) -> EpochRow:
        """The epoch that has ended, of a job that goes on, with what it would go on from elsewhere."""
        self._checkpointed = time.monotonic()
        plan, seconds = plan_identity(self.job.plan), asdict(self._seconds)
        return replace(self._row(None), checkpoint=Checkpoint(plan, kind, tuple(self._curve), seconds, tuple(states)))

    def row(self) -> EpochRow:
        """The epoch that has ended, of a job that goes on."""
        return self._row(None)

    def waiting(self, features: ExtractionProgress) -> EpochRow:
        """A job that waits for its activations."""
        return replace(self._row(None), features=features)

    def ended(self, ending: Ending) -> EpochRow:
        """The job's last row."""
        return self._row(ending)

    def _row(self, ending: Ending | None) -> EpochRow:
        return EpochRow(
            self.job.number,
            self.epochs,
            self._loss,
            self.score,
            replace(self._seconds),
            self.size,
            ending,
            extracted=self.extracted,
        )


class _Clock:
    def __init__(self, progress: Progress, what: str) -> None:
        self._progress, self._what = progress, what

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._progress.spend(self._what, time.perf_counter() - self._start)


def finite_loss(loss: float, epoch: int) -> float:
    """The loss of an epoch, counted from 0.

    Raises:
        DivergedError: it is no finite number.
    """
    if not math.isfinite(loss):
        raise DivergedError(f"diverged: the training loss is {loss} in epoch {epoch + 1}")
    return loss


def one_line(error: Exception) -> str:
    """What went wrong, short enough for a row."""
    first = first_line(error)
    return first if isinstance(error, AutotlError) else f"{type(error).__name__}: {first}"
