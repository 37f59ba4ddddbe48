"""The plans that every run includes, so that a gain is a gain over something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.plan.plan import Choice, Plan
from autotl.plan.space import Fixed, Options, Range, Space
from autotl.task import BASELINE_NAMES

LINEAR_PROBE, SOURCE_ONLY, NO_TRANSFER, FULL_FINETUNE = BASELINE_NAMES
PROBES = (LINEAR_PROBE, SOURCE_ONLY)

FROM_SCRATCH = BackboneSpec(origin="scratch", name="small_cnn")


@dataclass(frozen=True)
class Baseline:
    """A named plan. `full_finetune` is made for the cheapest backbone, known once the probes have measured them."""

    name: str
    plan: Plan | None  # None: decided when its turn comes, by `full_finetune`


def baselines(space: Space, *, setting: str, wanted: str | Sequence[str]) -> list[Baseline]:
    """The baselines of a run in the order they are run in.

    Args:
        setting: the transfer setting; without target labels every probe learns from the source alone, and goes by the
            name `source_only` whichever of the two was asked for.
        wanted: `auto`, `none` or the names wanted; `source_only` has no place where there is no source.
    """
    if wanted == "none":
        return []
    backbones = space.values("backbone")
    probes = [Baseline(LINEAR_PROBE, linear_probe(space, backbone)) for backbone in backbones]
    by_name: dict[str, list[Baseline]] = {
        LINEAR_PROBE: probes,
        NO_TRANSFER: [Baseline(NO_TRANSFER, no_transfer(space))],
        FULL_FINETUNE: [Baseline(FULL_FINETUNE, None)],
    }
    if setting == "cross-domain":
        alone = [replace(linear_probe(space, backbone), learns_from="source") for backbone in backbones]
        by_name = {LINEAR_PROBE: probes, SOURCE_ONLY: [Baseline(SOURCE_ONLY, plan) for plan in alone], **by_name}
    elif setting == "transductive":
        del by_name[LINEAR_PROBE]
        by_name = {SOURCE_ONLY: [replace(probe, name=SOURCE_ONLY) for probe in probes], **by_name}
        wanted = wanted if wanted == "auto" else [SOURCE_ONLY if name in PROBES else name for name in wanted]
    names = list(by_name) if wanted == "auto" else [name for name in by_name if name in wanted]
    return [baseline for name in names for baseline in by_name[name]]


def linear_probe(space: Space, backbone: BackboneSpec) -> Plan:
    """A linear head on the frozen backbone, trained long enough to converge."""
    return Plan(backbone, image_size=middle_of(space, "image_size"), learning_rate=2e-3, epochs=20)


def no_transfer(space: Space) -> Plan:
    """A small network that has seen no other data, at a size it can learn from on a laptop."""
    return Plan(
        FROM_SCRATCH,
        image_size=min(48, middle_of(space, "image_size")),
        unfrozen_layers="all",
        learning_rate=2e-3,
        backbone_rate_ratio=1.0,
        weight_decay=1e-3,
        views=2,
        epochs=20,
    )


def full_finetune(space: Space, backbone: BackboneSpec) -> Plan:
    """Every layer trained at a small rate: what fine-tuning tutorials end with."""
    return Plan(
        backbone,
        image_size=middle_of(space, "image_size"),
        unfrozen_layers="all",
        learning_rate=1e-3,
        backbone_rate_ratio=0.1,
        epochs=3,
    )


def first_plans(space: Space) -> dict[BackboneSpec, Plan]:
    """A plan per backbone from the middle of the space: where a search without history starts."""
    fields = [name for name in space.dimensions if name != "backbone"]
    middle: Mapping[str, Any] = {name: middle_of(space, name) for name in fields}
    return {backbone: replace(Plan(backbone), **middle).canonical() for backbone in space.values("backbone")}


def middle_of(space: Space, name: str) -> Any:
    """The value in the middle: a list's lower middle, a range's (geometric) mean, the first alternative."""
    dimension = space.dimensions[name]
    if isinstance(dimension, Fixed):
        return dimension.value
    if isinstance(dimension, Options):
        values = list(dimension.values.values())
        return values[(len(values) - 1) // 2]
    if isinstance(dimension, Range):
        if dimension.scale == "log":
            return float((dimension.low * dimension.high) ** 0.5)
        mean = (dimension.low + dimension.high) / 2
        return int(mean) if dimension.scale == "whole" else mean
    option, inner = next(iter(dimension.options.items()))
    return Choice(option, {key: middle_of(Space(inner), key) for key in inner})
