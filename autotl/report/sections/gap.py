"""How far the domains are apart, before adaptation and after it."""

from dataclasses import dataclass

from autotl.report.gap_figures import GapFigure, figures
from autotl.report.values import Json
from autotl.report.wording import NOTHING
from autotl.scoring.gap import sentences


@dataclass(frozen=True)
class Gap:
    """What the page says of the gap before and after adaptation."""

    features: str
    sentences: list[str]
    figures: list[tuple[GapFigure, GapFigure]]  # before, after


def gap(panels: Json) -> Gap:
    """The two panels side by side, without measures that neither has; in words what the first one says."""
    before, after = panels["before"], panels["after"]
    pairs = zip(figures(before), figures(after), strict=True)
    measured = [pair for pair in pairs if any(figure.value != NOTHING for figure in pair)]
    return Gap(panels["features"], sentences(before), measured)
