"""Extraction against a bare TensorFlow forward pass over images that are in memory already: images a second.

python -m benchmarks.speed.extraction [--images 2000] [--repetitions 3] [--weights efficientnet_lite0] [--unfrozen 0]

CIFAR-10 at 128 px. Every way is run once to compile, then all of them in turn, so that a ratio compares what ran in
the same minute. Ours stores what it computes; "decoded" starts from the JPEG files, "in memory" from the same pixels as
TensorFlow. Beside the clock stands the processor's own time, which says more on a machine that others use too.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.backbones import build_network, parse_spec
from autotl.backbones.cut import Division, divide
from autotl.backbones.form import of_images
from autotl.data.examples import PLAIN, Inputs, Rows, View
from autotl.data.unlabelled import read_unlabelled
from autotl.errors import EnvironmentProblemError
from autotl.features import FeatureStore, check_precision
from autotl.features.extractor import Extractor
from benchmarks.shared import parser, present

PIXELS = 128
BATCH = 64  # of the bare forward pass; 16 to 128 differ by a tenth
BARE = "bare TensorFlow, in memory"
Run = Callable[[], object]


class InMemory:
    """Images that were decoded before."""

    def __init__(self, pixels: NDArray[np.uint8], inputs: Inputs) -> None:
        self.pixels = pixels
        self.ids, self.digests = inputs.ids, inputs.digests

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, rows: Rows, *, size: int, view: View = PLAIN, crop: str = "none") -> NDArray[np.uint8]:  # noqa: ARG002
        """Their pixels."""
        return self.pixels[rows]


def main() -> None:
    """Prints a row per way."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--images", type=int, default=2_000)
    arguments.add_argument("--repetitions", type=int, default=3)
    arguments.add_argument("--weights", default="efficientnet_lite0", help="a folder of shared/weights")
    arguments.add_argument("--unfrozen", type=int, default=0, help="the cut is where so many layers are unfrozen")
    given = arguments.parse_args()
    spec = parse_spec(str(present(given.shared / "weights" / given.weights)), folder=Path(), where="--weights")
    division = divide(build_network(spec, form=of_images(PIXELS)), given.unfrozen)
    inputs, _ = read_unlabelled(present(given.shared / "data" / "cifar10" / "train"))
    inputs = inputs.take(np.random.default_rng(0).permutation(len(inputs))[: given.images])
    pixels = division.network.reading(inputs, np.arange(len(inputs)))
    with tempfile.TemporaryDirectory() as folder:
        runs = ways(division, inputs, pixels, Path(folder))
        measure(runs, images=len(inputs), repetitions=given.repetitions)


def ways(division: Division, inputs: Inputs, pixels: NDArray[np.uint8], folder: Path) -> dict[str, Run]:
    """Every way to the same features, by its name."""
    found: dict[str, Run] = {BARE: lambda: forward(division, pixels)}
    by_keras = Extractor(FeatureStore(folder / "none", limit_bytes=0))
    by_keras.leave_to_keras(division.network)
    extractors = {"Keras": by_keras}
    for precision in ("float32", "bfloat16"):
        try:
            check_precision(precision, where=precision)
        except EnvironmentProblemError as missing:
            print(missing)
            continue
        fast = Extractor(FeatureStore(folder / "none", limit_bytes=0), precision)
        if fast.prefix(division).engine.startswith("openvino"):
            extractors[f"OpenVINO, {precision}"] = fast
    for name, extractor in extractors.items():
        for what, source in (("decoded", inputs), ("in memory", InMemory(pixels, inputs))):
            found[f"ours by {name}, {what}"] = lambda e=extractor, s=source: extract_anew(e, division, s, folder)
    return found


def forward(division: Division, pixels: NDArray[np.uint8]) -> None:
    """As a hand-written loop does it."""
    model: Any = division.prefix
    if not model.compiled:
        model.compile(jit_compile=False)
    for start in range(0, len(pixels), BATCH):
        model.predict_on_batch(pixels[start : start + BATCH])


def extract_anew(extractor: Extractor, division: Division, inputs: Any, folder: Path) -> None:
    """Into an empty store."""
    with tempfile.TemporaryDirectory(dir=folder) as empty:
        extractor.store = FeatureStore(Path(empty), limit_bytes=1 << 40)
        extractor.features(division, inputs)


def measure(runs: dict[str, Run], *, images: int, repetitions: int) -> None:
    """Runs all of them in turn and prints the medians."""
    first = {name: _timed(run)[0] for name, run in runs.items()}
    timed: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(repetitions):
        for name, run in runs.items():
            timed[name].append(_timed(run))
    bare_wall, bare_cpu = _medians(timed[BARE])
    cores = len(os.sched_getaffinity(0))
    print(f"\n{images} images at {PIXELS} px, {cores} cores, median of {repetitions}\n")
    print(
        "| way | first run, compiling (s) | images/s | ratio | images a CPU second | ratio |\n|---|---|---|---|---|---|"
    )
    for name, pairs in timed.items():
        wall, cpu = _medians(pairs)
        print(
            f"| {name} | {first[name]:.1f} | {images / wall:.0f} | {bare_wall / wall:.2f} | "
            f"{images / cpu:.0f} | {bare_cpu / cpu:.2f} |"
        )


def _medians(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(wall for wall, _ in pairs), statistics.median(cpu for _, cpu in pairs)


def _timed(run: Run) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
