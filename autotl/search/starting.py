"""What a search tries first: what did best on tasks like this one, then a portfolio that does well on most tasks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from autotl.backbones import BackboneSpec
from autotl.errors import TaskError
from autotl.plan import Plan
from autotl.plan.fields import parse_plan
from autotl.plan.nearest import nearest_in
from autotl.plan.space import Space
from autotl.search.history import Likeness, PastRun, nearest

NEAR_TASKS = 3  # whose plans are tried
PLANS_OF_EACH = 2
SHARE_OF_TRIALS = 0.5  # at most, of the budget: the rest is searched
PORTFOLIO = "portfolio"  # where a plan comes from that no earlier run of the user's had


@dataclass(frozen=True)
class StartingPlan:
    """A plan that is tried before the search proposes its own.

    Attributes:
        origin: `portfolio`, or the name of the earlier task on which it did well.
    """

    plan: Plan
    origin: str


def starting_plans(
    space: Space,
    *,
    runs: Sequence[PastRun],
    likeness: Likeness | None,
    portfolio: Sequence[Mapping[str, Any]],
    trials: int,
) -> list[StartingPlan]:
    """The plans to begin with, as this space has them, without repetition; the same history gives the same plans.

    Args:
        likeness: of the task; None where no earlier run is asked.
        portfolio: plans as leaderboards write them, the most useful first; what one leaves out is as in the middle of
            the space.
        trials: of the search.
    """
    near = [] if likeness is None else nearest(runs, likeness, most=NEAR_TASKS)
    turns = zip_longest(*[[(run.task, each) for each in run.trials[:PLANS_OF_EACH]] for run in near])
    of_others = [(task, each.plan, each.backbone) for turn in turns for task, each in filter(None, turn)]
    of_ours = [(PORTFOLIO, plan, str(plan["backbone"])) for plan in portfolio]
    found: dict[str, StartingPlan] = {}
    for origin, written, label in [*of_others, *of_ours]:
        for plan in _in_space(space, written, label):
            found.setdefault(plan.key(), StartingPlan(plan, origin))
    return list(found.values())[: max(1, int(SHARE_OF_TRIALS * trials))]


def _in_space(space: Space, written: Mapping[str, Any], label: str) -> Iterator[Plan]:
    """The space's plan most like one of another space; none where it cannot be read by this version."""
    backbones: list[BackboneSpec] = space.values("backbone")
    if not backbones or backbones[0].has_head:
        return
    apart = {"unfrozen_layers": 0, "backbone": backbones[0].as_plan_value()}  # these are checked against each other
    try:
        plan = parse_plan({**written, **apart}, where=label, folder=Path(), modality=space.modality)
    except TaskError:
        return
    plan = replace(
        plan,
        backbone=BackboneSpec("preset", label),
        unfrozen_layers=written.get("unfrozen_layers", Plan.unfrozen_layers),
    )
    yield nearest_in(space, plan, backbones=backbones, known=written)
