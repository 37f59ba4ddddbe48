"""How often `autotl watch` cries wolf, and how often it misses one, on real pairs of domains.

python -m benchmarks.watch amazon|cwru|cifar [...] [--rows 50 200] [--draws 10] [--json FILE]

A plan is trained on the training part of a domain as the winner of a search would be. Fresh inputs are draws from parts
that no training saw: of the same domain, where "search again" is a false alarm, and of others, where it is a detection.
Their labels are opened here, to see how far estimated accuracy is from the truth; `watch` reads none.
"""

import argparse
import csv
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.api.opening import Overrides, open_task
from autotl.api.orders import workshop_order
from autotl.backbones.reading import own_reading
from autotl.data import load_data
from autotl.data.images import ImageArray, array_digests
from autotl.data.texts import texts_of
from autotl.data.windows import windows_from_samples
from autotl.plan.fields import parse_plan
from autotl.production.portrait import Seen, look, portrait_of
from autotl.production.refit import all_labelled
from autotl.production.serving_model import ServingModel, serving_model
from autotl.production.shipping import calibration_of
from autotl.scoring.watching import Portrait, compare, judge
from autotl.trial.forms import form_of
from autotl.trial.outcome import Job
from benchmarks.selection.corruptions import CORRUPTIONS
from benchmarks.shared import parser, present, use_own_home

DOMAINS = ("books", "dvd", "electronics", "kitchen")
LOADS = (0, 1, 2, 3)
TEXT_PLAN = {"backbone": "bag_of_words"}
IMAGE_PLAN = {
    "backbone": "efficientnet_lite0",
    "image_size": 64,
    "tap": "P4",
    "learning_rate": 0.003,
    "backbone_rate_ratio": 0.3,
    "epochs": 6,
}
TASK = """\
name: {name}
data:
  target: {{train: {train}, test: 0}}
metric: accuracy
"""

Labels = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Pool:
    """Examples of one domain that no training saw, with their class names."""

    inputs: Any
    labels: Labels


@dataclass(frozen=True)
class Found:
    """One draw that was watched."""

    data: str
    trained_on: str
    watched: str
    rows: int
    draw: int
    verdict: str
    reasons: list[str]
    a_distance: float
    unlike: float
    fall: float
    estimated: float
    truth: float

    @property
    def is_same(self) -> bool:
        """Whether the domain is the one that was trained on."""
        return self.trained_on == self.watched


