"""Rows of a table, without their labels, from which numbers come out once a schema is bound."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
import xxhash
from numpy.typing import NDArray

from autotl.data.cells import Cells, cells_of, joined_cells
from autotl.data.examples import Rows
from autotl.data.schema import Matrix, Schema
from autotl.data.tables import Table, TableError
from autotl.errors import DataError
from autotl.task.model import Columns

_BLOCK = 4096


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
    cells = {name: joined_cells([records.cells[name] for records in several]) for name in first.cells}
    return Records(
        cells,
        np.concatenate([records.lines for records in several]),
        tuple(name for records in several for name in records.ids),
        tuple(digest for records in several for digest in records.digests),
        ", ".join(dict.fromkeys(records.origin for records in several)),
    )


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
