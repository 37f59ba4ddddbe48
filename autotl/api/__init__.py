"""The verbs, for Python and the command line alike. Importing this loads no TensorFlow.

import autotl
run = autotl.search("task.yaml")
print(run.winner["score"], run.path / "report.html")
"""

from autotl.api.exporting import export
from autotl.api.exporting_source import export_source, exported_words
from autotl.api.first_task import WrittenTask, write_task
from autotl.api.measuring_gap import Gap, gap
from autotl.api.opening import OpenedTask, Overrides, open_task
from autotl.api.reviewing import arranged, compare, leaderboard_of, read_overview
from autotl.api.searching import Run, open_to_search, search
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

__all__ = [
    "Gap",
    "OpenedTask",
    "Overrides",
    "Promotion",
    "Run",
    "Validation",
    "WrittenTask",
    "arranged",
    "compare",
    "export",
    "export_source",
    "exported_words",
    "gap",
    "leaderboard_of",
    "list_models",
    "open_model",
    "open_task",
    "open_to_search",
    "predict",
    "predict_given",
    "promote",
    "read_leaderboard",
    "read_overview",
    "roll_back",
    "search",
    "validate",
    "write_demo",
    "write_report",
    "write_report_without_examples",
    "write_task",
]
