"""Does cheap evidence on a few hundred examples order backbones and taps as training them does?

Of each recorded task, every place that features are taken from (backbone, tap, length, pooling) is ordered by each
transferability score, by its size, and at random, and compared with what plans that start there reach: the mean on test
of the three best by validation. Weighted Kendall tau: 1 where the orders agree, mistakes at the top counting most.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.pools import Pool, Screened

PLACE = ("backbone", "image_size", "sequence_length", "pooling", "tap")
BEST = 3  # plans of a place that stand for what can be reached there
RANDOM_ORDERS = 500
FEWEST_PLACES = 3


@dataclass(frozen=True)
class Agreement:
    """Weighted tau of each way to order the places of one task, and what the first of each order costs on test."""

    task: str
    places: int
    tau: Mapping[str, float]
    regret: Mapping[str, float]


def agreement(pool: Pool) -> Agreement | None:
    """Of one task; None where it has too few places to order."""
    from scipy.stats import weightedtau

    reached = _reached(pool)
    screened = [each for each in pool.screened if _place(each.plan) in reached]
    if len(screened) < FEWEST_PLACES:
        return None
    truth = np.array([reached[_place(each.plan)] for each in screened])
    orders = _orders(screened)
    tau = {name: float(weightedtau(truth, scores).statistic) for name, scores in orders.items()}
    regret = {name: float(truth.max() - truth[scores.argmax()]) for name, scores in orders.items()}
    draws = np.random.default_rng(0)
    taus = [weightedtau(truth, draws.permutation(len(truth))).statistic for _ in range(RANDOM_ORDERS)]
    tau["random"], regret["random"] = float(np.mean(taus)), float(truth.max() - truth.mean())
    return Agreement(pool.task, len(screened), tau, regret)


def table(pools: Sequence[Pool]) -> str:
    """Rows of tasks, columns of orders; in brackets the points on test lost by taking an order's first."""
    found = [each for pool in pools if (each := agreement(pool)) is not None]
    names = list(found[0].tau)
    lines = [f"| task | places | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for each in found:
        cells = [f"{each.tau[name]:+.2f} ({100 * each.regret[name]:.1f})" for name in names]
        lines.append(f"| {each.task} | {each.places} | {' | '.join(cells)} |")
    means = [
        f"{np.mean([each.tau[name] for each in found]):+.2f} "
        f"({100 * np.mean([each.regret[name] for each in found]):.1f})"
        for name in names
    ]
    return "\n".join([*lines, f"| mean | | {' | '.join(means)} |"])


def _orders(screened: Sequence[Screened]) -> dict[str, NDArray[np.float64]]:
    by_score = {name: np.array([each.scores[name] for each in screened]) for name in screened[0].scores}
    ranks = [scores.argsort().argsort() for scores in by_score.values()]
    return {
        **by_score,
        "mean rank": np.mean(ranks, axis=0),
        "size": np.array([float(each.params) for each in screened]),
    }


def _reached(pool: Pool) -> dict[str, float]:
    by_place: dict[str, list[tuple[float, float]]] = {}
    for trial in pool.trials:
        by_place.setdefault(_place(trial.plan), []).append((trial.scores[-1], trial.test))
    return {
        place: float(np.mean([test for _, test in sorted(found, reverse=True)[:BEST]]))
        for place, found in by_place.items()
        if len(found) >= BEST
    }


def _place(plan: Mapping[str, Any]) -> str:
    return json.dumps([plan.get(name) for name in PLACE])
