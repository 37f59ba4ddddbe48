"""What a bundle says of itself: its description for programs, its card for people."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from autotl.api.asked import versions
from autotl.data import TaskData
from autotl.data.windows import Windows
from autotl.production.card import model_card
from autotl.scoring.conformal import shown
from autotl.task import Task


def bundle_description(
    task: Task, data: TaskData, row: Mapping[str, Any], *, run: str, shipped: str, calibration: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of bundle.json, but for what the writer adds.

    Args:
        row: the leaderboard row of the trial that ships.
        run: name of the run's folder.
        shipped: `refit` or `trial`: whose weights these are.
        calibration: of the model that ships.
    """
    interval = shown(calibration)
    return {
        "task": task.name,
        "modality": data.modality,
        "problem": data.problem.name,
        "classes": list(data.classes),
        "schema": _as_written(task, data),
        "temperature": calibration["temperature"],
        **({"thresholds": calibration["thresholds"]} if "thresholds" in calibration else {}),
        **({} if interval is None else {"interval": _interval(interval, data)}),
        "plan": row["plan"],
        "provenance": {
            "run": run,
            "trial": row["trial"],
            "shipped": shipped,
            "data": data.summary["fingerprint"],
        },
        "versions": versions(),
    }


def card_of(
    task: Task,
    data: TaskData,
    row: Mapping[str, Any],
    *,
    metric: str,
    run: str,
    headline: Sequence[str],
    corrected: Mapping[str, Any] | None,
    test: Mapping[str, Any] | None,
    test_uses: int,
    refit: Mapping[str, Any],
    calibration: Mapping[str, Any],
    evidence: Mapping[str, Any],
) -> str:
    """The model card. A figure that is None was not measured, and the card says so."""
    return model_card(
        {
            "task": task.name,
            "modality": data.modality,
            "setting": data.setting,
            "problem": data.problem.name,
            "subject": data.problem.subject(data.classes),
            "metric": metric,
            "classes": list(data.classes),
            "plan": row["plan"],
            "headline": headline,
            "corrected": corrected,
            "test": test,
            "test_uses": test_uses,
            "refit": refit,
            "calibration": calibration,
            "evidence": evidence,
            "data": _data_lines(data.summary),
            "versions": versions(),
            "run": run,
            "trial": row["trial"],
        }
    )


def _interval(found: tuple[float, float], data: TaskData) -> dict[str, Any]:
    """Of numbers: around each of them, and whose examples told how wide."""
    level, half_width = found
    told_by = "source" if data.is_judged_without_labels else "target"
    return {"level": level, "half_width": half_width, "told_by": told_by}


def _as_written(task: Task, data: TaskData) -> dict[str, Any]:
    """How the model's own data were written, so that `predict` reads new ones alike."""
    columns, first = task.data.columns, data.inputs[0]
    written: dict[str, Any] = {"input": columns.input, "encoding": task.encoding}
    if data.modality == "signal":
        channels = list(cast(Windows, first).channels) or None
        written |= {"time": columns.time, "unit": columns.unit, "stride": task.stride, "channels": channels}
    return written


def _data_lines(summary: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, splits in summary["domains"].items():
        counts = ", ".join(f"{split} {part['rows']}" for split, part in splits.items() if "rows" in part)
        lines.append(f"{name}: {counts}")
    return [*lines, *summary["notes"]]
