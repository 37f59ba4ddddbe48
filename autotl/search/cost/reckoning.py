"""Keeps the estimates of a running search up to date: what is left, and what must be kept free for the end."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotl.backbones import BackboneSpec
from autotl.errors import AutotlError
from autotl.plan import Plan
from autotl.plan.fields import parse_plan
from autotl.plan.space import Space
from autotl.search.budget import Budget
from autotl.search.cost.forecast import TRAININGS, afterwards_seconds, drawn_plans, epochs_of
from autotl.search.cost.log import PARTS, CostLog, Observed
from autotl.search.cost.model import CostModel
from autotl.search.cost.work import Examples, StoredKey, Work, work_of
from autotl.search.events import Event, Listener, SearchStarted, TimeLeft, TrialEnded, counts_as_trial

STARTUP_FACT = "startup_seconds"  # of a run: until its first trial was begun
STANDS_FOR_ALL = 32  # plans drawn at random: what is left costs what they cost on average
PAUSE = 20.0  # times what the last reckoning took, before the next one
BEST_FEW = 3  # trials, of which the one that trained longest may win


class Reckoning:
    """A listener that passes events on, and after them how much time is left.

    Args:
        log: of this machine; what the trials took is added to it by `note`.
    """

    def __init__(
        self,
        space: Space,
        examples: Examples,
        log: CostLog,
        budget: Budget,
        listen: Listener,
        *,
        early_stopping: bool,
        higher_is_better: bool,
    ) -> None:
        self._space, self._examples, self._log, self._budget, self._listen = space, examples, log, budget, listen
        self._early_stopping = early_stopping
        self._sign = 1.0 if higher_is_better else -1.0
        self._before = log.trials()
        self._commands = log.afterwards()
        self._own: list[Observed] = []
        self._stored: set[StoredKey] = set()
        self._flops: dict[BackboneSpec, float] = {}
        self._trained: list[tuple[float, float]] = []  # score and seconds of training of complete trials
        self._drawn: list[Plan] = []
        self._order: SearchStarted | None = None
        self._searched = 0
        self._started = time.monotonic()
        self._startup: float | None = None
        self._not_before = 0.0

    def __call__(self, event: Event) -> None:
        """Takes one event."""
        self._listen(event)
        if isinstance(event, SearchStarted):
            self._order = event
            self._drawn = drawn_plans(self._space, STANDS_FOR_ALL, seed=0)
            for row in event.ended:
                self._take(row)
            self._own.clear()  # noted when they ended
        elif isinstance(event, TrialEnded):
            if self._startup is None:
                self._startup = max(time.monotonic() - self._started - sum(event.row["seconds"].values()), 0.0)
            self._take(event.row)
        if isinstance(event, SearchStarted | TrialEnded):
            self._reckon()

    @property
    def startup_seconds(self) -> float:
        """Until the first trial was begun."""
        return self._startup or 0.0

    def note(self) -> None:
        """Adds what this search's trials took to the machine's log."""
        self._log.add(self._own, stored=self._stored)
        self._own = []

    def _take(self, row: Mapping[str, Any]) -> None:
        self._searched += counts_as_trial(row)
        if row["status"] not in ("complete", "pruned") or not row["epochs"]:
            return
        try:
            plan = parse_plan(row["plan"], where="", folder=Path(), modality=self._space.modality)
        except AutotlError:  # its weights have gone; it is told of all the same
            return
        if row["flops"] is not None:
            self._flops[plan.backbone] = float(row["flops"])
        work = work_of(plan, self._examples, flops=self._flops, epochs=float(row["epochs"]))
        self._stored.update(work.sets)
        self._own.append(observed(row, work))
        value = (row["score"] or {}).get("value")
        if row["status"] == "complete" and value is not None:
            self._trained.append((self._sign * float(value), float(row["seconds"]["train"])))

    def _reckon(self) -> None:
        started = time.monotonic()
        self._budget.expect_afterwards(afterwards_seconds(self._commands, 0.0), TRAININGS * self._training_of_best())
        if started < self._not_before or self._order is None:
            return
        model = CostModel([*self._before, *self._own])
        left = max(self._order.trials - self._searched, 0) * self._mean_of_drawn(model) / self._order.workers
        self._not_before = time.monotonic() + PAUSE * (time.monotonic() - started)
        self._listen(TimeLeft(min(left, max(self._budget.search_ends - time.monotonic(), 0.0))))

    def _mean_of_drawn(self, model: CostModel) -> float:
        works = [
            work_of(
                plan,
                self._examples,
                flops=self._flops,
                epochs=epochs_of(plan, self._space) if self._early_stopping else None,
            )
            for plan in self._drawn
        ]
        return float(np.mean([model.seconds(work, self._stored).total for work in works]))

    def _training_of_best(self) -> float:
        best = sorted(self._trained, reverse=True)[:BEST_FEW]
        return max((seconds for _, seconds in best), default=0.0)


def observed(row: Mapping[str, Any], work: Work) -> Observed:
    """What a row that ended tells of this machine."""
    rows, gflop = work.to_compute(frozenset())
    extracted = float(row["extracted"])
    return Observed(
        kind=work.kind,
        steps=work.steps,
        trained_gflop=work.trained_gflop,
        scored_gflop=work.scored_gflop,
        scored_rows=work.scored_rows,
        rows=work.rows,
        computed_rows=extracted,
        computed_gflop=gflop * extracted / rows if rows else 0.0,
        seconds={part: float(row["seconds"][part]) for part in PARTS},
        memory_mb=row["memory_mb"],
    )
