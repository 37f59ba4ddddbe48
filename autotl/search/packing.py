"""How plans are packed onto a machine by the memory that such plans were measured to need, and what did not fit."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from autotl.backbones import BackboneSpec
from autotl.plan import Plan

SMALLEST_BATCH = 4
MOST_ON_A_GPU = 4  # trials; more take turns at its cores and gain nothing
ROOM = 1.25  # what is set aside by what was measured: batches differ in length, and allocators round up
GPU_CONTEXT_MB = 600.0  # a process's own, before its first tensor


class MemoryLimits:
    """Batches that did not fit into memory, so that no later plan has to find that out again."""

    def __init__(self) -> None:
        self._too_large: list[_Need] = []

    def learn(self, plan: Plan) -> Plan | None:
        """A plan did not fit. Returns the same at half the batch; None where no smaller batch is worth a try."""
        self._too_large.append(_Need.of(plan))
        return _halved(plan)

    def fitting(self, plan: Plan) -> Plan:
        """The plan, its batch halved as often as one that needs no more memory did not fit."""
        while any(_Need.of(plan).is_as_much_as(other) for other in self._too_large):
            smaller = _halved(plan)
            if smaller is None:
                return plan
            plan = smaller
        return plan


@dataclass(frozen=True)
class _Need:
    """What the memory of a plan depends on."""

    network: tuple[BackboneSpec, str | None, str]  # backbone, tap and method
    amounts: tuple[float, ...]

    @classmethod
    def of(cls, plan: Plan) -> "_Need":
        layers = math.inf if plan.unfrozen_layers == "all" else float(plan.unfrozen_layers)
        return cls(
            (plan.backbone, plan.tap, plan.adaptation.name),
            (layers, float(plan.batch_size), float(plan.image_size or 0), _length(plan)),
        )

    def is_as_much_as(self, other: "_Need") -> bool:
        """Whether it is surely no less: the same network and method, no less of anything."""
        return self.network == other.network and all(
            ours >= theirs for ours, theirs in zip(self.amounts, other.amounts, strict=True)
        )


@dataclass(frozen=True)
class _Measured:
    """The least that plans of one need held at their peaks."""

    memory_mb: float
    gpu_mb: float | None

    def or_less(self, memory_mb: float, gpu_mb: float | None) -> "_Measured":
        known = [each for each in (self.gpu_mb, gpu_mb) if each is not None]
        return _Measured(min(self.memory_mb, memory_mb), min(known, default=None))


class Packing:
    """Says how many plans a machine holds at once.

    Until a plan like it was measured, one counts as much as the largest that was, and has a GPU to itself.

    Args:
        memory_mb: main memory for all trials under way.
        gpus: GPUs for all trials under way.
        gpus_each: of one trial, fractions allowed; None to find it out.
        gpu_mb: memory of one GPU; None where it is not known, and then trials do not share one by themselves.
    """

    def __init__(
        self,
        *,
        memory_mb: float = math.inf,
        gpus: float = 0.0,
        gpus_each: float | None = 0.0,
        gpu_mb: float | None = None,
    ) -> None:
        self._memory_mb = memory_mb
        self._gpus = gpus
        self._gpus_each = gpus_each
        self._gpu_mb = gpu_mb
        self._measured: dict[_Need, _Measured] = {}
        self._largest_mb = 0.0
        self._known_mb: dict[_Need, float] = {}  # what follows from the measured ones: it is asked for often

    def measured(self, plan: Plan, *, memory_mb: float, gpu_mb: float | None) -> None:
        """Takes in what a trial held at its peak."""
        need = _Need.of(plan)
        before = self._measured.get(need)
        self._measured[need] = _Measured(memory_mb, gpu_mb) if before is None else before.or_less(memory_mb, gpu_mb)
        self._largest_mb = max(self._largest_mb, memory_mb)
        self._known_mb.clear()

    def gpus_for(self, plan: Plan) -> float:
        """The share of a GPU: one over a whole number, or the user's own figure."""
        if self._gpus_each is not None:
            return self._gpus_each
        if not self._gpus:
            return 0.0
        needed = [each.gpu_mb for each in self._as_large_as(_Need.of(plan)) if each.gpu_mb is not None]
        if not needed or self._gpu_mb is None:
            return 1.0
        at_once = self._gpu_mb / (min(needed) * ROOM + GPU_CONTEXT_MB)
        return 1.0 / min(MOST_ON_A_GPU, max(1, int(at_once)))

    def has_room(self, plan: Plan, under_way: Iterable[Plan]) -> bool:
        """Whether main memory and GPUs hold the plan beside those under way. One plan alone may always try."""
        others = list(under_way)
        if not others:
            return True
        memory = sum(self._memory_of(each) for each in (plan, *others))
        gpus = sum(self.gpus_for(each) for each in (plan, *others))
        return memory <= self._memory_mb and (self._gpus_each is not None or gpus <= self._gpus + 1e-6)

    def _memory_of(self, plan: Plan) -> float:
        need = _Need.of(plan)
        if need not in self._known_mb:
            alike = [each.memory_mb for each in self._as_large_as(need)]
            self._known_mb[need] = ROOM * (min(alike) if alike else self._largest_mb)
        return self._known_mb[need]

    def _as_large_as(self, need: _Need) -> list[_Measured]:
        """What was measured of plans that need no less."""
        return [measured for other, measured in self._measured.items() if other.is_as_much_as(need)]


def _halved(plan: Plan) -> Plan | None:
    return replace(plan, batch_size=plan.batch_size // 2) if plan.batch_size >= 2 * SMALLEST_BATCH else None


def _length(plan: Plan) -> float:
    return float(plan.sequence_length) if isinstance(plan.sequence_length, int) else 0.0
