"""Searches replayed on recorded pools, in simulated time: what a strategy would have found, and when.

The product's own proposer and its own rule of early stopping run here; only training is looked up. A plan that is
proposed becomes the nearest one of the pool that has not been tried, and the proposer learns that plan's own values.
One worker, no baselines, plans one after the other.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from autotl.plan import Plan, trial_seed
from autotl.plan.fields import parse_plan
from autotl.plan.plan import Choice, cut_key
from autotl.plan.space import Range, Space, parse_space
from autotl.search.proposer import Proposal, Proposer
from autotl.search.sampler import make_sampler
from autotl.trial.halving import FIRST_RUNG, REDUCTION_FACTOR, grace_of, rungs_below
from benchmarks.search.pools import Pool, PoolTrial

STRUCTURE = ("backbone", "tap", "unfrozen_layers", "adaptation", "head", "join", "pooling", "sequence_length")
STRUCTURE_WEIGHT = 4.0  # of a field in which two plans are unlike in kind, against a numeric one at its whole width
BACKBONE_WEIGHT = 4 * STRUCTURE_WEIGHT  # a plan on another backbone tells nothing of the one that was proposed
WEIGHTS = np.array([BACKBONE_WEIGHT if name == "backbone" else STRUCTURE_WEIGHT for name in STRUCTURE])
GOOD_ENOUGH = 0.98  # of the pool's best score


class Table:
    """A pool that can be asked: its space, its plans, and which of them is nearest to another."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.modality = pool.modality.split("-")[0]
        self.space: Space = parse_space(pool.space, where=str, folder=Path(), modality=self.modality)
        self.plans: list[Plan] = [
            parse_plan(trial.plan, where=pool.task, folder=Path(), modality=self.modality) for trial in pool.trials
        ]
        self.places = {plan.key(): place for place, plan in enumerate(self.plans)}
        self.finals = np.array([trial.scores[-1] for trial in pool.trials])
        self.tests = np.array([trial.test for trial in pool.trials])
        self.goal = GOOD_ENOUGH * float(self.finals.max())

    @property
    def all_seconds(self) -> float:
        """To train every plan to its end, one after the other."""
        training = sum(trial.epoch_seconds * len(trial.scores) for trial in self.pool.trials)
        return training + sum(self.pool.feature_seconds.values())

    @cached_property
    def _coded(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Of every plan: what it is in kind (n, fields), and its numbers, each over its range (n, numbers)."""
        return self._codes(self.plans)

    def nearest(self, plan: Plan, untried: Sequence[int]) -> int:
        """The place of the untried plan that is most like one."""
        kinds, numbers = self._coded
        own_kinds, own_numbers = self._codes([plan])
        rows = np.asarray(untried)
        apart = (kinds[rows] != own_kinds) @ WEIGHTS
        return int(rows[np.argmin(apart + np.abs(numbers[rows] - own_numbers).sum(axis=1))])

    def _codes(self, plans: Sequence[Plan]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        kinds = np.array([[hash(_kind(getattr(plan, name))) for name in STRUCTURE] for plan in plans])
        ranges = {name: each for name, each in self.space.dimensions.items() if isinstance(each, Range)}
        numbers = np.array([[_share(each, getattr(plan, name)) for name, each in ranges.items()] for plan in plans])
        return kinds, numbers.reshape(len(plans), len(ranges))

    def feature_seconds(self, place: int) -> tuple[str, float]:
        """The cut that a plan starts from, and what its features take."""
        cut = cut_key(self.pool.trials[place].plan)
        return cut, self.pool.feature_seconds[cut]


def _kind(value: Any) -> str:
    return value.name if isinstance(value, Choice) else str(getattr(value, "label", value))


def _share(dimension: Range, value: float) -> float:
    low, high, here = (
        (math.log(each) for each in (dimension.low, dimension.high, max(value, 1e-12)))
        if dimension.scale == "log"
        else (dimension.low, dimension.high, value)
    )
    return float((here - low) / (high - low))


@dataclass
class Trace:
    """One replayed search: after each trial the time, and what was known.

    Attributes:
        seconds: at the end of each trial.
        places: of the trial's plan in the pool.
        complete: whether it was trained to its end; only such may win.
        stopped_wrongly: trials stopped early that would have been the best of all so far.
    """

    table: Table
    seconds: list[float] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    complete: list[bool] = field(default_factory=list)
    stopped_wrongly: int = 0
    proposing: float = 0.0

    @property
    def trials_to_goal(self) -> int | None:
        """Trials until one was good enough; None where none was."""
        for number, (place, done) in enumerate(zip(self.places, self.complete, strict=True)):
            if done and self.table.finals[place] >= self.table.goal:
                return number + 1
        return None

    @property
    def seconds_to_goal(self) -> float | None:
        number = self.trials_to_goal
        return None if number is None else self.seconds[number - 1]

    def winner_after(self, trials: int) -> int | None:
        """The place of the plan that would ship after so many trials."""
        done = [place for place, whole in zip(self.places[:trials], self.complete[:trials], strict=True) if whole]
        return max(done, key=lambda place: float(self.table.finals[place])) if done else None


class Judge(Protocol):
    """Whether a trial under way goes on."""

    def goes_on(self, plan: Plan, epoch: int, scores: Sequence[float], last: int) -> bool:
        """Asked after every epoch but the last.

        Args:
            scores: of this trial up to this epoch.
            last: the trial's last epoch.
        """
        ...

    def ended(self, scores: Sequence[float]) -> None:
        """A trial came to its last epoch."""
        ...


class Patient:
    """Nobody is stopped."""

    def goes_on(self, plan: Plan, epoch: int, scores: Sequence[float], last: int) -> bool:  # noqa: ARG002 - one shape for all
        return True

    def ended(self, scores: Sequence[float]) -> None:
        """Nothing to learn."""


class Halving:
    """The product's asynchronous halving: at a rung, only the best third of those that came there goes on.

    Args:
        first: the first rung.
        has_grace: whether a plan is left alone while its method's loss grows.
    """

    def __init__(self, longest_plan: int, *, first: int = FIRST_RUNG, has_grace: bool = True) -> None:
        self._at: dict[int, list[float]] = {rung: [] for rung in rungs_below(longest_plan, first=first)}
        self._has_grace = has_grace

    def goes_on(self, plan: Plan, epoch: int, scores: Sequence[float], last: int) -> bool:  # noqa: ARG002
        if epoch not in self._at or (self._has_grace and epoch <= grace_of(plan)):
            return True
        recorded = self._at[epoch]
        cutoff = np.percentile(recorded, (1 - 1 / REDUCTION_FACTOR) * 100) if recorded else -np.inf
        recorded.append(scores[-1])
        return bool(scores[-1] >= cutoff)

    def ended(self, scores: Sequence[float]) -> None:
        """A rung compares only those that are at it."""


class Extrapolating:
    """Stops a trial whose score, with what others still gained from that epoch on, would not reach the best.

    Args:
        first: the first epoch after which it speaks.
        quantile: of the gains of those that came to their end.
        least: curves that it must have seen.
    """

    def __init__(self, longest_plan: int, *, first: int = 2, quantile: float = 0.9, least: int = 5) -> None:  # noqa: ARG002
        self._first, self._quantile, self._least = first, quantile, least
        self._curves: list[Sequence[float]] = []
        self._best = -np.inf

    def goes_on(self, plan: Plan, epoch: int, scores: Sequence[float], last: int) -> bool:
        if epoch < max(self._first, grace_of(plan) + 1) or len(self._curves) < self._least:
            return True
        gains = [curve[-1] - curve[max(1, round(epoch / last * len(curve))) - 1] for curve in self._curves]
        return bool(scores[-1] + np.quantile(gains, self._quantile) >= self._best)

    def ended(self, scores: Sequence[float]) -> None:
        self._curves.append(scores)
        self._best = max(self._best, scores[-1])


class HalvingAndExtrapolating:
    """Both: a trial goes on where neither stops it."""

    def __init__(self, longest_plan: int) -> None:
        self._halving, self._extrapolating = Halving(longest_plan), Extrapolating(longest_plan)

    def goes_on(self, plan: Plan, epoch: int, scores: Sequence[float], last: int) -> bool:
        is_promising = self._extrapolating.goes_on(plan, epoch, scores, last)
        return self._halving.goes_on(plan, epoch, scores, last) and is_promising

    def ended(self, scores: Sequence[float]) -> None:
        self._extrapolating.ended(scores)


class PoolProposer(Proposer):
    """The product's proposer, held to the plans of a pool."""

    def __init__(self, table: Table, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._table = table
        self.untried = list(range(len(table.plans)))

    def _snapped(self, plan: Plan) -> Plan:
        place = self._table.nearest(plan, self.untried)
        self.untried.remove(place)
        return self._table.plans[place]

    def _proposal(self, plan: Plan, baseline: str | None, start: float) -> Proposal:
        return super()._proposal(self._snapped(plan), baseline, start)

    def _suggested(self, start: float) -> Proposal | None:
        import optuna

        trial = self._ask()
        plan = self._space.suggest(trial, seed=0)
        self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return self._charged(self._proposal(plan, None, start))


@dataclass(frozen=True)
class Strategy:
    """How a search is made.

    Attributes:
        starts_with: plans to try first, in their order.
        judge: makes what stops trials; by the longest plan's epochs.
        is_random: plans at random instead of Optuna's.
    """

    starts_with: tuple[Plan, ...] = ()
    judge: Callable[[int], Judge] = Halving
    is_random: bool = False


def all_tried(trace: Trace) -> bool:
    """Whether the whole pool was; where a replay ends that nothing else ends."""
    return len(trace.places) >= len(trace.table.plans)


def goal_reached(trace: Trace) -> bool:
    """Whether the last trial was good enough."""
    return bool(trace.complete) and trace.complete[-1] and trace.table.finals[trace.places[-1]] >= trace.table.goal


def replay(
    table: Table,
    strategy: Strategy,
    *,
    seed: int,
    until: Callable[[Trace], bool] = all_tried,
    trials: int | None = None,
    proposer_class: type[PoolProposer] = PoolProposer,
) -> Trace:
    """One search on a pool, which is told beforehand how many trials it has: all plans where that is not said.

    Args:
        until: asked after every trial.
        proposer_class: what proposes.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    most = min(trials or len(table.plans), len(table.plans))
    study = optuna.create_study(direction="maximize", sampler=make_sampler(trials=most, seed=seed))
    proposer = proposer_class(
        table,
        study,
        table.space,
        trials=most,
        task_seed=seed,
        starting=strategy.starts_with,
    )
    if strategy.is_random:
        proposer._first, proposer._per_method = {}, []
    draws = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)) if strategy.is_random else None
    judge: Judge = strategy.judge(max(len(trial.scores) for trial in table.pool.trials))
    trace, now, stored, best = Trace(table), 0.0, set[str](), -np.inf
    while len(trace.places) < most and not until(trace):
        started = time.perf_counter()
        if draws is None:
            proposal = proposer.propose()
        else:
            proposal = proposer._proposal(table.space.suggest(draws.ask(), seed=0), None, started)
        if proposal is None:
            break
        place = table.places[proposal.plan.key()]
        trace.proposing += time.perf_counter() - started
        cut, seconds = table.feature_seconds(place)
        now += 0.0 if cut in stored else seconds
        stored.add(cut)
        trained = _trained(table.pool.trials[place], judge, proposer, proposal)
        now += trained * table.pool.trials[place].epoch_seconds
        scores = table.pool.trials[place].scores
        whole = trained == len(scores)
        if whole:
            judge.ended(scores)
        else:
            trace.stopped_wrongly += scores[-1] > best
        best = max(best, scores[-1]) if whole else best
        proposer.end(proposal.number, "complete" if whole else "pruned", scores[-1] if whole else None)
        trace.seconds.append(now)
        trace.places.append(place)
        trace.complete.append(whole)
    return trace


def _trained(trial: PoolTrial, judge: Judge, proposer: Proposer, proposal: Proposal) -> int:
    """Epochs that a trial is given."""
    last = len(trial.scores)
    for epoch, score in enumerate(trial.scores, start=1):
        proposer.step(proposal.number, epoch, score)
        if epoch < last and not judge.goes_on(proposal.plan, epoch, trial.scores[:epoch], last):
            return epoch
    return last


def seeds_of(count: int) -> list[int]:
    """Of the replays of one pool."""
    return [trial_seed(9, number) % 1_000_000 for number in range(count)]


def random_search() -> Strategy:
    """Plans at random, each to its end."""
    return Strategy(judge=lambda longest: Patient(), is_random=True)  # noqa: ARG005
