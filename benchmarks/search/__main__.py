"""Searches replayed on recorded pools of trials: how soon each strategy finds a plan that is good enough.

python -m benchmarks.search [--seeds 5]

Prints the tables of benchmarks/search.md. The pools lie beside this file; nothing is trained.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from autotl.search.history import Likeness, PastRun, PastTrial
from autotl.search.starting import starting_plans
from benchmarks.search import screening
from benchmarks.search.pools import read_pools
from benchmarks.search.portfolio import COST_POWER, SIZE, portfolio
from benchmarks.search.replay import (
    Extrapolating,
    Halving,
    HalvingAndExtrapolating,
    Judge,
    Patient,
    Strategy,
    Table,
    Trace,
    goal_reached,
    random_search,
    replay,
    seeds_of,
)
from benchmarks.search.tasks import data_of
from benchmarks.shared import parser

EARLIER_TRIALS = 30  # of each search that a history holds
TRIALS = 20  # after which the winner's regret is told
RANDOM, BEFORE, PORTFOLIO, HISTORY = "random search", "TPE + ASHA, as it was", "with a portfolio", "and a history"
ALONE, SHIPPED = "neither", "as it ships"
CHOSEN_ON = ("bearing-figures", "digits", "flowers", "kitchen", "machines")  # the tasks behind what ships


@dataclass(frozen=True)
class Settings:
    """The constants that are chosen on other tasks than the one reported.

    Attributes:
        judge: how trials are stopped early.
        size, cost_power: of the portfolio.
    """

    judge: str
    size: int
    cost_power: float


JUDGES: dict[str, Callable[[int], Judge]] = {
    "rungs from epoch 1": partial(Halving, first=1, has_grace=False),
    "rungs from epoch 2": partial(Halving, first=2),
    "rungs from epoch 3, without grace": partial(Halving, first=3, has_grace=False),
    "rungs from epoch 3": partial(Halving, first=3),
    "extrapolation": Extrapolating,
    "rungs from epoch 3 and extrapolation": HalvingAndExtrapolating,
    "nobody stopped": lambda longest: Patient(),  # noqa: ARG005
}
GRID = [
    Settings(judge, size, power)
    for judge in ("rungs from epoch 2", "rungs from epoch 3")
    for size in (6, 12)
    for power in (0.0, 0.5, 1.0)
]


AS_SHIPPED = Settings("rungs from epoch 3", SIZE, COST_POWER)


def main() -> None:
    """Prints every table."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--seeds", type=int, default=5)
    given = arguments.parse_args()
    pools = read_pools()
    seeds = seeds_of(given.seeds)
    tables = [Table(pool) for pool in pools]
    print("## Pools\n")
    print(_of_pools(tables))
    print("\n## Screening\n")
    print(screening.table(pools))
    print("\n## Early stopping, TPE alone\n")
    print(_of_judges(tables, seeds))
    print("\n## Whole searches\n")
    print(_of_strategies(tables, seeds))


def _of_pools(tables: Sequence[Table]) -> str:
    lines = [
        "| task | modality | trials | seconds | features | heads | layers | best, validation | its test | good enough |"
    ]
    lines.append("|---" * 10 + "|")
    for table in tables:
        best = int(table.finals.argmax())
        share = float(np.mean(table.finals >= table.goal))
        features = sum(table.pool.feature_seconds.values()) / table.all_seconds
        heads = sum(
            trial.epoch_seconds * len(trial.scores)
            for trial, plan in zip(table.pool.trials, table.plans, strict=True)
            if plan.unfrozen_layers == 0
        )
        heads /= table.all_seconds
        lines.append(
            f"| {table.pool.task} | {table.pool.modality} | {len(table.plans)} | {table.all_seconds:.0f} | "
            f"{100 * features:.0f} % | {100 * heads:.0f} % | {100 * (1 - features - heads):.0f} % | "
            f"{table.finals[best]:.3f} | {table.tests[best]:.3f} | {100 * share:.0f} % |"
        )
    return "\n".join(lines)


