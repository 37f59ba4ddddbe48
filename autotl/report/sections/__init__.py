"""What each section of the page says, worked out from the values: no markup here, no arithmetic in the templates.

One file per section; `page` calls their functions and hands what they return to the template of the same name.
"""

from autotl.report.sections.board import Board, Scale, board, worth_showing
from autotl.report.sections.committee import Committee, committee
from autotl.report.sections.data import Domain, domains, findings_by_severity
from autotl.report.sections.front import front
from autotl.report.sections.mistakes import Matrix, matrix
from autotl.report.sections.settings import budget_text, further_settings, winner_plan
from autotl.report.sections.space import Dimension, dimensions
from autotl.report.sections.spending import Price, Spending, spending
from autotl.report.sections.summary import Figure, summary_figures
from autotl.report.sections.transfer import Transfer, transfer
from autotl.report.sections.verdict import Circumstances, Verdict, circumstances, verdict
from autotl.report.sections.worth import Worth, worth

__all__ = [
    "Board",
    "Circumstances",
    "Committee",
    "Dimension",
    "Domain",
    "Figure",
    "Matrix",
    "Price",
    "Scale",
    "Spending",
    "Transfer",
    "Verdict",
    "Worth",
    "board",
    "budget_text",
    "circumstances",
    "committee",
    "dimensions",
    "domains",
    "findings_by_severity",
    "front",
    "further_settings",
    "matrix",
    "spending",
    "summary_figures",
    "transfer",
    "verdict",
    "winner_plan",
    "worth",
    "worth_showing",
]
