"""The tasks whose pools of trials are recorded: small parts of real data, with labels, as a user describes them."""

import csv
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.shared import present

SEED = 0
NORMAL = "normal"  # bearings without a fault, which were not measured at every load
Counts = Mapping[str, int]  # split -> examples
IMAGES = """\
name: {name}
data: {{target: {{train: {folder}/train, validation: {folder}/validation, test: {folder}/test}}}}
metric: accuracy
search_space:
  backbone: {{choice: [efficientnet_lite0, efficientnet_lite1, {mobilenet}]}}
  image_size: 96
  tap: {{choice: [last, P4]}}
  unfrozen_layers: {{choice: [0, 4, 12]}}
  views: 0
  epochs: 9
"""
HANDWRITTEN = """\
name: {name}
data:
  target: {{train: {folder}/train, validation: {folder}/validation, test: {folder}/test, labels: all}}
  source: {{name: mnist, train: {folder}/source}}
metric: accuracy
search_space:
  backbone: {{choice: [efficientnet_lite0, efficientnet_lite1]}}
  image_size: 64
  tap: {{choice: [last, P4]}}
  unfrozen_layers: {{choice: [0, 4]}}
  views: 0
  epochs: 9
"""
TEXTS = """\
name: {name}
modality: text
data: {{target: {{train: {folder}/train.csv, validation: {folder}/validation.csv, test: {folder}/test.csv}}}}
metric: accuracy
search_space:
  sequence_length: {{choice: [48, 96]}}
  unfrozen_layers: {{choice: [0, 9]}}
"""
TABLE = """\
name: {name}
modality: table
data:
  target: {{train: {folder}/train.csv, validation: {folder}/validation.csv, test: {folder}/test.csv, labels: all}}
  source: {{name: others, train: {folder}/source.csv}}
  columns: {{label: {label}, drop: [{drop}]}}
metric: {metric}
"""
SIGNAL = """\
name: {name}
modality: signal
data:
  target:
    {{train: {folder}/train.npz, validation: {folder}/validation.npz, test: {folder}/test.npz, labels: all}}
  source: {{name: other-load, train: {folder}/source.npz}}
metric: accuracy
search_space:
  image_size: 96
  unfrozen_layers: {{choice: [0, 4]}}
"""


@dataclass(frozen=True)
class PoolTask:
    """One task.

    Attributes:
        modality: tasks of one modality share their plans, so that their pools can be laid side by side.
        write: makes data below a folder from the shared data, and returns the task as YAML.
        cheap, dear: how many plans its pool holds that train a head alone, and that unfreeze layers.
        like: the task whose data are of the same machines, recorded under other conditions; empty where there is none.
    """

    name: str
    modality: str
    write: Callable[["PoolTask", Path, Path], str]
    cheap: int
    dear: int
    like: str = ""


def _pictures(source: str, *parts: str, counts: Counts) -> Callable[[PoolTask, Path, Path], str]:
    def write(task: PoolTask, shared: Path, folder: Path) -> str:
        deal_images([present(shared / "data" / source / part) for part in parts], folder, counts)
        weights = present(shared / "weights" / "mobilenet_v2_100").resolve()
        return IMAGES.format(name=task.name, folder=folder, mobilenet=weights)

    return write


def _handwritten(task: PoolTask, shared: Path, folder: Path) -> str:
    digits = present(shared / "data" / "digits" / "png")
    deal_images([digits / "usps_1800"], folder, {"train": 150, "validation": 450, "test": 900})
    deal_images([digits / "mnist_2000"], folder, {"source": 500})
    return HANDWRITTEN.format(name=task.name, folder=folder)


def _reviews(*files: str, counts: Counts) -> Callable[[PoolTask, Path, Path], str]:
    def write(task: PoolTask, shared: Path, folder: Path) -> str:
        rows = [row for file in files for row in _rows(present(shared / "data") / file)]
        once = {row["text"]: row for row in rows}  # the same review on both sides of a split would be refused
        deal_rows(list(once.values()), folder, counts, columns=["text", "label"])
        return TEXTS.format(name=task.name, folder=folder)

    return write


def _machines(task: PoolTask, shared: Path, folder: Path) -> str:
    rows = _rows(present(shared / "data" / "ai4i2020") / "ai4i2020.csv")
    drop = "UDI, Product ID, Type, TWF, HDF, PWF, OSF, RNF"
    counts = {"train": 500, "validation": 2_000, "test": 3_400}
    deal_rows([row for row in rows if row["Type"] == "L"], folder, counts, columns=list(rows[0]))
    deal_rows([row for row in rows if row["Type"] != "L"], folder, {"source": 1_000}, columns=list(rows[0]))
    words = {"label": "Machine failure", "drop": drop, "metric": 'average_precision\npositive: "1"'}
    return TABLE.format(name=task.name, folder=folder, **words)


