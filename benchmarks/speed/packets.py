"""Linear heads side by side against one by one: seconds per plan, scoring and all, in one worker.

python -m benchmarks.speed.packets [--rows 2000] [--width 1280] [--classes 10] [--epochs 10] [--batch 32] [--dropout]

Every size of packet is measured in turn with plans one by one, so a ratio compares what ran in the same minute.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from autotl.backbones import BackboneSpec
from autotl.data.examples import Fold, TaskData
from autotl.data.images import ImageArray, array_digests
from autotl.features import FeatureStore
from autotl.plan import Plan
from autotl.trial.outcome import Job
from autotl.trial.scorer import Scorer
from autotl.trial.workshop import Workshop

PIXELS = 8  # of a side: the network is there for the width of its features alone
PACKETS = (2, 4, 8, 16, 32, 64)
ALONE = 3  # plans one by one beside every packet


def main() -> None:
    """Prints a row per size of packet."""
    arguments = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rows", 2_000), ("width", 1_280), ("classes", 10), ("epochs", 10), ("batch", 32)):
        arguments.add_argument(f"--{name}", type=int, default=default)
    arguments.add_argument("--dropout", action="store_true", help="plans drop features out")
    arguments.add_argument("--packets", type=int, nargs="+", default=PACKETS)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workshop = a_workshop(Path(folder), rows=given.rows, width=given.width, classes=given.classes)
        plan = Plan(_backbone(Path(folder)), image_size=PIXELS, epochs=given.epochs, batch_size=given.batch)
        dropout = 0.5 if given.dropout else 0.0
        measure(workshop, plan, given.packets, dropout=dropout)


def measure(workshop: Workshop, plan: Plan, packets: Sequence[int], *, dropout: float) -> None:
    """Trains plans alone and in packets of these sizes, in turn."""
    draws = np.random.default_rng(0)

    def plans(count: int) -> list[Job]:
        return [
            Job(
                number,
                replace(
                    plan,
                    learning_rate=float(10 ** draws.uniform(-3.5, -2)),
                    weight_decay=float(10 ** draws.uniform(-6, -2)),
                    dropout=dropout * float(draws.uniform()),
                    seed=number,
                ),
            )
            for number in range(count)
        ]

    def seconds_per_plan(jobs: Sequence[Job], *, together: bool) -> float:
        started = time.perf_counter()
        for packet in [jobs] if together else [[job] for job in jobs]:
            assert all(row.ending is None or row.ending.status == "complete" for row in workshop.train(packet))
        return (time.perf_counter() - started) / len(jobs)

    seconds_per_plan(plans(1), together=False)  # what a worker compiles once is left out
    print("| plans in a packet | seconds per plan | one by one | ratio |\n|---|---|---|---|")
    for size in packets:
        seconds_per_plan(plans(size), together=True)
        pairs = [
            (seconds_per_plan(plans(size), together=True), seconds_per_plan(plans(ALONE), together=False))
            for _ in range(2)
        ]
        packed, alone = (statistics.mean(side) for side in zip(*pairs, strict=True))
        print(f"| {size} | {packed:.3f} | {alone:.3f} | {alone / packed:.1f} |", flush=True)


def a_workshop(folder: Path, *, rows: int, width: int, classes: int) -> Workshop:
    """Noise, on a network that makes features of this width of it."""
    draws = np.random.default_rng(0)
    pixels = draws.integers(0, 256, size=(rows, PIXELS, PIXELS, 3)).astype(np.uint8)
    inputs = ImageArray(pixels, tuple(f"row {row}" for row in range(rows)), array_digests(pixels))
    order = draws.permutation(rows)
    fold = Fold(np.sort(order[rows // 5 :]), np.sort(order[: rows // 5]))
    data = TaskData(
        modality="image",
        classes=tuple(f"class {index}" for index in range(classes)),
        domains=("target",),
        inputs=(inputs,),
        labels=np.arange(rows) % classes,
        groups=None,
        folds=(fold,),
        suffix_folds=(fold,),
        score_kind="validation",
        target_rows=fold.validation,
        setting="inductive",
        metric="accuracy",
        test=None,
    )
    _save_network(_network_path(folder), width)
    return Workshop(data, FeatureStore(folder / "store", limit_bytes=1 << 30), Scorer("accuracy"))


def _backbone(folder: Path) -> BackboneSpec:
    return BackboneSpec("saved", str(_network_path(folder)))


def _network_path(folder: Path) -> Path:
    return folder / "network.keras"


def _save_network(path: Path, width: int) -> None:
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((PIXELS, PIXELS, 3))
    hidden = keras.layers.Dense(width)(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs)))
    keras.Model(inputs, keras.layers.Activation("relu")(hidden)).save(path)


if __name__ == "__main__":
    main()
