"""What a person sees while a search runs: one live table on a terminal, plain lines in a pipe."""

import math
import time
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autotl.cli.tables import plan_words
from autotl.report.wording import counted, duration, visible
from autotl.search.events import (
    EpochEnded,
    Event,
    FeaturesComputed,
    SearchStarted,
    StageStarted,
    TimeLeft,
    TrialEnded,
    TrialStarted,
    counts_as_trial,
)

RECENT = 6  # ended trials kept on the live screen
RUNNING = 8  # running trials on it; those of a packet run at once, more than a screen has lines
PLAIN_SECONDS = 30.0  # in a pipe, how often running trials are told of besides those that end


class Progress:
    """Listens to a search's events and shows them; use it as a context and pass it as the listener."""

    def __init__(self, console: Console, *, metric: str, higher_is_better: bool) -> None:
        self._console = console
        self._metric = metric
        self._higher = higher_is_better
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._started = time.monotonic()
        self._order: SearchStarted | None = None
        self._stage = ""
        self._running: dict[int, tuple[dict[str, Any], int, float | None]] = {}  # plan, epoch, score
        self._features: dict[int, str] = {}  # of trials that wait for them
        self._counts = {"complete": 0, "pruned": 0, "failed": 0, "skipped": 0}
        self._searched = 0
        self._best: tuple[float, dict[str, Any]] | None = None
        self._recent: list[dict[str, Any]] = []
        self._last_plain = time.monotonic()
        self._done_by: float | None = None  # when the last trial should have ended

    def __enter__(self) -> "Progress":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        """Takes one event."""
        if isinstance(event, StageStarted):
            self._stage = event.words
            self._say(event.words)
        elif isinstance(event, SearchStarted):
            self._order = event
            minutes = max(0.0, event.ends_by - time.monotonic()) / 60
            self._say(
                f"{counted(event.trials, 'trial')} and {counted(event.baselines, 'baseline')} "
                f"on {counted(event.workers, 'worker')}, "
                f"at most {minutes:.0f} min"
            )
            for row in event.ended:
                self._count(row)
            if event.ended:
                self._say(f"goes on after {counted(len(event.ended), 'trial')}: {self._summary()}")
        elif isinstance(event, TrialStarted):
            self._running[event.number] = (event.plan, 0, None)
        elif isinstance(event, FeaturesComputed):
            self._features[event.number] = _features_words(event)
            self._say_now_and_then(f"trial {event.number}: {self._features[event.number]}")
        elif isinstance(event, EpochEnded):
            self._features.pop(event.number, None)
            plan, _, _ = self._running.get(event.number, ({}, 0, None))
            self._running[event.number] = (plan, event.epoch, event.score)
            self._say_now_and_then()
        elif isinstance(event, TrialEnded):
            self._ended(event.row)
        elif isinstance(event, TimeLeft):
            self._done_by = time.monotonic() + event.seconds
        if self._live is not None:
            self._live.update(self._screen())

    def _ended(self, row: dict[str, Any]) -> None:
        self._features.pop(row["trial"], None)
        self._running.pop(row["trial"], None)
        self._count(row)
        self._recent = [*self._recent, row][-RECENT:]
        self._say(_one_line(row, self._metric))

    def _count(self, row: dict[str, Any]) -> None:
        self._counts[row["status"]] += 1
        self._searched += counts_as_trial(row)
        if row["status"] == "complete" and _has_score(row):
            score = float(row["score"]["value"])
            if self._best is None or self._is_better(score, self._best[0]):
                self._best = (score, row)

    def _is_better(self, score: float, best: float) -> bool:
        return score > best if self._higher else score < best

    def _summary(self) -> str:
        best = "none yet" if self._best is None else f"{self._best[0]:.4f} (trial {self._best[1]['trial']})"
        counts = ", ".join(f"{number} {status}" for status, number in self._counts.items() if number)
        return f"best {self._metric} {best} · {counts or 'no trial has ended'} · {self._eta()}"

    def _eta(self) -> str:
        passed = f"{duration(time.monotonic() - self._started)} passed"
        if self._done_by is None:
            return passed
        left = self._done_by - time.monotonic()
        return f"{passed}, about {duration(left)} left" if left > 0 else f"{passed}, longer than expected"

    def _say(self, words: str) -> None:
        if self._live is None:
            self._console.print(words, highlight=False, markup=False, soft_wrap=True)

    def _say_now_and_then(self, more: str = "") -> None:
        if time.monotonic() - self._last_plain > PLAIN_SECONDS:
            self._last_plain = time.monotonic()
            self._say(self._summary())
            if more:
                self._say(more)

    def _screen(self) -> RenderableType:
        parts: list[RenderableType] = [Text(self._stage, style="bold")]
        if self._order is not None:
            total = max(self._order.trials, 1)
            parts.append(ProgressBar(total=total, completed=min(self._searched, total), width=40))
            parts.append(Text(self._summary()))
        table = Table(box=None, pad_edge=False, show_header=False)
        for row in self._recent:
            table.add_row(f"trial {row['trial']}", row["status"], _score_words(row), plan_words(row["plan"]))
        for number, (plan, epoch, score) in list(self._running.items())[:RUNNING]:
            words = "" if score is None or not math.isfinite(score) else f"{score:.4f}"
            stage = self._features.get(number, f"epoch {epoch}")
            table.add_row(f"trial {number}", stage, words, plan_words(plan), style="cyan")
        if len(self._running) > RUNNING:
            table.add_row("", f"and {len(self._running) - RUNNING} more", "", "", style="cyan")
        return Group(*parts, table)


def _features_words(event: FeaturesComputed) -> str:
    left = "" if event.seconds_left is None else f", about {event.seconds_left:.0f} s left"
    return f"features of {event.done:,} of {event.rows:,} examples{left}"


def _one_line(row: dict[str, Any], metric: str) -> str:
    name = f" [{row['baseline']}]" if row["baseline"] else ""
    why = f" ({visible(' '.join(row['reason'].split()))})" if row["reason"] else ""
    score = f"{metric} {_score_words(row)} · " if _has_score(row) else ""
    return f"trial {row['trial']}{name} {row['status']}{why}: {score}{plan_words(row['plan'])}"


def _score_words(row: dict[str, Any]) -> str:
    return f"{row['score']['value']:.4f}" if _has_score(row) else ""


def _has_score(row: dict[str, Any]) -> bool:
    """Whether there is a figure: without any labelled example here there is none before trials are ranked."""
    return bool(row["score"]) and row["score"]["value"] is not None and math.isfinite(row["score"]["value"])
