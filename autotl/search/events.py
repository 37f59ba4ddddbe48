"""What a search tells while it runs; the command line draws its live table from these."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SearchStarted:
    """Workers are up and trials begin."""

    trials: int
    baselines: int
    workers: int
    ends_by: float  # the time.monotonic() after which no further trial starts
    ended: Sequence[dict[str, Any]] = ()  # rows of trials that earlier sittings of the search brought to their end


@dataclass(frozen=True)
class TrialStarted:
    """A plan was given to a worker."""

    number: int
    plan: dict[str, Any]
    baseline: str | None


@dataclass(frozen=True)
class FeaturesComputed:
    """A trial waits for its features, which are being computed once for all that start from them."""

    number: int
    done: int  # examples, those that were stored already included
    rows: int
    seconds_left: float | None  # None before there is a pace


@dataclass(frozen=True)
class EpochEnded:
    """One epoch of a running trial."""

    number: int
    epoch: int
    score: float


@dataclass(frozen=True)
class TrialEnded:
    """A trial's row is final and on disk."""

    row: dict[str, Any]


@dataclass(frozen=True)
class StageStarted:
    """The search moved on: reading data, loading backbones, searching, retraining, testing, reporting."""

    stage: str
    words: str


@dataclass(frozen=True)
class TimeLeft:
    """How long the trials will still take, told now and then."""

    seconds: float


def counts_as_trial(row: Mapping[str, Any]) -> bool:
    """Whether a trial that ended is one of the budget's: no baseline, no repeat, and tried at all."""
    return row["baseline"] is None and row.get("repeat_of") is None and row["status"] != "skipped"


Event = SearchStarted | TrialStarted | FeaturesComputed | EpochEnded | TrialEnded | StageStarted | TimeLeft
Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """A listener that does nothing."""
