"""The rows of a leaderboard by any of their columns, for whoever asks another question than who won."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autotl.errors import UsageError, suggestion
from autotl.leaderboard.files import flattened
from autotl.leaderboard.without_labels import is_without_labels
from autotl.scoring.metrics import METRICS

SPOKEN = {"score": "score.value", "test": "test.value", "MB": "model_mb", "ms": "latency_ms", "px": "plan.image_size"}
"""Names of columns as the table in a terminal writes them, where they differ from those of leaderboard.csv."""
TIME = "time"

_Place = tuple[bool, bool, float, str]


def sort_rows(rows: Sequence[Mapping[str, Any]], column: str, *, higher_is_better: bool) -> list[Mapping[str, Any]]:
    """The rows by one column: the best first where it holds a metric, else from the smallest on; empty cells last.

    Args:
        column: as in leaderboard.csv (`plan.learning_rate`), the last part of that (`learning_rate`), or as the table
            in a terminal writes it (`MB`, `time`).
    Raises:
        UsageError: no row has such a column.
    """
    cells = [dict(flattened(row)) | {TIME: sum((row.get("seconds") or {}).values())} for row in rows]
    name = _resolved(column, dict.fromkeys(name for row in cells for name in row))
    downwards = _is_better_higher(name, higher_is_better=higher_is_better or is_without_labels(rows))
    order = sorted(range(len(rows)), key=lambda place: _place(cells[place].get(name), downwards=downwards))
    return [rows[place] for place in order]


def _resolved(column: str, known: Iterable[str]) -> str:
    names = list(known)
    wanted = SPOKEN.get(column, column)
    if wanted in names:
        return wanted
    found = [name for name in names if name.endswith(f".{wanted}")]
    if not found:
        raise UsageError(f"--sort {column!r} is no column. {suggestion(column, {*names, *SPOKEN})}")
    return found[0]


def _is_better_higher(name: str, *, higher_is_better: bool) -> bool:
    """Whether more of the column is better; of what is no metric the smallest goes first."""
    if name in ("score.value", "test.value", "refit_test.value"):
        return higher_is_better
    metric = METRICS.get(name.removeprefix("scores.").removeprefix("source_"))
    return metric is not None and metric.higher_is_better


def _place(cell: Any, *, downwards: bool) -> _Place:
    if isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell):
        return False, False, -float(cell) if downwards else float(cell), ""
    return cell is None, True, 0.0, "" if cell is None else str(cell)
