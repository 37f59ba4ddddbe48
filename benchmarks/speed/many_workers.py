"""Whether one driver keeps many GPUs busy: a search of thousands of trials by workers that are pretended.

python -m benchmarks.speed.many_workers                        # 64 GPUs, 2,000 trials (minutes)
python -m benchmarks.speed.many_workers --gpus 8 --trials 200

Searcher, sampler, early stopping, journal, database, files and Ray Tune's own loop are the real ones, and so are their
seconds. Only what a worker does is pretended, and its time passes without being waited for: an epoch takes what is
said, a worker that is started what was measured, and each call to one what a call to a real Ray actor takes here.
"""

import argparse
import heapq
import itertools
import json
import logging
import math
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.air.execution._internal.tracked_actor import TrackedActor
from ray.tune.execution import tune_controller

from autotl.plan.space import parse_space
from autotl.run import RunFolder, Study, trial_files
from autotl.run.folder import STUDY
from autotl.search.budget import Budget
from autotl.search.events import silent
from autotl.search.run import SearchOrder, search
from autotl.search.worker import _report
from autotl.trial.outcome import Ending, EpochRow, Job, Outputs, Seconds, Size
from benchmarks.speed.many_trials import BACKBONES, DEPTHS, EPOCHS, SPACE

SECONDS_TO_START = 12.4  # a worker with TensorFlow in it
VALIDATION, CLASSES, WIDTH = 500, 10, 1_280  # rows of outputs, and what each says
MEMORY_MB = 50.0  # of a worker: this machine holds fewer than 64 real ones


@dataclass
class Clock:
    """Seconds that have passed: those that the driver has computed for, and those that were only said to pass.

    Of the driver's own the processor's time is taken, so that other programs on the machine do not count.
    """

    skipped: float = 0.0
    elsewhere: float = 0.0  # of what was computed here and would be by a worker
    began: float = field(default_factory=time.thread_time)

    @property
    def driver(self) -> float:
        """Seconds that the driver was busy."""
        return time.thread_time() - self.began - self.elsewhere

    def now(self) -> float:
        """Seconds since the beginning."""
        return self.driver + self.skipped

    def without(self, work: Callable[[], Any]) -> Any:
        """Does what a worker would do meanwhile."""
        start = time.thread_time()
        done = work()
        self.elsewhere += time.thread_time() - start
        return done


@dataclass
class PretendActor:
    """One worker, and what it will report of the packet that it has."""

    rows: Iterator[list[EpochRow]]


