"""The plans that every run includes, so that a gain is a gain over something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autotl.backbones import BackboneSpec, why_frozen
from autotl.backbones.classical import CLASSICAL
from autotl.plan.modalities import MODALITIES, defaults_of
from autotl.plan.plan import SOLVED, Choice, Plan
from autotl.plan.space import Alternatives, Fixed, Options, Range, Space
from autotl.task import BASELINE_NAMES

LINEAR_PROBE, SOURCE_ONLY, NO_TRANSFER, FULL_FINETUNE = BASELINE_NAMES
PROBES = (LINEAR_PROBE, SOURCE_ONLY)
MEANINGS = {
    LINEAR_PROBE: "a linear head on the best frozen backbone",
    SOURCE_ONLY: "a model trained on the source alone",
    NO_TRANSFER: "a model that starts from nothing",
    FULL_FINETUNE: "the fastest backbone with every layer trained",
}
# By what they gain for the time they take, over many published tasks; the others follow as the space lists them.
FIRST_TRIED = (
    "standardize",
    "mcc",
    "infomax",
    "coral",
    "linear_ot",
    "subspace",
    "deep_coral",
    "dan",
    "cdan",
    "shot",
    "dann",
    "self_training",
    "importance",
    "label_shift",
    "tent",
)


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
    backbones = [backbone for backbone in space.values("backbone") if backbone.origin != CLASSICAL]
    if any(backbone.has_head for backbone in backbones):  # there are no labels to train any other on
        is_wanted = wanted == "auto" or any(name in PROBES for name in wanted)
        return [Baseline(SOURCE_ONLY, as_it_came(space, backbone)) for backbone in backbones if is_wanted]
    solved = [Baseline(SOURCE_ONLY, source_solved(space, backbone)) for backbone in backbones if is_solved(space)]
    if solved and setting == "transductive":  # nothing has a label: no other head can be made
        return solved if wanted == "auto" or any(name in PROBES for name in wanted) else []
    nothing = no_transfer(space)
    if setting == "cross-domain":
        nothing = replace(nothing, learns_from="target")
    probes = [Baseline(LINEAR_PROBE, linear_probe(space, backbone)) for backbone in backbones]
    by_name: dict[str, list[Baseline]] = {
        LINEAR_PROBE: probes,
        NO_TRANSFER: [Baseline(NO_TRANSFER, nothing)],
        FULL_FINETUNE: [Baseline(FULL_FINETUNE, None)] if any(why_frozen(each) is None for each in backbones) else [],
    }
    if setting == "cross-domain":
        alone = [replace(linear_probe(space, backbone), learns_from="source") for backbone in backbones]
        sources = solved or [Baseline(SOURCE_ONLY, plan) for plan in alone]
        by_name = {LINEAR_PROBE: probes, SOURCE_ONLY: sources, **by_name}
    elif setting == "transductive":
        del by_name[LINEAR_PROBE]
        by_name = {SOURCE_ONLY: [replace(probe, name=SOURCE_ONLY) for probe in probes], **by_name}
        wanted = wanted if wanted == "auto" else [SOURCE_ONLY if name in PROBES else name for name in wanted]
    names = list(by_name) if wanted == "auto" else [name for name in by_name if name in wanted]
    return [baseline for name in names for baseline in by_name[name]]


def linear_probe(space: Space, backbone: BackboneSpec) -> Plan:
    """A linear head on the frozen backbone, trained long enough to converge."""
    return Plan(backbone, **sized_like(space), learning_rate=2e-3, epochs=20).canonical()


def is_solved(space: Space) -> bool:
    """Whether heads are solved from sums, as over a source of which only statistics are here."""
    return all(head.name in SOLVED for head in space.values("head"))


def source_solved(space: Space, backbone: BackboneSpec) -> Plan:
    """A head solved from the source's sums alone, features as they are."""
    plan = Plan(backbone, **sized_like(space), tap=middle_of(space, "tap"), head=middle_of(space, "head"))
    return replace(plan, learns_from="source").canonical()


def as_it_came(space: Space, backbone: BackboneSpec) -> Plan:
    """An exported source's model, untouched."""
    return Plan(backbone, **sized_like(space), head=middle_of(space, "head")).canonical()


