"""Who goes on inside a packet: the best third at every rung.

Paper: Jamieson & Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016
(arXiv:1502.07943); the rungs are those at which `search.stopping` compares plans that run alone.
"""

import math
from collections.abc import Mapping

REDUCTION_FACTOR = 3


def rungs_below(longest_plan: int) -> tuple[int, ...]:
    """The epochs after which plans are compared: 1, 3, 9 ... below the longest plan's."""
    rungs, epoch = [], 1
    while epoch < longest_plan:
        rungs.append(epoch)
        epoch *= REDUCTION_FACTOR
    return tuple(rungs)


def left_behind(scores: Mapping[int, float], *, higher_is_better: bool) -> frozenset[int]:
    """The trials that do not go on, of those that came to a rung together; of equals the earlier trial does.

    Args:
        scores: trial number -> score, all finite.
    """
    sign = -1.0 if higher_is_better else 1.0
    best_first = sorted(scores, key=lambda number: (sign * scores[number], number))
    return frozenset(best_first[math.ceil(len(scores) / REDUCTION_FACTOR) :])
