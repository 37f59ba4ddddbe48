"""All that is measured between a source and a target, as plain JSON values."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.gap.a_distance import proxy_a_distance
from autotl.scoring.gap.adaptability import joint_error
from autotl.scoring.gap.domains import Domains
from autotl.scoring.gap.label_shift import label_shift
from autotl.scoring.gap.mmd import mmd
from autotl.scoring.gap.moments import coral_distance, mean_shift
from autotl.scoring.gap.per_class import class_shifts, margin_histogram
from autotl.scoring.gap.plane import plane
from autotl.scoring.gap.probe import Probe
from autotl.scoring.gap.support import effective_share, share_outside


def measure(
    source: NDArray[Any], target: NDArray[Any], labels: NDArray[np.int64], classes: Sequence[str], *, seed: int = 0
) -> dict[str, Any]:
    """The domain gap by features. No label of the target is read: there is no place to give one.

    Args:
        source, target: features (n, d) and (m, d).
        labels: (n,) class index of the source's examples; negative where unknown.
        classes: their names.
    Returns:
        `rows` {source, target, left_out}, `a_distance`, `mmd` {value, p_value, narrow, wide}, `coral`, `mean_shift`,
        `support` {outside, effective_share}, `adaptability`, `label_shift`, `classes` (first the ones to label first),
        `margins` and `map`. What cannot be told is None.
    Raises:
        TooFewRowsError: fewer than 10 examples of a domain have features.
        ValueError: the widths differ.
    """
    domains = Domains.of(source, target, labels)
    white_source, white_target = domains.whitened()
    discrepancy = mmd(domains.source_points, domains.target_points, seed=seed)
    found: dict[str, Any] = {
        "rows": {
            "source": len(domains.source),
            "target": len(domains.target),
            "left_out": domains.left_out,
        },
        "varies": domains.vary,
        "a_distance": proxy_a_distance(white_source, white_target, seed=seed),
        "mmd": {
            "value": discrepancy.value,
            "p_value": discrepancy.p_value,
            "narrow": discrepancy.narrow,
            "wide": discrepancy.wide,
        },
        "coral": coral_distance(domains.source, domains.target),
        "mean_shift": _number(mean_shift(domains.source, domains.target)) if domains.vary else 0.0,
        "support": {
            "outside": share_outside(domains.source_points, domains.target_points),
            "effective_share": effective_share(domains.source_points, domains.target_points) if domains.vary else 1.0,
        },
        "map": plane(domains),
    }
    return {**found, **_by_labels(domains, white_source, white_target, classes, seed=seed)}


def _by_labels(
    domains: Domains, source: NDArray[np.float64], target: NDArray[np.float64], classes: Sequence[str], *, seed: int
) -> dict[str, Any]:
    """What needs the source's labels."""
    if not (domains.labels >= 0).any():
        return {"adaptability": None, "label_shift": None, "classes": [], "margins": None}
    probe = Probe.fit(source, domains.labels, target, classes=len(classes), seed=seed)
    shares = label_shift(probe, seed=seed)
    return {
        "adaptability": joint_error(source, domains.labels, target, probe, seed=seed),
        "probe_error": float((probe.source.argmax(axis=1) != probe.labels).mean()),
        "label_shift": {
            "can_be_told": shares.can_be_told,
            "condition": _number(shares.condition),
            "total_variation": shares.total_variation,
            "classes": [
                {
                    "name": name,
                    "source": float(shares.source[index]),
                    "target": float(shares.target[index]),
                    "low": None if shares.low is None else float(shares.low[index]),
                    "high": None if shares.high is None else float(shares.high[index]),
                    "black_box": float(shares.black_box[index]),
                }
                for index, name in enumerate(classes)
            ],
        },
        "classes": [
            {
                "name": classes[each.index],
                "source_rows": each.source_rows,
                "target_rows": each.target_rows,
                "shift": each.shift,
                "mmd": each.mmd,
                "margin": each.margin,
            }
            for each in class_shifts(domains.source_points, domains.labels, domains.target_points, probe, seed=seed)
        ],
        "margins": margin_histogram(probe),
    }


def _number(value: float) -> float | None:
    """The value, None where it is no finite number."""
    return value if math.isfinite(value) else None
