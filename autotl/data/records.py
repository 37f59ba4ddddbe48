"""Tables as typed columns. A schema is fitted on training rows, travels in the bundle and turns cells into numbers.

A column is, in this order of trial,

- left out, with a warning: nothing in it, one value throughout, an identifier, or a copy of an earlier column;
- numeric: 95 % of its filled cells are numbers in one notation, or all are true/false. Few distinct whole numbers stay
  numbers; only whole numbers with leading zeros (`007`) are codes and become categories;
- a date: 95 % of its filled cells are dates of one form;
- categorical: everything else, each text as it was written. `NA`, `NO` and emoji are categories like others.

Missing is the empty cell; in numeric and date columns also `MISSING_WORDS`, where no text could be meant.
"""

import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
import xxhash
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autotl.data.examples import Finding, Rows
from autotl.data.tables import Table, TableError
from autotl.errors import DataError, StorageError
from autotl.task.model import Columns

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

MISSING_WORDS = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "nat", "null", "none", "-", "?", "inf", "+inf", "-inf", "infinity", "-infinity"}
)
KIND_SHARE = 0.95  # of the filled cells; the others are read as missing and reported
IDENTIFIER_SHARE = 0.9  # of distinct texts among the filled cells
IDENTIFIER_ROWS = 20  # fewer rows tell no identifier from a feature
EXPECTED_REPEATS = 10.0  # whole numbers drawn at random would hold so many repeats; e^-10 is the chance of none
MAX_CATEGORIES = 100  # the most frequent ones; rarer ones share the code 0
UNSEEN_SHARE = 0.01  # of categories that training has not; more are told
_BLOCK = 4096
_SHOWN = 20
_LARGEST = float(np.finfo(np.float32).max)


# Cells ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Cells:
    """One column as written: every different text once, and which of them each row holds."""

    texts: tuple[str, ...]
    codes: NDArray[np.int32]  # (n,) index into `texts`

    def __len__(self) -> int:
        return len(self.codes)

    def counts(self) -> NDArray[np.int64]:
        """Rows per text."""
        return np.bincount(self.codes, minlength=len(self.texts))

    def take(self, rows: Rows) -> "Cells":
        """These rows only; texts that none of them holds are let go."""
        kept, codes = np.unique(self.codes[rows], return_inverse=True)
        return Cells(tuple(self.texts[index] for index in kept.tolist()), codes.astype(np.int32))


def cells_of(column: Sequence[str]) -> Cells:
    """A column of a table, each different text once."""
    index: dict[str, int] = {}
    codes = np.fromiter((index.setdefault(text, len(index)) for text in column), dtype=np.int32, count=len(column))
    return Cells(tuple(index), codes)


# Numbers --------------------------------------------------------------------------------------------------------------


def _reader(decimal: str, grouping: str = "") -> Callable[[str], float | None]:
    point, group = re.escape(decimal), re.escape(grouping)
    plain = rf"(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    grouped = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+(?:{point}[0-9]*)?|" if grouping else ""
    matches = re.compile(rf"[+-]?(?:{grouped}{plain})").fullmatch

    def read(text: str) -> float | None:
        if matches(text) is None:
            return None
        return float(text.replace(grouping, "").replace(decimal, ".") if grouping else text.replace(decimal, "."))

    return read


def _truth(text: str) -> float | None:
    return {"true": 1.0, "1": 1.0, "false": 0.0, "0": 0.0}.get(text.lower())


# How numbers are written in one column, by an example of it. Where two fit alike the earlier one is taken, so that
# `1,234` alone is a decimal comma (with a warning) and a comma groups thousands only where nothing else explains it.
NOTATIONS: dict[str, Callable[[str], float | None]] = {
    "1234.5": _reader("."),
    "1234,5": _reader(","),
    "1,234.5": _reader(".", ","),
    "1.234,5": _reader(",", "."),
    "1 234.5": _reader(".", " "),
    "1 234,5": _reader(",", " "),
    "1'234.5": _reader(".", "'"),
    "true/false": _truth,
}


def read_numbers(texts: Sequence[str], notation: str) -> tuple[Floats, Booleans]:
    """Values (NaN where missing, not finite or not a number), and whether each text is a number or a missing word."""
    read = NOTATIONS[notation]
    values = np.full(len(texts), np.nan)
    fits = np.zeros(len(texts), dtype=bool)
    for index, text in enumerate(texts):
        stripped = _plain(text)
        value = read(stripped)
        if value is not None:
            fits[index] = True
            if abs(value) <= _LARGEST:
                values[index] = value
        elif stripped.lower() in MISSING_WORDS:
            fits[index] = True
    return values, fits


def number_notation(texts: Sequence[str], counts: NDArray[np.int64]) -> tuple[str, float]:
    """The notation that most filled cells fit (a key of `NOTATIONS`), and their share; missing words do not count."""
    candidates = [(text, count) for text, count in zip(map(_plain, texts), counts.tolist(), strict=True)]
    candidates = [(text, count) for text, count in candidates if text.lower() not in MISSING_WORDS]
    total = sum(count for _, count in candidates)
    best, most = "1234.5", 0
    for notation, read in NOTATIONS.items():
        fitting = sum(count for text, count in candidates if read(text) is not None)
        if fitting > most and (notation != "true/false" or fitting == total):
            best, most = notation, fitting
        if most == total:
            break
    return best, most / total if total else 0.0


