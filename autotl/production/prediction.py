"""Labels and probabilities for raw files, decoded exactly as in training."""

import csv
import io
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.backbones.reading import ColumnReading, PixelReading, SampleReading, StringReading
from autotl.data import Inputs
from autotl.data.unlabelled import read_listed, read_unlabelled
from autotl.data.unlabelled_rows import read_records, read_texts, read_windows
from autotl.errors import DataError
from autotl.leaderboard.files import guarded
from autotl.production.bundle import Bundle
from autotl.production.told import OF_CLASSES, Form, form_of
from autotl.run.folder import write_whole

BATCH = 64


@dataclass(frozen=True)
class Predictions:
    """One row per input that could be read.

    Attributes:
        probabilities: (n, classes); numbers, (n, 1), of a model that says such.
        form: in which they are told.
        skipped: examples that cannot be read, with the reason.
    """

    ids: tuple[str, ...]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    skipped: tuple[str, ...] = ()
    form: Form = OF_CLASSES

    @property
    def labels(self) -> list[str]:
        """The most probable class of each input, as written in the training data; or its number."""
        return self.form.labels(self.classes, self.probabilities)

    def as_csv(self) -> str:
        """A row per input: `input` and what its form tells (`Form.header`); no cell runs as a formula in a
        spreadsheet."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(["input", *self.form.header(self.classes)])
        for name, row in zip(self.ids, self.form.rows(self.classes, self.probabilities), strict=True):
            writer.writerow([guarded(name), *row])
        return text.getvalue()

    def write(self, path: Path) -> None:
        """Writes the CSV whole or not at all."""
        write_whole(path, self.as_csv().encode())


def predict(bundle: Bundle, data: Path) -> Predictions:
    """Predicts every example of a folder, a table, an `.npz` or a single file, as the bundle's modality has them.

    Raises:
        DataError: nothing there, or no example among it.
    """
    return _predicted(bundle, *read_inputs(bundle, data))


def predict_given(bundle: Bundle, content: bytes, *, where: str) -> Predictions:
    """The same for examples that are given instead of named: rows of a CSV below its header or, where the model takes
    images, the path of one on each line (or with NUL between them, as `find -print0` writes).

    Args:
        where: the content comes from, the beginning of a message.
    Raises:
        DataError: no example among it.
    """
    return _predicted(bundle, *_read_given(bundle, content, where))


def _predicted(bundle: Bundle, inputs: Inputs, skipped: tuple[str, ...]) -> Predictions:
    model = bundle.load_model()
    batches = [
        model.predict(model.reading(inputs, np.arange(start, min(start + BATCH, len(inputs)))))
        for start in range(0, len(inputs), BATCH)
    ]
    return Predictions(inputs.ids, bundle.classes, np.concatenate(batches), skipped, form_of(bundle.description))


def read_inputs(bundle: Bundle, data: Path) -> tuple[Inputs, tuple[str, ...]]:
    """The examples at a path, read as the bundle's modality has them, and a line for each that cannot be.

    Raises:
        DataError: nothing there, or no example among it.
    """
    written: Mapping[str, Any] = bundle.description.get("schema", {})  # how the data that it learnt from were written
    reading = bundle.reading
    if isinstance(reading, ColumnReading):
        return read_records(data, reading.schema, written)
    if isinstance(reading, SampleReading):
        return read_windows(data, reading.window, written)
    if isinstance(reading, StringReading):
        return read_texts(data, written)
    encoding = str(written.get("encoding") or "utf-8")
    return read_unlabelled(data, input_column=written.get("input"), encoding=encoding)


def _read_given(bundle: Bundle, content: bytes, where: str) -> tuple[Inputs, tuple[str, ...]]:
    if isinstance(bundle.reading, PixelReading):
        lines = content.split(b"\0") if b"\0" in content else content.splitlines()
        return read_listed([os.fsdecode(line) for line in lines if line.strip()], where=where)
    with tempfile.TemporaryDirectory(prefix="autotl-predict-") as folder:
        path = Path(folder, "rows.csv")
        path.write_bytes(content)
        try:
            return read_inputs(bundle, path)
        except DataError as error:
            raise DataError([mistake.replace(str(path), where) for mistake in error.mistakes]) from error
