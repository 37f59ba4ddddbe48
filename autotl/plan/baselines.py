"""The plans that every run includes, so that a gain is a gain over something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.plan.plan import Choice, Plan
from autotl.plan.space import Fixed, Options, Range, Space

LINEAR_PROBE = "linear_probe"
SOURCE_ONLY = "source_only"
NO_TRANSFER = "no_transfer"
FULL_FINETUNE = "full_finetune"
PROBES = (LINEAR_PROBE, SOURCE_ONLY)
NAMES = (LINEAR_PROBE, SOURCE_ONLY, NO_TRANSFER, FULL_FINETUNE)

FROM_SCRATCH = BackboneSpec(origin="scratch", name="small_cnn")


@dataclass(frozen=True)
class Baseline:
    """A named plan. `full_finetune` is made for the cheapest backbone, known once the probes have measured them."""

    name: str
    plan: Plan | None  # None: decided when its turn comes, by `full_finetune`


def baselines(space: Space, *, setting: str, wanted: str | Sequence[str]) -> list[Baseline]:
    """The baselines of a run in the order they are run in.

    Args:
        setting: the transfer setting; without target labels the frozen probe on source labels is `source_only`, and
            goes by that name whichever of the two was asked for.
        wanted: `auto`, `none` or the names wanted.
    """
    if wanted == "none":
        return []
    probe = SOURCE_ONLY if setting == "transductive" else LINEAR_PROBE
    by_name: dict[str, list[Baseline]] = {
        probe: [Baseline(probe, linear_probe(space, backbone)) for backbone in space.values("backbone")],
        NO_TRANSFER: [Baseline(NO_TRANSFER, no_transfer(space))],
        FULL_FINETUNE: [Baseline(FULL_FINETUNE, None)],
    }
    wanted = [probe if name in (LINEAR_PROBE, SOURCE_ONLY) else name for name in wanted] if wanted != "auto" else "auto"
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