def _plain(text: str) -> str:
    """Without spaces around it, and with the ASCII forms of the spaces and the minus that typesetting uses."""
    text = text.strip()
    return text if text.isascii() else text.replace("\u00a0", " ").replace("\u202f", " ").replace("−", "-")


# Dates ----------------------------------------------------------------------------------------------------------------

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
_PARTS: tuple[DatePart, ...] = ("year", "month", "weekday", "hour", "days")


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


# Columns and schema ---------------------------------------------------------------------------------------------------


class _Written(BaseModel):
    """Part of a schema as it stands in a bundle: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class NumericColumn(_Written):
    """A number as is; NaN where it is missing."""

    kind: Literal["numeric"] = "numeric"
    name: str
    notation: Literal["1234.5", "1234,5", "1,234.5", "1.234,5", "1 234.5", "1 234,5", "1'234.5", "true/false"]
    median: float  # of the training rows; stands for a missing value in `Schema.wide`

    @property
    def expected(self) -> str:
        return "true or false" if self.notation == "true/false" else f"a number written as {self.notation}"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def medians(self) -> tuple[float, ...]:
        return (self.median,)

    def encode(self, texts: Sequence[str]) -> tuple[Matrix, Booleans]:
        """Values, (len(texts), 1), and whether each text fits."""
        values, fits = read_numbers(texts, self.notation)
        return values.astype(np.float32)[:, None], fits


class CategoricalColumn(_Written):
    """A code: place in `categories` plus one; 0 where the cell is empty, rare or was not seen in training."""

    kind: Literal["categorical"] = "categorical"
    name: str
    categories: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_CATEGORIES)]  # sorted, as written

    @model_validator(mode="after")
    def _is_sorted(self) -> "CategoricalColumn":
        if list(self.categories) != sorted(set(self.categories)):
            raise ValueError(f"the categories of {self.name!r} are not sorted or not distinct.")
        return self

    @property
    def expected(self) -> str:
        return "any text"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def encode(self, texts: Sequence[str]) -> tuple[Matrix, Booleans]:
        """Codes, (len(texts), 1); every text fits."""
        code = {category: index for index, category in enumerate(self.categories, start=1)}
        codes = np.array([code.get(text, 0) for text in texts], dtype=np.float32)
        return codes[:, None], np.ones(len(texts), dtype=bool)


class DateColumn(_Written):
    """Numbers that tell the season, the time of day and the age of a moment; NaN where it is missing."""

    kind: Literal["date"] = "date"
    name: str
    form: Literal["2024-01-31", "31.01.2024", "31/01/2024", "01/31/2024"]
    origin: str  # ISO; the earliest moment among the training rows: `days` counts from here, with fractions
    parts: Annotated[tuple[DatePart, ...], Field(min_length=1)]  # those that vary among the training rows
    medians: tuple[float, ...]

    @model_validator(mode="after")
    def _agrees(self) -> "DateColumn":
        if len(self.medians) != len(self.parts) or len(set(self.parts)) != len(self.parts):
            raise ValueError(f"{self.name!r} needs distinct parts and one median for each.")
        if datetime.fromisoformat(self.origin).tzinfo is not None:
            raise ValueError(f"the origin of {self.name!r} has a time zone.")
        return self

    @property
    def expected(self) -> str:
        return f"a date written as {self.form}, with or without a time such as 14:30"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}: {part}" for part in self.parts)

    def encode(self, texts: Sequence[str]) -> tuple[Matrix, Booleans]:
        """Parts, (len(texts), len(parts)), and whether each text fits."""
        values, fits = _date_parts(texts, self.form, datetime.fromisoformat(self.origin))
        chosen = values[:, [_PARTS.index(part) for part in self.parts]]
        return chosen.astype(np.float32), fits


def _date_parts(texts: Sequence[str], form: str, origin: datetime) -> tuple[Floats, Booleans]:
    values = np.full((len(texts), len(_PARTS)), np.nan)
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


Column = Annotated[NumericColumn | CategoricalColumn | DateColumn, Field(discriminator="kind")]


class Schema(_Written):
    """How a table becomes a matrix: fitted on training rows only, carried by every bundle."""

    format: Literal[1] = 1
    columns: Annotated[tuple[Column, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_distinct_names(self) -> "Schema":
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two columns are called {twice[0]!r}.")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Of the matrix's columns; a date gives several, such as `sold: weekday`."""
        return tuple(name for column in self.columns for name in column.names)

    @property
    def categorical(self) -> tuple[int, ...]:
        """Which of the matrix's columns hold codes."""
        return tuple(index for index, column in _placed(self.columns) if column.kind == "categorical")

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many codes each of them has, 0 counted in."""
        return tuple(len(column.categories) + 1 for column in self.columns if column.kind == "categorical")

    @property
    def digest(self) -> str:
        """xxh3-128 of everything in it, hexadecimal."""
        return xxhash.xxh3_128_hexdigest(json.dumps(self.as_dict(), sort_keys=True).encode())

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Schema":
        """The schema that `as_dict` wrote.

        Raises:
            StorageError: it is none; every place that is wrong.
        """
        try:
            return cls.model_validate_json(json.dumps(content))
        except ValidationError as error:
            wrong = [f"schema.{'.'.join(map(str, item['loc'])) or 'columns'}: {item['msg']}" for item in error.errors()]
            raise StorageError("\n".join(wrong)) from error
        except (TypeError, ValueError) as error:
            raise StorageError(f"schema: holds what JSON cannot: {error}.") from error

    def encode(self, table: Table, rows: Rows | None = None, *, where: str = "") -> Matrix:
        """The rows of a new table (default: all) as float32 (n, d). Further columns and their order do not matter.

        Args:
            where: begins each message, for example `new.csv: `.
        Raises:
            DataError: columns that are not there and cells that do not fit: line, column, what was expected.
        """
        missing: list[str] = []
        for column in self.columns:
            try:
                table.column(column.name, meaning=column.kind)
            except TableError as error:
                missing.append(f"{where}{error} Expected {column.expected}.")
        if missing:
            raise DataError(missing)
        chosen = np.arange(len(table.lines), dtype=np.int64) if rows is None else rows
        cells = {column.name: cells_of(table.columns[column.name]).take(chosen) for column in self.columns}
        matrix, misfits = self.encode_cells(cells, len(chosen))
        wrong = [(row, column) for column in self.columns for row in chosen[misfits[column.name]].tolist()]
        if wrong:
            wrong.sort(key=lambda item: item[0])
            mistakes = [
                f"{where}line {table.lines[row]}: {column.name!r}: {table.columns[column.name][row]!r} does not fit. "
                f"Expected {column.expected}, or an empty cell."
                for row, column in wrong[:_SHOWN]
            ]
            more = [f"{where}{len(wrong) - _SHOWN:,} more cells do not fit."] if len(wrong) > _SHOWN else []
            raise DataError([*mistakes, *more])
        return matrix

    def encode_cells(self, cells: Mapping[str, Cells], count: int) -> tuple[Matrix, dict[str, Rows]]:
        """Cells of so many rows as float32 (count, d), and per column the rows whose cell does not fit (NaN there)."""
        matrix = np.empty((count, len(self.names)), dtype=np.float32)
        misfits: dict[str, Rows] = {}
        for start, column in _placed(self.columns):
            values, fits = column.encode(cells[column.name].texts)
            codes = cells[column.name].codes
            matrix[:, start : start + values.shape[1]] = values[codes]
            misfits[column.name] = np.flatnonzero(~fits[codes])
        return matrix, misfits

    def wide_names(self) -> tuple[str, ...]:
        """Of the wide encoding's columns: `Torque [Nm]`, `Type=L`, `sold: weekday`."""
        return tuple(name for column in self.columns for name in _wide_names(column))

    def wide(self, matrix: Matrix) -> Matrix:
        """The same rows for a model without embeddings: medians for missing numbers, a column of 0/1 per category.

        Args:
            matrix: as `encode` gives it, (n, d).
        Returns:
            float32 (n, len(wide_names())); code 0 is 0 in all columns of its categories.
        """
        result = np.empty((len(matrix), len(self.wide_names())), dtype=np.float32)
        target = 0
        for start, column in _placed(self.columns):
            if column.kind == "categorical":
                width = len(column.categories)
                result[:, target : target + width] = matrix[:, start, None] == np.arange(1, width + 1)
            else:
                width = len(column.medians)
                values = matrix[:, start : start + width]
                medians = np.array(column.medians, dtype=np.float32)
                result[:, target : target + width] = np.where(np.isnan(values), medians, values)
            target += width
        return result


