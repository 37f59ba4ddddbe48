"""Labels and probabilities of raw files by the exported model beside this file.

    python predict.py FILE…          CSV to standard output: input, label, probability, and a column for each class;
                                     of a model of several labels: input, labels, and a column for each label

Images are files or folders of them; texts a CSV or .txt files; tables a CSV; signals an .npz with windows. In Python:

    import predict
    model = predict.load()
    names, examples = zip(*model.examples(Path("photo.jpg")))
    probabilities = model.predict(examples)  # (n, classes)

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
        """Probabilities (n, classes) of raw examples."""
        return np.asarray(self._run(preprocess.preprocess(examples, self.described)), dtype=np.float32)

    def labels(self, probabilities: Any) -> list[str]:
        """The most probable class of each example; of several labels those that reach their threshold, maybe none."""
        thresholds = self.described.get("thresholds")
        if thresholds is None:
            return [self.classes[int(index)] for index in probabilities.argmax(axis=1)]
        said = probabilities >= np.array(thresholds)
        return ["; ".join(name for name, here in zip(self.classes, row, strict=True) if here) for row in said]


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


EXAMPLES = {"image": images, "text": texts, "table": rows, "signal": windows}


def main(paths: list[str]) -> None:
    """Writes the predictions of these paths."""
    model = load()
    writer = csv.writer(sys.stdout)
    several = "thresholds" in model.described
    first = ["labels"] if several else ["label", "probability"]
    writer.writerow(["input", *first, *(f"p_{name}" for name in model.classes)])
    for path in map(Path, paths):
        found = list(model.examples(path))
        for start in range(0, len(found), BATCH):
            names, examples = zip(*found[start : start + BATCH], strict=True)
            said = model.predict(examples)
            for name, label, row in zip(names, model.labels(said), said, strict=True):
                most = [] if several else [f"{row.max():.6f}"]
                writer.writerow([guarded(name), guarded(label), *most, *(f"{value:.6f}" for value in row)])


def guarded(text: str) -> str:
    """Spreadsheets run cells that begin like a formula; an apostrophe in front stops that. Numbers need none."""
    try:
        float(text)
    except ValueError:
        return f"'{text}" if text.startswith(tuple("=+-@\t\r\n")) else text
    return text


if __name__ == "__main__":
    main(sys.argv[1:])
