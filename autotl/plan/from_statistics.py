"""Plans over a source of which only statistics are here: its features are given, head and alignment are searched."""

from collections.abc import Iterator, Mapping
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.data.statistics_file import FeaturesOf
from autotl.plan.plan import SOLVED, Plan

# Fields of a plan that say how an example is read and where its features are taken.
READING = ("image_size", "crop", "tap", "sequence_length", "pooling")
# Fields that a search may range over, as a space would write them; statistics bring the others, or nothing reads them.
SEARCHED: Mapping[str, Any] = {
    "adaptation": "auto",
    "head": {"choice": {"lda": {"shrinkage": {"log": [0.003, 1.0]}}, "ridge": {"shrinkage": {"log": [0.001, 10.0]}}}},
    "learns_from": {"choice": ["all", "source", "target"]},
}


def why_not_public(backbone: BackboneSpec) -> str | None:
    """Why statistics cannot be of a backbone's features, in words that follow its name; None where they can.

    Two houses must load the same weights by the same name, and weights that were made from the examples of one would
    carry more of them away than its sums do.
    """
    public = backbone.origin in ("package", "scratch")
    public |= backbone.origin == "application" and backbone.weights in (None, "imagenet")
    public |= backbone.origin == "preset" and not backbone.name.startswith("/")
    if public:
        return None
    return "is not public by its name: statistics are of a backbone that every house can load, such as MobileNetV2."


def brought_by(features: FeaturesOf) -> dict[str, Any]:
    """The fields of a plan that statistics bring, as a space would write them."""
    read = {name: value for name, value in features.reading.items() if name in READING}
    return {"backbone": features.backbone, **read}


def why_not_over(features: FeaturesOf, plan: Plan, *, has_target_labels: bool) -> Iterator[str]:
    """What keeps a given plan from being trained over statistics of these features."""
    brought = brought_by(features)
    if plan.head.name in SOLVED or not has_target_labels:
        own = {"backbone": plan.backbone.as_plan_value(), **{name: getattr(plan, name) for name in READING}}
        for name, value in brought.items():
            if own[name] != value:
                yield f"the statistics are of features with {name} {value!r}, the plan's are of {own[name]!r}."
    if plan.head.name not in SOLVED and not has_target_labels:
        yield f"the head {plan.head.name!r} learns from examples, and none has a label. Allowed: {', '.join(SOLVED)}."
