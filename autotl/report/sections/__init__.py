"""What each section of the page says, worked out from the values: no markup here, no arithmetic in the templates.

One file per section; `page` calls their functions and hands what they return to the template of the same name.
"""

from autotl.report.sections.board import Board, Scale, board, worth_showing
from autotl.report.sections.committee import Committee, committee
from autotl.report.sections.data import Domain, domains, findings_by_severity
from autotl.report.sections.mistakes import Matrix, matrix
from autotl.report.sections.settings import budget_text, further_settings, winner_plan
from autotl.report.sections.space import Dimension, dimensions
from autotl.report.sections.summary import Figure, summary_figures

__all__ = [
    "Board",
    "Committee",
    "Dimension",
    "Domain",
    "Figure",
    "Matrix",
    "Scale",
    "board",
    "budget_text",
    "committee",
    "dimensions",
    "domains",
    "findings_by_severity",
    "further_settings",
    "matrix",
    "summary_figures",
    "winner_plan",
    "worth_showing",
]
