"""What each section of the page says, worked out from the values: no markup here, no arithmetic in the templates.

One file per section; `page` calls their functions and hands what they return to the template of the same name.
"""

from autotl.report.sections.board import Board, Scale, board, worth_showing
from autotl.report.sections.by_class import ByClass, by_class
from autotl.report.sections.by_label import ByLabel, by_label
from autotl.report.sections.committee import Committee, committee
from autotl.report.sections.data import Domain, domains, findings_by_severity
from autotl.report.sections.examples import Examples, examples
from autotl.report.sections.front import front
from autotl.report.sections.gap import Gap, gap
from autotl.report.sections.mistakes import Matrix, matrix
from autotl.report.sections.numbers import Numbers, numbers, whole
from autotl.report.sections.privacy import Privacy, privacy
from autotl.report.sections.settings import budget_text, further_settings, winner_plan
from autotl.report.sections.space import Dimension, dimensions
from autotl.report.sections.spending import Price, Spending, spending
from autotl.report.sections.summary import Figure, summary_figures
from autotl.report.sections.thresholds import Thresholds, thresholds
from autotl.report.sections.together import Together, together
from autotl.report.sections.transfer import Transfer, transfer
from autotl.report.sections.trust import Abstaining, Unlike, abstaining, misgivings, scaled, unlike
from autotl.report.sections.verdict import Circumstances, Verdict, circumstances, verdict
from autotl.report.sections.worth import Worth, worth

__all__ = [
    "Abstaining",
    "Board",
    "ByClass",
    "ByLabel",
    "Circumstances",
    "Committee",
    "Dimension",
    "Domain",
    "Examples",
    "Figure",
    "Gap",
    "Matrix",
    "Numbers",
    "Price",
    "Privacy",
    "Scale",
    "Spending",
    "Thresholds",
    "Together",
    "Transfer",
    "Unlike",
    "Verdict",
    "Worth",
    "abstaining",
    "board",
    "budget_text",
    "by_class",
    "by_label",
    "circumstances",
    "committee",
    "dimensions",
    "domains",
    "examples",
    "findings_by_severity",
    "front",
    "further_settings",
    "gap",
    "matrix",
    "misgivings",
    "numbers",
    "privacy",
    "scaled",
    "spending",
    "summary_figures",
    "thresholds",
    "together",
    "transfer",
    "unlike",
    "verdict",
    "whole",
    "winner_plan",
    "worth",
    "worth_showing",
]