class PretendActors:
    """Stands for Ray Tune's actor manager: the same calls and arguments, and no process behind them.

    Attributes:
        trained_from: when each epoch that workers trained began.
        last_given: when the last trial was given to a worker.
        started: workers that were started.
    """

    def __init__(
        self, clock: Clock, trials: Path, *, gpus: int, seconds_per_epoch: float, seconds_per_call: float
    ) -> None:
        self.clock = clock
        self.started = 0
        self._gpus = gpus
        self.trained_from: list[float] = []
        self.last_given = 0.0
        self._trials = trials
        self._seconds_per_epoch = seconds_per_epoch
        self._seconds_per_call = seconds_per_call
        self._events: list[tuple[float, int, TrackedActor, Callable[[], None]]] = []
        self._order = itertools.count()
        self._dropped: Counter[int] = Counter()
        self._actors: dict[TrackedActor, PretendActor] = {}
        self._pending: dict[TrackedActor, PretendActor] = {}  # that wait for a GPU
        self._live_actors_to_ray_actors_resources: dict[TrackedActor, tuple[None, None]] = {}
        self._actor_task_events = self

    @property
    def num_pending_actors(self) -> int:
        return len(self._pending)

    @property
    def num_live_actors(self) -> int:
        return len(self._actors)

    @property
    def num_total_actors(self) -> int:
        return len(self._actors) + len(self._pending)

    @property
    def num_actor_tasks(self) -> int:
        return len(self._events)

    def get_live_actors_resources(self) -> dict[str, float]:
        return {}

    def is_actor_started(self, tracked_actor: TrackedActor) -> bool:
        return tracked_actor in self._actors

    def is_actor_failed(self, tracked_actor: TrackedActor) -> bool:
        return False

    def add_actor(
        self,
        cls: Any,
        kwargs: dict[str, Any],
        resource_request: Any,
        *,
        on_start: Any = None,
        on_stop: Any = None,
        on_error: Any = None,
    ) -> TrackedActor:
        actor = TrackedActor(next(self._order), on_start=on_start, on_stop=on_stop, on_error=on_error)
        self._pending[actor] = self._given(kwargs["config"])
        return actor

    def schedule_actor_task(
        self,
        tracked_actor: TrackedActor,
        method_name: str,
        args: Any = None,
        kwargs: Any = None,
        on_result: Any = None,
        on_error: Any = None,
        _return_future: bool = False,
    ) -> None:
        if method_name == "train":
            result = self.clock.without(lambda: self._trained(self._actors[tracked_actor]))
            self.trained_from.append(self.clock.now())
            self._in(self._seconds_per_epoch, tracked_actor, lambda: on_result(tracked_actor, result))
        elif method_name == "reset":
            self._actors[tracked_actor] = self._given(args[0])
            self._in(0.0, tracked_actor, lambda: on_result(tracked_actor, True))

    def remove_actor(self, tracked_actor: TrackedActor, kill: bool = False, stop_future: Any = None) -> bool:
        if self._pending.pop(tracked_actor, None) is not None:
            return False
        self.clear_actor_task_futures(tracked_actor)
        was_there = self._actors.pop(tracked_actor, None) is not None
        self._live_actors_to_ray_actors_resources.pop(tracked_actor, None)
        if was_there and tracked_actor._on_stop:
            tracked_actor._on_stop(tracked_actor)
        return False

    def clear_actor_task_futures(self, tracked_actor: TrackedActor) -> None:
        self._events = [event for event in self._events if event[2] is not tracked_actor]
        heapq.heapify(self._events)

    def cleanup(self) -> None:
        self._actors.clear()

    def next(self, timeout: float | None = None) -> bool:
        """The next event, if it comes in time."""
        while self._pending and len(self._actors) < self._gpus:
            self._start(next(iter(self._pending)))
        now = self.clock.now()
        if not self._events or self._events[0][0] > now + (timeout or 0.0):
            self.clock.skipped += timeout or 0.0
            return False
        moment, _, _, happens = heapq.heappop(self._events)
        self.clock.skipped += max(0.0, moment - now) + self._seconds_per_call
        happens()
        return True

    def _start(self, actor: TrackedActor) -> None:
        self.started += 1
        self._actors[actor] = self._pending.pop(actor)
        self._live_actors_to_ray_actors_resources[actor] = (None, None)
        self._in(SECONDS_TO_START, actor, lambda: actor._on_start(actor))

    def _in(self, seconds: float, actor: TrackedActor, happens: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.clock.now() + seconds, next(self._order), actor, happens))

    def _given(self, config: dict[str, Any]) -> PretendActor:
        self.last_given = self.clock.now()
        return PretendActor(_rows(config["packet"]))

    def busy(self, until: float) -> float:
        """Share of the workers' time that they trained, from the first epoch on."""
        trained = [min(self._seconds_per_epoch, until - began) for began in self.trained_from if began < until]
        return sum(trained) / (self._gpus * (until - self.trained_from[0]))

    def _trained(self, actor: PretendActor) -> dict[str, Any]:
        rows = next(actor.rows)
        for row in rows:
            if row.ending is not None and row.ending.outputs is not None:
                trial_files.write_outputs(self._trials / str(row.number), row.ending.outputs)
        reports = json.dumps([_report(row, 0.01, MEMORY_MB) for row in rows])
        is_done = all(row.ending is not None for row in rows)
        return {
            "epoch": rows[0].epoch,
            "score": rows[0].score,
            "reports": reports,
            "node": "",
            "done": is_done,
            "training_iteration": rows[0].epoch,
            "time_this_iter_s": self._seconds_per_epoch,
        }


def _rows(packet: list[Job]) -> Iterator[list[EpochRow]]:
    """What a workshop would report of these plans, epoch by epoch."""
    chance = {job.number: np.random.default_rng(job.plan.seed) for job in packet}
    for epoch in range(1, EPOCHS + 1):
        yield [_row(job, epoch, chance[job.number]) for job in packet]


def _row(job: Job, epoch: int, chance: np.random.Generator) -> EpochRow:
    worth, params, operations, _ = BACKBONES[job.plan.backbone.label]
    expected = DEPTHS[str(job.plan.unfrozen_layers)] + worth - 0.04 * abs(math.log10(job.plan.learning_rate) + 2.8)
    score = float(np.clip(expected * (1 - 0.6 * 0.6**epoch) + chance.normal(0, 0.01), 0.05, 0.99))
    ending = None
    if epoch == EPOCHS:
        value = {"value": score, "low": score - 0.03, "high": score + 0.03, "kind": "validation"}
        ending = Ending("complete", score=value, scores={"accuracy": score}, outputs=OUTPUTS)
    size = Size(params=int(params), model_mb=params * 4 / 1e6, flops=int(operations))
    return EpochRow(job.number, epoch, 1 - score, score, Seconds(train=1.0), size, ending)


def _outputs() -> Outputs:
    said = np.full((VALIDATION, CLASSES), 1 / CLASSES, dtype=np.float32)
    ids = np.array([f"row {row}" for row in range(VALIDATION)])
    features = np.zeros((VALIDATION, WIDTH), dtype=np.float32)
    return Outputs(np.arange(VALIDATION), ids, ids, said, said, features)


OUTPUTS = _outputs()


