"""Pretraining on the task's own source, once, before the first trial of a search that asks for it."""

from dataclasses import replace
from typing import Any

from autotl.api.opening import OpenedTask
from autotl.api.quiet import import_keras
from autotl.api.stages import Stages
from autotl.backbones import BackboneSpec, cache_folder
from autotl.backbones.pretrained import NAME
from autotl.data import TaskData
from autotl.search.budget import Budget
from autotl.trial.outcome import OutOfTimeError


def with_pretrained(
    task: OpenedTask, data: TaskData, budget: Budget, stages: Stages
) -> tuple[OpenedTask, dict[str, Any] | None]:
    """The task with `pretrained_on_source` replaced by the network that it stands for, and how that was trained.

    Raises:
        TaskError: the task is of images or texts.
        OutOfTimeError: the budget was spent before the network was trained.
    """
    asked = [*task.space.values("backbone"), *(plan.backbone for plan in task.given)]
    if not any(_is_open(spec) for spec in asked):
        return task, None
    stages.start("pretraining", "pretraining on the source")
    import_keras()
    from autotl.trial.pretraining import pretrain

    def check() -> None:
        if budget.is_spent():
            raise OutOfTimeError

    made = pretrain(data, cache=cache_folder(), seed=task.task.seed, check=check)
    backbones = [made.spec if _is_open(spec) else spec for spec in task.space.values("backbone")]
    given = tuple(replace(plan, backbone=made.spec) if _is_open(plan.backbone) else plan for plan in task.given)
    told = {
        "kind": made.kind,
        "examples": made.examples,
        "epochs": made.epochs,
        "seconds": made.seconds,
        "scores": dict(made.scores),
        "digest": made.digest,
    }
    return replace(task, space=task.space.with_backbones(backbones), given=given), told


def pretraining_sentence(told: dict[str, Any]) -> str:
    """How the backbone came to be, for the report."""
    how = "on the sources' labels" if told["kind"] == "supervised" else "on inputs alone, without labels"
    return f"{NAME}: trained {how} ({told['examples']:,} examples, {told['epochs']} epochs), before the first trial."


def _is_open(spec: BackboneSpec) -> bool:
    return spec.origin == NAME and spec.weights is None
