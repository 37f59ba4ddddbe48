"""The charts of a report: Vega-Lite specs made with altair, each with a table that holds the same figures.

One file per question a chart answers. Importing this package imports altair (about half a second), so `render` does it
when called.
"""

from autotl.report.charts.columns import columns_that_matter
from autotl.report.charts.drawing import CONFIG, Chart, Column
from autotl.report.charts.gap import maps
from autotl.report.charts.importance import importance
from autotl.report.charts.learning import learning_curves
from autotl.report.charts.mistakes import confusion
from autotl.report.charts.numbers import predicted_and_true
from autotl.report.charts.parallel import parallel
from autotl.report.charts.scores import comparison, score_against_cost
from autotl.report.charts.searched import FIELDS, best_by, score_by_learning_rate
from autotl.report.charts.spent import trial_time, wall_time
from autotl.report.charts.thresholds import threshold_curves
from autotl.report.charts.trust import reliability, risk_coverage

__all__ = [
    "CONFIG",
    "FIELDS",
    "Chart",
    "Column",
    "best_by",
    "columns_that_matter",
    "comparison",
    "confusion",
    "importance",
    "learning_curves",
    "maps",
    "parallel",
    "predicted_and_true",
    "reliability",
    "risk_coverage",
    "score_against_cost",
    "score_by_learning_rate",
    "threshold_curves",
    "trial_time",
    "wall_time",
]
