"""Four tasks with 50 labels each, learnt alone and together: what is gained on test, and how sure that is.

python -m benchmarks.together [--seeds 5] [--from-seed 0] [--trials 16] [--wall 1h] [--domains books …] [--keep FILE]
python -m benchmarks.together --table --keep FILE

`--keep` adds a line of JSON for every task and seed, so that seeds can be measured one by one; `--table` shows them.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autotl.api import Overrides, open_series, search_series
from autotl.api.resuming import facts_as_begun
from autotl.api.several import Turn
from autotl.search.events import TrialEnded
from benchmarks.adaptation.domains import PRODUCTS
from benchmarks.adaptation.figures import in_words
from benchmarks.shared import parser, present, use_own_home

HEAD = """\
modality: text
metric: accuracy
budget: {{trials: {trials}, wall: {wall}}}
baselines: [linear_probe]
search_space: {{sequence_length: 128, unfrozen_layers: 0, pooling: mean}}
seed: {seed}
tasks:
"""
TASK = """\
  - name: {name}
    data:
      target: {{train: {folder}/{name}.csv, labels: {{per_class: 25}}, test: 0.5}}
      columns: {{input: text, label: label, drop: [rating, title, domain, split]}}
"""


@dataclass(frozen=True)
class Measured:
    """One task of one seed; accuracies are of the trials' own models on test reviews that no search saw.

    Attributes:
        alone, together: the best plan of either kind, as picked on validation reviews.
        kept: the one that was kept, by the interval of its gain on validation.
        shipped: the kept one, retrained on all labels.
        gain_low, gain_high: 90 % interval of the gain on this test set.
        seconds: of this task's search.
    """

    task: str
    seed: int
    alone: float
    together: float
    kept: float
    shipped: float
    weighing: str
    was_kept: bool
    gain_low: float
    gain_high: float
    seconds: float


COLUMNS = {
    "alone": lambda one: one.alone,
    "together": lambda one: one.together,
    "gain of together": lambda one: one.together - one.alone,
    "gain of what is kept": lambda one: one.kept - one.alone,
}


def main() -> None:
    """Searches every seed and prints a line per task and one over all."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--from-seed", type=int, default=0, help="the first seed")
    arguments.add_argument("--trials", type=int, default=16, help="of each task")
    arguments.add_argument("--wall", default="1h", help="of all tasks of a seed")
    arguments.add_argument("--domains", nargs="+", choices=PRODUCTS, default=list(PRODUCTS))
    arguments.add_argument("--out", type=Path, default=None, help="keep the run folders here")
    arguments.add_argument("--keep", type=Path, default=None, help="a file of measured tasks, to add to or to show")
    arguments.add_argument("--table", action="store_true", help="show what --keep holds; nothing is searched")
    given = arguments.parse_args()
    if given.table:
        print(table([Measured(**json.loads(line)) for line in given.keep.read_text(encoding="utf-8").splitlines()]))
        return
    with tempfile.TemporaryDirectory() as folder:
        found = list(_measured(given, given.out or Path(folder)))
    if given.keep:
        with given.keep.open("a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(asdict(one))}\n" for one in found)
    print(table(found))


def table(found: Sequence[Measured]) -> str:
    """A line per task, and one over all whose intervals are over seeds, or over tasks where there is one seed."""
    lines = [f"| task | {' | '.join(COLUMNS)} | kept together | seconds |", "|---" * (len(COLUMNS) + 3) + "|"]
    for name in dict.fromkeys(one.task for one in found):
        lines.append(_line(name, [[one] for one in found if one.task == name]))
    seeds = list(dict.fromkeys(one.seed for one in found))
    units = [[one for one in found if one.seed == seed] for seed in seeds]
    lines.append(_line("all", units if len(seeds) > 1 else [[one] for one in found]))
    return "\n".join(lines)


def _line(title: str, units: Sequence[Sequence[Measured]]) -> str:
    every = [one for unit in units for one in unit]
    cells = [in_words([_mean([column(one) for one in unit]) for unit in units]) for column in COLUMNS.values()]
    kept = f"{sum(one.was_kept for one in every)} of {len(every)}"
    return f"| {' | '.join([title, *cells, kept, f'{_mean([one.seconds for one in every]):.0f}'])} |"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _measured(given: Any, place: Path) -> Iterator[Measured]:
    data = present(given.shared / "data" / "amazon_reviews").resolve()
    for seed in range(given.from_seed, given.from_seed + given.seeds):
        task = place / f"reviews-{seed}.yaml"
        tasks = [TASK.format(name=name, folder=data) for name in given.domains]
        task.write_text(HEAD.format(trials=given.trials, wall=given.wall, seed=seed) + "".join(tasks), encoding="utf-8")
        series = open_series([task], Overrides(out=place / f"reviews-{seed}", history=False))
        started = time.perf_counter()
        for turn in search_series(series, listen=lambda _, __: nullcontext(_tell)):
            one = _of(turn, seed, time.perf_counter() - started)
            print(one, file=sys.stderr, flush=True)
            yield one
            started = time.perf_counter()


def _of(turn: Turn, seed: int, seconds: float) -> Measured:
    if turn.run is None or turn.run.error is not None or turn.run.winner is None:
        raise SystemExit(f"{turn.task.name}, seed {seed}: {turn.error or 'no winner'}")
    facts = facts_as_begun(turn.run.path) or {}
    found = facts.get("together")
    if found is None or found["test"] is None:
        raise SystemExit(f"{turn.task.name}, seed {seed}: one of the kinds has no trial. Give it more trials or time.")
    tested = {row["trial"]: row["test"]["value"] for row in turn.run.leaderboard["trials"] if row["test"]}
    winner = turn.run.winner
    return Measured(
        task=turn.task.name,
        seed=seed,
        alone=tested[found["alone"]],
        together=tested[found["together"]],
        kept=tested[winner["trial"]],
        shipped=(winner["refit_test"] or winner["test"])["value"],
        weighing=found["weighing"],
        was_kept=found["kept"] == "together",
        gain_low=found["test"]["low"],
        gain_high=found["test"]["high"],
        seconds=seconds,
    )


def _tell(event: object) -> None:
    if isinstance(event, TrialEnded):
        row = event.row
        score = row["score"]["value"] if row["score"] else None
        how = row["plan"].get("together") or "alone"
        print(f"trial {row['trial']} {row['status']} {score} {how} {row['reason'] or ''}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
