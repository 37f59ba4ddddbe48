"""One sitting at a run: what a command that searches works on, and what it writes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autotl.api.opening import OpenedTask
from autotl.api.stages import Stages
from autotl.data import TaskData
from autotl.plan import Plan
from autotl.plan.fields import parse_plan
from autotl.run import RunFolder, Study
from autotl.search.budget import Budget


@dataclass(frozen=True)
class Sitting:
    """One command's work on a run. A run that was stopped and gone on with has had several."""

    task: OpenedTask
    data: TaskData
    run: RunFolder
    study: Study
    budget: Budget
    stages: Stages

    def plan_of(self, row: Mapping[str, Any]) -> Plan:
        """The plan of a trial's row."""
        where, folder = f"trial {row['trial']}", self.task.task.folder
        return parse_plan(row["plan"], where=where, folder=folder, modality=self.data.modality)