def _wide_names(column: NumericColumn | CategoricalColumn | DateColumn) -> tuple[str, ...]:
    if column.kind == "categorical":
        return tuple(f"{column.name}={category}" for category in column.categories)
    return column.names


def _placed(columns: Sequence[Column]) -> Iterator[tuple[int, Column]]:
    """Each column with its first place in the matrix."""
    start = 0
    for column in columns:
        yield start, column
        start += len(column.names)


# Records --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Records:
    """Rows of a table without their labels. Numbers come out once a schema is bound."""

    cells: Mapping[str, Cells]  # feature columns, in the table's order
    lines: NDArray[np.int64]  # (n,) where each row begins in its file
    ids: tuple[str, ...]
    digests: tuple[str, ...]  # of the feature columns' texts, whatever the columns' order
    origin: str = "the table"  # begins a message, for example the path as the task has it
    schema: Schema | None = None
    values: Matrix | None = None  # (n, d), kept so that a batch parses no text

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows: Rows) -> Matrix:
        """Numbers and codes, float32 (len(rows), d). A cell that does not fit is missing; `misfit_findings` tells it.

        Raises:
            ValueError: no schema is bound.
        """
        if self.values is None:
            raise ValueError("these records have no schema yet: call with_schema first.")
        return self.values[rows]

    def with_schema(self, schema: Schema) -> "Records":
        """The same rows, to be read by this schema.

        Raises:
            DataError: a column of the schema is not there.
        """
        missing = [column.name for column in schema.columns if column.name not in self.cells]
        if missing:
            near = get_close_matches(missing[0], self.cells, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise DataError(f"{self.origin}: has no column {missing[0]!r}. Its columns: {', '.join(self.cells)}.{hint}")
        values, _ = schema.encode_cells(self.cells, len(self))
        return replace(self, schema=schema, values=values)

    def take(self, rows: Rows) -> "Records":
        """These rows only, in this order."""
        return replace(
            self,
            cells={name: cells.take(rows) for name, cells in self.cells.items()},
            lines=self.lines[rows],
            ids=tuple(self.ids[row] for row in rows.tolist()),
            digests=tuple(self.digests[row] for row in rows.tolist()),
            values=None if self.values is None else self.values[rows],
        )

    def renamed(self, ids: Sequence[str]) -> "Records":
        """The same rows under other ids."""
        return replace(self, ids=tuple(ids))

    def without(self, names: Collection[str]) -> "Records":
        """The same rows without these columns, and with digests that know nothing of them."""
        cells = {name: column for name, column in self.cells.items() if name not in names}
        return replace(self, cells=cells, digests=_digests(cells, len(self)), schema=None, values=None)


def feature_columns(table: Table, columns: Columns, *, label: str | None) -> tuple[str, ...]:
    """The columns to learn from: all but the label, the group and those that the task drops.

    Args:
        label: the label column as it was found; None where there is none.
    Raises:
        TableError: the task names a column that is not there, or none is left.
    """
    for name in columns.drop:
        table.column(name, meaning="dropped")
    if columns.group is not None:
        table.column(columns.group, meaning="group")
    left = tuple(name for name in table.columns if name not in {label, columns.group, *columns.drop})
    if not left:
        raise TableError(f"no column is left to learn from. Its columns: {', '.join(table.columns)}.")
    return left


def records_from_table(table: Table, names: Sequence[str], *, origin: str = "the table") -> Records:
    """The rows of a table with these feature columns, called `row 0` and so on."""
    cells = {name: cells_of(table.columns[name]) for name in names}
    count = len(table.lines)
    ids = tuple(f"row {row}" for row in range(count))
    lines = np.array(table.lines, dtype=np.int64)
    return Records(cells, lines, ids, _digests(cells, count), origin)


def join_records(several: Sequence[Records]) -> Records:
    """One after the other as one domain, by column name, with no schema bound.

    Raises:
        DataError: their columns differ; names both tables and what each lacks.
    """
    if len(several) == 1:
        return several[0]
    first = several[0]
    for other in several[1:]:
        lacks = [name for name in first.cells if name not in other.cells]
        adds = [name for name in other.cells if name not in first.cells]
        if lacks or adds:
            words = [f"{other.origin} lacks {', '.join(map(repr, lacks[:5]))}"] if lacks else []
            words += [f"{first.origin} lacks {', '.join(map(repr, adds[:5]))}"] if adds else []
            hint = "Give both the same columns, or leave out the others with data.columns: {drop: [NAME]}."
            message = f"the columns of {first.origin} and {other.origin} differ: {'; '.join(words)}."
            raise DataError(f"{message} {hint}")
    cells = {name: _joined_cells([records.cells[name] for records in several]) for name in first.cells}
    return Records(
        cells,
        np.concatenate([records.lines for records in several]),
        tuple(name for records in several for name in records.ids),
        tuple(digest for records in several for digest in records.digests),
        ", ".join(dict.fromkeys(records.origin for records in several)),
    )


def _joined_cells(several: Sequence[Cells]) -> Cells:
    index: dict[str, int] = {}
    codes = []
    for cells in several:
        new = np.array([index.setdefault(text, len(index)) for text in cells.texts], dtype=np.int32)
        codes.append(new[cells.codes])
    return Cells(tuple(index), np.concatenate(codes))


def _digests(cells: Mapping[str, Cells], count: int) -> tuple[str, ...]:
    """A digest per row; a digest for each text first, so that no separator could be mistaken for content."""
    ordered = [cells[name] for name in sorted(cells)]
    header = json.dumps(sorted(cells)).encode()
    of_texts = [
        np.frombuffer(b"".join(xxhash.xxh3_128_digest(text.encode("utf-8", "surrogatepass")) for text in column.texts))
        .view(np.uint8)
        .reshape(-1, 16)
        for column in ordered
    ]
    digests: list[str] = []
    for start in range(0, count, _BLOCK):
        block = slice(start, start + _BLOCK)
        parts = [digest[column.codes[block]] for digest, column in zip(of_texts, ordered, strict=True)]
        content = np.concatenate(parts, axis=1)
        digests += [xxhash.xxh3_128_hexdigest(header + row.tobytes()) for row in content]
    return tuple(digests)


# Fitting --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fitted:
    """A schema, and what was noticed while fitting it."""

    schema: Schema
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]  # columns that the schema does not hold


