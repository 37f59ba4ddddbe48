"""What estimates of target accuracy say together, and what that has been worth.

They are made for one fixed model under a shift of its inputs. Adaptation changes how sure a model is, so that they
neither judge trials nor stand for the accuracy to be expected.
"""

import math
from collections.abc import Mapping

from autotl.scoring import ESTIMATORS

# On 18 trials each of four pairs of reviews and two of digits 9 to 11 points, 3 to 10 too high; on the small models of
# `python -m benchmarks.selection` 17 to 19 points, 10 to 16 too high.
RECORD = (
    "On adapted models whose true accuracy was known they were wrong by 9 to 19 points on average, and 3 to 16 points "
    "too high"
)


def estimated_range(scores: Mapping[str, float | None]) -> tuple[float, float] | None:
    """The lowest and highest of the estimates among a trial's scores; None where it has none."""
    known = [value for name in ESTIMATORS if (value := scores.get(name)) is not None and math.isfinite(value)]
    return (min(known), max(known)) if known else None
