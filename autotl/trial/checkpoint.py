"""A trial in the middle of its training, as plain values: what it goes on from when its process was killed."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from autotl.plan import Plan

SECONDS_BETWEEN = 20.0  # at least: what a kill may cost beyond the epoch under way

Arrays = list[NDArray[Any]]
Kind = Literal["alone", "side by side"]  # how the plan was trained: its state has another form


@dataclass(frozen=True)
class Checkpoint:
    """A plan after some of its epochs.

    Attributes:
        plan: which, as `plan_identity` tells it.
        kind: only a plan that is trained the same way can go on from it.
        curve: training loss and score of each epoch so far.
        seconds: where time went so far, as the fields of `Seconds`.
        states: by fold, everything that training changes.
    """

    plan: str
    kind: Kind
    curve: tuple[tuple[float, float], ...]
    seconds: dict[str, float]
    states: tuple[Arrays, ...]

    @property
    def epochs(self) -> int:
        """That it is after."""
        return len(self.curve)

    def fits(self, plan: Plan, kind: Kind, *, folds: int) -> bool:
        """Whether this very plan, seed included, can go on from it."""
        return self.plan == plan_identity(plan) and self.kind == kind and len(self.states) == folds


def plan_identity(plan: Plan) -> str:
    """Equal for plans that train the same from the same seed."""
    return json.dumps(plan.canonical().as_dict(), sort_keys=True)