def fit_schema(records: Records, rows: Rows, *, where: str, allow: Collection[str] = ()) -> Fitted:
    """Decides the kind of every column and all that encoding needs, from the training rows alone.

    Args:
        rows: the training rows.
        where: place in the task, the beginning of a message.
        allow: with `identifier`, columns that look like identifiers are kept.
    Raises:
        DataError: no column is left to learn from.
    """
    training = records.take(rows)
    findings: list[Finding] = []
    columns: list[NumericColumn | CategoricalColumn | DateColumn] = []
    contents: dict[bytes, str] = {}
    for name, cells in training.cells.items():
        column, noticed = _fit_column(_Sight(name, cells, training, f"{where}: column {name!r}"), allow)
        findings += noticed
        if column is None:
            continue
        content = _content(column, cells)
        twin = contents.setdefault(content, name)
        if twin != name:
            words = f"{where}: column {name!r} says the same as {twin!r} in every row. It was left out."
            findings.append(Finding("duplicate_column", "warning", words))
            continue
        columns.append(column)
    if not columns:
        reasons = " ".join(finding.message for finding in findings[:3])
        raise DataError(f"{where}: no column of {records.origin} is left to learn from. {reasons}")
    used = {column.name for column in columns}
    return Fitted(
        Schema(columns=tuple(columns)), tuple(findings), tuple(name for name in training.cells if name not in used)
    )


