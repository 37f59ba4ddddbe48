"""The verbs, for Python and the command line alike. Importing this loads no TensorFlow.

import autotl
run = autotl.search("task.yaml")
print(run.winner["score"], run.path / "report.html")
"""

from autotl.api.exporting import export
from autotl.api.exporting_source import export_source, exported_words
from autotl.api.exporting_statistics import (
    FeaturesAsked,
    WrittenStatistics,
    add_statistics,
    noise_of,
    write_statistics_of,
)
from autotl.api.first_task import WrittenTask, write_task
from autotl.api.measuring_gap import Gap, gap
from autotl.api.opening import OpenedTask, Overrides, open_task
from autotl.api.planning import Planned, plan, plan_each
from autotl.api.reviewing import arranged, compare, leaderboard_of, read_overview
from autotl.api.searching import Run, open_to_search, search
from autotl.api.several import OpenedSeries, Turn, open_series, reopen_series, search_series
from autotl.api.signing_off import Promotion, list_models, open_model, promote, roll_back
from autotl.api.verbs import (
    Validation,
    predict,
    predict_given,
    read_leaderboard,
    validate,
    write_demo,
    write_report,
    write_report_without_examples,
)
from autotl.data.first_look import Asked
from autotl.run.series import INDEX, is_series
from autotl.task import names_in

__all__ = [
    "INDEX",
    "Asked",
    "FeaturesAsked",
    "Gap",
    "OpenedSeries",
    "OpenedTask",
    "Overrides",
    "Planned",
    "Promotion",
    "Run",
    "Turn",
    "Validation",
    "WrittenStatistics",
    "WrittenTask",
    "add_statistics",
    "arranged",
    "compare",
    "export",
    "export_source",
    "exported_words",
    "gap",
    "is_series",
    "leaderboard_of",
    "list_models",
    "names_in",
    "noise_of",
    "open_model",
    "open_series",
    "open_task",
    "open_to_search",
    "plan",
    "plan_each",
    "predict",
    "predict_given",
    "promote",
    "read_leaderboard",
    "read_overview",
    "reopen_series",
    "roll_back",
    "search",
    "search_series",
    "validate",
    "write_demo",
    "write_report",
    "write_report_without_examples",
    "write_statistics_of",
    "write_task",
]