def _of_judges(tables: Sequence[Table], seeds: Sequence[int]) -> str:
    """What stopping saves of a whole pool, and what it costs."""
    lines = ["| rule | time to goal, random = 1 | goal missed | time of the whole pool | stopped | of them wrongly |"]
    lines.append("|---" * 6 + "|")
    randomly = {table.pool.task: _replays(table, random_search(), seeds) for table in tables}
    for name, judge in JUDGES.items():
        found = {table.pool.task: _replays(table, Strategy(judge=judge), seeds) for table in tables}
        every = [trace for traces in found.values() for trace in traces]
        missed = sum(trace.trials_to_goal is None for trace in every)
        whole = np.mean([trace.seconds[-1] / trace.table.all_seconds for trace in every])
        stopped, wrong = (
            sum(not done for trace in every for done in trace.complete),
            sum(t.stopped_wrongly for t in every),
        )
        ratio = _ratio(found, randomly)
        lines.append(f"| {name} | {ratio:.2f} | {missed} of {len(every)} | {whole:.2f} | {stopped} | {wrong} |")
    return "\n".join(lines)


def _of_strategies(tables: Sequence[Table], seeds: Sequence[int]) -> str:
    """How soon each strategy comes to the goal, constants chosen on the other tasks; last with those that ship."""
    chosen = _chosen(tables, seeds)
    lines = ["| task | strategy | seconds to goal | of random | of before | trials to goal | regret at 20 trials |"]
    lines.append("|---" * 7 + "|")
    ratios: dict[str, dict[str, list[float]]] = {}
    for table in tables:
        settings = chosen[table.pool.task]
        others = _others(table, tables)
        found = {
            RANDOM: _replays(table, random_search(), seeds),
            BEFORE: _replays(table, Strategy(judge=JUDGES["rungs from epoch 1"]), seeds),
            ALONE: _replays(table, Strategy(judge=JUDGES[settings.judge]), seeds),
            PORTFOLIO: _replays(table, strategy(table, others, settings), seeds),
            HISTORY: _replays(table, strategy(table, others, settings, has_history=True), seeds),
            SHIPPED: _replays(table, strategy(table, others, AS_SHIPPED, has_history=True), seeds),
        }
        for name, traces in found.items():
            seconds = _seconds(traces)
            of_random, of_before = seconds / _seconds(found[RANDOM]), seconds / _seconds(found[BEFORE])
            saved = _trials(found[ALONE]) / _trials(traces)
            regret = float(np.mean([_regret(trace) for trace in traces]))
            ratios.setdefault(table.pool.task, {})[name] = [of_random, of_before, saved, regret]
            missed = sum(trace.trials_to_goal is None for trace in traces)
            words = f" ({missed} of {len(traces)} missed)" if missed else ""
            lines.append(
                f"| {table.pool.task} | {name} | {seconds:.1f}{words} | {of_random:.2f} | {of_before:.2f} | "
                f"{_trials(traces):.1f} | {100 * regret:+.1f} |"
            )
    later = [task for task in ratios if task not in CHOSEN_ON]
    for name in (RANDOM, BEFORE, ALONE, PORTFOLIO, HISTORY, SHIPPED):
        lines.append(_together("all", name, list(ratios.values())))
    for name in (RANDOM, BEFORE, ALONE, SHIPPED):
        lines.append(_together("recorded later", name, [ratios[task] for task in later]))
    lines += ["", *(f"chosen without {task}: {settings}" for task, settings in chosen.items())]
    return "\n".join(lines)


def _together(which: str, name: str, tasks: Sequence[Mapping[str, Sequence[float]]]) -> str:
    of_random, of_before, saved, regret = zip(*(task[name] for task in tasks), strict=True)
    return (
        f"| {which} | {name} | | {_geometric(of_random):.2f} | {_geometric(of_before):.2f} | "
        f"{_geometric(saved):.2f} × fewer | {100 * np.mean(regret):+.1f} (at most {100 * max(regret):+.1f}) |"
    )


