"""Which plans cannot meet the task's limits: by their structure, or by what a trial like them turned out to be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.network_costs import known_network_costs
from autotl.plan import Plan
from autotl.plan.space import Space
from autotl.task.model import Limits

BYTES_PER_MB = 1e6
BYTES_PER_NUMBER = 4  # float32

EstimateLatency = Callable[[int], float | None]  # operations of a prediction -> milliseconds; None where nothing tells


def _nothing_known(flops: int) -> float | None:  # noqa: ARG001 - one shape for all
    return None


@dataclass
class PlanLimits:
    """What the winner may cost at most, and what is known of plans by now.

    The latency that counts is measured at the end, on an idle machine; while searching an estimate steers the sampler
    and keeps no plan from being tried.

    Attributes:
        latency_of: estimates, from what models of this machine were measured to take.
    """

    most: Limits
    latency_of: EstimateLatency = _nothing_known
    _seen: dict[tuple[Any, ...], float] = field(default_factory=dict, init=False)  # megabytes, by structure

    def learn(self, plan: Plan, model_mb: float | None) -> None:
        """A trial tells how large such models are."""
        if model_mb is not None:
            self._seen[_structure(plan)] = model_mb

    def why_not(self, plan: Plan) -> str | None:
        """Why a plan need not be tried; None where it may meet the limits."""
        most = self.most.model_mb
        if most is None:
            return None
        seen = self._seen.get(_structure(plan), least_mb(plan.backbone, plan.tap))
        return None if seen <= most else _words(plan.backbone, plan.tap, seen, most)

    def excess(self, model_mb: float | None, flops: int | None) -> dict[str, float]:
        """By which share of each limit a model is over it, as Optuna's constraints; 0 or less within, or unknown."""
        latency = None if flops is None else self.latency_of(flops)
        figures = {"model_mb": (model_mb, self.most.model_mb), "latency_ms": (latency, self.most.latency_ms)}
        return {
            limit: 0.0 if seen is None else seen / most - 1.0
            for limit, (seen, most) in figures.items()
            if most is not None
        }


def least_mb(spec: BackboneSpec, tap: str) -> float:
    """Megabytes that any model on a backbone takes, its head left out; 0 where no table tells."""
    costs = None if spec.origin == CLASSICAL else known_network_costs(spec, tap=tap)
    return 0.0 if costs is None else costs.params * BYTES_PER_NUMBER / BYTES_PER_MB


def too_large(space: Space, limits: Limits) -> tuple[dict[BackboneSpec, str], list[str]]:
    """Backbones of the space that no plan can make small enough, with the reason, and sentences on those of which only
    some taps are."""
    if limits.model_mb is None:
        return {}, []
    taps: list[str] = space.values("tap")
    left_out: dict[BackboneSpec, str] = {}
    sentences = []
    for spec in space.values("backbone"):
        sizes = {tap: least_mb(spec, tap) for tap in taps}
        over = [tap for tap, size in sizes.items() if size > limits.model_mb]
        if len(over) == len(taps):
            smallest = min(sizes, key=lambda tap: sizes[tap])
            left_out[spec] = _words(spec, smallest, sizes[smallest], limits.model_mb)
        else:
            sentences += [f"Not tried: {_words(spec, tap, sizes[tap], limits.model_mb)}." for tap in over]
    return left_out, sentences


def limits_of(limits: Limits) -> Mapping[str, float]:
    """Those that are set, by the leaderboard's columns."""
    return {name: most for name in type(limits).model_fields if (most := getattr(limits, name)) is not None}


def _structure(plan: Plan) -> tuple[Any, ...]:
    return (plan.backbone, plan.tap, plan.head.name, *sorted(plan.head.parameters.items()), plan.join)


def _words(spec: BackboneSpec, tap: str, size: float, most: float) -> str:
    where = "" if tap == "last" else f" up to {tap}"
    return f"{spec.label}{where} takes {size:.3g} MB, and limits.model_mb is {most:g}"
