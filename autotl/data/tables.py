"""CSV and Parquet as columns of text, every cell as it was written: `NA`, `NO`, `1e3` and emoji stay what they are.

The standard library's reader serves here: a list of files has few columns, and importing pandas would take most of
the second that `validate` may last.
"""

import csv
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Reader

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".parquet", ".pq"})
_SEPARATORS = (",", ";", "\t", "|")
_ROWS_AT_ONCE = 200  # few enough that their cells are still in the processor's cache when they become columns
_MOST_KNOWN = 100_000  # different texts of a column; one that has more is taken to repeat few of them


class TableError(Exception):
    """The table cannot be read; the message begins with the line where there is one."""


class LabelError(TableError):
    """Cells that are no label.

    Attributes:
        code: of the finding.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class EncodingError(TableError):
    """The table is written in another encoding than the one it was read with."""

    def __init__(self, seen: str, hint: str) -> None:
        super().__init__(f"{seen} {hint}")
        self.seen = seen  # line, byte and encoding, without what to write in a task


@dataclass(frozen=True)
class Table:
    """Columns of equal length, by name, and the line in the file on which each row begins."""

    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]

    def column(self, name: str, *, meaning: str) -> Sequence[str]:
        """A column by its exact name.

        Raises:
            TableError: there is none; names the nearest.
        """
        if name not in self.columns:
            near = get_close_matches(name, self.columns, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise TableError(f"has no {meaning} column {name!r}. Its columns: {', '.join(self.columns)}.{hint}")
        return self.columns[name]


def read_table(path: Path, *, encoding: str) -> Table:
    """The whole table as text.

    Raises:
        EncodingError: wrong encoding (names line, byte and the setting).
        TableError: not readable, no header, or uneven rows.
    """
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return _read_parquet(path)
        return _read_csv(path, encoding)
    except OSError as error:
        raise TableError(f"cannot be read: {error.strerror}.") from error


def _read_csv(path: Path, encoding: str) -> Table:
    codec = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    try:
        with path.open(encoding=codec, newline="") as text:
            separator = "\t" if path.suffix.lower() == ".tsv" else _separator(text.readline())
            text.seek(0)
            return _streamed(csv.reader(text, delimiter=separator, strict=True))
    except (UnicodeError, LookupError) as error:  # some codecs tell no place, and a setting may be no encoding at all
        raise _wrong_encoding(path.read_bytes(), codec, encoding, error) from None


def _streamed(reader: "Reader") -> Table:
    """The table row by row, so that a large one is never in memory twice."""
    header = _header(reader)
    columns = [_Cells() for _ in header]
    lines = array("q")
    rows = _numbered(reader)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        begins, cells_of_rows = zip(*some, strict=True)
        _check_even(cells_of_rows, begins, cells=len(header))
        lines.extend(begins)
        for column, cells in zip(columns, zip(*cells_of_rows, strict=True), strict=True):
            column.extend(cells)
    return Table({name: column.cells for name, column in zip(header, columns, strict=True)}, lines)


def _header(reader: "Reader") -> list[str]:
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise TableError(f"line {reader.line_num}: {error}.") from error
    if not header:
        raise TableError("is empty. The first line names the columns.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise TableError(f"line 1: two columns are called {twice[0]!r}.")
    return header


def _numbered(reader: "Reader") -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the line on which it begins."""
    begins = reader.line_num + 1
    try:
        for row in reader:
            if row:
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"line {reader.line_num}: {error}.") from error


def _check_even(rows: Sequence[Sequence[str]], lines: Sequence[int], *, cells: int) -> None:
    if set(map(len, rows)) == {cells}:
        return
    row, line = next((row, line) for row, line in zip(rows, lines, strict=True) if len(row) != cells)
    why = "Quote cells that hold the separator." if len(row) > cells else "Is the line cut off?"
    raise TableError(f"line {line}: has {len(row)} cells, the header has {cells}. {why}")


class _Cells:
    """A column that grows. Cells that are written alike are one object: most columns repeat a few thousand texts."""

    def __init__(self) -> None:
        self.cells: list[str] = []
        self._known: dict[str, str] | None = {}

    def extend(self, cells: Sequence[str]) -> None:
        if self._known is None:
            self.cells.extend(cells)
            return
        self.cells.extend(map(self._known.setdefault, cells, cells))
        if len(self._known) > _MOST_KNOWN:
            self._known = None


def _wrong_encoding(content: bytes, codec: str, encoding: str, error: Exception) -> EncodingError:
    try:
        content.decode(codec)
    except UnicodeDecodeError as placed:
        line = content.count(b"\n", 0, placed.start) + 1
        byte = f"0x{content[placed.start]:02x}"
        return EncodingError(f"line {line}: byte {byte} is not {encoding}.", _other_encoding(encoding))
    except (UnicodeError, LookupError):
        pass
    return EncodingError(f"cannot be read as {encoding}: {error}.", _other_encoding(encoding))


def _other_encoding(encoding: str) -> str:
    other = "latin-1" if "utf" in encoding.lower() else "utf-8"
    return f"Write its encoding in the task, for example 'encoding: {other}'."


def _separator(first_line: str) -> str:
    return max(_SEPARATORS, key=first_line.count)


def _read_parquet(path: Path) -> Table:
    import pyarrow as arrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path, partitioning=None)
        columns = {name: _as_text(table.column(name)) for name in table.column_names}
    except (arrow.ArrowException, UnicodeDecodeError) as error:
        raise TableError(f"is no Parquet file that can be read: {' '.join(str(error).split())}.") from error
    return Table(columns, range(1, table.num_rows + 1))


def _as_text(column: object) -> list[str]:
    values = column.to_pylist()  # type: ignore[attr-defined] # pyarrow has no stubs
    return ["" if value is None else value if isinstance(value, str) else str(value) for value in values]
