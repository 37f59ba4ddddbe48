"""A run's task and data read again, long after its search."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.api.orders import order_of_workshop
from autotl.data import TaskData, load_data
from autotl.errors import StorageError, UsageError
from autotl.plan import Plan
from autotl.plan.fields import parse_plan
from autotl.run import RunFolder
from autotl.run.folder import STUDY, TASK
from autotl.run.study import reading
from autotl.task import Task, read_yaml, task_from_mapping
from autotl.trial.making import WorkshopOrder


@dataclass(frozen=True)
class ReopenedTask:
    """A run's task, before its data are read.

    Attributes:
        facts: the named facts of the run's database.
    """

    run: RunFolder
    task: Task
    facts: Mapping[str, Any]

    @property
    def metric(self) -> str:
        """The task's metric."""
        return str(self.facts["task"]["metric"])

    def plan_of(self, row: Mapping[str, Any]) -> Plan:
        """The plan of a leaderboard row."""
        where, modality = f"trial {row['trial']}", self.facts["task"]["modality"]
        return parse_plan(row["plan"], where=where, folder=self.task.folder, modality=modality).canonical()

    def read_data(self) -> TaskData:
        """The data that it was searched on.

        Raises:
            DataError: they cannot be read.
            StorageError: they have changed.
        """
        data = load_data(self.task)
        if data.summary["fingerprint"] != self.facts["data"]["fingerprint"]:
            raise StorageError(f"the data in {self.task.folder} are not those that {self.run.path} was searched on.")
        return data

    def workshop_order(self, data: TaskData) -> WorkshopOrder:
        """Makes the workshop in which its trials were trained."""
        return order_of_workshop(self.task, data, metric=self.metric, offline=False)


def reopen_task(run: RunFolder, *, folder: Path | str | None = None) -> ReopenedTask:
    """The task of a run as it was resolved, its relative paths starting where they did.

    Args:
        folder: where they start, if the task's files have moved.
    Raises:
        UsageError: that folder is not there, or its examples are protected.
    """
    facts = facts_of(run)
    place = Path(folder) if folder is not None else Path(facts.get("folder", "."))
    if not place.is_dir():
        raise UsageError(f"{place}, where the task of {run.path} lay, is not there any more. Name it: --folder DIR.")
    content = read_yaml(run.path / TASK).value
    assert isinstance(content, dict), "a search wrote it"
    task = task_from_mapping(content, folder=place)
    if task.privacy is not None:
        words = "is private, and its budget is divided: nothing more is computed from its examples."
        raise UsageError(f"{run.path} {words}")
    return ReopenedTask(run, task, facts)


def facts_of(run: RunFolder) -> dict[str, Any]:
    """The named facts in a run's database.

    Raises:
        StorageError: it cannot be read.
    """
    with reading(run.path / STUDY) as study:
        return study.facts()
