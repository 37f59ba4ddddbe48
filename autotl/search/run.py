"""One search from its first baseline to its last trial."""

import math
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from autotl.features import Neighbours
from autotl.plan import Plan
from autotl.plan.baselines import Baseline
from autotl.plan.space import Space
from autotl.run import RunFolder, Study
from autotl.run.folder import TRIALS
from autotl.search.budget import Budget
from autotl.search.cost import CostLog, Examples
from autotl.search.cost.reckoning import STARTUP_FACT, Reckoning
from autotl.search.earlier import EarlierTrial, earlier_trials
from autotl.search.enough import Enough
from autotl.search.events import Listener, SearchStarted
from autotl.search.journal import Journal
from autotl.search.limits import PlanLimits
from autotl.search.objective import GainOverSourceOnly, Objective, ScoreItself
from autotl.search.proposer import Cost, Proposal, Proposer
from autotl.search.repeats import Repeats
from autotl.search.returning import BringLastWords, Home, ThisMachine, at_home, nothing_to_bring
from autotl.search.watchdog import Patience
from autotl.trial.halving import rungs_below
from autotl.trial.making import MakeWorkshop, WorkshopOrder

TOLD_ON = ("KERAS_BACKEND", "AUTOTL_OFFLINE", "HF_HUB_OFFLINE")  # environment of the driver that holds for workers

if TYPE_CHECKING:
    from autotl.search.nodes import Division
    from autotl.search.packet_searcher import PacketSearcher


@dataclass(frozen=True)
class SearchOrder:
    """What to search, as the task and the command line say.

    Attributes:
        address: of a Ray cluster to run on; None for one of our own on this machine.
        needed: paths that workers will read, a few of each kind: each machine of a cluster is asked for them.
    """

    name: str
    space: Space
    baselines: Sequence[Baseline]
    given: Sequence[Plan]
    unavailable: Sequence[tuple[Plan, str]]  # plans whose weights are not at hand, and why
    trials: int
    seed: int
    higher_is_better: bool
    score_kind: str
    early_stopping: bool
    deterministic: bool
    cpus_per_trial: float
    gpus_per_trial: float | str
    workers: int | None
    patience: Patience = field(default_factory=Patience)
    starting: Sequence[Plan] = ()  # plans that did well elsewhere
    address: str | None = None
    needed: Sequence[str] = ()
    examples: Examples | None = None  # how many there are, to reckon with; None: nothing is reckoned
    costs: CostLog | None = None  # what trials took on this machine
    limits: PlanLimits | None = None  # None: the winner may cost what it likes
    costs_as_goals: tuple[Cost, ...] = ()  # beside the score; then a cheap trial of low score is worth its time as well
    stops_when_done: bool = False  # before trials and time are used up, if no further gain is expected
    seeds: int = 1  # with how many the best few are trained before a winner is named


