"""How far adaptation closes the gap between two domains, without a label of the second.

python -m benchmarks.adaptation ROW [--seeds 5] [--trials 18] [--wall 6m] [--out DIR]
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotl.errors import NoUsableModelError
from autotl.search.events import TrialEnded
from benchmarks.adaptation.figures import HEADER, Measured, line
from benchmarks.adaptation.measuring import NoWinner, measure
from benchmarks.adaptation.tasks import ROWS, Row
from benchmarks.shared import parser

SHOWN = ("unfrozen_layers", "head", "learning_rate", "adaptation")


def main() -> None:
    """Runs one row and prints its line, and a line per pair where there are several."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("row", choices=ROWS)
    arguments.add_argument("--seeds", type=int, default=None, help="searches of each pair")
    arguments.add_argument("--trials", type=int, default=18)
    arguments.add_argument("--wall", default=None)
    arguments.add_argument("--out", type=Path, default=None, help="keep tasks, data and runs here")
    given = arguments.parse_args()
    row = ROWS[given.row]
    with tempfile.TemporaryDirectory() as folder:
        found = list(_searches(row, given, given.out or Path(folder)))
    measured = [one for one in found if isinstance(one, Measured)]
    unusable = [one for one in found if isinstance(one, NoWinner)]
    if measured:
        print(HEADER)
        for pair in dict.fromkeys(one.pair for one in measured) if len(row.pairs) > 1 else ():
            print(line(pair, [one for one in measured if one.pair == pair], "-"))
        print(line(row.title, measured, row.published))
        print(f"\nwanted of the winner: {row.wants}")
    for one in unusable:
        print(f"\n{one.pair}, seed {one.seed}: no winner, exit code {one.error.exit_code}: {one.error}")
    expected = NoUsableModelError.exit_code if row.useless else 0
    if any(one.error.exit_code != expected for one in unusable) or (row.useless and measured):
        raise SystemExit(1)


def _searches(row: Row, given: Any, place: Path) -> Iterator[Measured | NoWinner]:
    for source, target in row.pairs:
        for seed in range(given.seeds or row.seeds):
            pair = f"{source} to {target}"
            folder = place / f"{source}-{target}-{seed}"
            folder.mkdir(parents=True)
            row.write(given.shared, folder, source, target)
            task, labelled = folder / "task.yaml", folder / "labelled.yaml"
            asked = row.task(source, target, seed=seed, trials=given.trials, wall=given.wall or row.wall)
            task.write_text(asked, encoding="utf-8")
            labelled.write_text(row.labelled_task(source, target, seed=seed), encoding="utf-8")
            found = measure(task, labelled, folder / "run", pair=pair, seed=seed, listen=_tell)
            print(found, file=sys.stderr, flush=True)
            yield found


def _tell(event: object) -> None:
    if isinstance(event, TrialEnded):
        row = event.row
        score = row["score"]["value"] if row["score"] else None
        plan = {key: row["plan"].get(key) for key in SHOWN}
        spent = row["seconds"]["train"] if row["seconds"] else None
        words = f"trial {row['trial']} {row['status']} {score} {spent} s {plan} {row['reason'] or ''}"
        print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