def main() -> None:
    """Prints a table; with --json also every draw."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.formatter_class = argparse.RawDescriptionHelpFormatter
    arguments.add_argument("data", nargs="+", choices=list(MAKERS))
    arguments.add_argument("--rows", type=int, nargs="+", default=[50, 200])
    arguments.add_argument("--draws", type=int, default=10)
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    found: list[Found] = []
    for name in given.data:
        with tempfile.TemporaryDirectory(prefix="autotl-watch-") as place:
            for trained_on, watchable, pools in MAKERS[name](given.shared / "data", Path(place)):
                found += _watched(name, trained_on, watchable, pools, rows=given.rows, draws=given.draws)
        _report([each for each in found if each.data == name])
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(each) for each in found], indent=1), encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Watchable:
    """A model as it ships, with the portrait that its bundle would carry."""

    model: ServingModel
    portrait: Portrait
    classes: tuple[str, ...]


Made = Iterator[tuple[str, Watchable, Mapping[str, Pool]]]


def _amazon(data: Path, place: Path) -> Made:
    pools, folder = {}, present(data / "amazon_reviews")
    for domain in DOMAINS:
        with (folder / f"{domain}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        with (place / f"{domain}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["text", "label"], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(row for row in rows if row["split"] == "train")
        fresh = [row for row in rows if row["split"] == "test"]
        texts = texts_of((row["text"] for row in fresh), map(str, range(len(fresh))))
        pools[domain] = Pool(texts, np.array([row["label"] for row in fresh]))
    for domain in DOMAINS:
        yield domain, _trained(place, domain, f"{domain}.csv", TEXT_PLAN), pools


def _cwru(data: Path, place: Path) -> Made:
    pools, folder = {}, present(data / "cwru_bearing")
    for load in LOADS:
        with np.load(folder / f"windows_load{load}.npz") as file:
            arrays = {name: file[name] for name in file.files}
        faults = {split: arrays[f"y_{split}"] != "normal" for split in ("train", "test")}
        np.savez(place / f"{load}.npz", x=arrays["x_train"][faults["train"]], y=arrays["y_train"][faults["train"]])
        samples = arrays["x_test"][faults["test"]].astype(np.float32)
        windows = windows_from_samples(
            samples.reshape(len(samples), samples.shape[1], -1), ids=[str(row) for row in range(len(samples))]
        )
        pools[f"load {load}"] = Pool(windows, arrays["y_test"][faults["test"]])
    for load in LOADS:
        yield f"load {load}", _trained(place, f"load-{load}", f"{load}.npz", {"backbone": "random_forest"}), pools


def _cifar(data: Path, place: Path) -> Made:
    from PIL import Image

    folder = present(data / "cifar10")
    read: dict[str, tuple[list[Any], list[str]]] = {"train": ([], []), "test": ([], [])}
    for split, (images, labels) in read.items():
        for path in sorted((folder / split).glob("*/*.jpg")):
            if split == "test" or int(path.stem) % 2 == 0:
                images.append(np.asarray(Image.open(path).convert("RGB")))
                labels.append(path.parent.name)
    np.savez(place / "train.npz", x=np.stack(read["train"][0]), y=np.array(read["train"][1]))
    fresh, names = np.stack(read["test"][0]), np.array(read["test"][1])
    for unfrozen in (0, 24):
        trained_on = f"clean ({unfrozen} unfrozen)"
        made = {trained_on: fresh, **{name: corrupt(fresh) for name, corrupt in CORRUPTIONS.items()}}
        pools = {
            name: Pool(ImageArray(pixels, tuple(map(str, range(len(pixels)))), array_digests(pixels)), names)
            for name, pixels in made.items()
        }
        plan = {**IMAGE_PLAN, "unfrozen_layers": unfrozen}
        yield trained_on, _trained(place, f"cifar-{unfrozen}", "train.npz", plan), pools


MAKERS = {"amazon": _amazon, "cwru": _cwru, "cifar": _cifar}


def _trained(place: Path, name: str, train: str, plan: Mapping[str, Any]) -> Watchable:
    """A plan scored on held-out examples, then trained on all of them: what a search ships."""
    path = place / f"{name}.yaml"
    path.write_text(TASK.format(name=name, train=train), encoding="utf-8")
    task = open_task(path, Overrides())
    data = load_data(task.task)
    workshop = workshop_order(task, data)()
    chosen = parse_plan(plan, where=name, folder=place, modality=data.modality).canonical()
    *_, last = workshop.train([Job(0, chosen)])
    ending = last.ending
    assert ending is not None, "the last row has one"
    outputs = ending.outputs
    assert outputs is not None, f"{name}: {ending.reason}"
    print(f"{name}: {ending.score}", file=sys.stderr)
    temperature = calibration_of(outputs, data)["temperature"]
    learner = workshop.fit(chosen, all_labelled(data, workshop.folds(chosen)))
    model = serving_model(learner, own_reading(form_of(chosen, data)), temperature=temperature)
    portrait = portrait_of(model, data, outputs, temperature=temperature)
    assert portrait is not None, "there are enough examples"
    return Watchable(model, portrait, data.classes)


def _watched(
    data: str, trained_on: str, made: Watchable, pools: Mapping[str, Pool], *, rows: list[int], draws: int
) -> Iterator[Found]:
    for watched, pool in pools.items():
        seen = look(made.model, pool.inputs, np.arange(len(pool.inputs)))
        right = np.array(made.classes)[seen.said.argmax(axis=1)] == pool.labels
        for size in rows:
            for draw in range(draws):
                chosen = np.random.default_rng([draw, size]).permutation(len(right))[:size]
                compared = compare(made.portrait, **_rows_of(seen, chosen))
                verdict = judge(compared, made.classes)
                assert compared.fall is not None, "validation has labels"
                yield Found(
                    data,
                    trained_on,
                    watched,
                    size,
                    draw,
                    verdict.name,
                    [reason.code for reason in verdict.reasons if reason.verdict == "search_again"],
                    compared.a_distance.value,
                    compared.unlike.value,
                    compared.fall.value,
                    statistics.median(compared.now.values()),
                    float(right[chosen].mean()),
                )


def _rows_of(seen: Seen, rows: NDArray[np.int64]) -> dict[str, Any]:
    table = None if seen.table is None else seen.table[rows]
    return {"features": seen.features[rows], "said": seen.said[rows], "table": table}


def _report(found: list[Found]) -> None:
    print(
        "\n| trained on | watched | inputs | fine | look | search again | A-distance | unlike | estimated | true |"
        "\n|---|---|---|---|---|---|---|---|---|---|"
    )
    for key in dict.fromkeys((each.trained_on, each.watched, each.rows) for each in found):
        draws = [each for each in found if (each.trained_on, each.watched, each.rows) == key]
        counts = [sum(each.verdict == name for each in draws) for name in ("fine", "look", "search_again")]
        means = [
            f"{statistics.mean(getattr(each, name) for each in draws):.2f}"
            for name in ("a_distance", "unlike", "estimated", "truth")
        ]
        print(f"| {' | '.join([*map(str, key), *map(str, counts), *means])} |", flush=True)
    for rows in dict.fromkeys(each.rows for each in found):
        for is_same, words in ((True, "false alarms, same domain"), (False, "detected, other domain")):
            draws = [each for each in found if each.rows == rows and each.is_same == is_same]
            alarms = sum(each.verdict == "search_again" for each in draws)
            apart = statistics.mean(abs(each.estimated - each.truth) for each in draws)
            counted = f"{alarms} of {len(draws)}; estimated accuracy off by {apart:.3f}"
            print(f"{found[0].data}, {rows} inputs: {words}: {counted}")


if __name__ == "__main__":
    main()
