"""From the cells of a table to the numbers that a network takes, in TensorFlow's operations, by the bundle's schema."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import tensorflow as tf

from autotl.data.number_text import NOTATIONS
from autotl.data.schema import CategoricalColumn, DateColumn, NumericColumn, Schema

WHITE = r"[\s\x0b\x1c-\x1f\x{85}\pZ]"  # as Python strips it
LARGEST = float(np.finfo(np.float32).max)
SIGNS = {  # notation → the decimal sign, and the one between thousands
    "1234.5": (".", ""),
    "1234,5": (",", ""),
    "1,234.5": (".", ","),
    "1.234,5": (",", "."),
    "1 234.5": (".", " "),
    "1 234,5": (",", " "),
    "1'234.5": (".", "'"),
}
_DAY = 86_400_000_000  # in microseconds
_FORMS = {  # form → separators, each of which may stand between both, and the order of the parts
    "2024-01-31": (("-", "/", r"\."), ("year", "month", "day")),
    "31.01.2024": ((r"\.",), ("day", "month", "year")),
    "31/01/2024": (("/", "-"), ("day", "month", "year")),
    "01/31/2024": (("/", "-"), ("month", "day", "year")),
}
_SPACE = r"[\s\x0b]*"
_DATE = (  # once year, month and day are put in order
    r"(\d{4}) (\d{1,2}) (\d{1,2}) "
    rf"(?:[T ]{_SPACE}(\d{{1,2}}):(\d{{2}})(?::(\d{{2}})(?:[.,](\d{{1,9}}))?)?"
    rf"{_SPACE}([AaPp][Mm])?{_SPACE}([Zz]|[+-]\d{{2}}:?\d{{2}})?)?"
)
assert {*SIGNS, "true/false"} == set(NOTATIONS)

Tensor = Any


def columns_graph(schema: Schema) -> Callable[..., Tensor]:
    """Cells, a string tensor (n,) for each column of the schema in order → float32 (n, columns of the matrix).

    A cell that does not fit counts as empty.
    """

    def encode(*cells: Tensor) -> Tensor:
        parts = [_encoded(column, texts) for column, texts in zip(schema.columns, cells, strict=True)]
        return tf.concat(parts, axis=1)

    return encode


def _encoded(column: NumericColumn | CategoricalColumn | DateColumn, texts: Tensor) -> Tensor:
    if isinstance(column, CategoricalColumn):
        return _codes(column, texts)
    return _dates(column, texts) if isinstance(column, DateColumn) else _numbers(column, texts)


def _codes(column: CategoricalColumn, texts: Tensor) -> Tensor:
    known = tf.equal(texts[:, None], tf.constant(list(column.categories))[None, :])
    places = tf.range(1, len(column.categories) + 1)
    return tf.cast(tf.reduce_sum(tf.where(known, places, 0), axis=1, keepdims=True), tf.float32)


def _stripped(texts: Tensor) -> Tensor:
    return tf.strings.regex_replace(texts, f"^{WHITE}+|{WHITE}+$", "")


def _numbers(column: NumericColumn, texts: Tensor) -> Tensor:
    plain = tf.strings.regex_replace(_stripped(texts), r"[\x{a0}\x{202f}]", " ")
    plain = tf.strings.regex_replace(plain, r"\x{2212}", "-")
    if column.notation == "true/false":
        is_true = tf.strings.regex_full_match(plain, "(?i)true|1")
        is_false = tf.strings.regex_full_match(plain, "(?i)false|0")
        values = tf.where(is_true, 1.0, tf.where(is_false, 0.0, np.nan))
        return tf.cast(values, tf.float32)[:, None]
    decimal, grouping = SIGNS[column.notation]
    point, group = _literal(decimal), _literal(grouping)
    grouped = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+(?:{point}[0-9]*)?|" if grouping else ""
    pattern = rf"[+-]?(?:{grouped}(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    fits = tf.strings.regex_full_match(plain, pattern)
    digits = tf.strings.regex_replace(plain, group, "") if grouping else plain
    digits = tf.strings.regex_replace(digits, point, ".")
    digits = tf.strings.regex_replace(digits, r"^\+", "")
    values = tf.strings.to_number(tf.where(fits, digits, "nan"), tf.float64)
    return tf.cast(tf.where(tf.abs(values) <= LARGEST, values, np.nan), tf.float32)[:, None]


def _literal(sign: str) -> str:
    return rf"\{sign}" if sign in ".'" else sign


def _dates(column: DateColumn, texts: Tensor) -> Tensor:
    moment, fits = _moments(_stripped(texts), column.form)
    days = tf.math.floordiv(moment, _DAY)
    minutes = tf.math.floormod(moment, _DAY) // 60_000_000
    year, month = _civil(days)
    origin = (datetime.fromisoformat(column.origin) - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    found = {
        "year": _float(year),
        "month": _float(month),
        "weekday": _float(tf.math.floormod(days + 3, 7)),  # the first of 1970 was a Thursday
        "hour": _float(minutes // 60) + _float(minutes % 60) / 60.0,
        "days": _float(moment - origin) / _DAY,
    }
    values = tf.stack([found[part] for part in column.parts], axis=1)
    return tf.cast(tf.where(fits[:, None], values, np.nan), tf.float32)


def _float(values: Tensor) -> Tensor:
    return tf.cast(values, tf.float64)


def _moments(texts: Tensor, form: str) -> tuple[Tensor, Tensor]:
    """Microseconds since 1970, int64 (n,), with a zone as UTC, and whether each text is a date at all."""
    separators, order = _FORMS[form]
    for sign in separators:
        first, second, third = (rf"(\d{{{4 if part == 'year' else '1,2'}}})" for part in order)
        places = " ".join(rf"\{order.index(part) + 1}" for part in ("year", "month", "day"))
        texts = tf.strings.regex_replace(texts, rf"^{first}{sign}{second}{sign}{third}", f"{places} ")
    fits = tf.strings.regex_full_match(texts, _DATE)
    texts = tf.where(fits, texts, "2000 1 1 ")

    def number(group: int) -> Tensor:
        return _whole(tf.strings.regex_replace(texts, f"^{_DATE}$", rf"\{group}"))

    year, month, day, hour, minute, second = (number(group) for group in range(1, 7))
    fraction = tf.strings.regex_replace(texts, f"^{_DATE}$", r"\7")
    half = tf.strings.lower(tf.strings.regex_replace(texts, f"^{_DATE}$", r"\8"))
    zone = tf.strings.regex_replace(tf.strings.regex_replace(texts, f"^{_DATE}$", r"\9"), "[Zz:]", "")
    zone = tf.where(tf.equal(zone, ""), "+0000", zone)
    is_halved = tf.not_equal(half, "")
    fits &= tf.logical_or(~is_halved, tf.logical_and(hour >= 1, hour <= 12))
    hour = tf.where(is_halved, hour % 12 + tf.where(tf.equal(half, "pm"), _int(12), _int(0)), hour)
    ahead = _whole(tf.strings.substr(zone, 1, 2)) * 60 + _whole(tf.strings.substr(zone, 3, 2))
    is_behind = tf.equal(tf.strings.substr(zone, 0, 1), "-")
    fits &= (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= _days_in_month(year, month))
    fits &= (hour < 24) & (minute < 60) & (second < 60) & (ahead < 24 * 60)
    minutes = (_days(year, month, day) * 24 + hour) * 60 + minute - tf.where(is_behind, -ahead, ahead)
    micro = _whole(tf.strings.substr(tf.strings.join([fraction, "000000"]), 0, 6))
    return (minutes * 60 + second) * 1_000_000 + micro, fits


def _whole(texts: Tensor) -> Tensor:
    return tf.strings.to_number(tf.where(tf.equal(texts, ""), "0", texts), tf.int64)


def _int(value: int) -> Tensor:
    return tf.constant(value, tf.int64)


def _days(year: Tensor, month: Tensor, day: Tensor) -> Tensor:
    """Days since 1970 in the calendar of today, for whole numbers (n,); years are counted from March."""
    year = year - tf.cast(month <= 2, tf.int64)
    era = tf.math.floordiv(year, 400)
    in_era = year - era * 400
    of_year = (153 * tf.math.floormod(month + 9, 12) + 2) // 5 + day - 1
    return era * 146_097 + in_era * 365 + in_era // 4 - in_era // 100 + of_year - 719_468


def _civil(days: Tensor) -> tuple[Tensor, Tensor]:
    """Year and month of days since 1970."""
    days = days + 719_468
    era = tf.math.floordiv(days, 146_097)
    in_era = days - era * 146_097
    year = (in_era - in_era // 1_460 + in_era // 36_524 - in_era // 146_096) // 365
    of_year = in_era - (365 * year + year // 4 - year // 100)
    month = tf.math.floormod((5 * of_year + 2) // 153 + 2, 12) + 1
    return year + era * 400 + tf.cast(month <= 2, tf.int64), month


def _days_in_month(year: Tensor, month: Tensor) -> Tensor:
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    usual = tf.gather(tf.constant([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], tf.int64), (month + 11) % 12)
    return usual + tf.cast(is_leap & tf.equal(month, 2), tf.int64)