@dataclass(frozen=True)
class _Sight:
    """A column under inspection, with what its messages need."""

    name: str
    cells: Cells
    records: Records
    place: str

    def first(self, texts: Booleans) -> str:
        """The first cell of these texts: line and content."""
        row = int(np.flatnonzero(texts[self.cells.codes])[0])
        return f"line {self.records.lines[row]}: {_shortened(self.cells.texts[self.cells.codes[row]])!r}"

    def finding(self, code: str, words: str) -> Finding:
        return Finding(code, "warning", f"{self.place}: {words}")

    def throughout(self, values: NDArray[Any], holds: Callable[[Any], bool]) -> bool:
        """Whether something holds for a value per row, or for those of each table that was joined: many number their
        rows anew."""
        begins = np.flatnonzero(np.diff(self.records.lines) <= 0) + 1  # lines begin anew with each table
        return holds(values) or (len(begins) > 0 and all(holds(part) for part in np.split(values, begins)))


_Outcome = tuple[NumericColumn | CategoricalColumn | DateColumn | None, list[Finding]]


def _fit_column(sight: _Sight, allow: Collection[str]) -> _Outcome:
    texts, counts = sight.cells.texts, sight.cells.counts()
    filled = np.array([bool(text.strip()) for text in texts], dtype=bool)
    if not filled.any():
        return None, [sight.finding("empty_column", f"all {len(sight.cells):,} cells are empty. It was left out.")]
    if len(texts) == 1:
        return None, [_constant(sight, texts[0])]
    notation, number_share = number_notation(texts, counts)
    if number_share >= KIND_SHARE and not _are_codes(texts):
        return _fit_numbers(sight, notation, allow)
    form, date_share = date_form(texts, counts)
    if date_share >= KIND_SHARE:
        return _fit_dates(sight, form)
    column, findings = _fit_categories(sight, filled, allow)
    if number_share >= 0.5 and not _are_codes(texts):
        strays = filled & ~read_numbers(texts, notation)[1]
        words = (
            f"{number_share:.0%} of its filled cells are numbers, the others are not, such as {sight.first(strays)}. "
            "It is read as text: repair them if it means numbers."
        )
        findings.insert(0, sight.finding("mixed_types", words))
    return column, findings


def _fit_numbers(sight: _Sight, notation: str, allow: Collection[str]) -> _Outcome:
    texts, codes = sight.cells.texts, sight.cells.codes
    values, fits = read_numbers(texts, notation)
    findings = _strays(sight, fits, "numbers")
    present = values[codes][~np.isnan(values[codes])]
    if not len(present):
        words = "none of its numbers is finite. It was left out."
        return None, [sight.finding("empty_column", words)]
    if len(present) == len(codes) and present.min() == present.max():
        return None, [_constant(sight, texts[0])]
    if "identifier" not in allow and len(present) == len(codes) and sight.throughout(present, _are_serial):
        words = (
            f"{len(present):,} whole numbers, none twice in a table: an identifier or a counter, not a feature. It was "
            "left out. If it is a feature, write 'audit: {allow: [identifier]}'."
        )
        return None, [sight.finding("identifier", words)]
    commas = np.array(["," in text for text in texts], dtype=bool)
    if notation == "1234,5" and commas.any() and read_numbers(texts, "1,234.5")[1][fits].all():
        words = (
            f"its commas, such as {sight.first(commas)}, may stand before decimals or thousands; decimals are read. "
            "If they mean thousands, write the numbers without them."
        )
        findings.append(sight.finding("ambiguous_numbers", words))
    return NumericColumn.model_validate(
        {"name": sight.name, "notation": notation, "median": float(np.median(present))}
    ), findings


