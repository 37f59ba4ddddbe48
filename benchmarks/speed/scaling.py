"""How seconds and peak memory of a whole search grow with its trials, its images and its workers.

python -m benchmarks.speed.scaling [trials images workers] [--trials 10 100 1000] [--images 1000 10000 50000]

Synthetic JPEG files of 128 px in ten classes, EfficientNet-Lite0. `trials`: linear heads of 10 epochs on 1,000 images,
with early stopping. `images`: ten such trials. `workers`: eight plans that train 12 layers for 3 epochs on 1,000
images, one worker and then two, each with a core. Start-up is in all of them. Memory as in `benchmarks.speed.memory`.
What the leaderboard and the report of many trials take is `benchmarks.speed.report`.
"""

import tempfile
from pathlib import Path

from benchmarks.shared import parser, present, use_own_home
from benchmarks.speed.memory import PIXELS, draw, measured_search

KINDS = ("trials", "images", "workers")
FEW_IMAGES, FEW_TRIALS, SUFFIX_TRIALS = 1_000, 10, 8
TASK = """\
name: scaling
data: {{target: {{train: {train}, validation: 0.2, test: none}}}}
budget: {{trials: {trials}, wall: 3h, seeds: 1}}
baselines: none
search_space:
  backbone: {weights}
  image_size: {pixels}
  tap: last
  unfrozen_layers: {unfrozen}
  head: linear
  learning_rate: {{log: [1.0e-4, 1.0e-2]}}
  weight_decay: {{log: [1.0e-6, 1.0e-2]}}
  views: 0
  epochs: {epochs}
  adaptation: none
seed: 0
"""


def main() -> None:
    """Prints a row per search."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("kinds", nargs="*", choices=[*KINDS, []], default=KINDS)
    arguments.add_argument("--trials", type=int, nargs="+", default=[10, 100, 1_000])
    arguments.add_argument("--images", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    arguments.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--weights", default="efficientnet_lite0", help="a folder of shared/weights")
    given = arguments.parse_args()
    weights = present(given.shared / "weights" / given.weights)
    print(
        "| trials | images | workers | unfrozen layers | seconds | peak (GiB) |\n|---|---|---|---|---|---|", flush=True
    )
    if "trials" in given.kinds:
        for trials in given.trials:
            tell(weights, trials=trials, images=FEW_IMAGES, workers=2, unfrozen=0)
    if "images" in given.kinds:
        for images in given.images:
            tell(weights, trials=FEW_TRIALS, images=images, workers=2, unfrozen=0)
    if "workers" in given.kinds:
        for workers in given.workers:
            tell(weights, trials=SUFFIX_TRIALS, images=FEW_IMAGES, workers=workers, unfrozen=12)


def tell(weights: Path, *, trials: int, images: int, workers: int, unfrozen: int) -> None:
    """One search from nothing, and its row; plans that train layers run to their ends."""
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder) / "train", images)
        task = Path(folder) / "task.yaml"
        task.write_text(
            TASK.format(
                train=Path(folder) / "train",
                weights=weights,
                pixels=PIXELS,
                trials=trials,
                unfrozen=unfrozen,
                epochs=3 if unfrozen else 10,
            ),
            encoding="utf-8",
        )
        found = measured_search(
            task, workers=workers, more=["--all-trials", *(["--no-early-stop"] if unfrozen else [])]
        )
    print(
        f"| {trials:,} | {images:,} | {workers} | {unfrozen} | {found.seconds:.0f} | {found.peak_bytes / 2**30:.2f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
