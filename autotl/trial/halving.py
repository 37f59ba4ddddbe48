"""Who goes on inside a packet: the best third at every rung. And how long a plan is left alone.

Paper: Jamieson & Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016
(arXiv:1502.07943); the rungs are those at which `search.stopping` compares plans that run alone.
"""

import math
from collections.abc import Mapping

from autotl.adaptation import METHODS
from autotl.adaptation.method import RAMPED_SHARE, Joint
from autotl.plan.plan import Plan

REDUCTION_FACTOR = 3
# After one epoch the order of plans says little of their order after the last: most that would have become the best of
# all were stopped (benchmarks/search.md).
FIRST_RUNG = 3


def grace_of(plan: Plan) -> int:
    """The epochs up to which a plan is compared with no other: none but for a method whose loss grows from nothing,
    which is another plan's in its first epochs, and shows what it can do when that counts in full."""
    if not isinstance(METHODS[plan.adaptation.name], Joint):
        return 0
    return math.ceil(RAMPED_SHARE * plan.epochs)


def rungs_below(longest_plan: int, *, first: int = FIRST_RUNG) -> tuple[int, ...]:
    """The epochs after which plans are compared: 3, 9, 27 ... below the longest plan's."""
    rungs, epoch = [], first
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
