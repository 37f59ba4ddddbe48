"""Ray Tune, driven by our own proposer: trials spread over cores and GPUs, workers reused, bad ones stopped early."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.execution.placement_groups import resource_dict_to_pg_factory
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from autotl.errors import EnvironmentProblemError
from autotl.search.budget import Budget
from autotl.search.cluster import environment as environment_of
from autotl.search.cluster import into_our_log, quiet_loggers
from autotl.search.forgetting import Forgetting
from autotl.search.nodes import MemoryShares
from autotl.search.packet_searcher import PacketSearcher
from autotl.search.resources import Shares
from autotl.search.returning import Home
from autotl.search.stopping import EarlyStopping, SearchStopper
from autotl.search.watchdog import Patience
from autotl.search.worker import PacketTrainable
from autotl.trial.making import MakeWorkshop

_log = logging.getLogger(__name__)

MOST_KILLED_FOR_MEMORY = 3  # times that a search is taken up again
STARVED = (
    f"the cluster's nodes ran out of memory {MOST_KILLED_FOR_MEMORY + 1} times, and Ray ended workers there. Give "
    "trials more room: a larger resources.cpus_per_trial puts fewer of them on a node, and --workers limits them all."
)


@dataclass(frozen=True)
class Workers:
    """How many workers there are, and what each is given.

    Attributes:
        make_workshop: called once in each worker process.
        home: where they leave what their trials make.
        environment: variables.
        memory: what a worker may hold when memory is short.
        patience: how long a step may take before its worker is ended.
    """

    shares: Shares
    make_workshop: MakeWorkshop
    home: Home
    environment: Mapping[str, str]
    memory: MemoryShares
    patience: Patience

    def trainable(self) -> Any:
        """What Ray Tune runs in each."""
        return tune.with_resources(
            tune.with_parameters(
                PacketTrainable,
                make_workshop=self.make_workshop,
                home=self.home,
                threads=max(1, int(self.shares.cpus)),
                memory=self.memory,
                patience=self.patience,
                environment=self.environment,
            ),
            lambda config: resource_dict_to_pg_factory({"cpu": self.shares.cpus, "gpu": config["gpus"]}),
        )


def run_trials(
    searcher: PacketSearcher, workers: Workers, budget: Budget, *, early_stopping: EarlyStopping | None
) -> None:
    """Trains plans until the searcher has no more or the budget is spent. Every proposed trial has ended on return.

    Args:
        early_stopping: of this searcher's trials; None: each is trained to its end.
    Raises:
        AutotlError: the driver itself could not go on, for example with a full disk.
    """
    scheduler = FIFOScheduler() if early_stopping is None else early_stopping
    with quiet_loggers():
        trainable = workers.trainable()
    try:
        _outliving_memory_monitors(
            lambda: _fit(trainable, searcher, scheduler, budget, workers=workers.shares.workers), searcher, scheduler
        )
    finally:
        searcher.sweep()
    if searcher.trouble is not None:
        raise searcher.trouble


def _outliving_memory_monitors(fit: Callable[[], None], searcher: PacketSearcher, scheduler: TrialScheduler) -> None:
    """Takes the search up again where Ray's memory monitor ended a worker: Ray Tune takes that for an error of its own,
    and breaks off. In somebody else's cluster we cannot switch it off."""
    for _ in range(MOST_KILLED_FOR_MEMORY + 1):
        try:
            return fit()
        except Exception as error:
            if not _is_memory_monitor(error):
                raise
            _log.warning("Ray ended a worker for want of memory; what was under way is taken up again")
        for trial_id in searcher.take_back():
            if isinstance(scheduler, EarlyStopping):
                scheduler.forget(trial_id)
    raise EnvironmentProblemError(STARVED)


def _fit(trainable: Any, searcher: PacketSearcher, scheduler: TrialScheduler, budget: Budget, *, workers: int) -> None:
    """Ray Tune, until there is nothing more to train."""
    storage = Path(tempfile.mkdtemp(prefix="autotl-tune-"))
    settings = {
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_DISABLE_SIGINT_HANDLER": "1",
        "TUNE_MAX_PENDING_TRIALS_PG": str(workers),  # its default of one starts the workers one after another
        "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # its state of all trials, which grows with them, is read by nobody
        "RAY_AIR_NEW_OUTPUT": "0",
    }
    try:
        with (
            environment_of(settings),
            quiet_loggers(),
            into_our_log("ray.tune.execution.tune_controller", "ray.tune.tune"),
        ):
            tune.Tuner(
                trainable,
                tune_config=tune.TuneConfig(
                    search_alg=searcher,
                    scheduler=scheduler,
                    num_samples=-1,
                    reuse_actors=True,
                    max_concurrent_trials=None,
                    trial_dirname_creator=lambda trial: trial.trial_id,
                ),
                run_config=tune.RunConfig(
                    name="run",
                    storage_path=str(storage),
                    verbose=0,
                    stop=SearchStopper(budget, searcher),
                    failure_config=tune.FailureConfig(max_failures=0, fail_fast=False),
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False, checkpoint_frequency=0),
                    callbacks=[Forgetting()],
                ),
            ).fit()
    finally:
        shutil.rmtree(storage, ignore_errors=True)


def _is_memory_monitor(error: BaseException | None) -> bool:
    """Whether it is at the bottom of an error."""
    while error is not None:
        if isinstance(error, ray.exceptions.OutOfMemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False