def search(
    order: SearchOrder, run: RunFolder, study: Study, budget: Budget, *, make_workshop: MakeWorkshop, listen: Listener
) -> str:
    """Trains plans until trials, time or new plans run out.

    Every trial is in the run folder when this returns. Where the study holds trials already, the search goes on with
    them: those that ended are its history, those that did not are trained again under their numbers.

    Args:
        make_workshop: called once in each worker process; what it returns trains the plans.
    Returns:
        Why the search ended: `trials`, `budget`, `interrupted`, or a sentence.
    Raises:
        AutotlError: workers could not be started, or the run folder could not be written any more.
    """
    from autotl.run.optuna_tables import optuna_study
    from autotl.search.sampler import make_sampler

    reckoning = _reckoning(order, budget, listen)
    listen = listen if reckoning is None else reckoning
    journal = Journal(run, study, listen, score_kind=order.score_kind, spent=lambda: budget.spent)
    sampler = make_sampler(trials=order.trials, seed=order.seed)
    objective: Objective = GainOverSourceOnly() if order.score_kind == "label_free" else ScoreItself()
    better = order.higher_is_better or order.score_kind == "label_free"  # of a gain more is better, whatever the metric
    earlier = earlier_trials(study, modality=order.space.modality)
    costs = order.costs_as_goals
    with optuna_study(study, name=order.name, higher_is_better=better, sampler=sampler, costs=len(costs)) as history:
        proposer = Proposer(
            history,
            order.space,
            trials=order.trials,
            task_seed=order.seed,
            baselines=order.baselines,
            given=order.given,
            starting=order.starting,
            higher_is_better=better,
            limits=order.limits,
            costs=costs,
        )
        unfinished = _take_up(earlier, proposer, objective, journal)
        for plan, reason in order.unavailable:
            if not proposer.is_known(plan):
                with journal.together():
                    journal.skipped(proposer.skip(plan), plan.as_dict(), reason)
        sitting = _Sitting(proposer, objective, journal, budget, earlier, unfinished, run.path / TRIALS)
        _train(order, sitting, make_workshop=make_workshop, listen=listen)
    if reckoning is not None:
        reckoning.note()
        study.put_fact(STARTUP_FACT, reckoning.startup_seconds)
    if budget.interrupted_by is not None:
        return "interrupted"
    if budget.is_spent():
        return "budget"
    return proposer.finished_because or "budget"


@dataclass(frozen=True)
class _Sitting:
    """One command's part of a search.

    Attributes:
        earlier: trials of earlier sittings.
        unfinished: packets of those that did not end, to be trained first.
    """

    proposer: Proposer
    objective: Objective
    journal: Journal
    budget: Budget
    earlier: Sequence[EarlierTrial]
    unfinished: Sequence[list[Proposal]]
    trials_folder: Path


def _reckoning(order: SearchOrder, budget: Budget, listen: Listener) -> Reckoning | None:
    if order.examples is None or order.costs is None:
        return None
    return Reckoning(
        order.space,
        order.examples,
        order.costs,
        budget,
        listen,
        early_stopping=order.early_stopping,
        higher_is_better=order.higher_is_better,
    )


def _take_up(
    earlier: Sequence[EarlierTrial], proposer: Proposer, objective: Objective, journal: Journal
) -> list[list[Proposal]]:
    """Tells everybody what earlier sittings did; the packets that were under way."""
    for each in earlier:
        proposal = Proposal(each.number, each.plan, each.baseline, 0.0)
        objective.started(proposal)
        if not each.is_unfinished:
            objective.ended(proposal, each.final)
    journal.take_up(earlier)
    with journal.together():
        return proposer.take_up(earlier, promise=objective.promise)


def _train(order: SearchOrder, sitting: _Sitting, *, make_workshop: MakeWorkshop, listen: Listener) -> None:
    """Starts the workers and trains what the proposer proposes."""
    from autotl.search.stopping import EarlyStopping
    from autotl.search.tuning import Workers, run_trials

    budget = sitting.budget
    with _ground(order, sitting.trials_folder) as ground:
        division, shares = ground.division, ground.division.shares
        budget.start_search()
        ended = [dict(each.row) for each in sitting.earlier if not each.is_unfinished]
        listen(SearchStarted(order.trials, len(order.baselines), shares.workers, budget.search_ends, ended))
        searcher = _searcher(order, sitting, ground)
        early_stopping = None
        if order.early_stopping:
            early_stopping = EarlyStopping(
                searcher, longest_plan=order.space.longest_plan(), higher_is_better=order.higher_is_better
            )
            early_stopping.take_up(sitting.earlier)
        workers = Workers(
            shares,
            ground.sharing(make_workshop),
            ground.home,
            ground.environment,
            memory=division.memory_shares,
            patience=order.patience,
        )
        run_trials(searcher, workers, budget, early_stopping=early_stopping)


