"""Runs the examples on real data and prints one table: test accuracy, interval, and the gain over no transfer.

python -m benchmarks.examples [--only flowers] [--out DIR]
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import autotl
from autotl.search.events import TrialEnded
from benchmarks.shared import parser, present, use_own_home

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
DATA = {  # example -> its folder of real data
    "feature_reuse": "cifar10",
    "fine_tuning": "cifar10",
    "chest_xrays": "chest_xray",
    "flowers": "flowers",
}


def main() -> None:
    """Searches each example's task with its data in place."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--only", choices=sorted(DATA), default=None)
    arguments.add_argument("--out", type=Path, default=None, help="keep the run folders here")
    given = arguments.parse_args()
    rows = []
    for name in [given.only] if given.only else list(DATA):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "task.yaml").write_text(
                (EXAMPLES / name / "task.yaml").read_text(encoding="utf-8"), encoding="utf-8"
            )
            (place / "data").symlink_to(present(given.shared / "data" / DATA[name]).resolve())
            run = autotl.search(place / "task.yaml", out=(given.out or place) / name, listen=_tell)
            rows.append(_row(name, run.leaderboard))
            print("\n".join(run.sentences), file=sys.stderr)
    print("| example | metric | winner | test | best linear probe | no transfer | gain over no transfer | skipped |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))


def _tell(event: object) -> None:
    if isinstance(event, TrialEnded):
        row = event.row
        print(f"trial {row['trial']} {row['status']} {row['score']} {row['reason']}", file=sys.stderr, flush=True)


def _row(name: str, leaderboard: dict[str, Any]) -> str:
    rows = leaderboard["trials"]
    winner = next(row for row in rows if row["winner"])
    tested = {row["baseline"]: row["test"] for row in rows if row["baseline"] and row["test"]}
    figure, nothing = winner["refit_test"] or winner["test"], tested.get("no_transfer")
    gain = "-" if nothing is None else f"{100 * (figure['value'] - nothing['value']):+.1f} points"
    plan = winner["plan"]
    model = f"{plan['backbone']} at {plan['image_size']} px, {plan['unfrozen_layers']} unfrozen"
    skipped = {str(row["plan"]["backbone"]) for row in rows if row["status"] == "skipped"}
    cells = [name, leaderboard["metric"], model, _figure(figure), _figure(tested.get("linear_probe")), _figure(nothing)]
    return f"| {' | '.join([*cells, gain, ', '.join(sorted(skipped)) or '-'])} |"


def _figure(figure: dict[str, Any] | None) -> str:
    return "-" if figure is None else f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


if __name__ == "__main__":
    main()
