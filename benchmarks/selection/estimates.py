"""How wrong estimates of target accuracy are, which a report shows beside them."""

import math
from collections.abc import Sequence

import numpy as np

from autotl.leaderboard.without_labels import NO_METHOD
from autotl.scoring import ESTIMATORS
from benchmarks.selection.measuring import even_weights
from benchmarks.selection.pools import Pool, Trial

Found = Sequence[tuple[Pool, Trial]]


def errors(found: Found, name: str) -> tuple[float, float]:
    """Mean absolute error of an estimate and by how much it is too high on average, in shares of the target's examples;
    NaN where no trial has it.

    Families count alike, in them pairs, and in these the trials.
    """
    known = [(pool, trial) for pool, trial in found if math.isfinite(trial.candidate.score(name))]
    if not known:
        return math.nan, math.nan
    weights = even_weights([pool.family for pool, _ in known], [pool.pair for pool, _ in known])
    too_high = np.array([trial.candidate.score(name) - trial.accuracy for _, trial in known])
    return float(np.average(np.abs(too_high), weights=weights)), float(np.average(too_high, weights=weights))


def table(pools: Sequence[Pool]) -> str:
    """A line for each estimate, in points, as Markdown."""
    trials = [(pool, trial) for pool in pools for trial in pool.trials]
    plain = [(pool, trial) for pool, trial in trials if trial.method == NO_METHOD]
    adapted = [(pool, trial) for pool, trial in trials if trial.method != NO_METHOD]
    lines = [
        "\n| estimate of accuracy | not adapted: mean error, too high by | adapted: mean error, too high by |",
        "|---|---|---|",
    ]
    for name, estimator in ESTIMATORS.items():
        told = [f"{100 * mean:.1f}, {100 * bias:+.1f}" for mean, bias in (errors(plain, name), errors(adapted, name))]
        lines.append(f"| {estimator.spoken} | {' | '.join(told)} |")
    return "\n".join(lines)
