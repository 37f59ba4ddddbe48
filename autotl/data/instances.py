"""Inputs to predict on that come as values, not as files: the encoded images, texts, rows and windows of a request.

Whatever is wrong is said of `instances[3]`: whoever asks counts from 0, as JSON does. Nothing is trusted.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import Any

import numpy as np

from autotl.data.examples import PLAIN, Rows, View
from autotl.data.images import BrokenImageError, Pixels, decode_image, digest_of
from autotl.data.records import Records, records_from_table
from autotl.data.schema import CategoricalColumn, Column, NumericColumn, Schema
from autotl.data.tables import Table
from autotl.data.texts import Texts, is_empty, texts_of
from autotl.data.windows import Windows, inspect_windows, windows_from_samples
from autotl.errors import DataError

MOST_TOLD = 20  # mistakes of one request
MOST_LOOKED_AT = 100  # keys of a row, for the one that was meant
_SHOWN = 40  # letters of a value


@dataclass(frozen=True, eq=False)
class EncodedImages:
    """Images held as the bytes of their files."""

    contents: tuple[bytes, ...]
    ids: tuple[str, ...]

    @property
    def digests(self) -> tuple[str, ...]:
        """Of the bytes."""
        return tuple(digest_of(content) for content in self.contents)

    def __len__(self) -> int:
        return len(self.contents)

    def read(self, rows: Rows, *, size: int, view: View = PLAIN, crop: str = "none") -> Pixels:
        """Decoded images, uint8 (len(rows), size, size, 3), cropped as `decode_image` does.

        Raises:
            DataError: every one of them that cannot be decoded.
        """
        pixels = np.empty((len(rows), size, size, 3), dtype=np.uint8)
        mistakes = []
        for place, row in enumerate(rows.tolist()):
            try:
                pixels[place] = decode_image(self.contents[row], size, view=view, crop=crop)
            except BrokenImageError as error:
                mistakes.append(f"{self.ids[row]}: the image {error}.")
        if mistakes:
            raise DataError(mistakes)
        return pixels

    def take(self, rows: Rows) -> "EncodedImages":
        """These rows only, in this order."""
        kept = rows.tolist()
        return EncodedImages(tuple(self.contents[row] for row in kept), tuple(self.ids[row] for row in kept))

    def renamed(self, ids: Sequence[str]) -> "EncodedImages":
        """The same images under other ids."""
        return replace(self, ids=tuple(ids))


def images_from_contents(contents: Sequence[bytes]) -> EncodedImages:
    """Images whose files have these bytes; whether they can be decoded shows on reading."""
    return EncodedImages(tuple(contents), instance_names(len(contents)))


def texts_from_values(values: Sequence[Any]) -> Texts:
    """Texts, one a value.

    Raises:
        DataError: values that are no text, or an empty one.
    """
    ids = instance_names(len(values))
    mistakes = [
        f"{name}: expected a text, got {_shown(value)}."
        for name, value in zip(ids, values, strict=True)
        if not isinstance(value, str)
    ]
    _refuse(mistakes)
    texts = texts_of(values, ids)
    _refuse(
        [f"{name}: the text is empty." for name, text in zip(ids, texts.texts, strict=True) if is_empty(text)],
    )
    return texts


def records_from_values(values: Sequence[Any], schema: Schema) -> Records:
    """Rows of a table, each a mapping from column to text, number, truth value or None where it is missing.

    Numbers are taken as such, however the training data wrote theirs; columns that the schema does not know are
    ignored.

    Raises:
        DataError: a row that is no mapping, a column that is not there, cells that do not fit.
    """
    ids = instance_names(len(values))
    _refuse(
        [
            f"{name}: expected an object with a value for each column, got {_shown(value)}."
            for name, value in zip(ids, values, strict=True)
            if not isinstance(value, Mapping)
        ]
    )
    mistakes: list[str] = []
    columns: dict[str, list[str]] = {}
    for column in schema.columns:
        cells = []
        for name, row in zip(ids, values, strict=True):
            if column.name not in row:
                mistakes.append(f"{name}: has no column {column.name!r}.{_nearest(column.name, row)}")
                cells.append("")
                continue
            text = _cell(row[column.name], column)
            if text is None:
                mistakes.append(f"{name}.{column.name}: {_shown(row[column.name])} is no cell of a table.")
            cells.append(text or "")
        columns[column.name] = cells
    _refuse(mistakes)
    table = Table(columns, range(len(values)))
    records = records_from_table(table, list(columns), origin="the request")
    matrix, misfits = schema.encode_cells(records.cells, len(values))
    _refuse(
        [
            f"{ids[row]}.{column.name}: {_shown(values[row][column.name])} does not fit. Expected {column.expected}, "
            "or null."
            for column in schema.columns
            for row in misfits[column.name].tolist()
        ]
    )
    return replace(records, ids=ids, schema=schema, values=matrix)


def windows_from_values(values: Sequence[Any], shape: tuple[int, int]) -> Windows:
    """Windows of a signal, each a list of samples and each of these a list of channels; of one channel a list of
    numbers will do.

    Args:
        shape: samples and channels.
    Raises:
        DataError: a window of another shape, or something in it that is no finite number.
    """
    ids = instance_names(len(values))
    samples = np.zeros((len(values), *shape), dtype=np.float32)
    mistakes = []
    for place, value in enumerate(values):
        window = _numbers(value)
        if window is not None and shape[1] == 1 and window.shape == shape[:1]:
            window = window[:, None]
        if window is None or window.shape != shape:
            seen = _shown(value) if window is None else f"a list of shape {window.shape}"
            mistakes.append(
                f"{ids[place]}: expected {shape[0]} samples of {shape[1]} channels, all numbers, got {seen}."
            )
            continue
        samples[place] = window
    _refuse(mistakes)
    windows = windows_from_samples(samples, ids=ids, origin="the request")
    _refuse([f"{ids[row]}: the window {why}." for row, why in inspect_windows(windows).broken.items()])
    return windows


def instance_names(count: int) -> tuple[str, ...]:
    """`instances[0]` and so on."""
    return tuple(f"instances[{place}]" for place in range(count))


def _refuse(mistakes: list[str]) -> None:
    if mistakes:
        more = [f"and {len(mistakes) - MOST_TOLD} more mistakes."] if len(mistakes) > MOST_TOLD else []
        raise DataError([*mistakes[:MOST_TOLD], *more])


def _numbers(value: Any) -> Any:
    """An array of numbers as float32; None for anything else."""
    try:
        found = np.asarray(value)
        with np.errstate(over="ignore"):
            return found.astype(np.float32) if found.dtype.kind in "iuf" else None
    except (ValueError, TypeError, OverflowError, RecursionError):  # ragged, too deep, too large
        return None


def _cell(value: Any, column: Column) -> str | None:
    """The value as a cell of this column would be written; None for what is none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _known(column, ["true" if value else "false", str(value), str(int(value))])
    if not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) >= 2**63:
        return None
    whole = str(int(value)) if value == int(value) else repr(value)
    if isinstance(column, NumericColumn) and column.notation != "true/false":
        return repr(value).replace(".", column.notation[-2])
    return _known(column, [whole, repr(float(value)), repr(value)])


def _known(column: Column, written: list[str]) -> str:
    """Of several ways to write a value the one that the column has as a category; the first where it has none."""
    categories = column.categories if isinstance(column, CategoricalColumn) else ()
    return next((text for text in written if text in categories), written[0])


def _nearest(wanted: str, row: Mapping[str, Any]) -> str:
    looked_at = [key for key in islice(row, MOST_LOOKED_AT) if len(key) <= 2 * _SHOWN]
    near = get_close_matches(wanted, looked_at, n=1)
    return f" Did you mean {near[0]!r}?" if near else " Write null where it is missing."


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple | Mapping):
        kind = "an object" if isinstance(value, Mapping) else "a list"
        return f"{kind} of {len(value)}"
    if value is None:
        return "null"
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python writes
        return "a very large number"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
