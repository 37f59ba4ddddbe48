"""How far numbers may be off: intervals around predictions that hold the truth as often as they say."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autotl.data.examples import is_known
from autotl.scoring.metrics import Labels, Probabilities

LEVELS = (0.8, 0.9, 0.95)
SHOWN_LEVEL = 0.9


def half_widths(labels: Labels, said: Probabilities) -> dict[str, Any]:
    """By how much predictions of examples that were not learnt were off, as split-conformal intervals need it.

    An interval `prediction ± half width` holds the number of a new example of the same population with at least its
    level, whatever the model and however numbers are distributed, if examples are exchangeable and did not choose the
    model. It is as wide everywhere: where a model is less sure it holds less often, elsewhere more.

    Returns:
        `examples`, and `half_widths` by level as text; no level that so few examples cannot vouch for.
    Paper: Papadopoulos et al., "Inductive confidence machines for regression", ECML 2002; Lei et al.,
        "Distribution-free predictive inference for regression", JASA 2018.
    """
    known = is_known(labels)
    off = np.sort(np.abs(labels[known] - said[known, 0]))
    ranks = {level: math.ceil((len(off) + 1) * level) for level in LEVELS}
    found = {f"{level:g}": float(off[rank - 1]) for level, rank in ranks.items() if rank <= len(off)}
    return {"examples": len(off), "half_widths": found}


def shown(calibration: Mapping[str, Any]) -> tuple[float, float] | None:
    """The level and half width of the interval that is shown beside a prediction; None where there is none."""
    found = calibration.get("half_widths", {}).get(f"{SHOWN_LEVEL:g}")
    return None if found is None else (SHOWN_LEVEL, float(found))


def coverage(labels: Labels, said: Probabilities, half_width: float) -> float:
    """Share of labelled examples whose number lies in the interval; NaN without any."""
    known = is_known(labels)
    return float(np.mean(np.abs(labels[known] - said[known, 0]) <= half_width)) if known.any() else math.nan