def strategy(table: Table, others: Sequence[Table], settings: Settings, *, has_history: bool = False) -> Strategy:
    """The product's search on a task of which nothing is known but what was recorded of others."""
    unlike = [other for other in others if data_of(other.pool.task) != data_of(table.pool.task)]
    plans = portfolio(unlike, size=settings.size, cost_power=settings.cost_power)
    runs = [_earlier(other, settings) for other in others] if has_history else []
    found = starting_plans(table.space, runs=runs, likeness=_likeness(table), portfolio=plans, trials=len(table.plans))
    return Strategy(starts_with=tuple(each.plan for each in found), judge=JUDGES[settings.judge])


def _chosen(tables: Sequence[Table], seeds: Sequence[int]) -> dict[str, Settings]:
    """For each task the settings that are best on all others, whose own portfolios know nothing of it either."""
    seconds = {}
    for settings in GRID:
        for table in tables:
            found = strategy(table, _others(table, tables), settings)
            traces = [replay(table, found, seed=seed, until=goal_reached) for seed in seeds]
            seconds[settings, table.pool.task] = math.log(_seconds(traces))
    tasks = [table.pool.task for table in tables]
    return {
        task: min(GRID, key=lambda each: np.mean([seconds[each, other] for other in tasks if other != task]))
        for task in tasks
    }


def _others(table: Table, tables: Sequence[Table]) -> list[Table]:
    return [other for other in tables if other is not table and other.pool.modality == table.pool.modality]


def _earlier(table: Table, settings: Settings) -> PastRun:
    """What a history would hold of a search on another task."""
    trace = replay(table, Strategy(judge=JUDGES[settings.judge]), seed=0, trials=EARLIER_TRIALS)
    done = [place for place, whole in zip(trace.places, trace.complete, strict=True) if whole]
    best_first = sorted(done, key=lambda place: -table.finals[place])
    trials = tuple(
        PastTrial(plan, table.plans[place].backbone.label, 1 - rank / max(len(best_first) - 1, 1))
        for rank, place in enumerate(best_first)
        for plan in [{name: value for name, value in table.pool.trials[place].plan.items() if name != "seed"}]
    )
    return PastRun(table.pool.task, table.pool.task, "", _likeness(table), trials)


def _likeness(table: Table) -> Likeness:
    pool = table.pool
    return Likeness(
        pool.modality, "recorded", "labels", pool.examples["train"], pool.classes, 1 / pool.classes, pool.task
    )


def _replays(table: Table, made: Strategy, seeds: Sequence[int]) -> list[Trace]:
    return [replay(table, made, seed=seed) for seed in seeds]


def _seconds(traces: Sequence[Trace]) -> float:
    """Geometric mean of the time to the goal; where it was missed, of the time that training the whole pool takes."""
    return _geometric([trace.seconds_to_goal or trace.table.all_seconds for trace in traces])


def _trials(traces: Sequence[Trace]) -> float:
    return _geometric([trace.trials_to_goal or len(trace.table.plans) for trace in traces])


def _ratio(found: Mapping[str, Sequence[Trace]], others: Mapping[str, Sequence[Trace]]) -> float:
    return _geometric([_seconds(found[task]) / _seconds(others[task]) for task in found])


def _regret(trace: Trace) -> float:
    """On test, against the plan that trying the whole pool would have shipped."""
    winner = trace.winner_after(TRIALS)
    exhaustive = int(trace.table.finals.argmax())
    worst = float(trace.table.tests.min())
    return float(trace.table.tests[exhaustive]) - (worst if winner is None else float(trace.table.tests[winner]))


def _geometric(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))


if __name__ == "__main__":
    main()
