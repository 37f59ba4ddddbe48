"""The figures of a domain gap, named and set as a person reads them, for the page and for the terminal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotl.report.wording import NOTHING


@dataclass(frozen=True)
class GapFigure:
    """One measure between two domains."""

    name: str
    value: str
    reading: str  # what its ends mean


def figures(panel: Mapping[str, Any]) -> list[GapFigure]:
    """The measures of a panel (`autotl.scoring.gap.measure`), always the same ones in the same order."""
    discrepancy, support, shares = panel["mmd"], panel["support"], panel["label_shift"]
    told = shares is not None and shares["can_be_told"]
    return [
        GapFigure("A-distance", f"{panel['a_distance']:.2f}", "0 alike, 2 always told apart"),
        GapFigure("MMD²", f"{discrepancy['value']:.3f}", "0 alike"),
        GapFigure("p of MMD²", f"{discrepancy['p_value']:.3f}", "below 0.05: more than chance"),
        GapFigure("CORAL distance", f"{panel['coral']:.2g}", "0: covariances agree"),
        GapFigure("mean shift", _number(panel["mean_shift"]), "in usual deviations from the mean"),
        GapFigure("target outside the source", _percent(support["outside"]), "about 1 % is usual"),
        GapFigure("source that weighting uses", _percent(support["effective_share"]), "below 10 %: do not weigh"),
        GapFigure("joint error", _percent(panel["adaptability"]), "above 30 %: adaptation is risky"),
        GapFigure(
            "label shift", _number(shares["total_variation"]) if told else NOTHING, "0 same class shares, 1 disjoint"
        ),
        GapFigure("examples compared", f"{panel['rows']['source']} / {panel['rows']['target']}", "source / target"),
    ]


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f} %"
