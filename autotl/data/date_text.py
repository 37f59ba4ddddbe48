"""How people write dates, and the numbers that a model learns from one."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from autotl.data.number_text import MISSING_WORDS, Booleans, Floats

_TIME = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?)?"
)
# By an example of it. Where two fit alike the earlier one is taken, with a warning where day and month could change.
DATE_FORMS: dict[str, re.Pattern[str]] = {
    "2024-01-31": re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})" + _TIME, re.ASCII),
    "31.01.2024": re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})" + _TIME, re.ASCII),
    "31/01/2024": re.compile(r"(?P<day>\d{1,2})([/-])(?P<month>\d{1,2})\2(?P<year>\d{4})" + _TIME, re.ASCII),
    "01/31/2024": re.compile(r"(?P<month>\d{1,2})([/-])(?P<day>\d{1,2})\2(?P<year>\d{4})" + _TIME, re.ASCII),
}
DatePart = Literal["year", "month", "weekday", "hour", "days"]  # weekday 0 is Monday; hour has fractions
DATE_PARTS: tuple[DatePart, ...] = ("year", "month", "weekday", "hour", "days")


def read_date(text: str, form: str) -> datetime | None:
    """The moment without a zone (one with a zone as UTC), or None where the text is no date of this form."""
    match = DATE_FORMS[form].fullmatch(text.strip())
    if match is None:
        return None
    part = match.groupdict()
    hour = int(part["hour"] or 0)
    if part["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if part["half"].lower() == "pm" else 0)
    try:
        moment = datetime(
            int(part["year"]),
            int(part["month"]),
            int(part["day"]),
            hour,
            int(part["minute"] or 0),
            int(part["second"] or 0),
            int((part["fraction"] or "0").ljust(6, "0")[:6]),
        )
        return moment if part["zone"] is None else _in_utc(moment, part["zone"])
    except (ValueError, OverflowError):
        return None


def _in_utc(moment: datetime, zone: str) -> datetime:
    if zone in "Zz":
        return moment
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)
    return moment.replace(tzinfo=timezone(offset)).astimezone(UTC).replace(tzinfo=None)


def date_form(texts: Sequence[str], counts: NDArray[np.int64]) -> tuple[str, float]:
    """The form that most filled cells fit (a key of `DATE_FORMS`), and their share; missing words do not count."""
    candidates = [(text, count) for text, count in zip(texts, counts.tolist(), strict=True)]
    candidates = [(text, count) for text, count in candidates if text.strip().lower() not in MISSING_WORDS]
    total = sum(count for _, count in candidates)
    if not any(read_date(text, form) for text, _ in candidates[:100] for form in DATE_FORMS):
        return "2024-01-31", 0.0  # a long column of free text is not tried four times over
    best, most = "2024-01-31", 0
    for form in DATE_FORMS:
        fitting = sum(count for text, count in candidates if read_date(text, form) is not None)
        if fitting > most:
            best, most = form, fitting
        if most == total:
            break
    return best, most / total


def date_parts(texts: Sequence[str], form: str, origin: datetime) -> tuple[Floats, Booleans]:
    """`DATE_PARTS` of each text, (len(texts), 5), NaN where it is missing or no date; and whether it is one of the two.

    Args:
        origin: `days` counts from here.
    """
    values = np.full((len(texts), len(DATE_PARTS)), np.nan)
    fits = np.zeros(len(texts), dtype=bool)
    for index, text in enumerate(texts):
        moment = read_date(text, form)
        if moment is not None:
            days = (moment - origin) / timedelta(days=1)
            values[index] = (moment.year, moment.month, moment.weekday(), moment.hour + moment.minute / 60, days)
            fits[index] = True
        elif text.strip().lower() in MISSING_WORDS:
            fits[index] = True
    return values, fits
