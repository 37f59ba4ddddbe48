"""How far adaptation closes the gap between two domains, without a label of the second.

python -m benchmarks.adaptation ROW [--seeds 5] [--from-seed 0] [--trials 18] [--wall 6m] [--out DIR] [--keep FILE]
python -m benchmarks.adaptation table --keep FILE

`--keep` adds a line of JSON for every search, so that seeds can be measured one by one; `table` shows them all.
"""

import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autotl.errors import NoUsableModelError
from autotl.search.events import TrialEnded
from benchmarks.adaptation.figures import HEADER, Measured, line
from benchmarks.adaptation.measuring import NoWinner, measure
from benchmarks.adaptation.tasks import ROWS, Row
from benchmarks.shared import parser, use_own_home

SHOWN = ("unfrozen_layers", "head", "learning_rate", "adaptation")


TABLE = "table"


def main() -> None:
    """Runs one row and prints its line, and a line per pair where there are several; or shows what was kept."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("row", choices=[*ROWS, TABLE])
    arguments.add_argument("--seeds", type=int, default=None, help="searches of each pair")
    arguments.add_argument("--from-seed", type=int, default=0, help="the first seed")
    arguments.add_argument("--trials", type=int, default=18)
    arguments.add_argument("--wall", default=None)
    arguments.add_argument("--out", type=Path, default=None, help="keep tasks, data and runs here")
    arguments.add_argument("--keep", type=Path, default=None, help="a file of measured searches, to add to or to show")
    given = arguments.parse_args()
    if given.row == TABLE:
        print(table(given.keep.read_text(encoding="utf-8").splitlines()))
        return
    row = ROWS[given.row]
    with tempfile.TemporaryDirectory() as folder:
        found = list(_searches(row, given, given.out or Path(folder)))
    measured = [one for one in found if isinstance(one, Measured)]
    if given.keep:
        with given.keep.open("a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps({'row': given.row, **dataclasses.asdict(one)})}\n" for one in measured)
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


def table(kept: Sequence[str]) -> str:
    """All searches of a file that `--keep` wrote, a line for each row."""
    searches: dict[str, dict[tuple[str, int], Measured]] = {}
    for written in kept:
        values = json.loads(written)
        name = values.pop("row")
        one = Measured(**values)
        searches.setdefault(name, {})[one.pair, one.seed] = one  # one that was measured again counts once
    lines = [
        line(f"{ROWS[name].title} ({len(found)} searches)", list(found.values()), ROWS[name].published)
        for name, found in searches.items()
    ]
    return "\n".join([HEADER, *lines])


def _searches(row: Row, given: Any, place: Path) -> Iterator[Measured | NoWinner]:
    for source, target in row.pairs:
        for seed in range(given.from_seed, given.from_seed + (given.seeds or row.seeds)):
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
