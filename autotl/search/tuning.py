"""Ray Tune, driven by our own proposer: trials spread over cores and GPUs, workers reused, bad ones stopped early."""

import contextlib
import json
import logging
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.stopper import Stopper

from autotl.errors import AutotlError, EnvironmentProblemError
from autotl.search.budget import Budget
from autotl.search.journal import Journal
from autotl.search.objective import Objective
from autotl.search.proposer import Proposal, Proposer
from autotl.search.resources import Shares
from autotl.search.worker import PacketTrainable
from autotl.trial.making import MakeWorkshop
from autotl.trial.outcome import Job

_log = logging.getLogger(__name__)

REDUCTION_FACTOR = 3  # the top third goes on at each rung
WORKER_DIED = "the worker process died"


def run_trials(
    proposer: Proposer,
    objective: Objective,
    journal: Journal,
    budget: Budget,
    *,
    make_workshop: MakeWorkshop,
    shares: Shares,
    trials_folder: Path,
    higher_is_better: bool,
    early_stopping: bool,
    longest_plan: int,
    ask_ahead: bool,
) -> None:
    """Trains plans until the proposer has no more or the budget is spent. Every proposed trial has ended on return.

    Args:
        make_workshop: called once in each worker process.
        longest_plan: epochs of the longest plan, for the rungs of early stopping.
        ask_ahead: propose while all workers are busy; off where each proposal must know every result before it.
    Raises:
        AutotlError: the driver itself could not go on, for example with a full disk.
    """
    limit = shares.workers + (1 if ask_ahead else 0)
    searcher = PacketSearcher(proposer, objective, journal, budget, limit=limit, higher_is_better=higher_is_better)
    scheduler = (
        EarlyStopping(searcher, longest_plan=longest_plan, higher_is_better=higher_is_better)
        if early_stopping
        else FIFOScheduler()
    )
    storage = Path(tempfile.mkdtemp(prefix="autotl-tune-"))
    settings = {
        "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
        "TUNE_DISABLE_SIGINT_HANDLER": "1",
        "TUNE_MAX_PENDING_TRIALS_PG": str(shares.workers),  # its default of one starts the workers one after another
        "RAY_AIR_NEW_OUTPUT": "0",
    }
    try:
        with _environment(settings), _quiet_loggers():
            tune.Tuner(
                tune.with_resources(
                    tune.with_parameters(
                        PacketTrainable,
                        make_workshop=make_workshop,
                        trials=trials_folder,
                        threads=max(1, int(shares.cpus)),
                    ),
                    {"cpu": shares.cpus, "gpu": shares.gpus},
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


class PacketSearcher(Searcher):
    """Hands the proposer's plans to Ray Tune and what comes back to the proposer and the journal.

    Ray's own Optuna searcher tells early-stopped trials as complete and leaves not-a-number running for ever; here the
    trainable says itself how a plan ended, and a plan stopped by the scheduler is pruned with all its steps.

    Attributes:
        trouble: the first error of our own side. It ends the search; thrown into Ray it would lose its name.
    """

    def __init__(
        self,
        proposer: Proposer,
        objective: Objective,
        journal: Journal,
        budget: Budget,
        *,
        limit: int,
        higher_is_better: bool,
    ) -> None:
        super().__init__(metric="score", mode="max" if higher_is_better else "min")
        self._proposer = proposer
        self._objective = objective
        self._journal = journal
        self._budget = budget
        self._limit = limit
        self._trials: dict[str, Proposal] = {}
        self._epochs: dict[int, int] = {}  # last epoch told, by trial number
        self.trouble: AutotlError | None = None

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next packet, None while enough are under way, FINISHED at the end."""
        if self._budget.is_spent() or self.trouble is not None:
            return str(Searcher.FINISHED)
        with self._noting_trouble():
            return self._suggested(trial_id)
        return str(Searcher.FINISHED)

    def _suggested(self, trial_id: str) -> dict[str, Any] | str | None:
        if self._proposer.running >= self._limit:
            return None
        proposal = self._proposer.propose()
        if proposal is None:
            return None if self._proposer.is_waiting else str(Searcher.FINISHED)
        self._trials[trial_id] = proposal
        self._objective.started(proposal)
        self._journal.started(proposal)
        deadline = self._budget.deadline_of(proposal.baseline, proposal.plan)
        return {"packet": [Job(proposal.number, proposal.plan, deadline)]}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """One epoch."""
        with self._noting_trouble():
            self._step(self._trials[trial_id].number, json.loads(result["report"]))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The last result of a trial arrives here only; none arrives when its process died."""
        with self._noting_trouble():
            self._completed(self._trials.pop(trial_id), result, error=error)

    def _completed(self, proposal: Proposal, result: dict[str, Any] | None, *, error: bool) -> None:
        if error or result is None or "report" not in result:
            self._end(proposal, "failed", WORKER_DIED, None)
            return
        report = json.loads(result["report"])
        self._step(proposal.number, report)
        final = report["final"]
        if final is not None:
            self._end(proposal, final["status"], final["reason"], report)
        elif self._budget.is_spent():
            self._end(proposal, "pruned", self._why_stopped(), report)
        else:
            self._end(proposal, "pruned", f"stopped early after epoch {report['epoch']}", report)

    def sweep(self) -> None:
        """Ends what was still under way when Ray returned: it sends no completion for trials that it cuts off."""
        for proposal in self._trials.values():
            with self._noting_trouble():
                self._end(proposal, "pruned", self._why_stopped(), None)
        self._trials.clear()

    def is_protected(self, trial_id: str) -> bool:
        """Baselines are measured in full."""
        return trial_id in self._trials and self._trials[trial_id].baseline is not None

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Ray pickles what it is given, our state is in the study's database, and no pickle is read back."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing; see `__getstate__`."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing; see `__getstate__`."""

    def _step(self, number: int, report: dict[str, Any]) -> None:
        if report["epoch"] > self._epochs.get(number, 0):  # an ending may repeat the epoch before it
            self._epochs[number] = report["epoch"]
            self._proposer.step(number, report["epoch"], report["score"])
            self._journal.epoch(number, report)

    def _end(self, proposal: Proposal, status: str, reason: str | None, report: dict[str, Any] | None) -> None:
        final = report["final"] if status == "complete" and report is not None else None
        flops = report["size"]["flops"] if report is not None and report["size"] is not None else None
        value = self._objective.ended(proposal, final)
        promise = None if final is None else self._objective.promise(final)
        self._proposer.end(proposal.number, status, value, flops=flops, promise=promise)
        self._journal.ended(proposal.number, status, reason=reason, report=report)

    def _why_stopped(self) -> str:
        if self.trouble is not None:
            return "the search broke off"
        return "interrupted" if self._budget.interrupted_by is not None else "budget"

    @contextlib.contextmanager
    def _noting_trouble(self) -> Iterator[None]:
        try:
            yield
        except AutotlError as error:
            _log.error("the search breaks off: %s", error)
            self.trouble = self.trouble or error


class EarlyStopping(AsyncHyperBandScheduler):
    """Asynchronous successive halving over epochs (Li et al., MLSys 2020, arXiv:1810.05934); baselines are exempt."""

    def __init__(self, searcher: PacketSearcher, *, longest_plan: int, higher_is_better: bool) -> None:
        super().__init__(
            time_attr="epoch",
            metric="score",
            mode="max" if higher_is_better else "min",
            max_t=max(longest_plan, 2),
            grace_period=1,
            reduction_factor=REDUCTION_FACTOR,
            stop_last_trials=False,
        )
        self._searcher = searcher

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:  # noqa: ARG002
        """The metric was given when this was made."""
        return True

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """A rung compares plans that are equally far; a baseline, or a plan of fewer epochs, is done where others are
        on their way, and its final score would stop them all."""
        if self._searcher.is_protected(trial.trial_id) or result.get("epoch", 0) < self._max_t:
            self._trial_info.pop(trial.trial_id, None)
            return
        super().on_trial_complete(tune_controller, trial, result)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Stops a trial that is not among the best third of those that came as far."""
        if self._searcher.is_protected(trial.trial_id):
            return str(TrialScheduler.CONTINUE)
        return str(super().on_trial_result(tune_controller, trial, result))


class SearchStopper(Stopper):
    """Ends the whole search when the budget is spent or the driver is in trouble."""

    def __init__(self, budget: Budget, searcher: PacketSearcher) -> None:
        self._budget = budget
        self._searcher = searcher

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002 - Ray's interface
        """Single trials end by their own rules."""
        return False

    def stop_all(self) -> bool:
        """Whether everything must stop."""
        return self._budget.is_spent() or self._searcher.trouble is not None


@contextlib.contextmanager
def private_cluster(*, cpus: int, gpus: int | None = None) -> Iterator[None]:
    """A Ray cluster of our own on this machine for as long as the context lasts.

    One that this process has already joined is used as it is and left running; one that somebody else started is never
    touched. Ray's memory monitor is off: it would end the whole search, not the trial.
    """
    if ray.is_initialized():
        yield
        return
    temporary = tempfile.mkdtemp(prefix="autotl-")
    try:
        _start_ray(cpus, gpus, temporary)
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(temporary, ignore_errors=True)


def _start_ray(cpus: int, gpus: int | None, temporary: str) -> None:
    try:
        settings = {"RAY_USAGE_STATS_ENABLED": "0"}
        with _environment(settings), _quiet_loggers(), _signal_handlers_kept():
            ray.init(
                address="local",
                num_cpus=cpus,
                num_gpus=gpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=False,
                _temp_dir=temporary,
                _system_config={"memory_monitor_refresh_ms": 0},
            )
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise EnvironmentProblemError(f"Ray could not be started on this machine: {error}") from error


@contextlib.contextmanager
def _signal_handlers_kept() -> Iterator[None]:
    """Ray installs a handler of its own for SIGTERM, which would end this process before anything is written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _quiet_loggers() -> Iterator[None]:
    """Ray's own lines stay out of our screen; errors still come through."""
    loggers = [logging.getLogger(name) for name in ("ray", "ray._private.authentication.authentication_token_setup")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
