"""Reading a leaderboard row."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from autotl.plan.plan import learns_together

BARRED = "may not win: "  # what the reason of such a row begins with
BY_SEEDS = f"{BARRED}trained "  # likewise where that is because of other seeds
LEARNT_TOGETHER = 1e18  # more than the operations of any prediction
STATUSES = ("complete", "pruned", "failed", "skipped", "running")  # the order on the leaderboard


def score_of(row: Mapping[str, Any]) -> float:
    """The value that the row is ranked by; NaN where it has none."""
    value = (row.get("score") or {}).get("value")
    return math.nan if value is None else float(value)


def has_score(row: Mapping[str, Any]) -> bool:
    """Whether the row's trial was trained to its end and its score is a number."""
    return row["status"] == "complete" and math.isfinite(score_of(row))


def source_score_of(row: Mapping[str, Any], metric: str) -> float:
    """A metric of the row's trial on held-out source examples, where the target has no labels; NaN where unknown."""
    value = row["scores"].get(f"source_{metric}")
    return math.nan if value is None else float(value)


def is_barred(row: Mapping[str, Any]) -> bool:
    """Whether something keeps it from winning although it finished."""
    return str(row.get("reason") or "").startswith(BARRED)


def is_barred_by_seeds(row: Mapping[str, Any]) -> bool:
    """Whether that is because it repeats another trial, or did not stand being repeated."""
    return str(row.get("reason") or "").startswith(BY_SEEDS)


def may_win(row: Mapping[str, Any]) -> bool:
    """Whether a ranked row was a candidate: `rank` puts exactly those into tie groups."""
    return row["tie_group"] is not None


def cost_of(row: Mapping[str, Any]) -> float:
    """By what ties are decided: operations of one prediction, infinite where they are not known.

    A plan that learns other tasks as well counts as dearer than any that learns its own alone: its model is as cheap to
    run, but it takes the others' data to make.
    """
    return or_infinite(row.get("flops")) + (LEARNT_TOGETHER if learns_together(row["plan"]) else 0.0)


def or_infinite(value: float | None) -> float:
    """A cost, the worst one where it is not known."""
    return math.inf if value is None or not math.isfinite(value) else float(value)


def winner_of(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The winning row; None while there is none."""
    return next((row for row in rows if row["winner"]), None)
