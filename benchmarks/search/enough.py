"""How often a search that stops when no further gain is expected stops too early: replays on recorded pools.

python -m benchmarks.search.enough [--trials 60] [--seeds 5]

Each replay goes to its end; the rule that the product has is asked after every trial, and what was found after it would
have stopped is the price. A mistake is a later winner that is better by more than the earlier one's standard error.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autotl.run.trial_row import new_row
from autotl.scoring.intervals import NORMAL_WIDTH, interval
from autotl.scoring.metrics import METRICS
from autotl.search.enough import Enough
from benchmarks.search.pools import Pool, read_pools
from benchmarks.search.replay import Halving, Patient, Strategy, Table, Trace, replay, seeds_of


@dataclass(frozen=True)
class Stopped:
    """Where one replay would have stopped.

    Attributes:
        saved: share of its trials that would not have been begun.
        lost: by how much the best score rose after it; `errors` in standard errors, `on_test` on the test examples.
    """

    saved: float
    lost: float
    errors: float
    on_test: float


def main() -> None:
    """Replays and prints a line a pool."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--trials", type=int, default=60)
    arguments.add_argument("--seeds", type=int, default=5)
    given = arguments.parse_args()
    print("| task | stopped | trials saved | score lost, mean (largest) | mistakes | test lost, mean |")
    print("|---|---|---|---|---|---|")
    for pool in read_pools():
        table = Table(pool)
        traces = [
            replay(table, Strategy(judge=judge), seed=seed, trials=given.trials)
            for seed in seeds_of(given.seeds)
            for judge in (Halving, lambda longest: Patient())  # noqa: ARG005
        ]
        print(_line(pool, [_stopped(trace, pool) for trace in traces]), flush=True)


def _stopped(trace: Trace, pool: Pool) -> Stopped | None:
    enough, finals = Enough(), trace.table.finals
    for number, (place, whole) in enumerate(zip(trace.places, trace.complete, strict=True), start=1):
        score = float(finals[place])
        away = _error(score, pool) * NORMAL_WIDTH / 2
        row = {**new_row(number, {}, baseline=None), "status": "complete" if whole else "pruned"}
        row["score"] = {"value": score, "low": score - away, "high": score + away}
        enough.note(row, score if whole else None)
        if enough.reason(len(trace.places) - number) is not None:
            before, after = trace.winner_after(number), trace.winner_after(len(trace.places))
            assert before is not None
            assert after is not None
            lost = float(finals[after] - finals[before])
            tests = trace.table.tests
            return Stopped(
                saved=1 - number / len(trace.places),
                lost=lost,
                errors=lost / _error(float(finals[before]), pool),
                on_test=float(tests[after] - tests[before]),
            )
    return None


def _error(score: float, pool: Pool) -> float:
    """The standard error of a share of right answers, from Wilson's interval."""
    count = int(pool.examples["validation"])
    right = np.arange(count) < round(score * count)
    said = np.stack([right, ~right], axis=1).astype(np.float32)
    found = interval(METRICS["accuracy"], np.zeros(count, dtype=np.int64), said, seed=0)
    return (found.high - found.low) / NORMAL_WIDTH


def _line(pool: Pool, replays: Sequence[Stopped | None]) -> str:
    found = [each for each in replays if each is not None]
    if not found:
        return f"| {pool.task} | 0 of {len(replays)} | | | | |"
    lost = [each.lost for each in found]
    mistakes = sum(each.errors > 1 for each in found)
    saved, on_test = (float(np.mean([getattr(each, name) for each in found])) for name in ("saved", "on_test"))
    return (
        f"| {pool.task} | {len(found)} of {len(replays)} | {saved:.0%} | {np.mean(lost):.4f} ({max(lost):.4f}) | "
        f"{mistakes} | {on_test:+.4f} |"
    )


if __name__ == "__main__":
    main()
