"""Whole searches with real training, in turn: do they find a good plan as much sooner as the replays say?

python -m benchmarks.search.live [--only kitchen bearing-windows] [--seeds 3] [--trials 20]

Each recorded task is searched as the product does it, by TPE and early stopping alone, and at random, one after the
other with the same seed, by one worker with an empty store, without baselines and history. The portfolio is made of
the other tasks of the modality. The goal is that of the replays, a validation score of 98 % of the recorded pool's
best; seconds run from the moment at which trials begin. A search ends once a trial came to the goal; where none did,
the whole search counts.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np

from autotl.search.events import Event, SearchStarted, TrialEnded, counts_as_trial
from benchmarks.search.pools import read_pools
from benchmarks.search.portfolio import portfolio
from benchmarks.search.replay import Table
from benchmarks.search.tasks import TASKS, data_of
from benchmarks.shared import parser, use_own_home

PRODUCT, ALONE, RANDOM = "the product", "TPE + ASHA alone", "random search"


def as_by_ctrl_c() -> None:
    """Ends the search of this process in order."""
    signal.raise_signal(signal.SIGINT)


@dataclass
class Watch:
    """A listener that notes when the goal was reached, and ends the search then.

    Attributes:
        seconds, trials: until then; None while it was not.
        elapsed, ended: until now.
    """

    goal: float
    end: Callable[[], None] = as_by_ctrl_c
    seconds: float | None = None
    trials: int | None = None
    ended: int = 0
    began: float = 0.0
    elapsed: float = 0.0

    def __call__(self, event: Event) -> None:
        if isinstance(event, SearchStarted):
            self.began = time.perf_counter()
        if not isinstance(event, TrialEnded) or not counts_as_trial(event.row):
            return
        self.ended += 1
        self.elapsed = time.perf_counter() - self.began
        is_good = event.row["status"] == "complete" and event.row["score"]["value"] >= self.goal
        if is_good and self.seconds is None:
            self.seconds, self.trials = self.elapsed, self.ended
            self.end()


def main() -> None:
    """Prints a line for every search, then one for every task and strategy."""
    use_own_home()
    arguments = parser(__doc__ or "")
    tables = {pool.task: Table(pool) for pool in read_pools()}
    arguments.add_argument("--only", nargs="+", choices=list(tables), default=list(tables))
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--trials", type=int, default=20)
    given = arguments.parse_args()
    for name in given.only:
        others = [each for each in tables.values() if each.pool.modality == tables[name].pool.modality]
        plans = portfolio([each for each in others if data_of(each.pool.task) != data_of(name)])
        found: dict[str, list[Watch]] = {}
        for seed in range(given.seeds):
            for strategy, searching in strategies(plans).items():
                watch = searched(name, tables[name], given.shared, searching, seed=seed, trials=given.trials)
                found.setdefault(strategy, []).append(watch)
                print(f"{name}, seed {seed}, {strategy}: {_words(watch)}", flush=True)
        print(_lines(name, found), flush=True)


def strategies(plans: list[dict[str, Any]]) -> dict[str, Callable[[], Any]]:
    """What each strategy puts in the place of the product's own, while it is entered."""
    return {
        PRODUCT: lambda: _beginning_with(plans),
        ALONE: lambda: _beginning_with([]),
        RANDOM: _at_random,
    }


def searched(name: str, table: Table, shared: Path, searching: Callable[[], Any], *, seed: int, trials: int) -> Watch:
    """One search in folders of its own."""
    from autotl import api

    watch = Watch(table.goal)
    with TemporaryDirectory() as place, ExitStack() as held:
        folder = Path(place)
        held.enter_context(patch.dict(os.environ, AUTOTL_CACHE_DIR=str(folder / "cache")))
        written = TASKS[name].write(TASKS[name], shared, folder)
        (folder / "task.yaml").write_text(f"{written}seed: {seed}\n", encoding="utf-8")
        settings = held.enter_context(searching())
        api.search(
            folder / "task.yaml",
            listen=watch,
            out=folder / "run",
            trials=trials,
            workers=1,
            baselines="none",
            refit=False,
            history=False,
            stops_when_done=False,
            **settings,
        )
    return watch


@contextmanager
def _beginning_with(plans: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    with patch("autotl.api.beginning.shipped_portfolio", lambda modality: plans):  # noqa: ARG005
        yield {}


@contextmanager
def _at_random() -> Iterator[dict[str, Any]]:
    import optuna

    def sampler(*, trials: int, seed: int, number: int = 0) -> optuna.samplers.BaseSampler:  # noqa: ARG001
        return optuna.samplers.RandomSampler(seed=int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))

    with ExitStack() as held:
        held.enter_context(_beginning_with([]))
        held.enter_context(patch("autotl.search.sampler.make_sampler", sampler))
        held.enter_context(patch("autotl.search.proposer.first_plans", lambda space: {}))  # noqa: ARG005
        held.enter_context(patch("autotl.search.proposer.method_plans", lambda space, backbone: []))  # noqa: ARG005
        yield {"early_stopping": False}


def _words(watch: Watch) -> str:
    if watch.seconds is None:
        return f"not in {watch.ended} trials, {watch.elapsed:.1f} s"
    return f"after {watch.trials} trials, {watch.seconds:.1f} s"


def _lines(name: str, found: dict[str, list[Watch]]) -> str:
    at_random = _seconds(found[RANDOM])
    alone = _seconds(found[ALONE])
    lines = []
    for strategy, watches in found.items():
        missed = sum(watch.seconds is None for watch in watches)
        words = f" ({missed} of {len(watches)} missed)" if missed else ""
        seconds = _seconds(watches)
        lines.append(
            f"| {name} | {strategy} | {seconds:.1f}{words} | {seconds / at_random:.2f} | {seconds / alone:.2f} |"
        )
    return "\n".join(lines)


def _seconds(watches: list[Watch]) -> float:
    return float(np.exp(np.mean([np.log(watch.seconds or watch.elapsed) for watch in watches])))


if __name__ == "__main__":
    main()