def _searcher(order: SearchOrder, sitting: _Sitting, ground: "_Ground") -> "PacketSearcher":
    """Which asks the proposer for plans, and puts those that fit beside each other into packets."""
    from autotl.search.cluster import lost_nodes
    from autotl.search.packet_searcher import PacketSearcher
    from autotl.search.packing import Packing

    division, shares = ground.division, ground.division.shares
    asks_ahead = shares.workers > 1 and shares.fill_the_machine  # else each proposal knows every result before it
    return PacketSearcher(
        sitting.proposer,
        sitting.objective,
        sitting.journal,
        sitting.budget,
        at_once=shares.workers + (1 if asks_ahead else 0),
        rungs=rungs_below(order.space.longest_plan()) if order.early_stopping else (),
        higher_is_better=order.higher_is_better,
        packing=Packing(
            memory_mb=division.memory_mb, gpus=division.gpus, gpus_each=shares.gpus, gpu_mb=division.gpu_mb
        ),
        repeats=Repeats(order.seeds, order.trials, shares.workers, sitting.budget),
        enough=Enough(is_wanted=order.stops_when_done),
        earlier=sitting.earlier,
        unfinished=sitting.unfinished,
        lost_nodes=lost_nodes,
        bring_last_words=ground.bring_last_words,
    )


@dataclass(frozen=True)
class _Ground:
    """The machines that trials run on.

    Attributes:
        home: where workers leave what they make.
        environment: variables that they are given.
        neighbours: through which machines share their features; None where there is one.
    """

    division: "Division"
    home: Home
    environment: Mapping[str, str] = field(default_factory=dict)
    neighbours: Neighbours | None = None
    bring_last_words: BringLastWords = nothing_to_bring

    def sharing(self, make_workshop: MakeWorkshop) -> MakeWorkshop:
        """The same workshop, with features that the machines share."""
        if self.neighbours is None or not isinstance(make_workshop, WorkshopOrder):
            return make_workshop
        return replace(make_workshop, neighbours=self.neighbours)


@contextmanager
def _ground(order: SearchOrder, trials_folder: Path) -> Iterator[_Ground]:
    """One machine, or those of a cluster, for as long as the context lasts."""
    import ray

    from autotl.search.cluster import joined_cluster, private_cluster
    from autotl.search.neighbours import neighbours_on
    from autotl.search.nodes import LEAST_LEFT_BESIDE_OTHERS, divide_over, look_at_nodes, node_here
    from autotl.search.resources import usable_cores

    workers = 1 if order.deterministic else order.workers
    cores = usable_cores()
    if workers is not None and order.cpus_per_trial <= cores:  # more workers than fit share the cores
        cores = math.ceil(order.cpus_per_trial * workers)
    with private_cluster(cpus=cores) if order.address is None else joined_cluster(order.address):
        if order.address is None and len(ray.nodes()) == 1:
            offered = ray.cluster_resources()
            here = node_here(cpus=offered.get("CPU", 1), gpus=offered.get("GPU", 0))
            division = divide_over(
                [here], cpus_per_trial=order.cpus_per_trial, gpus_per_trial=order.gpus_per_trial, workers=workers
            )
            yield _Ground(division, ThisMachine(trials_folder.absolute()))
            return
        free, nodes = ray.available_resources(), look_at_nodes(order.needed)
        division = divide_over(
            nodes,
            cpus_per_trial=order.cpus_per_trial,
            gpus_per_trial=order.gpus_per_trial,
            workers=workers,
            free_cpus=free.get("CPU", 0),
            free_gpus=free.get("GPU", 0),
        )
        careful = replace(division.memory_shares, least_left=LEAST_LEFT_BESIDE_OTHERS)
        trials, search_name = trials_folder.absolute(), uuid.uuid4().hex
        with at_home(trials, search_name) as home, neighbours_on(nodes, search_name) as neighbours:
            yield _Ground(
                replace(division, memory_shares=careful),
                home,
                _environment_of_workers(),
                neighbours,
                partial(neighbours.bring_last_words, to=trials),
            )


def _environment_of_workers() -> dict[str, str]:
    """What this process was told by its environment, and those of other machines must be told again."""
    return {name: os.environ[name] for name in TOLD_ON if name in os.environ}
