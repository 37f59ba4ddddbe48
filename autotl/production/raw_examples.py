"""Raw files that two models can be compared on: real examples written as people give them, or drawn from the schema."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from autotl.backbones.reading import ColumnReading, PixelReading, SampleReading
from autotl.data.examples import Inputs, Labels, Rows
from autotl.data.images import ImageArray, ImageFiles, JoinedImages
from autotl.data.records import Records
from autotl.data.schema import CategoricalColumn, DateColumn, NumericColumn
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.production.bundle import Bundle
from autotl.run.folder import write_whole

CHECKED = 200  # examples that an export is compared on
CALIBRATING = 100  # further ones, that say which range numbers have
TEXT_COLUMN = "text"


@dataclass(frozen=True)
class Chosen:
    """Examples that were read somewhere, to be written as raw files.

    Attributes:
        labels: as `TaskData` has them; None where nothing is known of them.
        origin: where they come from, in words that follow a number: `of the run's data`.
    """

    inputs: Inputs
    labels: Labels | None
    origin: str


def rows_to_check(total: int) -> tuple[Rows, Rows]:
    """Rows to compare on and rows to calibrate with, drawn at random; different ones where there are enough."""
    order = np.random.default_rng(0).permutation(total)
    checked = np.sort(order[:CHECKED])
    others = order[CHECKED : CHECKED + CALIBRATING]
    return checked, np.sort(others) if len(others) else checked[:CALIBRATING]


def write_raw(inputs: Inputs, rows: Rows, folder: Path, written: Mapping[str, Any]) -> Path:
    """Writes examples in the form that `predict` takes, in this order; returns what to name to it.

    Args:
        written: how the model's own data were (`schema` in bundle.json).
    """
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(inputs, ImageFiles | ImageArray | JoinedImages):
        for place, row in enumerate(rows.tolist()):
            suffix, content = _encoded(inputs, row)
            write_whole(folder / f"{place:03}{suffix}", content)
        return folder
    if isinstance(inputs, Texts):
        column = written.get("input") or TEXT_COLUMN
        return _write_table(folder, {column: inputs.read(rows)}, written)
    if isinstance(inputs, Records):
        return _write_table(folder, _fitting_cells(inputs.take(rows)), written)
    return _write_windows(folder, cast(Windows, inputs).read(rows))


def _fitting_cells(records: Records) -> dict[str, list[str]]:
    """Cells as they are written; those that the schema cannot read, which `predict` would refuse, empty."""
    cells = {name: [column.texts[code] for code in column.codes] for name, column in records.cells.items()}
    if records.schema is not None:
        _, misfits = records.schema.encode_cells(records.cells, len(records))
        for name, rows in misfits.items():
            for row in rows.tolist():
                cells[name][row] = ""
    return cells


def _encoded(images: ImageFiles | ImageArray | JoinedImages, row: int) -> tuple[str, bytes]:
    """A file's ending and content; of pixels in memory, a PNG."""
    if isinstance(images, JoinedImages):
        return _encoded(images.parts[images.part_of[row]], int(images.row_in_part[row]))
    if isinstance(images, ImageFiles):
        path = Path(images.root, images.names[row])
        return path.suffix.lower(), path.read_bytes()
    return ".png", _png(images.pixels[row])


def _png(pixels: NDArray[np.uint8]) -> bytes:
    return _saved(pixels, "PNG")


def _saved(pixels: NDArray[np.uint8], kind: str) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


def _write_table(folder: Path, cells: Mapping[str, Sequence[str]], written: Mapping[str, Any]) -> Path:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)  # a row of empty cells is a row
    writer.writerow(cells)
    writer.writerows(zip(*cells.values(), strict=True))
    encoding = str(written.get("encoding") or "utf-8")
    return write_whole(folder / "rows.csv", text.getvalue().encode(encoding, "replace"))


