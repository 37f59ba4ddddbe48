"""The command line with training that takes a moment and no TensorFlow; everything around it is the real thing.

python -m benchmarks.reliability.pretend search task.yaml --out run

Plans with certain weight decays stand for misfortunes (`MISFORTUNES`). Every epoch that is trained is written down, a
line of JSON, in the file that AUTOTL_TRAINED names.
"""

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autotl import api
from autotl.api.means import Means
from autotl.api.orders import order_of_workshop, search_order
from autotl.api.ranking import RankedRun
from autotl.cli.app import run
from autotl.data.examples import TaskData
from autotl.plan import Plan
from autotl.run.folder import WINNER, written_whole
from autotl.search.run import SearchOrder
from autotl.search.watchdog import Patience
from autotl.trial.halving import left_behind
from autotl.trial.making import WorkshopOrder
from autotl.trial.outcome import (
    DivergedError,
    Ending,
    EpochRow,
    Job,
    OutOfMemoryError,
    OutOfTimeError,
    Outputs,
    Size,
)
from autotl.trial.progress import Progress

EPOCH_SECONDS = float(os.environ.get("AUTOTL_PRETEND_SECONDS", "0.12"))
SHIP_SECONDS = 2.0
TRAINED = "AUTOTL_TRAINED"  # environment: where trained epochs are written down
PATIENCE = "AUTOTL_PATIENCE"  # environment: seconds that a step may take before its worker is ended
CLOCK_JUMPS = "AUTOTL_CLOCK_JUMPS"  # environment: the wall clock is set again and again


def _not_a_number() -> float:
    return math.nan


def _infinity() -> float:
    return math.inf


def _exception() -> float:
    raise ValueError("a shape does not fit")


def _dies() -> float:
    os._exit(1)


def _stands_still() -> float:
    os.kill(os.getpid(), signal.SIGSTOP)  # no thread of it runs any more, as in C code that waits for what never comes
    return 0.0


# weight decay of a plan -> what happens in its second epoch
MISFORTUNES: dict[float, Callable[[], float]] = {0.11: _not_a_number, 0.12: _infinity, 0.13: _exception, 0.14: _dies}
HANGS = 0.15
NO_MEMORY, SLOW = 0.16, 0.17  # likewise: memory for half the batch alone; an epoch that takes a hundred times as long
_IN_EPOCH_2 = {**MISFORTUNES, HANGS: _stands_still}