def _fit_dates(sight: _Sight, form: str) -> _Outcome:
    texts, codes = sight.cells.texts, sight.cells.codes
    moments = [moment for text in texts if (moment := read_date(text, form)) is not None]
    origin = min(moments)
    values, fits = _date_parts(texts, form, origin)
    findings = _strays(sight, fits, "dates")
    present = values[codes][~np.isnan(values[codes][:, 0])]
    parts = [part for index, part in enumerate(_PARTS) if present[:, index].min() < present[:, index].max()]
    if not parts:
        if len(present) == len(codes):
            return None, [_constant(sight, texts[0])]
        parts = ["days"]  # one moment or none: that it is missing may still say something
    are_dates = fits & ~np.isnan(values[:, 0])
    if form == "31/01/2024" and all(read_date(texts[index], "01/31/2024") for index in np.flatnonzero(are_dates)):
        words = (
            f"its dates, such as {sight.first(are_dates)}, fit day/month and month/day alike; day/month is read. "
            "If they mean month/day, write them as 2024-01-31."
        )
        findings.append(sight.finding("ambiguous_dates", words))
    medians = [float(np.median(present[:, _PARTS.index(part)])) for part in parts]
    content = {"name": sight.name, "form": form, "origin": origin.isoformat(), "parts": tuple(parts)}
    return DateColumn.model_validate({**content, "medians": tuple(medians)}), findings


def _fit_categories(sight: _Sight, filled: Booleans, allow: Collection[str]) -> _Outcome:
    texts, codes, counts = sight.cells.texts, sight.cells.codes, sight.cells.counts()
    rows = int(counts[filled].sum())
    distinct = int(filled.sum())
    if "identifier" not in allow and sight.throughout(np.where(filled, np.arange(len(texts)), -1)[codes], _are_names):
        words = (
            f"{distinct:,} different texts in {rows:,} filled cells, such as {sight.first(filled)}: an identifier or "
            "free text, not a category. It was left out. If it is a feature, write 'audit: {allow: [identifier]}'."
        )
        return None, [sight.finding("identifier", words)]
    by_count = sorted(np.flatnonzero(filled).tolist(), key=lambda index: (-counts[index], texts[index]))
    kept = by_count[:MAX_CATEGORIES]
    findings: list[Finding] = []
    if distinct > MAX_CATEGORIES:
        covered = int(counts[kept].sum()) / rows
        words = (
            f"{distinct:,} categories. The {MAX_CATEGORIES} most frequent, {covered:.0%} of the rows, are told apart."
        )
        findings.append(Finding("many_categories", "info", f"{sight.place}: {words}"))
    categories = tuple(sorted(texts[index] for index in kept))
    return CategoricalColumn(name=sight.name, categories=categories), findings


def _constant(sight: _Sight, text: str) -> Finding:
    return sight.finding("constant_column", f"every cell is {_shortened(text)!r}. It was left out.")


def _strays(sight: _Sight, fits: Booleans, what: str) -> list[Finding]:
    if fits.all():
        return []
    count = int(sight.cells.counts()[~fits].sum())
    words = f"{count:,} of {len(sight.cells):,} cells are no {what}, such as {sight.first(~fits)}. Read as missing."
    return [sight.finding("mixed_types", words)]


def _are_codes(texts: Sequence[str]) -> bool:
    """Whole numbers of which some begin with a zero: postcodes, part numbers."""
    filled = [text.strip() for text in texts if text.strip()]
    return all(text.isdecimal() for text in filled) and any(text[0] == "0" and len(text) > 1 for text in filled)


def _are_names(codes: NDArray[np.int64]) -> bool:
    """Texts, by their code (negative where the cell is empty), of which nearly all are different."""
    filled = codes[codes >= 0]
    return len(filled) >= IDENTIFIER_ROWS and len(np.unique(filled)) >= IDENTIFIER_SHARE * len(filled)


def _are_serial(values: Floats) -> bool:
    """Whole numbers without a repeat, where numbers drawn at random from their range would surely hold some."""
    if len(values) < IDENTIFIER_ROWS or (values != np.floor(values)).any():
        return False
    spread = float(values.max() - values.min()) + 1
    return len(values) ** 2 / (2 * spread) >= EXPECTED_REPEATS and len(np.unique(values)) == len(values)


def _content(column: NumericColumn | CategoricalColumn | DateColumn, cells: Cells) -> bytes:
    """Digest of a column's values, equal for columns that tell the same; categories count by where they stand."""
    if column.kind == "categorical":
        _, first, inverse = np.unique(cells.codes, return_index=True, return_inverse=True)
        values = np.argsort(np.argsort(first))[inverse].astype(np.float32)
    else:
        values = column.encode(cells.texts)[0][cells.codes]
    return xxhash.xxh3_128_digest(column.kind.encode() + np.ascontiguousarray(values).tobytes())


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def misfit_findings(records: Records, schema: Schema, *, where: str) -> list[Finding]:
    """Cells of other rows that a fitted schema cannot read or has never seen.

    Up to 5 % of unreadable cells in a column are a warning and count as missing, as in fitting; more are an error.
    """
    findings: list[Finding] = []
    _, misfits = schema.encode_cells(records.cells, len(records))
    for column in schema.columns:
        place, cells = f"{where}: column {column.name!r}", records.cells[column.name]
        rows = misfits[column.name]
        if len(rows):
            first = f"line {records.lines[rows[0]]}: {_shortened(cells.texts[cells.codes[rows[0]]])!r}"
            words = f"{place}: {len(rows):,} of {len(records):,} cells do not fit, such as {first}."
            ids = tuple(records.ids[row] for row in rows[:_SHOWN].tolist())
            if len(rows) <= (1 - KIND_SHARE) * len(records):
                findings.append(Finding("mixed_types", "warning", f"{words} Read as missing.", ids))
            else:
                hint = f"Expected {column.expected}, as in training."
                findings.append(Finding("mixed_types", "error", f"{words} {hint}", ids))
        if column.kind == "categorical":
            findings += _unseen(column, cells, place)
    return findings


