"""The Ray Tune trainable: a process that keeps its workshop and trains one packet after the other."""

import json
import logging
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune

from autotl.errors import StorageError
from autotl.run import trial_files
from autotl.trial.making import MakeWorkshop
from autotl.trial.outcome import Ending

if TYPE_CHECKING:
    from autotl.trial.outcome import EpochRow, Job


class PacketTrainable(tune.Trainable):
    """One reused actor. `config` is `{"packet": [Job, ...]}`; every step reports one epoch of one plan."""

    def setup(self, config: dict[str, Any], make_workshop: MakeWorkshop, trials: Path, threads: int) -> None:
        """Runs once in the process, before Keras is imported: as many threads as the trial has cores, and of a GPU's
        memory only what is used, so that several trials can share one."""
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ[name] = str(threads)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        self._trials = trials
        self._last_step_ended = time.perf_counter()
        self._log_file: logging.FileHandler | None = None
        self._workshop = make_workshop()
        self._take(config["packet"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """The next packet for this process."""
        self._rows.close()
        self._take(new_config["packet"])
        return True

    def step(self) -> dict[str, Any]:
        """Trains one epoch."""
        row = next(self._rows)
        done = row.ending is not None
        if row.ending is not None:
            try:
                self._keep(row)
            except StorageError as error:  # the trial is lost, its reason must not be
                row = replace(row, ending=Ending("failed", reason=str(error)))
        seconds = asdict(row.seconds)
        seconds["overhead"] = self._overhead(row)
        self._last_step_ended = time.perf_counter()
        report = {
            "number": row.number,
            "epoch": row.epoch,
            "train_loss": row.train_loss,
            "score": row.score,
            "seconds": seconds,
            "size": None if row.size is None else asdict(row.size),
            "final": None
            if row.ending is None
            else {
                "status": row.ending.status,
                "reason": row.ending.reason,
                "score": row.ending.score,
                "scores": row.ending.scores,
            },
        }
        return {"epoch": row.epoch, "score": row.score, "report": json.dumps(report), "done": done}

    def cleanup(self) -> None:
        """Ends the packet that is on the bench."""
        self._rows.close()

    def _take(self, packet: "list[Job]") -> None:
        self._log_to(self._trials / str(packet[0].number) / trial_files.LOG)
        self._idle_since = self._last_step_ended  # a trial stopped early ends with its last step, and says nothing
        self._rows: Any = self._workshop.train(packet)

    def _keep(self, row: "EpochRow") -> None:
        """What the trial leaves behind, before the driver hears that it ended."""
        assert row.ending is not None
        folder = self._trials / str(row.number)
        outputs = row.ending.outputs
        if outputs is not None and row.ending.weights is not None:
            trial_files.write_outputs(folder, outputs)
            trial_files.write_weights(folder, row.ending.weights)

    def _overhead(self, row: "EpochRow") -> float:
        """Seconds since this worker's previous trial ended that went into none of the trial's own stages."""
        spent = time.perf_counter() - self._idle_since
        return max(0.0, spent - row.seconds.features - row.seconds.train - row.seconds.score)

    def _log_to(self, path: Path) -> None:
        logger = logging.getLogger("autotl")
        if self._log_file is not None:
            logger.removeHandler(self._log_file)
            self._log_file.close()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._log_file = logging.FileHandler(path, encoding="utf-8")
        self._log_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(self._log_file)
        logger.setLevel(logging.INFO)
