"""What the user asked for: `task.yaml` → a frozen, validated `Task`, with line and column in every complaint."""

from autotl.task.model import Source, Target, Task
from autotl.task.private import PRIVATE_METRIC, is_protected, refused_privately
from autotl.task.problem import METRIC_NAMES, PROBLEMS, Problem
from autotl.task.task_file import ReadablePart, names_in, read_task, readable_part, task_from_mapping
from autotl.task.together import companions_of, tasks_of
from autotl.task.values import BASELINE_NAMES, LabelsOf, PerClass
from autotl.task.yaml_reader import Document, read_yaml, write_yaml

__all__ = [
    "BASELINE_NAMES",
    "METRIC_NAMES",
    "PRIVATE_METRIC",
    "PROBLEMS",
    "Document",
    "LabelsOf",
    "PerClass",
    "Problem",
    "ReadablePart",
    "Source",
    "Target",
    "Task",
    "companions_of",
    "is_protected",
    "names_in",
    "read_task",
    "read_yaml",
    "readable_part",
    "refused_privately",
    "task_from_mapping",
    "tasks_of",
    "write_yaml",
]
