"""Ray Tune, driven by our own proposer: trials spread over cores and GPUs, workers reused, bad ones stopped early."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ray import tune
from ray.tune.execution.placement_groups import resource_dict_to_pg_factory
from ray.tune.schedulers import FIFOScheduler

from autotl.search.budget import Budget
from autotl.search.cluster import environment, into_our_log, quiet_loggers
from autotl.search.earlier import EarlierTrial
from autotl.search.enough import Enough
from autotl.search.journal import Journal
from autotl.search.objective import Objective
from autotl.search.packet_searcher import PacketSearcher
from autotl.search.packing import Packing
from autotl.search.proposer import Proposal, Proposer
from autotl.search.repeats import Repeats
from autotl.search.resources import Shares
from autotl.search.stopping import EarlyStopping, SearchStopper
from autotl.search.watchdog import Patience
from autotl.search.worker import PacketTrainable
from autotl.trial.halving import rungs_below
from autotl.trial.making import MakeWorkshop


def run_trials(
    proposer: Proposer,
    objective: Objective,
    journal: Journal,
    budget: Budget,
    *,
    earlier: Sequence[EarlierTrial],
    unfinished: Sequence[list[Proposal]],
    make_workshop: MakeWorkshop,
    shares: Shares,
    trials_folder: Path,
    higher_is_better: bool,
    early_stopping: bool,
    longest_plan: int,
    ask_ahead: bool,
    packing: Packing,
    memory_share: float,
    patience: Patience,
    repeats: Repeats | None = None,
    enough: Enough | None = None,
) -> None:
    """Trains plans until the proposer has no more or the budget is spent. Every proposed trial has ended on return.

    Args:
        earlier: trials of earlier sittings.
        unfinished: packets of those that did not end, to be trained first.
        make_workshop: called once in each worker process.
        longest_plan: epochs of the longest plan, for the rungs of early stopping.
        ask_ahead: propose while all workers are busy; off where each proposal must know every result before it.
        packing: what fits beside what.
        memory_share: bytes that a worker may hold when memory is short.
        repeats: which trials are trained again before the search ends; None: none.
        enough: when no further plan is worth its time; None: never.
        patience: how long a step may take before its worker is ended.
    Raises:
        AutotlError: the driver itself could not go on, for example with a full disk.
    """
    searcher = PacketSearcher(
        proposer,
        objective,
        journal,
        budget,
        at_once=shares.workers + (1 if ask_ahead else 0),
        rungs=rungs_below(longest_plan) if early_stopping else (),
        higher_is_better=higher_is_better,
        packing=packing,
        repeats=repeats,
        enough=enough,
        earlier=earlier,
        unfinished=unfinished,
    )
    scheduler = (
        EarlyStopping(searcher, longest_plan=longest_plan, higher_is_better=higher_is_better)
        if early_stopping
        else FIFOScheduler()
    )
    if isinstance(scheduler, EarlyStopping):
        scheduler.take_up(earlier)
    storage = Path(tempfile.mkdtemp(prefix="autotl-tune-"))
    settings = {
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_DISABLE_SIGINT_HANDLER": "1",
        "TUNE_MAX_PENDING_TRIALS_PG": str(shares.workers),  # its default of one starts the workers one after another
        "RAY_AIR_NEW_OUTPUT": "0",
    }
    try:
        with (
            environment(settings),
            quiet_loggers(),
            into_our_log("ray.tune.execution.tune_controller", "ray.tune.tune"),
        ):
            tune.Tuner(
                tune.with_resources(
                    tune.with_parameters(
                        PacketTrainable,
                        make_workshop=make_workshop,
                        trials=trials_folder,
                        threads=max(1, int(shares.cpus)),
                        memory_share=memory_share,
                        patience=patience,
                    ),
                    lambda config: resource_dict_to_pg_factory({"cpu": shares.cpus, "gpu": config["gpus"]}),
                ),
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
                    callbacks=[],
                ),
            ).fit()
    finally:
        searcher.sweep()
        shutil.rmtree(storage, ignore_errors=True)
    if searcher.trouble is not None:
        raise searcher.trouble