def _bearing_figures(task: PoolTask, shared: Path, folder: Path) -> str:
    rows = _rows(present(shared / "data" / "cwru_bearing") / "features.csv")
    rows = [row for row in rows if row["fault"] != NORMAL]
    counts = {"train": 100, "validation": 450, "test": 500}
    deal_rows([row for row in rows if row["load"] == "3"], folder, counts, columns=list(rows[0]))
    deal_rows([row for row in rows if row["load"] == "0"], folder, {"source": 500}, columns=list(rows[0]))
    return TABLE.format(name=task.name, folder=folder, label="fault", drop="load, split", metric="accuracy")


def _bearing_windows(load: int, source: int) -> Callable[[PoolTask, Path, Path], str]:
    def write(task: PoolTask, shared: Path, folder: Path) -> str:
        data = present(shared / "data" / "cwru_bearing")
        deal_windows(data / f"windows_load{load}.npz", folder, {"train": 60, "validation": 450, "test": 500})
        deal_windows(data / f"windows_load{source}.npz", folder, {"source": 300})
        return SIGNAL.format(name=task.name, folder=folder)

    return write


HALF_AND_HALF: Counts = {"train": 500, "validation": 500, "test": 800}
REVIEWS: Counts = {"train": 500, "validation": 500, "test": 900}
TASKS = {
    task.name: task
    for task in (
        PoolTask("flowers", "image", _pictures("flowers", "train", "test", counts=HALF_AND_HALF), 60, 16),
        PoolTask("digits", "image", _pictures("digits/png", "usps_1800", counts=HALF_AND_HALF), 60, 16),
        PoolTask("kitchen", "text", _reviews("amazon_reviews/kitchen.csv", counts=REVIEWS), 40, 6),
        PoolTask("bearing-figures", "table", _bearing_figures, 50, 24),
        PoolTask("cifar10", "image", _pictures("cifar10", "train", counts=HALF_AND_HALF), 60, 16),
        PoolTask("books", "text", _reviews("amazon_reviews/books.csv", counts=REVIEWS), 40, 6),
        PoolTask("bearing-windows", "signal", _bearing_windows(3, 0), 44, 16),
        PoolTask("machines", "table", _machines, 50, 24),
        PoolTask("handwritten", "image-domains", _handwritten, 48, 0),
        PoolTask(
            "chest",
            "image",
            _pictures("chest_xray", "train", "test", counts={"train": 250, "validation": 420, "test": 450}),
            60,
            16,
        ),
        PoolTask("bearing-windows-2", "signal", _bearing_windows(1, 2), 44, 16, like="bearing-windows"),
        PoolTask("movies", "text", _reviews("imdb_reviews/train.csv", counts=REVIEWS), 40, 6),
    )
}


def data_of(name: str) -> str:
    """Under which name a task's data go: tasks of one name are alike by more than their modality."""
    return TASKS[name].like or name if name in TASKS else name


def deal_images(folders: Sequence[Path], into: Path, counts: Counts) -> None:
    """Deals the images of class folders into the splits, every class in its share."""
    files = sorted(path for folder in folders for path in folder.glob("*/*.*"))
    labels = [path.parent.name for path in files]
    for split, rows in dealt(labels, counts).items():
        for row in rows:
            place = into / split / labels[row] / files[row].name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(files[row], place)


def deal_rows(rows: Sequence[Mapping[str, str]], into: Path, counts: Counts, *, columns: Sequence[str]) -> None:
    """Deals rows into CSV files, one for each split."""
    for split, chosen in dealt([""] * len(rows), counts).items():
        with (into / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows[row] for row in chosen)


def deal_windows(path: Path, into: Path, counts: Counts) -> None:
    """Deals the windows of an `.npz` into one for each split."""
    with np.load(path) as file:
        windows = np.concatenate([file["x_train"], file["x_test"]])
        labels = np.concatenate([file["y_train"], file["y_test"]])
    faulty = labels != NORMAL
    windows, labels = windows[faulty], labels[faulty]
    for split, rows in dealt(labels.tolist(), counts).items():
        np.savez(into / f"{split}.npz", x=windows[rows], y=labels[rows])


def dealt(labels: Sequence[str], counts: Counts) -> dict[str, list[int]]:
    """Places dealt into splits of these sizes, classes in their shares; fewer in the last where there are no more."""
    draws = np.random.default_rng(SEED)
    shuffled = draws.permutation(len(labels))
    of = np.array(labels)[shuffled]
    rank = np.empty(len(shuffled))
    for label in np.unique(of):
        places = np.flatnonzero(of == label)
        rank[places] = (np.arange(len(places)) + draws.random()) / len(places)
    order = shuffled[np.argsort(rank, kind="stable")]
    ends = np.cumsum(list(counts.values()))
    return {
        split: sorted(order[end - count : end].tolist())
        for (split, count), end in zip(counts.items(), ends.tolist(), strict=True)
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