def _write_windows(folder: Path, windows: NDArray[np.float32]) -> Path:
    content = io.BytesIO()
    np.savez(content, x=windows)
    return write_whole(folder / "windows.npz", content.getvalue())


# Drawn from the schema ------------------------------------------------------------------------------------------------


def write_drawn(bundle: Bundle, count: int, folder: Path, *, seed: int, words: Sequence[str] = ()) -> Path:
    """Writes examples that nobody ever saw, of the kind that a model takes; returns what to name to `predict`.

    Args:
        seed: other numbers give other examples.
        words: that texts are made of.
    """
    draws = np.random.default_rng(seed)
    reading, written = bundle.reading, bundle.description.get("schema", {})
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(reading, PixelReading):
        for place in range(count):
            kind = ("JPEG", "PNG")[place % 2]
            write_whole(folder / f"{place:03}.{kind.lower()}", _saved(_drawn_image(draws), kind))
        return folder
    if isinstance(reading, ColumnReading):
        cells = {column.name: _drawn_cells(column, count, draws) for column in reading.schema.columns}
        return _write_table(folder, cells, written)
    if isinstance(reading, SampleReading):
        return _write_windows(folder, _drawn_windows(reading.window, count, draws))
    texts = [" ".join(draws.choice(list(words) or ["a", "b"], draws.integers(1, 60))) for _ in range(count)]
    return _write_table(folder, {written.get("input") or TEXT_COLUMN: texts}, written)


def _drawn_image(draws: np.random.Generator) -> NDArray[np.uint8]:
    """Coloured patches, blurred into each other, with some noise."""
    from PIL import Image

    height, width = draws.integers(60, 400, 2)
    patches = draws.integers(0, 256, (*draws.integers(2, 9, 2), 3)).astype(np.uint8)
    blurred = Image.fromarray(patches).resize((int(width), int(height)), Image.Resampling.BICUBIC)
    noisy = np.asarray(blurred, dtype=np.float32) + draws.normal(0, draws.uniform(0, 20), (height, width, 1))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _drawn_windows(shape: tuple[int, int], count: int, draws: np.random.Generator) -> NDArray[np.float32]:
    """Two tones and noise, in each channel."""
    samples, channels = shape
    time = np.arange(samples)[None, :, None, None]
    rate, phase, size = (draws.uniform(low, high, (count, 1, channels, 2)) for low, high in ((0, 3), (0, 6), (0, 1)))
    tones = (size * np.sin(rate * time + phase)).sum(axis=-1)
    return (tones + 0.3 * draws.normal(size=tones.shape)).astype(np.float32)


def _drawn_cells(
    column: NumericColumn | CategoricalColumn | DateColumn, count: int, draws: np.random.Generator
) -> list[str]:
    """Cells around what training had, a tenth of them empty."""
    if isinstance(column, CategoricalColumn):
        cells = draws.choice([*column.categories, "never seen"], count).tolist()
    elif isinstance(column, DateColumn):
        start = datetime.fromisoformat(column.origin)
        ages = draws.uniform(0, 900, count).tolist()
        cells = [_written_date(start + timedelta(days=age), column.form) for age in ages]
    elif column.notation == "true/false":
        cells = draws.choice(["true", "false"], count).tolist()
    else:
        values = column.median + max(abs(column.median), 1.0) * draws.normal(size=count)
        decimal = "," if column.notation.endswith(",5") else "."
        cells = [f"{value:.4f}".replace(".", decimal) for value in values.tolist()]
    return ["" if empty else cell for cell, empty in zip(cells, draws.random(count) < 0.1, strict=True)]


def _written_date(moment: datetime, form: str) -> str:
    order = {"2024-01-31": "%Y-%m-%d", "31.01.2024": "%d.%m.%Y", "31/01/2024": "%d/%m/%Y", "01/31/2024": "%m/%d/%Y"}
    return moment.strftime(f"{order[form]} %H:%M")
