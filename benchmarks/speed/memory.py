"""Peak memory of a whole search by the number of images: it must not grow with them.

python -m benchmarks.speed.memory [--images 5000 50000] [--workers 2] [--unfrozen 12]

Synthetic JPEG files of 128 px in ten classes; one plan with a frozen backbone and one that trains its last layers on
stored maps, an epoch each. What is counted, four times a second, is the proportional set size of the command and all
that it starts, Ray's own processes included: memory that several of them share counts once, mapped files count too.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.shared import parser, present, use_own_home

CLASSES = 10
PIXELS = 128
SECONDS_BETWEEN_LOOKS = 0.25
TASK = """\
name: memory
data: {{target: {{train: {train}, validation: 0.1, test: none}}}}
budget: {{trials: 2, wall: 3h, seeds: 1}}
baselines: none
search_space:
  {{backbone: {weights}, image_size: {pixels}, views: 0, epochs: 1, unfrozen_layers: {{choice: [0, {unfrozen}]}}}}
start_with:
  - {{backbone: {weights}, image_size: {pixels}, views: 0, epochs: 1, unfrozen_layers: 0}}
  - {{backbone: {weights}, image_size: {pixels}, views: 0, epochs: 1, unfrozen_layers: {unfrozen}}}
"""


def main() -> None:
    """Prints a row per number of images."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--images", type=int, nargs="+", default=[5_000, 50_000])
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--unfrozen", type=int, default=12)
    arguments.add_argument("--weights", default="efficientnet_lite0", help="a folder of shared/weights")
    given = arguments.parse_args()
    weights = present(given.shared / "weights" / given.weights)
    print("| images | peak (GiB) | over the first (GiB) | seconds |\n|---|---|---|---|")
    first: float | None = None
    for images in given.images:
        with tempfile.TemporaryDirectory() as folder:
            draw(Path(folder) / "train", images)
            task = Path(folder) / "task.yaml"
            task.write_text(
                TASK.format(train=Path(folder) / "train", weights=weights, pixels=PIXELS, unfrozen=given.unfrozen),
                encoding="utf-8",
            )
            found = measured_search(task, workers=given.workers)
            peak = found.peak_bytes / 2**30
            first = peak if first is None else first
            print(f"| {images:,} | {peak:.2f} | {peak - first:.2f} | {found.seconds:.0f} |", flush=True)


def draw(folder: Path, images: int) -> None:
    """Noise in the colour of its class, as JPEG files in class folders."""
    from PIL import Image

    draws = np.random.default_rng(0)
    colours = draws.integers(0, 200, (CLASSES, 3))
    for label in range(CLASSES):
        (folder / f"class{label}").mkdir(parents=True)

    def save(number: int) -> None:
        label = number % CLASSES
        own = np.random.default_rng(number)
        coarse = (colours[label] + own.integers(0, 56, (8, 8, 3))).astype(np.uint8)
        image = Image.fromarray(coarse).resize((PIXELS, PIXELS), Image.Resampling.BICUBIC)
        image.save(folder / f"class{label}" / f"{number}.jpg")

    with ThreadPoolExecutor() as pool:
        list(pool.map(save, range(images), chunksize=256))


@dataclass(frozen=True)
class MeasuredSearch:
    """What a search took."""

    seconds: float
    peak_bytes: int


def measured_search(task: Path, *, workers: int, more: Sequence[str] = ()) -> MeasuredSearch:
    """Runs a search without a refit, on a store of its own, from its start to its end."""
    out = task.parent / "run"
    command = [sys.executable, "-m", "autotl", "search", str(task), "--out", str(out), "--workers", str(workers)]
    environment = {**os.environ, "AUTOTL_CACHE_DIR": str(task.parent / "cache")}
    started = time.perf_counter()
    with subprocess.Popen([*command, "--no-refit", *more], env=environment, stdout=subprocess.DEVNULL) as process:
        watched = Peak(psutil.Process(process.pid))
        watched.start()
        code = process.wait()
        watched.ended.set()
        watched.join()
    if code:
        raise SystemExit(f"the search ended with exit code {code}")
    return MeasuredSearch(time.perf_counter() - started, watched.bytes)


class Peak(threading.Thread):
    """Looks at a process and all its descendants until it is told to end."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.bytes = 0
        self._process = process

    def run(self) -> None:
        """Looks again and again."""
        while not self.ended.wait(SECONDS_BETWEEN_LOOKS):
            try:
                tree = [self._process, *self._process.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            self.bytes = max(self.bytes, sum(_bytes_of(each) for each in tree))


def _bytes_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return 0  # it has ended meanwhile


if __name__ == "__main__":
    main()
