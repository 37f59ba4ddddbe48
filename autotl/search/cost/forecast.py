"""What a whole search will take: the plans that it is likely to try, one after the other, on its workers."""

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.network_costs import known_network_costs
from autotl.plan import Plan
from autotl.plan.baselines import Baseline, first_plans, full_finetune, method_plans
from autotl.plan.space import Space
from autotl.plan.unfreezing import trainable_networks
from autotl.search.budget import fits_retraining
from autotl.search.cost.log import Afterwards, Observed
from autotl.search.cost.model import CostModel
from autotl.search.cost.shelf import Shelf
from autotl.search.cost.work import Examples, StoredKey, work_of
from autotl.trial.halving import rungs_below

GO_ON = 0.5  # of the plans at a rung: a third by the rule, more while few have come so far
STARTUP = 14.0  # seconds until the first trial begins: Ray, the workers, TensorFlow
AFTERWARDS = 20.0  # seconds: ranking, TensorFlow once more, test, latencies, evidence, report
TRAININGS = 2.5  # that the winner is trained again: with another seed, and on a quarter more examples
LEAST_MEMORY_MB = 1_200.0  # of a worker
DRIVER_MEMORY_MB = 900.0
DRAWN = 200  # plans at most that stand for those that Optuna will suggest
SAFE_SHARE = 0.75  # of the commands seen took no longer than what is kept free for the rest


@dataclass(frozen=True)
class Forecast:
    """What a search is expected to take.

    Attributes:
        trials: that will have been begun when the time is up, baselines not counted; of `asked`.
        seconds: of the whole command.
        of_baselines, of_trials, afterwards: parts of it; the first two as if they ran alone on the workers.
        trial_seconds: of a tenth, half and nine tenths of the plans, each by itself.
        disk_bytes: of stored activations that are not there yet.
        memory_mb: of the driver and all workers.
        unknown: networks of which neither a table nor an earlier trial tells.
    """

    asked: int
    trials: int
    baselines: int
    workers: int
    seconds: float
    of_baselines: float
    of_trials: float
    afterwards: float
    trial_seconds: tuple[float, float, float]
    disk_bytes: float
    memory_mb: float
    unknown: tuple[str, ...]


def forecast(
    space: Space,
    examples: Examples,
    model: CostModel,
    *,
    trials: int,
    wall_seconds: float,
    workers: int,
    baselines: Sequence[Baseline],
    given: Sequence[Plan] = (),
    early_stopping: bool,
    flops: Mapping[BackboneSpec, float] | None = None,
    stored: frozenset[StoredKey] = frozenset(),
    observed: Sequence[Observed] = (),
    commands: Sequence[Afterwards] = (),
    store_limit: float = math.inf,
    seed: int = 0,
) -> Forecast:
    """Simulates the search in the order in which it would try plans; those of Optuna are drawn at random.

    Args:
        stored: activations that earlier searches left.
        observed, commands: of this machine.
        store_limit: bytes that the feature store takes at most.
    """
    there, shelf = set(stored), Shelf(space, flops or {}, limit_bytes=store_limit, there=stored)
    free_at = [_startup(commands)] * workers
    spent: dict[bool, float] = {True: 0.0, False: 0.0}
    alone: list[float] = []
    trainings: list[float] = []
    begun = 0
    kept_free = min(afterwards_seconds(commands, 0.0), wall_seconds / 2)
    for baseline, plan in _likely(space, baselines, given, trials, seed):
        start = heapq.heappop(free_at)
        if start >= wall_seconds - kept_free:
            heapq.heappush(free_at, start)
            break
        epochs = epochs_of(plan, space) if early_stopping and not baseline else None
        work = work_of(plan, examples, flops=flops, epochs=epochs)
        took = model.seconds(work, there)
        shelf.add(plan, work)
        there.update(work.sets)
        spent[baseline] += took.total
        if not baseline:
            begun += 1
            alone.append(took.total)
        trainings.append(took.train)
        heapq.heappush(free_at, start + took.total)
    retraining = TRAININGS * float(np.median(trainings)) if trainings else 0.0
    after = afterwards_seconds(commands, retraining if fits_retraining(retraining, wall_seconds) else 0.0)
    ends = min(max(free_at) + after, wall_seconds)
    return Forecast(
        asked=trials,
        trials=begun,
        baselines=len(baselines),
        workers=workers,
        seconds=ends,
        of_baselines=spent[True] / workers,
        of_trials=spent[False] / workers,
        afterwards=after,
        trial_seconds=_spread(alone),
        disk_bytes=shelf.bytes,
        memory_mb=DRIVER_MEMORY_MB + workers * _memory_of_worker(observed),
        unknown=tuple(_unknown(space, flops or {})),
    )