def _unseen(column: CategoricalColumn, cells: Cells, place: str) -> Iterator[Finding]:
    if len(column.categories) == MAX_CATEGORIES:
        return  # rare categories are left out on purpose
    known = set(column.categories)
    unseen = [index for index, text in enumerate(cells.texts) if text.strip() and text not in known]
    count = int(cells.counts()[unseen].sum())
    if count > UNSEEN_SHARE * len(cells):
        names = ", ".join(repr(_shortened(cells.texts[index])) for index in unseen[:5])
        words = f"{place}: {count / len(cells):.0%} of the cells hold categories that training has not: {names}."
        yield Finding("unseen_categories", "warning", f"{words} A model can tell nothing from them.")


# Leaks ----------------------------------------------------------------------------------------------------------------

LEAK_ACCURACY = 0.99  # balanced; by one column alone
LEAK_IN_CLASS = 10  # rows of the smallest class, or of a flag, that such a figure must rest on
COPY_CHANCE = 0.01  # that a column copies the label by chance: small tables show it too
FLAG_CHANCE = 1e-6  # that a flag stands on rows of one class only by chance
FLAG_DIFFERENT = 5  # of its rows, at least, that are no copies of each other
FLAG_RECALL = 0.05  # of that class; rarer flags are ordinary lucky features
_MOST_PAIRS = 5_000_000  # of categories and classes; a column with more is nearly an identifier and not counted out


def leak_findings(records: Records, schema: Schema, labels: NDArray[np.int64], *, where: str) -> list[Finding]:
    """Columns that give the label away: most were written down after the fact.

    A column copies the label one to one; or a rule on it alone (majority of its category without the row itself, one
    split, nearest median of a class, filled or not) has a balanced accuracy of 0.99; or, for two classes, one of its
    values stands on rows of the rarer class only.

    Args:
        labels: (n,) class index, negative where the search may not know it: those rows are not looked at.
    """
    known = np.flatnonzero(labels >= 0)
    classes, classed = np.unique(labels[known], return_inverse=True)
    if len(classes) < 2:
        return []
    used = {column.name for column in schema.columns}
    told = records.take(known).without(set(records.cells) - used).with_schema(schema)
    copies = _copies(told.digests, classed)
    found = {
        column.name: reason
        for start, column in _placed(schema.columns)
        if (reason := _reason_for_leak(column, told, start, classed.astype(np.int64), copies)) is not None
    }
    every = ", ".join(map(_in_yaml, found))
    hint = f"If it is not known when predicting, write 'data.columns: {{drop: [{every}]}}'"
    return [
        Finding("leak", "error", f"{where}: column {name!r} {reason}. {hint}; if it is, 'audit: {{allow: [leak]}}'.")
        for name, reason in found.items()
    ]


def _in_yaml(name: str) -> str:
    """A name as it can be pasted into a task."""
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in ("true", "false", "null")
    return name if is_plain else json.dumps(name, ensure_ascii=not name.isprintable())