def no_transfer(space: Space) -> Plan:
    """A model that has seen no other data: a small network at a size it can learn from on a laptop, or what people use
    where there are no networks."""
    reading, own = sized_like(space), MODALITIES[space.modality].no_transfer
    if "image_size" in own:
        own = {**own, "image_size": min(own["image_size"], reading["image_size"])}
    return Plan(**{**reading, **own}).canonical()


def full_finetune(space: Space, backbone: BackboneSpec) -> Plan:
    """Every layer trained at a small rate: what fine-tuning tutorials end with."""
    return Plan(
        backbone,
        **sized_like(space),
        unfrozen_layers="all",
        learning_rate=1e-3,
        backbone_rate_ratio=MODALITIES[space.modality].finetuning_ratio,
        epochs=3,
    ).canonical()


def sized_like(space: Space) -> dict[str, Any]:
    """How examples are read in the middle of the space; no stored views, and nothing joins the network."""
    own = MODALITIES[space.modality].own_fields
    read = [name for name in own if name not in ("views", "augmentation", "join")]
    return {**defaults_of(space.modality), **{name: middle_of(space, name) for name in read}}


def first_plans(space: Space) -> dict[BackboneSpec, Plan]:
    """A plan per backbone from the middle of the space: where a search without history starts."""
    fields = [name for name in space.dimensions if name != "backbone"]
    middle: Mapping[str, Any] = {name: middle_of(space, name) for name in fields}
    whole = {**defaults_of(space.modality), **middle}
    return {backbone: Plan(backbone, **whole).canonical() for backbone in space.values("backbone")}


def method_plans(space: Space, backbone: BackboneSpec) -> list[Plan]:
    """A plan per adaptation method of the space, from its middle, the methods that most often help first."""
    adaptation = space.dimensions["adaptation"]
    if not isinstance(adaptation, Alternatives):
        return []
    middle = {name: middle_of(space, name) for name in space.dimensions if name not in ("backbone", "adaptation")}
    whole = {**defaults_of(space.modality), **middle}
    order = [name for name in FIRST_TRIED if name in adaptation.options]
    order += [name for name in adaptation.options if name not in (*FIRST_TRIED, "none")]
    plans = [Plan(backbone, **{**whole, "adaptation": _middle_option(adaptation, name)}) for name in order]
    head = space.dimensions["head"]
    if isinstance(head, Alternatives) and "hidden" in head.options:  # for those that need a layer to train
        hidden = _middle_option(head, "hidden")
        plans = [plan if plan.canonical().head == plan.head else replace(plan, head=hidden) for plan in plans]
    return [plan.canonical() for plan in plans]


def together_plans(space: Space, backbone: BackboneSpec) -> list[Plan]:
    """A plan for each way to weigh tasks that are learnt together, from the middle of the space; none of one task."""
    ways = [way for way in space.values("together") if way is not None] if "together" in space.dimensions else []
    middle = {name: middle_of(space, name) for name in space.dimensions if name not in ("backbone", "together")}
    return [Plan(backbone, **{**defaults_of(space.modality), **middle}, together=way).canonical() for way in ways]


def _middle_option(dimension: Alternatives, name: str) -> Choice:
    inner = Space(dimension.options[name])
    return Choice(name, {key: middle_of(inner, key) for key in inner.dimensions})


def middle_of(space: Space, name: str) -> Any:
    """The value in the middle: a list's lower middle, a range's (geometric) mean, the first alternative."""
    dimension = space.dimensions[name]
    if isinstance(dimension, Fixed):
        return dimension.value
    if isinstance(dimension, Options):
        values = list(dimension.values.values())
        if None in values:
            return None  # a plan learns its task alone unless it says otherwise
        return values[(len(values) - 1) // 2]
    if isinstance(dimension, Range):
        if dimension.scale == "log":
            return float((dimension.low * dimension.high) ** 0.5)
        mean = (dimension.low + dimension.high) / 2
        return int(mean) if dimension.scale == "whole" else mean
    return _middle_option(dimension, next(iter(dimension.options)))
