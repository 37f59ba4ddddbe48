"""CSV and Parquet as columns of text, every cell as it was written: `NA`, `NO`, `1e3` and emoji stay what they are.

The standard library's reader serves here: a list of files has few columns, and importing pandas would take most of
the second that `validate` may last.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".parquet", ".pq"})
_SEPARATORS = (",", ";", "\t", "|")


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
        return _read_csv(path.read_bytes(), path, encoding)
    except OSError as error:
        raise TableError(f"cannot be read: {error.strerror}.") from error


def _read_csv(content: bytes, path: Path, encoding: str) -> Table:
    text = _decoded(content, encoding)
    separator = "\t" if path.suffix.lower() == ".tsv" else _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        header = next(reader, None)
        begins = reader.line_num + 1
        for row in reader:
            if row:
                rows.append(row)
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"line {reader.line_num}: {error}.") from error
    if not header:
        raise TableError("is empty. The first line names the columns.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise TableError(f"line 1: two columns are called {twice[0]!r}.")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            why = "Quote cells that hold the separator." if len(row) > len(header) else "Is the line cut off?"
            raise TableError(f"line {line}: has {len(row)} cells, the header has {len(header)}. {why}")
    cells = zip(*rows, strict=True) if rows else ([] for _ in header)
    return Table(dict(zip(header, map(list, cells), strict=True)), lines)


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[error.start]:02x}"
        raise EncodingError(f"line {line}: byte {byte} is not {encoding}.", _other_encoding(encoding)) from None
    except (UnicodeError, LookupError) as error:  # some codecs tell no place, and a setting may be no encoding at all
        raise EncodingError(f"cannot be read as {encoding}: {error}.", _other_encoding(encoding)) from None


def _other_encoding(encoding: str) -> str:
    other = "latin-1" if "utf" in encoding.lower() else "utf-8"
    return f"Write its encoding in the task, for example 'encoding: {other}'."


def _separator(text: str) -> str:
    first_line = text[: text.find("\n")] if "\n" in text else text
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
