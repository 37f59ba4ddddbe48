"""Rows of a table as the model takes them: float32 (n, columns), by the schema in preprocess.json.

A number is NaN where its cell is empty or no number in the column's notation; a category is its place among those
known, from 1, and 0 for any other; a date gives the parts that the schema names. (`autotl predict` refuses cells that
are neither empty nor fit; here they count as empty.)
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np

SIGNS = {  # notation → the sign before the decimals, and the one between thousands
    "1234.5": (".", ""),
    "1234,5": (",", ""),
    "1,234.5": (".", ","),
    "1.234,5": (",", "."),
    "1 234.5": (".", " "),
    "1 234,5": (",", " "),
    "1'234.5": (".", "'"),
}
TRUTH = {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}
TIME = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?)?"
)
DATES = {
    "2024-01-31": r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})",
    "31.01.2024": r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
    "31/01/2024": r"(?P<day>\d{1,2})([/-])(?P<month>\d{1,2})\2(?P<year>\d{4})",
    "01/31/2024": r"(?P<month>\d{1,2})([/-])(?P<day>\d{1,2})\2(?P<year>\d{4})",
}
LARGEST = float(np.finfo(np.float32).max)


def preprocess(examples: Sequence[dict[str, str]], described: dict[str, Any]) -> Any:
    """Rows, each a mapping from column to cell, as numbers."""
    columns = described["schema"]["columns"]
    return np.array(
        [[value for column in columns for value in encode(row[column["name"]], column)] for row in examples],
        dtype=np.float32,
    )


def encode(cell: str, column: dict[str, Any]) -> list[float]:
    """The numbers that one cell gives."""
    if column["kind"] == "categorical":
        known = column["categories"]
        return [float(known.index(cell) + 1 if cell in known else 0)]
    if column["kind"] == "date":
        return date_parts(cell.strip(), column)
    return [number(plain(cell), column["notation"])]


def plain(cell: str) -> str:
    """Without spaces around it, and with the ASCII forms of the spaces and the minus that typesetting uses."""
    return cell.strip().replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-")


def number(cell: str, notation: str) -> float:
    """The number, NaN where there is none."""
    if notation == "true/false":
        return TRUTH.get(cell.lower(), np.nan)
    decimal, grouping = SIGNS[notation]
    point, group = re.escape(decimal), re.escape(grouping)
    grouped = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+(?:{point}[0-9]*)?|" if grouping else ""
    if not re.fullmatch(rf"[+-]?(?:{grouped}(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?)", cell):
        return np.nan
    value = float(cell.replace(grouping, "").replace(decimal, ".") if grouping else cell.replace(decimal, "."))
    return value if abs(value) <= LARGEST else np.nan


def date_parts(cell: str, column: dict[str, Any]) -> list[float]:
    """Year, month, weekday (0 is Monday), hour and days since the column's origin: those that the schema names."""
    moment = date(cell, column["form"])
    if moment is None:
        return [np.nan] * len(column["parts"])
    values = {
        "year": float(moment.year),
        "month": float(moment.month),
        "weekday": float(moment.weekday()),
        "hour": moment.hour + moment.minute / 60,
        "days": (moment - datetime.fromisoformat(column["origin"])) / timedelta(days=1),
    }
    return [values[part] for part in column["parts"]]


def date(cell: str, form: str) -> datetime | None:
    """The moment, one with a zone as UTC; None where the cell is no date of this form."""
    found = re.fullmatch(DATES[form] + TIME, cell, re.ASCII)
    if found is None:
        return None
    part = found.groupdict()
    hour = int(part["hour"] or 0)
    if part["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if part["half"].lower() == "pm" else 0)
    day = (int(part["year"]), int(part["month"]), int(part["day"]))
    micro = int((part["fraction"] or "0").ljust(6, "0")[:6])
    try:
        moment = datetime(*day, hour, int(part["minute"] or 0), int(part["second"] or 0), micro)
        if part["zone"] is None or part["zone"] in "Zz":
            return moment
        digits = part["zone"][1:].replace(":", "")
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if part["zone"][0] == "-" else 1)
        return moment.replace(tzinfo=timezone(ahead)).astimezone(timezone.utc).replace(tzinfo=None)  # noqa: UP017
    except (ValueError, OverflowError):
        return None
