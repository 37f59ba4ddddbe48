"""The Ray Tune trainable: a process that keeps its workshop and trains one packet after the other."""

import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from ray import tune

from autotl.errors import StorageError
from autotl.run.cut_off import OUT_OF_BUDGET
from autotl.search.memory import MB, MemoryGuard
from autotl.search.nodes import MemoryShares, this_node
from autotl.search.returning import Home
from autotl.search.watchdog import Patience, Watchdog
from autotl.task.duration import format_duration
from autotl.trial.making import MakeWorkshop
from autotl.trial.outcome import Ending, OutOfMemoryError

if TYPE_CHECKING:
    from autotl.features import ExtractionProgress
    from autotl.trial.checkpoint import Checkpoint
    from autotl.trial.outcome import EpochRow, Job

_log = logging.getLogger(__name__)


EXIT_CODE = 70  # of a worker that ends itself; nobody reads it
OF_A_TRIAL = "the limit of a trial (budget.trial_wall)"


class PacketTrainable(tune.Trainable):
    """One reused actor. It ends its own process where memory runs out, for what is held may not be given back before.

    `config` is `{"packet": [Job, ...], "rungs": [epoch, ...]}`, as `Workshop.train` takes them. Every step reports an
    epoch of each plan; those that share their features are trained side by side, so they end it at the same time.
    """

    def setup(
        self,
        config: dict[str, Any],
        make_workshop: MakeWorkshop,
        home: Home,
        threads: int,
        memory: MemoryShares,
        patience: Patience,
        environment: Mapping[str, str],
    ) -> None:
        """Runs once in the process, before Keras is imported: as many threads as the trial has cores, and of a GPU's
        memory only what is used, so that several trials can share one."""
        os.environ.update(environment)
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ[name] = str(threads)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        self._home = home
        self._node = this_node()
        self._last_step_ended = time.perf_counter()
        self._log_files: list[logging.Handler] = []
        self._under_way: set[int] = set()
        self._taken = time.monotonic()
        self._step_seconds: list[float] = []
        self._epochs: dict[int, int] = {}
        self._guard = MemoryGuard(memory.of(self._node), self._end_for_want_of_memory, least_left=memory.least_left)
        self._patience = patience
        self._watchdog = Watchdog()
        self._watch(list(config["packet"]))
        self._workshop = make_workshop()
        self._take(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """The next packet for this process."""
        self._rows.close()
        self._take(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Trains one epoch of every plan that is still under way."""
        began = time.monotonic()
        self._watch([job for job in self._packet if job.number in self._under_way])
        try:
            rows = self._next_rows()
        except OutOfMemoryError as error:
            self._end_for_want_of_memory(str(error))
        rows = [self._by_its_own_limit(row) for row in rows]
        self._epochs |= {row.number: row.epoch for row in rows}
        for index, row in enumerate(rows):
            if row.ending is not None:
                self._under_way.discard(row.number)
                try:
                    self._keep(row)
                except StorageError as error:  # the trial is lost, its reason must not be
                    rows[index] = replace(row, ending=Ending("failed", reason=str(error)))
            elif row.checkpoint is not None:
                self._keep_checkpoint(row.number, row.checkpoint)
        overhead = self._overhead(rows)
        self._last_step_ended = time.perf_counter()
        self._watchdog.at_rest()
        if rows[0].features is None:
            self._step_seconds.append(time.monotonic() - began)
        memory = self._guard.peak_since_last_asked() / MB
        reports = json.dumps([_report(row, overhead, memory) for row in rows])
        return {
            "epoch": rows[0].epoch,
            "score": rows[0].score,
            "reports": reports,
            "node": self._node,
            "done": not self._under_way,
        }

    def cleanup(self) -> None:
        """Ends the packet that is on the bench."""
        self._rows.close()
        self._guard.stop()
        self._watchdog.stop()

    def _watch(self, jobs: "list[Job]") -> None:
        """Has this process ended where the next step of these hangs, or goes on long after their time is up."""
        may_end = any(self._epochs.get(job.number, 0) + 1 >= job.plan.canonical().all_epochs for job in jobs)
        step = self._patience.for_step(self._step_seconds, may_end=may_end)
        limit = max(job.seconds for job in jobs)
        left = self._taken + limit + self._patience.seconds_to_stop - time.monotonic()
        words = (
            f"hung: no step ended for {_words(step)}, and its worker was ended{self._compared()}"
            if step < left
            else f"hung: it went on for longer than {_words(limit)}, {OF_A_TRIAL}, and its worker was ended"
        )
        files = [self._home.hung_file(job.number) for job in jobs]
        self._watchdog.expect(within=min(step, left), else_=words, in_files=files)

    def _compared(self) -> str:
        return f" (its longest step before took {max(self._step_seconds):.1f} s)" if self._step_seconds else ""

    def _by_its_own_limit(self, row: "EpochRow") -> "EpochRow":
        """Of a plan whose time is up the row says which time that was."""
        if row.ending is None or row.ending.reason != OUT_OF_BUDGET:
            return row
        job = next(job for job in self._packet if job.number == row.number)
        if time.monotonic() < self._taken + job.seconds:
            return row
        return replace(row, ending=replace(row.ending, reason=f"stopped after {_words(job.seconds)}, {OF_A_TRIAL}"))

    def _end_for_want_of_memory(self, words: str) -> NoReturn:
        """Leaves a word for each of the plans under way, which the driver looks for when a worker is gone."""
        for number in self._under_way:
            self._home.leave_word(number, words)
        os._exit(EXIT_CODE)

    def _take(self, config: dict[str, Any]) -> None:
        ahead = self._home.seconds_ahead()
        self._taken = time.monotonic()
        self._step_seconds = []  # that have ended, of this packet
        self._epochs = {}  # by trial number, that have ended
        packet: list[Job] = [
            replace(
                job,
                checkpoint=self._home.checkpoint(job.number),
                deadline=min(job.deadline - ahead, self._taken + job.seconds),
            )
            for job in config["packet"]
        ]
        self._packet = packet
        self._log_to([self._home.log(job.number) for job in packet])
        self._idle_since = self._last_step_ended  # a trial stopped early ends with its last step, and says nothing
        self._jobs = len(packet)
        self._under_way = {job.number for job in packet}
        self._spent: dict[int, float] = {}  # in a plan's own stages, by trial number
        self._ahead: EpochRow | None = None
        self._rows: Any = self._workshop.train(packet, rungs=config["rungs"])

    def _next_rows(self) -> "list[EpochRow]":
        """A row of every plan; fewer where a plan comes a second time before the others, as one after the other do."""
        rows = [self._ahead or next(self._rows)]
        self._ahead = None
        if rows[0].features is not None:  # all of them wait for the same ones
            return rows
        while len(rows) < len(self._under_way):
            row = next(self._rows)
            if row.number in {each.number for each in rows}:
                self._ahead = row
                break
            rows.append(row)
        return rows

    def _keep(self, row: "EpochRow") -> None:
        """What the trial leaves behind, before the driver hears that it ended."""
        assert row.ending is not None
        if row.ending.outputs is not None and row.ending.weights is not None:
            self._home.keep(row.number, row.ending.outputs, row.ending.weights)

    def _keep_checkpoint(self, number: int, checkpoint: "Checkpoint") -> None:
        try:
            self._home.keep_checkpoint(number, checkpoint)
        except StorageError as error:  # a kill would cost more than it should, which is no reason to stop
            _log.warning("trial %d goes on without a checkpoint: %s", number, error)

    def _overhead(self, rows: "list[EpochRow]") -> float:
        """Seconds since this worker's previous packet ended that went into no plan's own stages, shared among them."""
        for row in rows:
            self._spent[row.number] = row.seconds.features + row.seconds.train + row.seconds.score
        passed = time.perf_counter() - self._idle_since
        return max(0.0, passed - sum(self._spent.values())) / self._jobs

    def _log_to(self, handlers: list[logging.Handler]) -> None:
        """What is logged while a packet is trained goes into the log of each of its trials."""
        logger = logging.getLogger("autotl")
        for handler in self._log_files:
            logger.removeHandler(handler)
            handler.close()
        self._log_files = []
        for handler in handlers:
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
            logger.addHandler(handler)
            self._log_files.append(handler)
        logger.setLevel(logging.INFO)


def _words(seconds: float) -> str:
    return format_duration(timedelta(seconds=max(1, round(seconds))))


def _report(row: "EpochRow", overhead: float, memory_mb: float) -> dict[str, Any]:
    """A row as plain JSON values, without what was written to files."""
    ending = row.ending
    return {
        "number": row.number,
        "epoch": row.epoch,
        "train_loss": row.train_loss,
        "score": row.score,
        "seconds": {**asdict(row.seconds), "overhead": overhead},
        "size": None if row.size is None else asdict(row.size),
        "memory_mb": round(memory_mb, 1),
        "gpu_mb": None if row.gpu_bytes is None else round(row.gpu_bytes / MB, 1),
        "features": None if row.features is None else _features(row.features),
        "extracted": row.extracted,
        "final": None
        if ending is None
        else {"status": ending.status, "reason": ending.reason, "score": ending.score, "scores": ending.scores},
    }


def _features(progress: "ExtractionProgress") -> dict[str, Any]:
    return {"done": progress.rows_done, "rows": progress.rows, "seconds_left": progress.seconds_left}
