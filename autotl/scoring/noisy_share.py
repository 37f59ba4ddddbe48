"""A share of right answers that was counted with noise, and how sure it is."""

import math

from autotl.scoring.intervals import Interval, wilson


def noisy_share(counted: int, examples: int, *, epsilon: float) -> Interval:
    """The share with its interval of 95 %: Wilson's, widened by what the noise may have done.

    Args:
        counted: right answers with discrete Laplace noise, which may be below 0 or beyond the examples.
        examples: how many there are, without noise.
        epsilon: of the noise.
    """
    right = min(max(counted, 0), examples)
    low, high = wilson(right, examples)
    value, off = right / examples, math.log(1 / 0.05) / epsilon / examples
    note = f"counted with noise: within {off:.3f} in 95 of 100 cases"
    return Interval(
        value, max(value - math.hypot(value - low, off), 0.0), min(value + math.hypot(high - value, off), 1.0), note
    )
