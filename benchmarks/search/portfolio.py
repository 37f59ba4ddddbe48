"""The plans that a search begins with where nothing is known: a few that together do well on most recorded tasks.

python -m benchmarks.search.portfolio [--into search_spaces/portfolios]

Greedy: each further plan is the one that raises the best standing among the plans chosen so far, averaged over tasks,
most for each second that it takes. Plans are compared by their rank within a task. A task's scores are drawn
again within the noise of its validation examples many times, so that a plan that was lucky once does not decide.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from autotl.plan.space import Alternatives, Dimension, Fixed
from benchmarks.search.pools import Pool, read_pools
from benchmarks.search.replay import Table
from benchmarks.search.tasks import data_of
from benchmarks.shared import parser

SHIPPED = Path(__file__).resolve().parents[2] / "search_spaces" / "portfolios"
SIZE = 12
DRAWS = 100  # of each task's scores
COST_POWER = 1.0  # 0: seconds do not count; 1: gain per second
FEWEST_TASKS = 2  # on data of different kinds: what is good on one alone may be good there only
LEAST_GAIN = 1e-4  # of mean standing: a plan that brings less is not worth a trial
HEAD = """\
# Plans that a search of this modality begins with, the most useful first: they do well together on {tasks}.
# Made by `python -m benchmarks.search.portfolio` from the pools in benchmarks/search/recorded; do not edit.
"""


def main() -> None:
    """Writes the portfolio of every modality that has tasks enough."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--into", type=Path, default=SHIPPED)
    given = arguments.parse_args()
    by_modality: dict[str, list[Pool]] = {}
    for pool in read_pools():
        by_modality.setdefault(pool.modality, []).append(pool)
    given.into.mkdir(parents=True, exist_ok=True)
    for modality, pools in by_modality.items():
        kinds = {data_of(pool.task) for pool in pools}
        if "-" in modality or len(kinds) < FEWEST_TASKS:  # the former's space is not the modality's own
            continue
        plans = portfolio([Table(pool) for pool in pools])
        tasks = ", ".join(sorted(pool.task for pool in pools))
        written = yaml.safe_dump(plans, sort_keys=False, default_flow_style=None, width=100_000)
        (given.into / f"{modality}.yaml").write_text(HEAD.format(tasks=tasks) + written, encoding="utf-8")
        print(f"{modality}: {len(plans)} plans from {tasks}")


def portfolio(tables: Sequence[Table], *, size: int = SIZE, cost_power: float = COST_POWER) -> list[dict[str, Any]]:
    """Plans, the most useful first, without their seeds; none without a task.

    Args:
        tables: of one modality: their plans are the same, but for those that failed on some task.
    """
    if not tables:
        return []
    keys = [key for key in tables[0].places if all(key in table.places for table in tables)]
    standings = np.concatenate([_standings(table, keys) for table in tables])  # (tasks * draws, plans)
    seconds = np.mean([_seconds(table, keys) for table in tables], axis=0)
    chosen: list[int] = []
    reached = np.zeros(len(standings))
    while len(chosen) < min(size, len(keys)):
        gains = np.maximum(standings - reached[:, None], 0).mean(axis=0)
        worth = gains / seconds**cost_power
        worth[chosen] = -np.inf
        best = int(worth.argmax())
        if gains[best] < LEAST_GAIN:
            break
        chosen.append(best)
        reached = np.maximum(reached, standings[:, best])
    return [_written(tables, keys[place]) for place in chosen]


def _standings(table: Table, keys: Sequence[str]) -> NDArray[np.float64]:
    """(draws, plans): from 0 for the worst to 1 for the best, of scores drawn within their noise."""
    scores = table.finals[[table.places[key] for key in keys]]
    spread = np.sqrt(np.clip(scores * (1 - scores), 1e-4, None) / table.pool.examples["validation"])
    draws = np.random.default_rng(0).normal(scores, spread, size=(DRAWS, len(keys)))
    return draws.argsort(axis=1).argsort(axis=1) / (len(keys) - 1)


def _seconds(table: Table, keys: Sequence[str]) -> NDArray[np.float64]:
    """What each plan takes, its features included."""
    found = []
    for key in keys:
        place = table.places[key]
        trial = table.pool.trials[place]
        found.append(trial.epoch_seconds * len(trial.scores) + table.feature_seconds(place)[1])
    return np.array(found)


def _written(tables: Iterable[Table], key: str) -> dict[str, Any]:
    """A plan as people write it: numbers to three digits, without what was never varied and so is nobody's merit."""
    table = next(iter(tables))
    plan = table.pool.trials[table.places[key]].plan
    varied = {name for name, dimension in table.space.dimensions.items() if _varies(dimension)}
    frozen = plan["unfrozen_layers"] == 0
    return {
        name: _short(value)
        for name, value in plan.items()
        if (name == "backbone" or name in varied) and not (frozen and name == "backbone_rate_ratio")
    }


def _varies(dimension: Dimension) -> bool:
    if isinstance(dimension, Alternatives):
        return len(dimension.options) > 1
    return not isinstance(dimension, Fixed)


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    return float(f"{value:.3g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
