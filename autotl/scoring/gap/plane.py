"""A map of both domains' features in two dimensions."""

from typing import Any

import numpy as np

from autotl.scoring.components import sampled
from autotl.scoring.gap.domains import Domains

MOST_POINTS = 400  # of each domain, so that a page stays small


def plane(domains: Domains) -> dict[str, Any]:
    """The first two principal components of both domains together.

    Returns:
        Plain JSON values: `source` and `target`, lists of [x, y]; `told`, the share of the features' variance that the
        two components hold.
    """
    points = {"source": domains.source_points, "target": domains.target_points}
    whole = float(np.square(domains.source).sum() + np.square(domains.target).sum())
    told = sum(float(np.square(each[:, :2]).sum()) for each in points.values())
    return {
        **{name: _flat(each) for name, each in points.items()},
        "told": told / whole if whole else 0.0,
    }


def _flat(points: Any) -> list[list[float]]:
    drawn = points[sampled(len(points), MOST_POINTS), :2]
    return np.round(np.pad(drawn, ((0, 0), (0, 2 - drawn.shape[1]))), 3).tolist()
