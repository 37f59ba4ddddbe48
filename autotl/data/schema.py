"""A table as typed columns: how cells become numbers. Fitted on training rows, carried by every bundle.

A column is numeric, a date or categorical (each text as it was written; `NA`, `NO` and emoji are categories like
others). Missing is the empty cell; in numeric and date columns also `MISSING_WORDS`, where no text could be meant.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import numpy as np
import xxhash
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autotl.data.cells import Cells, cells_of
from autotl.data.date_text import DATE_PARTS, DatePart, date_parts
from autotl.data.examples import Rows
from autotl.data.number_text import Booleans, read_numbers
from autotl.data.tables import Table, TableError
from autotl.errors import DataError, StorageError

Matrix = NDArray[np.float32]

MAX_CATEGORIES = 100  # the most frequent ones; rarer ones share the code 0
_SHOWN = 20


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
        values, fits = date_parts(texts, self.form, datetime.fromisoformat(self.origin))
        chosen = values[:, [DATE_PARTS.index(part) for part in self.parts]]
        return chosen.astype(np.float32), fits


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
        return tuple(index for index, column in placed(self.columns) if column.kind == "categorical")

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
        for start, column in placed(self.columns):
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
        for start, column in placed(self.columns):
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


def placed(columns: Sequence[Column]) -> Iterator[tuple[int, Column]]:
    """Each column with its first place in the matrix."""
    start = 0
    for column in columns:
        yield start, column
        start += len(column.names)
