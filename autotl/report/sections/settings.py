"""Settings in words: the winning plan, the budget, the resolved task."""

from collections.abc import Mapping
from typing import Any

from autotl.plan.private import WAYS_TO_LOOK
from autotl.report import wording
from autotl.report.entries import Entry, named, parameters
from autotl.report.values import Json

_OF_A_PRIVATE_PLAN = ("backbone", *WAYS_TO_LOOK, "unfrozen_layers", "head")  # the rest follows from its budget
_SHOWN_IN_SUMMARY = ("name", "modality", "metric", "budget", "seed")


def winner_plan(winner: Entry) -> list[tuple[str, str]]:
    """The winner's plan, a line per setting, written so that a person can type it; of a private one what it chose."""
    lines = []
    for key, value in winner.plan.items():
        if winner.epsilon is not None and key not in _OF_A_PRIVATE_PLAN:
            continue
        detail = parameters(value)
        text = named(value) if isinstance(value, Mapping) else setting_text(value)
        lines.append((key, f"{text} ({detail})" if detail else text))
    return lines


def further_settings(task: Json) -> list[tuple[str, str]]:
    """Those keys of the resolved task that the opening does not show, flattened to `data.target.labels`."""
    return [line for key, value in task.items() if key not in _SHOWN_IN_SUMMARY for line in _flat(key, value)]


def budget_text(budget: Any) -> str:
    """`24 trials or 30m`, whichever comes first."""
    if not isinstance(budget, Mapping):
        return "" if budget is None else str(budget)
    parts = [f"{budget['trials']} trials"] if budget.get("trials") is not None else []
    wall = budget.get("wall")
    if wall is not None:
        parts.append(wording.duration(wall) if isinstance(wall, int | float) else str(wall))
    return " or ".join(parts)


def setting_text(value: Any) -> str:
    """A setting as a person would type it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return wording.rate(value) if abs(value) < 0.01 else f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(setting_text(item) for item in value) or "none"
    return str(value)


def _flat(key: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        return [line for inner, item in value.items() for line in _flat(f"{key}.{inner}", item)]
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [line for number, item in enumerate(value) for line in _flat(f"{key}.{number}", item)]
    return [(key, "none" if value in ({}, None) else setting_text(value))]
