"""CIFAR-10 (5,000 training images): what does the search gain over the best frozen linear probe?

python -m benchmarks.cifar10 [--trials 24] [--wall 30m] [--out DIR]
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import autotl
from autotl.api import Run
from autotl.search.events import TrialEnded
from benchmarks.shared import parser, present, use_own_home

TASK = """\
name: cifar10
data:
  target: {{train: {data}/train, test: {data}/test}}
budget: {{trials: {trials}, wall: {wall}}}
baselines: [linear_probe, no_transfer]
search_space:
  backbone: {{choice: [{weights}/efficientnet_lite0, {weights}/efficientnet_lite1, {weights}/mobilenet_v2_100]}}
  image_size: 128
  tap: last
  unfrozen_layers: {{choice: [0, 4, 12, 24]}}
  learning_rate: {{log: [3.0e-4, 1.0e-2]}}
  backbone_rate_ratio: {{log: [0.03, 1.0]}}
  dropout: {{linear: [0.0, 0.5]}}
  label_smoothing: {{choice: [0.0, 0.1]}}
  views: 0
  epochs: 6
seed: 0
"""


def main() -> None:
    """Runs the search and prints winner, baselines and the difference on the same test images."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--trials", type=int, default=24)
    arguments.add_argument("--wall", default="40m")
    arguments.add_argument("--out", type=Path, default=None)
    given = arguments.parse_args()
    data, weights = present(given.shared / "data" / "cifar10"), present(given.shared / "weights")
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder) / "task.yaml"
        task.write_text(TASK.format(data=data, weights=weights, trials=given.trials, wall=given.wall), encoding="utf-8")
        run = autotl.search(task, out=given.out or Path(folder) / "run", listen=_tell)
        _print(run)


def _tell(event: object) -> None:
    if isinstance(event, TrialEnded):
        row = event.row
        score = row["score"]["value"] if row["score"] else float("nan")
        print(f"trial {row['trial']} {row['status']} {score:.4f}", file=sys.stderr, flush=True)


def _print(run: Run) -> None:
    for sentence in run.sentences:
        print(sentence)
    rows = run.leaderboard["trials"]
    print("\n| model | validation | test | unfrozen |\n|---|---|---|---|")
    for row in rows:
        if row["test"]:
            name = "winner" if row["winner"] else row["baseline"]
            print(
                f"| {name} (trial {row['trial']}) | {_figure(row['score'])} | {_figure(row['test'])} | "
                f"{row['plan']['unfrozen_layers']} |"
            )
    winner = next(row for row in rows if row["winner"])
    probe = next(row for row in rows if row["baseline"] == "linear_probe")
    gain = winner["test"]["value"] - probe["test"]["value"]
    print(f"\nwinner minus best linear probe on test: {100 * gain:.1f} points")
    print(f"shipped model on test: {_figure(winner['refit_test'] or winner['test'])}")


def _figure(figure: dict[str, Any]) -> str:
    return f"{figure['value']:.4f} ({figure['low']:.4f} to {figure['high']:.4f})"


if __name__ == "__main__":
    main()