def _nothing() -> Any:
    """No workshop is made."""


COLUMNS = {  # in the table: the figure, and how it is written
    "seconds per epoch": ("seconds_per_epoch", "{:g}"),
    "trials": ("trials", "{}"),
    "results": ("results", "{}"),
    "workers busy": ("busy", "{:.1%}"),
    "to the end of the last": ("busy_to_the_end", "{:.1%}"),
    "driver, ms per result": ("driver_ms", "{:.1f}"),
    "by the wall clock": ("wall_ms", "{:.1f}"),
    "proposing, ms per trial": ("propose_ms", "{:.1f}"),
    "the last 100": ("last_propose_ms", "{:.1f}"),
    "workers started": ("started", "{}"),
    "minutes": ("minutes", "{:.1f}"),
}


class Echo:
    """A real actor, to measure what a call to one takes."""

    def echo(self, result: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The result, after so many seconds."""
        time.sleep(seconds)
        return result


def seconds_per_call(workers: int, *, calls: int = 200) -> float:
    """Of the driver's time, for a call to a Ray actor and what comes of it while as many others are awaited."""
    actor = ray.remote(num_cpus=0, max_concurrency=workers + 1)(Echo).remote()
    result = {"epoch": 1, "score": 0.5, "reports": "x" * 700, "node": "", "done": False}
    others = [actor.echo.remote(result, 60.0) for _ in range(workers - 1)]
    spent = []
    for _ in range(calls):
        began = time.process_time()  # Ray's own threads are the driver's, too
        asked = actor.echo.remote(result, 0.01)
        (ready,), _ = ray.wait([*others, asked], num_returns=1)
        ray.get(ready)
        spent.append(time.process_time() - began)
    ray.kill(actor)
    return statistics.median(spent)


def measure(folder: Path, *, gpus: int, trials: int, seconds_per_epoch: float, per_call: float) -> dict[str, float]:
    """One search; figures of it."""
    run = RunFolder.create(folder)
    clock = Clock()
    actors = PretendActors(
        clock, folder / "trials", gpus=gpus, seconds_per_epoch=seconds_per_epoch, seconds_per_call=per_call
    )
    space = parse_space(SPACE, where=str, folder=folder)
    order = SearchOrder(
        name="many-workers",
        space=space,
        baselines=[],
        given=[],
        unavailable=[],
        trials=trials,
        seed=0,
        higher_is_better=True,
        score_kind="validation",
        early_stopping=True,
        deterministic=False,
        cpus_per_trial=1,
        gpus_per_trial=1,
        workers=gpus,
    )
    study = Study(run.path / STUDY)
    real = tune_controller.RayActorManager
    tune_controller.RayActorManager = lambda **_: actors
    began = time.perf_counter()
    try:
        search(order, run, study, Budget(1e6), make_workshop=_nothing, listen=silent)
    finally:
        tune_controller.RayActorManager = real
    driver, wall = clock.driver, time.perf_counter() - began - clock.elsewhere
    rows = study.trials()
    study.close()
    results, end = len(actors.trained_from), actors.trained_from[-1] + seconds_per_epoch
    proposed = [row["seconds"]["propose"] for row in rows]
    return {
        "seconds_per_epoch": seconds_per_epoch,
        "trials": len(rows),
        "results": results,
        "busy": actors.busy(actors.last_given),
        "busy_to_the_end": actors.busy(end),
        "driver_ms": 1e3 * (driver / results + per_call),
        "wall_ms": 1e3 * (wall / results + per_call),
        "propose_ms": 1e3 * statistics.mean(proposed),
        "last_propose_ms": 1e3 * statistics.mean(proposed[-100:]),
        "started": actors.started,
        "minutes": (end - actors.trained_from[0]) / 60,
        "best": max(row["score"]["value"] for row in rows if row["score"]),
    }


def main() -> None:
    """Prints a row for each length of an epoch."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--gpus", type=int, default=64)
    arguments.add_argument("--trials", type=int, default=2_000)
    arguments.add_argument("--epoch", type=float, nargs="+", default=[2.25, 10.0], metavar="SECONDS")
    given = arguments.parse_args()
    logging.disable(logging.WARNING)
    ray.init(address="local", num_cpus=given.gpus, num_gpus=given.gpus, include_dashboard=False, log_to_driver=False)
    per_call = seconds_per_call(given.gpus)
    print(f"{given.gpus} GPUs; a call to a Ray actor takes {1e3 * per_call:.1f} ms of the driver\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for seconds in given.epoch:
        with tempfile.TemporaryDirectory(prefix="autotl-many-workers-") as folder:
            found = measure(
                Path(folder) / "run", gpus=given.gpus, trials=given.trials, seconds_per_epoch=seconds, per_call=per_call
            )
        cells = [written.format(found[name]) for name, written in COLUMNS.values()]
        print(f"| {' | '.join(cells)} |", flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main()