def _copies(digests: Sequence[str], labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """(n,) how many rows say the same under the same label, the row itself counted in.

    An oversampled class or a table that was joined twice holds many: a row must not be told by its own copies.
    """
    pairs = cells_of([f"{digest} {label}" for digest, label in zip(digests, labels.tolist(), strict=True)])
    return pairs.counts()[pairs.codes]


def _reason_for_leak(
    column: Column, told: Records, start: int, labels: NDArray[np.int64], copies: NDArray[np.int64]
) -> str | None:
    """What gives the label away, completing the sentence 'the column …', or None."""
    cells = told.cells[column.name]
    values = told.read(np.arange(len(told), dtype=np.int64))[:, start + len(column.names) - 1].astype(np.float64)
    kinds = cells.codes.astype(np.int64) if column.kind == "categorical" else _kinds(values)
    if kinds is not None and (reason := _copy(kinds, labels)):
        return reason
    tests: list[Callable[[], str | None]] = []
    if np.bincount(labels).min() >= LEAK_IN_CLASS:
        if kinds is not None:
            tests.append(partial(_majority, kinds, labels, copies))
        if column.kind != "categorical" and _different(labels, copies).min() >= LEAK_IN_CLASS:
            tests.append(partial(_split if labels.max() == 1 else _medians, values, labels))
    if labels.max() == 1:
        if kinds is not None and kinds.max() == 1:
            written = [repr(_shortened(text)) for text in cells.texts]
            tests.append(partial(_flag, kinds, labels, copies, lambda row: written[cells.codes[row]]))
        if column.kind != "categorical" and np.isnan(values).any():
            states = np.isnan(values).astype(np.int64)
            tests.append(partial(_flag, states, labels, copies, lambda row: "empty" if states[row] else "filled"))
    return next((reason for test in tests if (reason := test())), None)


def _kinds(values: Floats) -> NDArray[np.int64] | None:
    """Numbers as categories where most of them repeat; missing is a category too."""
    different, kinds = np.unique(values, return_inverse=True)
    return kinds.astype(np.int64) if len(different) <= max(2, len(values) // 2) else None


def _copy(kinds: NDArray[np.int64], labels: NDArray[np.int64]) -> str | None:
    sizes = np.bincount(labels)
    pairs = np.unique(kinds * len(sizes) + labels)
    if not len(pairs) == len(np.unique(kinds)) == len(sizes):
        return None
    ways = math.lgamma(len(labels) + 1) - sum(math.lgamma(size + 1) for size in sizes.tolist())
    if math.lgamma(len(sizes) + 1) - ways > math.log(COPY_CHANCE):
        return None
    return f"copies the label: each of its {len(sizes)} values stands for one class in all {len(labels):,} rows"


def _different(labels: NDArray[np.int64], copies: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows per class, each once whatever its copies."""
    return np.rint(np.bincount(labels, weights=1 / copies)).astype(np.int64)


def _majority(kinds: NDArray[np.int64], labels: NDArray[np.int64], copies: NDArray[np.int64]) -> str | None:
    """Each row is told by the other rows of its category, so that a category of one row tells nothing."""
    classes = int(labels.max()) + 1
    if (int(kinds.max()) + 1) * classes > _MOST_PAIRS:
        return None
    together = np.bincount(kinds * classes + labels, minlength=(int(kinds.max()) + 1) * classes).reshape(-1, classes)
    ordered = np.sort(together, axis=1)
    best_other = np.where(together == ordered[:, -1:], ordered[:, -2:-1], ordered[:, -1:])
    right = together[kinds, labels] - copies > best_other[kinds, labels]
    return _rule("its values alone", np.bincount(labels, weights=right) / np.bincount(labels))


def _split(values: Floats, labels: NDArray[np.int64]) -> str | None:
    """One threshold for two classes; missing numbers are tried on either side."""
    sides = (-np.inf, np.inf) if np.isnan(values).any() else (0.0,)
    best, at = 0.0, 0.0
    for side in sides:
        placed = np.where(np.isnan(values), side, values)
        order = np.argsort(placed, kind="stable")
        ends = np.flatnonzero(placed[order][1:] != placed[order][:-1])  # where a run of equal values ends
        if not len(ends):
            continue
        below = np.cumsum(labels[order] == 1)[ends] / (labels == 1).sum()
        below_other = np.cumsum(labels[order] == 0)[ends] / (labels == 0).sum()
        accuracy = 0.5 + np.abs(below - below_other) / 2
        index = int(np.argmax(accuracy))
        if accuracy[index] > best:
            best, at = float(accuracy[index]), float(placed[order][ends[index]])
    rule = f"the one split 'up to {at:g}'" if np.isfinite(at) else "whether it is filled"
    return _rule(rule, np.array([best, best]))


def _medians(values: Floats, labels: NDArray[np.int64]) -> str | None:
    present = ~np.isnan(values)
    classes = range(int(labels.max()) + 1)
    if any(not (present & (labels == index)).any() for index in classes):
        return None
    medians = np.array([np.median(values[present & (labels == index)]) for index in classes])
    nearest = np.argmin(np.abs(values[:, None] - medians), axis=1)
    right = (nearest == labels) & present
    return _rule("its nearest class median", np.array([right[labels == index].mean() for index in classes]))


def _rule(rule: str, recalls: Floats) -> str | None:
    accuracy = float(recalls.mean())
    if accuracy < LEAK_ACCURACY:
        return None
    return f"tells the label by itself: by {rule}, with a balanced accuracy of {accuracy:.3f}"


def _flag(
    states: NDArray[np.int64], labels: NDArray[np.int64], copies: NDArray[np.int64], name: Callable[[int], str]
) -> str | None:
    """One of two states stands on rows of the rarer class only, too often for chance."""
    sizes = np.bincount(labels)
    rare = int(np.argmin(sizes))
    for state in (0, 1):
        here = np.flatnonzero(states == state)
        count = len(here)
        if count < max(LEAK_IN_CLASS, FLAG_RECALL * sizes[rare]) or (labels[here] != rare).any():
            continue
        if np.rint((1 / copies[here]).sum()) < FLAG_DIFFERENT:
            continue
        chance = _log_choices(int(sizes[rare]), count) - _log_choices(len(labels), count)
        if chance <= math.log(FLAG_CHANCE):
            return f"is {name(int(here[0]))} in {count:,} rows, every one of the rarer class: it follows from the label"
    return None


def _log_choices(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
