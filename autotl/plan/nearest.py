"""A plan that did well elsewhere, as a space has it."""

import math
from collections.abc import Collection, Sequence
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.plan.baselines import middle_of
from autotl.plan.modalities import defaults_of
from autotl.plan.plan import Choice, Plan
from autotl.plan.space import Alternatives, Dimension, Fixed, Options, Range, Space

NONE = "none"  # the alternative that does nothing, of adaptation methods


def nearest_in(
    space: Space, plan: Plan, *, backbones: Sequence[BackboneSpec], known: Collection[str] | None = None
) -> Plan:
    """The plan of the space that is most like one from elsewhere.

    What the space fixes is as it fixes it, numbers are drawn into its ranges or to the nearest of its choices, and what
    it has no counterpart for is as in its middle.

    Args:
        backbones: those of the space, the most promising first: one of them stands in for a backbone that the space has
            not. A network is known by its label, so that two copies of its weights are the same.
        known: the fields of which the plan says something; the others are as in the middle of the space. All of them
            where left out.
    """
    values: dict[str, Any] = {
        name: _nearest(space, name, getattr(plan, name)) if known is None or name in known else middle_of(space, name)
        for name in space.dimensions
        if name != "backbone"
    }
    same = [backbone for backbone in backbones if backbone.label == plan.backbone.label]
    backbone = same[0] if same else backbones[0]
    return Plan(backbone, **{**defaults_of(space.modality), **values}).canonical()


def _nearest(space: Space, name: str, value: Any) -> Any:
    dimension = space.dimensions[name]
    if isinstance(dimension, Fixed):
        return dimension.value
    if isinstance(dimension, Range):
        return _inside(dimension, value) if _is_number(value) else middle_of(space, name)
    if isinstance(dimension, Options):
        return _nearest_option(space, name, list(dimension.values.values()), value)
    return _alternative(dimension, value)


def _inside(dimension: Range, value: float) -> float | int:
    inside = min(max(value, dimension.low), dimension.high)
    return round(inside) if dimension.scale == "whole" else float(inside)


def _nearest_option(space: Space, name: str, options: list[Any], value: Any) -> Any:
    if value in options:
        return value
    numbers = [option for option in options if _is_number(option)]
    if value == "all" and numbers:  # layers: as many as may be
        return max(numbers)
    if _is_number(value) and numbers:
        return min(numbers, key=lambda option: (abs(math.log1p(option) - math.log1p(value)), option))
    return middle_of(space, name)


def _alternative(dimension: Alternatives, value: Any) -> Choice:
    wanted = value.name if isinstance(value, Choice) else NONE
    if wanted not in dimension.options:
        wanted = NONE if NONE in dimension.options else next(iter(dimension.options))
    inner: dict[str, Dimension] = dict(dimension.options[wanted])
    within = Space(inner)
    given = value.parameters if isinstance(value, Choice) and value.name == wanted else {}
    return Choice(
        wanted, {key: _nearest(within, key, given[key]) if key in given else middle_of(within, key) for key in inner}
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
