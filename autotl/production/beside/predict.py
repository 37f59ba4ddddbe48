"""What the exported model beside this file says of raw files.

    python predict.py FILE…          CSV to standard output: input, label, probability, and a column for each class;
                                     of a model of several labels: input, labels, and a column for each label;
                                     of a model of numbers: input, the number, and the ends of its interval

Images are files or folders of them; texts a CSV or .txt files; tables a CSV; signals an .npz with windows. In Python:

    import predict
    model = predict.load()
    names, examples = zip(*model.examples(Path("photo.jpg")))
    said = model.predict(examples)  # (n, classes) probabilities, or (n, 1) numbers

It needs Python 3.10 or newer, NumPy, Pillow for images, and the runtime that `runtime.py` imports; no autotl.
"""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import preprocess
import runtime

HERE = Path(__file__).parent
IMAGES = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
BATCH = 32


class Model:
    """The exported model with its preprocessing."""

    def __init__(self, described: dict[str, Any], run: Any) -> None:
        self.described = described
        self.classes: list[str] = described["classes"]
        self._run = run

    def examples(self, path: Path) -> Iterator[tuple[str, Any]]:
        """Names and raw examples: the bytes of an image, a text, the cells of a row by column, or a window."""
        yield from EXAMPLES[self.described["modality"]](path, self.described.get("written", {}))

    def predict(self, examples: Sequence[Any]) -> Any:
        """Probabilities (n, classes) of raw examples, or numbers (n, 1)."""
        return np.asarray(self._run(preprocess.preprocess(examples, self.described)), dtype=np.float32)

    def header(self) -> list[str]:
        """The names of what `rows` gives."""
        return HEADERS[self.described["problem"]](self)

    def rows(self, said: Any) -> Iterator[list[str]]:
        """The cells of each example, without its name."""
        return ROWS[self.described["problem"]](self, said)


def load(folder: Path = HERE, threads: int | None = None) -> Model:
    """The model in a folder; `threads` limits the runtime where it can be told."""
    described = json.loads((folder / "preprocess.json").read_text(encoding="utf-8"))
    return Model(described, runtime.load(folder, described, threads))


def images(path: Path, written: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """An image, or all below a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.suffix.lower() in IMAGES:
            yield (file.relative_to(path).as_posix() if path.is_dir() else file.name), file.read_bytes()


def texts(path: Path, written: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A file, or the column of a CSV that the model learnt from."""
    encoding = "utf-8-sig" if written.get("encoding") in (None, "utf-8") else written["encoding"]
    if path.suffix.lower() != ".csv":
        yield path.name, path.read_text(encoding=encoding).replace("\0", "")
        return
    for name, cells in rows(path, written):
        column = str(written.get("input"))
        yield name, cells[column if column in cells else "text"].replace("\0", "")


def rows(path: Path, written: dict[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """The rows of a CSV, every cell as it is written."""
    encoding = "utf-8-sig" if written.get("encoding") in (None, "utf-8") else written["encoding"]
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline()
        file.seek(0)
        separator = max(",;\t|", key=first.count)
        for number, cells in enumerate(csv.DictReader(file, delimiter=separator)):
            yield f"row {number}", cells


def windows(path: Path, written: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Windows (n, samples) or (n, samples, channels) of an .npz."""
    with np.load(path, allow_pickle=False) as archive:
        member = written.get("input") if written.get("input") in archive else "x"
        values = archive[member].astype(np.float32)
    for number, window in enumerate(values if values.ndim == 3 else values[:, :, None]):
        yield f"row {number}", window


def header_of_classes(model: Model) -> list[str]:
    """A column for the class, one for its probability, and one for each class."""
    return ["label", "probability", *(f"p_{name}" for name in model.classes)]


def rows_of_classes(model: Model, said: Any) -> Iterator[list[str]]:
    """The most probable class, and all probabilities."""
    for row in said:
        label = guarded(model.classes[int(row.argmax())])
        yield [label, f"{row.max():.6f}", *(f"{value:.6f}" for value in row)]


def header_of_sets(model: Model) -> list[str]:
    """A column for the labels, and one for each of them."""
    return ["labels", *(f"p_{name}" for name in model.classes)]


def rows_of_sets(model: Model, said: Any) -> Iterator[list[str]]:
    """The labels that reach their threshold, maybe none, and all probabilities."""
    for row in said:
        at_least = zip(model.classes, row, model.described["thresholds"], strict=True)
        names = "; ".join(name for name, value, threshold in at_least if value >= threshold)
        yield [guarded(names), *(f"{value:.6f}" for value in row)]


def header_of_numbers(model: Model) -> list[str]:
    """A column for the number and, where there is an interval, two for its ends."""
    interval = model.described.get("interval")
    ends = [] if interval is None else [f"{end}_{interval['level']:.0%}" for end in ("low", "high")]
    return [guarded(model.classes[0]), *ends]


def rows_of_numbers(model: Model, said: Any) -> Iterator[list[str]]:
    """The number, to as many digits as it has, and the ends of the interval around it."""
    interval = model.described.get("interval")
    for value in said[:, 0].tolist():
        ends = [] if interval is None else [value - interval["half_width"], value + interval["half_width"]]
        yield [f"{each:.7g}" for each in (value, *ends)]


HEADERS = {"classification": header_of_classes, "multilabel": header_of_sets, "regression": header_of_numbers}
ROWS = {"classification": rows_of_classes, "multilabel": rows_of_sets, "regression": rows_of_numbers}
EXAMPLES = {"image": images, "text": texts, "table": rows, "signal": windows}


def main(paths: list[str]) -> None:
    """Writes the predictions of these paths."""
    model = load()
    writer = csv.writer(sys.stdout)
    writer.writerow(["input", *model.header()])
    for path in map(Path, paths):
        found = list(model.examples(path))
        for start in range(0, len(found), BATCH):
            names, examples = zip(*found[start : start + BATCH], strict=True)
            for name, cells in zip(names, model.rows(model.predict(examples)), strict=True):
                writer.writerow([guarded(name), *cells])


def guarded(text: str) -> str:
    """Spreadsheets run cells that begin like a formula; an apostrophe in front stops that. Numbers need none."""
    try:
        float(text)
    except ValueError:
        return f"'{text}" if text.startswith(tuple("=+-@\t\r\n")) else text
    return text


if __name__ == "__main__":
    main(sys.argv[1:])
