"""A whole search over linear heads on one backbone, against the one pass over the images that it cannot do without.

python -m benchmarks.speed.heads [--trials 200] [--epochs 10] [--images 2000] [--no-early-stop] [--hand-written 6]

Extraction alone is timed before and after the search, each in a new process, with as many cores as the search has. A
search counts from the moment that its first worker turns to the first plan (its processes have started) until the last
trial has been told; loading the network is in both. `--hand-written N` also has N such plans trained by
`benchmarks.speed.hand_written` and says what all would take that way.
"""

import json
import math
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import autotl
from autotl.api import read_leaderboard
from autotl.run.folder import TRIALS
from autotl.run.trial_files import LOG
from autotl.search.events import Event, TrialEnded
from benchmarks.shared import parser, present, use_own_home

CLASSES = 10
PIXELS = 128
TASK = """\
name: heads
data: {{target: {{train: {train}, test: {test}}}}}
budget: {{trials: {trials}, wall: 30m, seeds: 1}}
baselines: none
resources: {{cpus_per_trial: {cores}}}
search_space:
  backbone: {weights}
  image_size: {pixels}
  tap: last
  unfrozen_layers: 0
  head: linear
  learning_rate: {{log: [3.0e-4, 1.0e-2]}}
  weight_decay: {{log: [1.0e-6, 1.0e-2]}}
  dropout: {dropout}
  label_smoothing: {{choice: [0.0, 0.1]}}
  views: 0
  epochs: {epochs}
  adaptation: none
seed: 0
"""


class Clock:
    """Listens to a search: when its first plan was begun, when its last trial was told.

    A worker opens the log of its first trial when its process has started and it turns to the plan.
    """

    def __init__(self, run: Path) -> None:
        self.ends: dict[int, float] = {}
        self.begins = math.nan
        self._logs = run / TRIALS
        threading.Thread(target=self._watch, daemon=True).start()

    def __call__(self, event: Event) -> None:
        """Takes one event."""
        if isinstance(event, TrialEnded):
            self.ends[event.row["trial"]] = time.time()

    def _watch(self) -> None:
        while not any(self._logs.glob(f"*/{LOG}")):
            time.sleep(0.01)
        self.begins = time.time()

    @property
    def seconds(self) -> float:
        """From one to the other."""
        return max(self.ends.values()) - self.begins


def main() -> None:
    """Prints the search's seconds, extraction's, and where the search spent them."""
    use_own_home()
    arguments = parser(__doc__ or "")
    for name, default in (("trials", 200), ("epochs", 10), ("images", 2_000), ("workers", 1)):
        arguments.add_argument(f"--{name}", type=int, default=default)
    arguments.add_argument("--no-early-stop", dest="early_stopping", action="store_false")
    arguments.add_argument("--dropout", action="store_true", help="plans drop features out")
    arguments.add_argument("--hand-written", type=int, default=0, help="so many plans by the hand-written script, too")
    given = arguments.parse_args()
    data, weights = present(given.shared / "data" / "cifar10"), present(given.shared / "weights" / "mobilenet_v2_100")
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        train, task = Path(folder) / "train", Path(folder) / "task.yaml"
        some_of(data / "train", train, images=given.images)
        some_of(data / "test", Path(folder) / "test", images=100)
        task.write_text(
            TASK.format(
                train=train,
                test=Path(folder) / "test",
                trials=given.trials,
                cores=cores // given.workers,
                weights=weights,
                pixels=PIXELS,
                dropout="{linear: [0.0, 0.5]}" if given.dropout else 0.0,
                epochs=given.epochs,
            ),
            encoding="utf-8",
        )
        alone = [extraction_alone(task)]
        os.environ["AUTOTL_CACHE_DIR"] = str(Path(folder) / "cache")
        run = Path(folder) / "run"
        clock = Clock(run)
        autotl.search(
            task,
            out=run,
            listen=clock,
            workers=given.workers,
            early_stopping=given.early_stopping,
            stops_when_done=False,
            refit=False,
        )
        alone.append(extraction_alone(task))
        tell(clock, run, statistics.mean(alone))
        if given.hand_written:
            seconds = by_hand(Path(folder), train, weights, plans=given.hand_written, epochs=given.epochs)
            of_all = seconds / given.hand_written * given.trials
            print(
                f"\n{given.hand_written} plans by the hand-written script: {seconds:.0f} s; {given.trials} would take "
                f"{of_all:,.0f} s, {of_all / clock.seconds:.0f} x the search"
            )


def tell(clock: Clock, run: Path, extraction: float) -> None:
    """Two tables."""
    rows = [row for row in read_leaderboard(run)["trials"] if row["trial"] in clock.ends]
    print("| trials | search (s) | extraction alone (s) | ratio |\n|---|---|---|---|")
    print(f"| {len(rows)} | {clock.seconds:.1f} | {extraction:.1f} | {clock.seconds / extraction:.2f} |\n")
    stages = ("features", "train", "score", "propose", "overhead")
    print("| seconds in all | " + " | ".join(stages) + " |\n" + "|---" * (len(stages) + 1) + "|")
    sums = {stage: [row["seconds"][stage] for row in rows] for stage in stages}
    print("| sum | " + " | ".join(f"{sum(sums[stage]):.2f}" for stage in stages) + " |")
    print("| median of a trial | " + " | ".join(f"{statistics.median(sums[stage]):.4f}" for stage in stages) + " |")


def extraction_alone(task: Path) -> float:
    """Seconds of a new process from loading the network to the last stored block, all other work left out."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_extract, (task,))


def _extract(task: Path) -> float:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from autotl.api import Overrides, open_task
    from autotl.api.orders import workshop_order
    from autotl.data import load_data
    from autotl.plan.baselines import first_plans

    opened = open_task(task, Overrides())
    (plan,) = first_plans(opened.space).values()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AUTOTL_CACHE_DIR"] = folder
        workshop = workshop_order(opened, load_data(opened.task))()
        started = time.perf_counter()
        workshop.bench.learner(plan, lambda: None)
        return time.perf_counter() - started


def by_hand(folder: Path, train: Path, weights: Path, *, plans: int, epochs: int) -> float:
    """Seconds of the hand-written script for so many plans, validated on the test images."""
    common = {"backbone": str(weights), "unfrozen_layers": 0, "batch_size": 32, "epochs": epochs}
    asked = [{**common, "learning_rate": 1e-3, "seed": seed} for seed in range(plans)]
    (folder / "plans.json").write_text(json.dumps(asked), encoding="utf-8")
    files = [folder / "plans.json", train, folder / "test", folder / "results.json"]
    subprocess.run([sys.executable, "-m", "benchmarks.speed.hand_written", *map(str, files)], check=True)
    return float(json.loads((folder / "results.json").read_text(encoding="utf-8"))["seconds"])


def some_of(folder: Path, into: Path, *, images: int) -> None:
    """As many images of each class as make so many in all."""
    for source in sorted(path for path in folder.iterdir() if path.is_dir()):
        (into / source.name).mkdir(parents=True)
        for image in sorted(source.iterdir())[: images // CLASSES]:
            shutil.copy(image, into / source.name / image.name)


if __name__ == "__main__":
    main()