class PretendWorkshop:
    """Scores a plan by its learning rate, the better the nearer to 10 ** -2.5; a checkpoint after every epoch."""

    def __init__(self, data: TaskData) -> None:
        self._data = data
        self._trained = Path(os.environ[TRAINED])

    def train(self, packet: Sequence[Job], *, rungs: Collection[int] = ()) -> Iterator[EpochRow]:
        """Epoch by epoch, as heads side by side are; of several the best third goes on."""
        rows_of = {job.number: self._rows_of(job) for job in packet}
        while rows_of:
            rows = {number: next(rows) for number, rows in rows_of.items()}
            for number, row in rows.items():
                if row.ending is not None:
                    del rows_of[number]
            epoch = next(iter(rows.values())).epoch
            if len(packet) > 1 and epoch in rungs:
                for number in left_behind({each: rows[each].score for each in rows_of}, higher_is_better=True):
                    rows[number] = replace(rows[number], ending=Ending("pruned", f"stopped early after epoch {epoch}"))
                    del rows_of[number]
            yield from rows.values()

    def _rows_of(self, job: Job) -> Iterator[EpochRow]:
        progress, plan = Progress(job), job.plan.canonical()
        progress.size = Size(params=1_000, model_mb=0.004, flops=1_000 * (1 + int(plan.unfrozen_layers != 0)))
        quality = 1.0 - abs(math.log10(plan.learning_rate) + 2.5) / 4
        try:
            if job.checkpoint is not None and job.checkpoint.fits(plan, "alone", folds=1):
                yield from progress.take_up(job.checkpoint)
            for epoch in range(progress.epochs + 1, plan.epochs + 1):
                with progress.clock("train"):
                    time.sleep(EPOCH_SECONDS)
                progress.check_deadline()
                score = quality * (1 - 0.5**epoch)
                if plan.weight_decay == NO_MEMORY and plan.batch_size > Plan.batch_size // 2:
                    raise OutOfMemoryError(f"out of memory: a batch of {plan.batch_size}")
                if epoch == 2 and plan.weight_decay == SLOW:
                    time.sleep(100 * EPOCH_SECONDS)
                if epoch == 2 and plan.weight_decay in _IN_EPOCH_2:
                    score = _IN_EPOCH_2[plan.weight_decay]()
                progress.advance(1 - score, score)
                self._write_down(job.number, epoch)
                if epoch < plan.epochs:
                    yield progress.checkpointed([[np.full(4, score)]], kind="alone")
            yield progress.ended(self._ending(job, score))
        except DivergedError as diverged:
            yield progress.ended(Ending("failed", reason=str(diverged)))
        except OutOfTimeError:
            yield progress.ended(Ending("pruned", reason="budget"))
        except ValueError as error:
            yield progress.ended(Ending("failed", reason=f"ValueError: {error}"))

    def _write_down(self, number: int, epoch: int) -> None:
        line = {"trial": number, "epoch": epoch, "worker": os.getpid(), "at": time.monotonic()}
        with self._trained.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _ending(self, job: Job, score: float) -> Ending:
        data, draws = self._data, np.random.default_rng(job.plan.seed)
        rows = np.unique(np.concatenate([fold.validation for fold in data.folds]))
        ids = np.array([f"row {row}" for row in range(len(data.labels))])
        said = draws.dirichlet(np.ones(len(data.classes)), size=len(data.labels)).astype(np.float32)
        outputs = Outputs(
            rows=rows,
            validation_ids=ids[rows],
            target_ids=ids[data.target_rows],
            validation=said[rows],
            target=said[data.target_rows],
            features=said[data.target_rows],
        )
        figure = {"value": score, "low": None, "high": None, "kind": data.score_kind}
        weights = [np.full(1_000, score, dtype=np.float32)]
        return Ending("complete", score=figure, scores={"accuracy": score}, outputs=outputs, weights=weights)


@dataclass(frozen=True)
class PretendOrder(WorkshopOrder):
    """Makes a pretend workshop in a worker's process."""

    def __call__(self) -> Any:
        """Without Keras."""
        return PretendWorkshop(self.data)


def pretend_order(task: Any, data: TaskData) -> PretendOrder:
    """The order that a real search would give, for the pretend workshop."""
    real = order_of_workshop(task.task, data, metric=task.metric, offline=True)
    return PretendOrder(**{each.name: getattr(real, each.name) for each in fields(real)})


def pretend_to_ship(ranked: RankedRun, winner: dict[str, Any]) -> None:
    """Takes some time to retrain, and some to write a bundle of several files."""
    stages, place = ranked.sitting.stages, ranked.sitting.run.path
    stages.start("retrain", "retraining the winner and opening the test set")
    time.sleep(SHIP_SECONDS / 2)
    stages.start("bundle", "writing the bundle")
    with written_whole(place / WINNER) as folder:
        folder.mkdir()
        for name in ("model.keras", "metrics.json", "bundle.json"):
            time.sleep(SHIP_SECONDS / 6)
            (folder / name).write_text(json.dumps({"trial": winner["trial"]}))


def impatient_order(task: Any, data: TaskData, starting: Sequence[Any]) -> SearchOrder:
    """The order that a real search would give, with the patience that the environment asks for."""
    seconds = float(os.environ[PATIENCE])
    return replace(search_order(task, data, starting), patience=Patience(seconds=seconds, seconds_at_the_ends=seconds))


def set_the_clock_again_and_again() -> None:
    """Every time that somebody asks for it, the wall clock is hours or days away from where it was."""
    draws, real = np.random.default_rng(0), time.time
    time.time = lambda: real() + float(draws.uniform(-3e5, 3e5))


def main() -> None:
    """The command line, with what takes long replaced."""
    means = Means(workshop_order=pretend_order, ship=pretend_to_ship)
    if PATIENCE in os.environ:
        means = replace(means, search_order=impatient_order)
    api.search = partial(api.search, means=means)
    if CLOCK_JUMPS in os.environ:
        set_the_clock_again_and_again()
    raise SystemExit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
