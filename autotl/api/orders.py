"""What a search and its workers are told to do: the orders that follow from a task and its data."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from autotl.api.costs import cost_log
from autotl.api.opening import OpenedTask, wanted_baselines
from autotl.data import TaskData, sample_files
from autotl.features import default_limit_bytes, features_folder
from autotl.plan import Plan
from autotl.plan.baselines import baselines, sized_like
from autotl.search.cost import Examples
from autotl.search.limits import PlanLimits, limits_of
from autotl.search.proposer import Cost
from autotl.search.run import SearchOrder
from autotl.search.starting import StartingPlan
from autotl.task import Task
from autotl.trial.making import WorkshopOrder
from autotl.trial.scorer import Scorer


def search_order(task: OpenedTask, data: TaskData, starting: Sequence[StartingPlan]) -> SearchOrder:
    """What to search.

    Args:
        starting: plans that did well elsewhere.
    """
    overrides, wanted = task.overrides, wanted_baselines(task.task, task.overrides)
    label_free = data.score_kind == "label_free"
    costs = cast(tuple[Cost, ...], task.task.goals[1:])
    shape = sized_like(task.space)
    return SearchOrder(
        name=task.task.name,
        space=task.space,
        baselines=baselines(task.space, setting=data.setting, wanted=wanted),
        given=[plan for plan in task.given if plan.backbone not in task.unavailable],
        starting=[each.plan for each in starting],
        unavailable=[
            *((Plan(spec, **shape), why) for spec, why in task.unavailable.items()),
            *((plan, task.unavailable[plan.backbone]) for plan in task.given if plan.backbone in task.unavailable),
        ],
        trials=task.task.budget.trials if overrides.trials is None else overrides.trials,
        seed=task.task.seed,
        higher_is_better=task.higher_is_better,
        score_kind=data.score_kind,
        # a label-free score never stops a trial, and with several goals a low score is no reason to
        early_stopping=overrides.early_stopping and not label_free and not costs,
        deterministic=task.task.deterministic,
        cpus_per_trial=task.task.resources.cpus_per_trial,
        gpus_per_trial=task.task.resources.gpus_per_trial,
        workers=overrides.workers,
        examples=Examples.of(data),
        costs=cost_log(overrides),
        limits=_limits(task),
        seeds=task.task.budget.seeds,
        costs_as_goals=costs,
        stops_when_done=overrides.stops_when_done and not costs,
        address=overrides.address,
        needed=_needed(task, data),
    )


def _limits(task: OpenedTask) -> PlanLimits | None:
    if not limits_of(task.task.limits):
        return None
    from autotl.production.latency import estimated_latency_ms

    return PlanLimits(task.task.limits, partial(estimated_latency_ms, measured=cost_log(task.overrides).latencies()))


def _needed(task: OpenedTask, data: TaskData) -> list[str]:
    """Files that every worker reads: an image or two of each folder, and the user's own models."""
    models = [spec.name for spec in task.space.values("backbone") if Path(spec.name).is_absolute()]
    return [*sample_files(data.inputs), *models]


def workshop_order(task: OpenedTask, data: TaskData) -> WorkshopOrder:
    """What every worker, and the retraining at the end, needs to train plans of this task."""
    order = order_of_workshop(task.task, data, metric=task.metric, offline=task.overrides.offline)
    unfrozen, taps, poolings = (_asked_for(task, field) for field in ("unfrozen_layers", "tap", "pooling"))
    return replace(
        order,
        unfrozen_choices=tuple(sorted(each for each in unfrozen if isinstance(each, int))),
        taps=tuple(sorted(taps)) if len(taps) > 1 or len(poolings) > 1 else (),
    )


def _asked_for(task: OpenedTask, field: str) -> set[Any]:
    """All values of a field that plans of this task may have; None where its modality has no use for it."""
    in_space = task.space.values(field) if field in task.space.dimensions else [None]
    return {*in_space, *(getattr(plan, field) for plan in task.given)}


def order_of_workshop(task: Task, data: TaskData, *, metric: str, offline: bool) -> WorkshopOrder:
    """A workshop on a task's data."""
    positive = task.positive
    scorer = Scorer(
        metric=metric,
        balanced=task.weights == "balanced",
        positive=data.classes.index(positive) if positive is not None else min(1, len(data.classes) - 1),
        seed=task.seed,
    )
    folder = features_folder()
    unsealed = replace(data, test=None)  # no worker holds test inputs or labels
    return WorkshopOrder(
        unsealed,
        scorer,
        folder,
        default_limit_bytes(folder),
        offline=offline,
        precision=task.resources.precision,
    )
