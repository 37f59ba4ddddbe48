"""The leaderboard as JSON, which other tools read, and as CSV, which people open in a spreadsheet."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

SCHEMA = 1
FORMULA_STARTS = tuple("=+-@\t\r\n")


def as_json(
    rows: Sequence[Mapping[str, Any]],
    *,
    task: str,
    metric: str,
    higher_is_better: bool,
    regime: str,
    versions: Mapping[str, str],
) -> dict[str, Any]:
    """The content of `leaderboard.json`, plain values only: NaN and infinities are null.

    Args:
        rows: ranked, best first.
        regime: how the winner was picked: `validation`, `cross_validation`, `few_labels` or `label_free`.
    """
    content = {
        "schema": SCHEMA,
        "task": task,
        "metric": metric,
        "higher_is_better": higher_is_better,
        "regime": regime,
        "versions": versions,
        "trials": rows,
    }
    plain: dict[str, Any] = _plain(content)
    return plain


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows for a spreadsheet: nested values in columns such as `plan.backbone`, no text that runs as a formula."""
    flat = [dict(flattened(_plain(row))) for row in rows]
    seen = dict.fromkeys(column for row in flat for column in row)
    # `score` of a row without one is no column beside `score.value` of the others
    columns = [column for column in seen if not any(other.startswith(f"{column}.") for other in seen)]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([_cell(row.get(column)) for column in columns] for row in flat)
    return file.getvalue()


def _plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def flattened(row: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Column and cell of every value of a row, `plan.backbone` for the backbone of its plan."""
    for key, value in row.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def guarded(text: str) -> str:
    """Spreadsheets run cells that begin like a formula; an apostrophe in front stops that."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _cell(value: Any) -> str | int | float:
    """A number as it is; text that a spreadsheet would run as a formula behind an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (
        guarded(text).replace("\r\n", "\n").replace("\r", "\n")
    )  # csv leaves a lone return unquoted, which splits the line
