"""Whether it helps to prefer cheap plans among those that the sampler proposes: replays on recorded pools.

python -m benchmarks.search.gain_per_second [--of 3] [--seeds 10]

The product takes the one plan that Optuna's sampler likes best. Here it is asked several times, each with another seed,
and of these plans, which it likes about equally, the one that takes the fewest seconds is tried: more expected gain a
second, if the sampler's order says little among its first choices.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from autotl.plan import Plan
from autotl.search.proposer import Proposal
from benchmarks.search.pools import read_pools
from benchmarks.search.replay import PoolProposer, Strategy, Table, Trace, replay, seeds_of


class Frugal(PoolProposer):
    """Takes the cheapest of several suggestions."""

    of = 3

    def __init__(self, table: Table, *args: Any, **settings: Any) -> None:
        super().__init__(table, *args, **settings)
        self._cuts: set[str] = set()  # whose features are stored

    def _suggested(self, start: float) -> Proposal | None:
        suggested = [self._one() for _ in range(self.of)]
        plan = min(suggested, key=self._seconds)
        self._cuts.add(self._table.feature_seconds(self._table.nearest(plan, self.untried))[0])
        return self._charged(self._proposal(plan, None, start))

    def _one(self) -> Plan:
        import optuna

        trial = self._ask()
        plan = self._space.suggest(trial, seed=0)
        self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return plan

    def _seconds(self, plan: Plan) -> float:
        place = self._table.nearest(plan, self.untried)
        trial = self._table.pool.trials[place]
        cut, features = self._table.feature_seconds(place)
        return trial.epoch_seconds * len(trial.scores) + (0.0 if cut in self._cuts else features)


def main() -> None:
    """Replays both ways and prints a line a pool."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--of", type=int, default=3)
    arguments.add_argument("--seeds", type=int, default=10)
    given = arguments.parse_args()
    Frugal.of = given.of
    print("| task | to 98 %, the liked one (s) | the cheapest (s) | ratio |")
    print("|---|---|---|---|")
    for pool in read_pools():
        table = Table(pool)
        plain = [replay(table, Strategy(), seed=seed) for seed in seeds_of(given.seeds)]
        frugal = [replay(table, Strategy(), seed=seed, proposer_class=Frugal) for seed in seeds_of(given.seeds)]
        one, other = _median(plain), _median(frugal)
        print(f"| {pool.task} | {one:.1f} | {other:.1f} | {other / one:.2f} |", flush=True)


def _median(traces: Sequence[Trace]) -> float:
    """Seconds until one was good enough; of searches without one, all that they took."""
    return float(np.median([trace.seconds_to_goal or trace.seconds[-1] for trace in traces]))


if __name__ == "__main__":
    main()
