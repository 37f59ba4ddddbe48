"""The same plans by `autotl search` and by a hand-written script, in turn on the same machine.

python -m benchmarks.speed.plans [--full] [--unavoidable] [--images 2000] [--validation 500] [--repetitions 1]

CIFAR-10 at 128 px; MobileNetV2 and EfficientNet-Lite0, 1 and 2, of each two plans with a frozen backbone and one that
trains its last 12 layers that own weights; `--full` adds a full fine-tune of MobileNetV2. Each side is a command from
its start to its end: ours on an empty store and then on the filled one, theirs is `benchmarks.speed.hand_written`.
`--unavoidable` trains the plans one after the other in one process with all cores and counts features and training
alone. EfficientNet-Lite2 comes with the extra `[offline]`.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from autotl.api import read_leaderboard
from benchmarks.shared import parser, present, use_own_home
from benchmarks.speed.heads import some_of

PIXELS = 128
EPOCHS = 3
BACKBONES = ("mobilenet_v2_100", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
TASK = """\
name: plans
data: {{target: {{train: {folder}/train, validation: {folder}/validation, test: none}}}}
budget: {{trials: {trials}, wall: 2h, seeds: 1}}
baselines: none
search_space:
  backbone: {{choice: [{backbones}]}}
  image_size: {pixels}
  unfrozen_layers: {{choice: {unfrozen}}}
  tap: last
  head: linear
  learning_rate: {{log: [1.0e-4, 1.0e-2]}}
  backbone_rate_ratio: {{log: [0.01, 1.0]}}
  views: 0
  epochs: {epochs}
  adaptation: none
start_with: {folder}/plans.json
seed: 0
"""


def main() -> None:
    """Prints seconds, ratios and accuracies."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--images", type=int, default=2_000)
    arguments.add_argument("--validation", type=int, default=500)
    arguments.add_argument("--repetitions", type=int, default=1)
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--backbones", nargs="+", default=list(BACKBONES))
    arguments.add_argument("--full", action="store_true", help="also a full fine-tune of the first backbone")
    arguments.add_argument("--unavoidable", action="store_true", help="also the plans' own work alone")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cifar = present(given.shared / "data" / "cifar10")
        some_of(cifar / "train", folder / "train", images=given.images)
        some_of(cifar / "test", folder / "validation", images=given.validation)
        plans = the_plans([_found(backbone, given.shared) for backbone in given.backbones], full=given.full)
        write(folder, plans)
        sides: dict[str, list[tuple[float, list[float]]]] = {"ours, empty store": [], "ours, filled store": []}
        sides["hand-written"] = []
        for repetition in range(given.repetitions):
            cache = folder / f"cache{repetition}"
            sides["ours, empty store"].append(ours(folder, cache, f"empty{repetition}", given.workers))
            sides["ours, filled store"].append(ours(folder, cache, f"filled{repetition}", given.workers))
            sides["hand-written"].append(theirs(folder, given.workers))
        tell(sides)
        if given.unavoidable:
            alone = work_alone(folder, folder / "cache-alone")
            empty = float(np.median([seconds for seconds, _ in sides["ours, empty store"]]))
            print(f"\nunavoidable work, alone: {alone:.1f} s; ours on an empty store takes {empty / alone:.2f} x")


def the_plans(backbones: list[str], *, full: bool) -> list[dict[str, Any]]:
    """Three plans a backbone, in the words of `start_with`."""
    common = {"batch_size": 32, "epochs": EPOCHS, "backbone_rate_ratio": 0.1, "image_size": PIXELS}
    kinds: list[tuple[int | str, float]] = [(0, 1e-3), (0, 3e-3), (12, 3e-3)]
    chosen = [(backbone, *kind) for backbone in backbones for kind in kinds]
    chosen += [(backbones[0], "all", 1e-3)] if full else []
    return [
        {"backbone": backbone, "unfrozen_layers": unfrozen, "learning_rate": rate, "seed": number, **common}
        for number, (backbone, unfrozen, rate) in enumerate(chosen)
    ]


def write(folder: Path, plans: list[dict[str, Any]]) -> None:
    """The task of our side, and the plans for both."""
    (folder / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
    unfrozen = [0, 12, "all"] if any(plan["unfrozen_layers"] == "all" for plan in plans) else [0, 12]
    text = TASK.format(
        folder=folder,
        trials=len(plans),
        backbones=", ".join(dict.fromkeys(plan["backbone"] for plan in plans)),
        unfrozen=json.dumps(unfrozen),
        pixels=PIXELS,
        epochs=EPOCHS,
    )
    (folder / "task.yaml").write_text(text, encoding="utf-8")


def ours(folder: Path, cache: Path, out: str, workers: int) -> tuple[float, list[float]]:
    """Seconds of the whole command, and the validation accuracy of every plan."""
    command = ["-m", "autotl", "search", folder / "task.yaml", "--out", folder / out, "--workers", workers]
    seconds = _run([*command, "--baselines", "none", "--no-refit", "--no-early-stop", "--all-trials"], cache)
    rows = sorted(read_leaderboard(folder / out)["trials"], key=lambda row: row["trial"])
    failed = [f"trial {row['trial']} {row['status']}: {row['reason']}" for row in rows if row["status"] != "complete"]
    if failed:
        raise SystemExit("\n".join(failed))
    return seconds, [row["score"]["value"] for row in rows]


def theirs(folder: Path, workers: int) -> tuple[float, list[float]]:
    """The same of the hand-written script."""
    results = folder / "results.json"
    files = [folder / "plans.json", folder / "train", folder / "validation", results]
    seconds = _run(["-m", "benchmarks.speed.hand_written", *files, "--workers", workers], folder)
    return seconds, json.loads(results.read_text(encoding="utf-8"))["accuracies"]


def tell(sides: dict[str, list[tuple[float, list[float]]]]) -> None:
    """A row per side; accuracies are means over the plans, the best in brackets."""
    seconds = {side: float(np.median([each for each, _ in runs])) for side, runs in sides.items()}
    slowest = seconds["hand-written"]
    print("| side | seconds | times faster | validation accuracy: mean (best) |\n|---|---|---|---|")
    for side, runs in sides.items():
        accuracies = np.array([accuracy for _, accuracy in runs])
        print(
            f"| {side} | {seconds[side]:.0f} | {slowest / seconds[side]:.1f} | "
            f"{accuracies.mean():.3f} ({accuracies.max():.3f}) |"
        )


def work_alone(folder: Path, cache: Path) -> float:
    """Seconds of features and training, all plans one after the other in one process with all cores."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_work, (folder, cache))


def _work(folder: Path, cache: Path) -> float:
    os.environ["AUTOTL_CACHE_DIR"] = str(cache)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from autotl.api import Overrides, open_task
    from autotl.api.orders import workshop_order
    from autotl.data import load_data
    from autotl.trial.outcome import Job

    task = open_task(folder / "task.yaml", Overrides())
    workshop = workshop_order(task, load_data(task.task))()
    spent = 0.0
    for number, plan in enumerate(task.given):
        *_, last = workshop.train([Job(number, plan)])
        spent += last.seconds.features + last.seconds.train
    return spent


def _found(backbone: str, shared: Path) -> str:
    """A folder of shared weights, else the bare name."""
    folder = shared / "weights" / backbone
    return str(folder) if folder.is_dir() else backbone


def _run(arguments: list[Any], cache: Path) -> float:
    environment = {**os.environ, "AUTOTL_CACHE_DIR": str(cache), "TF_CPP_MIN_LOG_LEVEL": "3"}
    started = time.perf_counter()
    done = subprocess.run([sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stderr}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
