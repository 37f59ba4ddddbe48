"""Texts, records and windows to predict on. Labels are not read."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autotl.data.arrays import ArrayError, read_array
from autotl.data.records import Records, records_from_table
from autotl.data.row_listing import TEXT_COLUMNS, TIME_COLUMNS, UNIT_COLUMNS
from autotl.data.schema import Schema
from autotl.data.tables import TABLE_SUFFIXES, Table, TableError
from autotl.data.texts import TEXT_SUFFIXES, BrokenTextError, Texts, is_empty, read_text_file, texts_of
from autotl.data.unlabelled_sources import member_holding_inputs, table_at
from autotl.data.windows import (
    BrokenWindowsError,
    SignalColumns,
    Windows,
    cut_table,
    inspect_windows,
    samples_from_array,
    windows_from_samples,
)
from autotl.errors import DataError

Left = tuple[str, ...]  # a line for each example that cannot be predicted


def read_texts(path: Path, written: Mapping[str, Any]) -> tuple[Texts, Left]:
    """Texts of a table's column, of a folder of .txt files, or of one such file.

    Args:
        written: how the model's own data were: `input`, the column, and `encoding`.
    Raises:
        DataError: nothing there, or no text among it.
    """
    encoding = str(written.get("encoding") or "utf-8")
    if path.suffix.lower() in TABLE_SUFFIXES - TEXT_SUFFIXES:
        table = _table(path, encoding)
        name = _column(path, table, written.get("input"), TEXT_COLUMNS)
        return _filled(path, texts_of(table.columns[name], (f"row {row}" for row in range(len(table.lines)))), ())
    files = [path] if path.is_file() and path.suffix.lower() in TEXT_SUFFIXES else _text_files(path)
    if not files:
        raise DataError(f"{path}: holds no text. Name a CSV or Parquet, a folder of .txt files, or one of them.")
    read: dict[str, str] = {}
    left: list[str] = []
    root = path if path.is_dir() else path.parent
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            read[name] = read_text_file(file, encoding)
        except BrokenTextError as error:
            left.append(f"{name}: the file {error}")
    return _filled(path, texts_of(read.values(), read), tuple(left))


def read_records(path: Path, schema: Schema, written: Mapping[str, Any]) -> tuple[Records, Left]:
    """Rows of a table with the columns that the model learnt from, in any order; others are ignored.

    Raises:
        DataError: no table, a column is missing, or cells that do not fit: line, column, what was expected.
    """
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise DataError(f"{path}: not a table. Name a CSV or Parquet with the columns that the model learnt from.")
    table = _table(path, str(written.get("encoding") or "utf-8"))
    values = schema.encode(table, where=f"{path}: ")
    records = records_from_table(table, [column.name for column in schema.columns], origin=str(path))
    return replace(records, schema=schema, values=values), ()


def read_windows(path: Path, shape: tuple[int, int], written: Mapping[str, Any]) -> tuple[Windows, Left]:
    """Windows of an `.npz`, or cut from a long table, of the shape that the model learnt from.

    Args:
        shape: samples and channels of a window.
        written: `input` (an array's member), `time`, `unit`, `channels` (columns of a table), `stride`, `encoding`.
    Raises:
        DataError: nothing there, a channel is missing, or windows of another shape.
    """
    if path.suffix.lower() == ".npz":
        windows = _windows_of_array(path, written.get("input"))
    elif path.suffix.lower() in TABLE_SUFFIXES:
        table, columns = _signal_table(path, written)
        stride = written.get("stride")
        windows = cut_table(table, columns, window=shape[0], stride=stride, where=str(path), origin=path.name).windows
    else:
        raise DataError(f"{path}: neither an .npz with windows nor a table with samples.")
    if windows.shape != shape:
        raise DataError(f"{path}: holds windows of shape {windows.shape}; the model takes {shape} (samples, channels).")
    seen = inspect_windows(windows)
    left = tuple(f"{windows.ids[row]}: the window {why}" for row, why in seen.broken.items())
    rows = seen.usable(len(windows))
    if not len(rows):
        raise DataError([f"{path}: none of {len(windows)} windows can be used.", *left[:20]])
    return windows.take(rows), left


def _filled(path: Path, texts: Texts, left: Left) -> tuple[Texts, Left]:
    empty = {row for row, text in enumerate(texts.texts) if is_empty(text)}
    left = (*left, *(f"{texts.ids[row]}: the text is empty" for row in sorted(empty)))
    if len(empty) == len(texts):
        raise DataError([f"{path}: holds no text that is not empty.", *left[:20]])
    return texts.take(np.array([row for row in range(len(texts)) if row not in empty], dtype=np.int64)), left


def _text_files(path: Path) -> list[Path]:
    if not path.exists():
        raise DataError(f"{path}: there is nothing here. Name a CSV, a folder of .txt files, or one of them.")
    found = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(folder, name) for name in sorted(files) if Path(name).suffix.lower() in TEXT_SUFFIXES]
    return found


def _table(path: Path, encoding: str) -> Table:
    table = table_at(path, encoding)
    if not table.lines:
        raise DataError(f"{path}: holds no rows below its header.")
    return table


def _column(path: Path, table: Table, wanted: object, usual: tuple[str, ...]) -> str:
    by_lower = {name.strip().lower(): name for name in reversed(list(table.columns))}
    found = wanted if wanted in table.columns else next((by_lower[name] for name in usual if name in by_lower), None)
    if found is None:
        looked_for = ", ".join(filter(None, (str(wanted) if wanted else None, *usual)))
        raise DataError(f"{path}: no column is called one of: {looked_for}. Its columns: {', '.join(table.columns)}.")
    return str(found)


def _signal_table(path: Path, written: Mapping[str, Any]) -> tuple[Table, SignalColumns]:
    """The samples with the channels that the model learnt from, in its order; a label or group is left out."""
    table = _table(path, str(written.get("encoding") or "utf-8"))
    by_lower = {name.strip().lower(): name for name in table.columns}

    def known(key: str, usual: tuple[str, ...]) -> str | None:
        name = written.get(key)
        return name if name in table.columns else next((by_lower[word] for word in usual if word in by_lower), None)

    columns = SignalColumns(time=known("time", TIME_COLUMNS), unit=known("unit", UNIT_COLUMNS))
    channels = written.get("channels")
    if channels is None:
        return table, columns
    try:
        cells = {name: table.column(name, meaning="channel") for name in channels}
    except TableError as error:
        raise DataError(f"{path}: {error}") from error
    beside = {name: table.columns[name] for name in (columns.time, columns.unit) if name is not None}
    return Table({**beside, **cells}, table.lines), columns


def _windows_of_array(path: Path, member: object) -> Windows:
    try:
        name = member_holding_inputs(path, str(member) if member else None)
        samples = samples_from_array(read_array(path, name))
    except BrokenWindowsError as error:
        raise DataError(f"{path}: the array {error}.") from error
    except ArrayError as error:
        raise DataError(f"{path}: {error}") from error
    return windows_from_samples(samples, ids=[f"row {row}" for row in range(len(samples))], origin=str(path))