def epochs_of(plan: Plan, space: Space) -> float:
    """The epochs that a plan is trained for on average where early stopping lets a part go on at each rung."""
    lasting, reached, share = 0.0, 0, 1.0
    for rung in (*(rung for rung in rungs_below(space.longest_plan()) if rung < plan.all_epochs), plan.all_epochs):
        lasting += share * (rung - reached)
        reached, share = rung, share * GO_ON
    return lasting


def afterwards_seconds(commands: Sequence[Afterwards], retraining: float) -> float:
    """What follows the last trial: ranking, retraining, which takes so long, test and report."""
    beside = [max(sum(each.stages.values()) - TRAININGS * each.trial, 0.0) for each in commands]
    return retraining + (float(np.quantile(beside, SAFE_SHARE)) if beside else AFTERWARDS)


def drawn_plans(space: Space, count: int, *, seed: int) -> list[Plan]:
    """Plans drawn at random."""
    draws = _Draws(np.random.default_rng(seed))
    return [space.suggest(draws, seed=0) for _ in range(count)]


def _likely(
    space: Space, baselines: Sequence[Baseline], given: Sequence[Plan], trials: int, seed: int
) -> Iterator[tuple[bool, Plan]]:
    """Plans in the order in which a search tries them, each with whether it is a baseline."""
    networks = [spec for spec in space.values("backbone") if spec.origin != CLASSICAL]
    for baseline in baselines:
        if baseline.plan is not None:
            yield True, baseline.plan
        elif trained := trainable_networks(space):
            yield True, full_finetune(space, min(trained, key=_flops))
    first = first_plans(space)
    planned = [*given, *first.values(), *(method_plans(space, networks[0]) if networks else [])][:trials]
    for plan in planned:
        yield False, plan
    drawn = drawn_plans(space, min(trials - len(planned), DRAWN), seed=seed)
    for number in range(trials - len(planned)):
        yield False, drawn[number % len(drawn)]


def _flops(spec: BackboneSpec) -> float:
    costs = known_network_costs(spec)
    return math.inf if costs is None else costs.flops


def _startup(commands: Sequence[Afterwards]) -> float:
    return float(np.median([each.startup for each in commands])) if commands else STARTUP


def _memory_of_worker(observed: Sequence[Observed]) -> float:
    known = [each.memory_mb for each in observed if each.memory_mb is not None]
    return float(np.quantile(known, 0.9)) if known else LEAST_MEMORY_MB


def _spread(seconds: Sequence[float]) -> tuple[float, float, float]:
    if not seconds:
        return 0.0, 0.0, 0.0
    low, middle, high = np.quantile(seconds, [0.1, 0.5, 0.9])
    return float(low), float(middle), float(high)


def _unknown(space: Space, flops: Mapping[BackboneSpec, float]) -> Iterator[str]:
    for spec in space.values("backbone"):
        if spec.origin != CLASSICAL and known_network_costs(spec) is None and spec not in flops:
            yield spec.label


class _Draws:
    """Draws values as a random sampler would."""

    def __init__(self, draws: np.random.Generator) -> None:
        self._draws = draws

    def suggest_categorical(self, name: str, choices: Any, /) -> Any:  # noqa: ARG002 - the interface of a suggester
        return choices[int(self._draws.integers(len(choices)))]

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool = False) -> float:  # noqa: ARG002
        if log:
            return float(math.exp(self._draws.uniform(math.log(low), math.log(high))))
        return float(self._draws.uniform(low, high))

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool = False) -> int:  # noqa: ARG002
        return int(self._draws.integers(low, high + 1))
