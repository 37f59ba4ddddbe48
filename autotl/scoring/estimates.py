"""What estimates of target accuracy say together, and what that has been worth.

They are made for one fixed model under a shift of its inputs. Adaptation changes how sure a model is, so that they
neither judge trials nor stand for the accuracy to be expected.
"""

import math
from collections.abc import Mapping

from autotl.scoring import ESTIMATORS

# Of ATC, DoC and COT on adapted models of four pairs of reviews and two of digits, whose truth was known.
RECORD = (
    "On adapted models whose true accuracy was known they were wrong by 9 to 11 points on average, and 3 to 10 points "
    "too high"
)


def estimated_range(scores: Mapping[str, float | None]) -> tuple[float, float] | None:
    """The lowest and highest of the estimates among a trial's scores; None where it has none."""
    known = [value for name in ESTIMATORS if (value := scores.get(name)) is not None and math.isfinite(value)]
    return (min(known), max(known)) if known else None
