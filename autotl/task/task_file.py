"""From a file to a `Task`, or to every mistake in it at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autotl.errors import TaskError
from autotl.task.mistakes import explain
from autotl.task.model import Task
from autotl.task.together import tasks_of
from autotl.task.yaml_reader import Document, as_text, read_document

# Where a number or `NO` is meant as the text that stands there: names of columns, classes and tasks.
READ_AS_TEXT = re.compile(
    r"(?:tasks\[\d+\]\.)?(?:name|positive|data\.columns\.(?:input|label|group|time|unit|drop(?:\[\d+\])?)"
    r"|data\.source(?:\[\d+\])?\.name)|classes\[\d+\]|audit\.merge\..*"
)


def read_task(path: Path | str) -> Task:
    """The task in this file.

    Raises:
        TaskError: everything wrong in the file at once: a line each, with its place, what was seen and what is allowed.
    """
    document = read_document(path)
    file = Path(path)
    task = _validated(document, default_name=_name_for(file))
    task._folder, task._document = file.absolute().parent, document
    return task


def names_in(path: Path | str) -> list[str]:
    """What the tasks are called that a file lists; none where it has data of its own or cannot be read."""
    try:
        task = readable_part(path)
    except TaskError:
        return []
    return [each.name for each in tasks_of(task.task)] if task is not None and task.task.holds_several else []


@dataclass(frozen=True)
class ReadablePart:
    """Of a task with mistakes, the top-level keys that have none, for checks that need only those.

    Attributes:
        has_data: False where the data section was among the mistakes: nothing may be read from the one in `task`.
    """

    task: Task
    has_data: bool


def readable_part(path: Path | str) -> ReadablePart | None:
    """What can be read of a task with mistakes; None where that is no task at all."""
    document = read_document(path)
    if not isinstance(document.value, dict):
        return None
    file = Path(path)
    written = {"name": _name_for(file), **_with_names_as_text(document.value, (), document)}
    for _ in range(2):  # keys that contradict each other show once the others are gone
        try:
            task = Task.model_validate(written)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                written.pop(str(found["loc"][0]) if found["loc"] else "", None)
            absent = {"name"} if _lists_tasks(written) else set(_STAND_IN)
            written = {**{key: _STAND_IN[key] for key in absent}, **written}
        else:
            task._folder, task._document = file.absolute().parent, document
            task._holds_several = _lists_tasks(written)
            return ReadablePart(task, written.get("data") is not _STAND_IN["data"])
    return None


def task_from_mapping(mapping: Mapping[str, Any], *, folder: Path, name: str = "task") -> Task:
    """The same from plain values, for programs that write no file; relative paths start at `folder`."""
    task = _validated(Document(name, dict(mapping), {}, {}, {}), default_name=name)
    task._folder = folder.absolute()
    return task


_STAND_IN: Mapping[str, Any] = {"name": "task", "data": {"target": {"train": "."}}}


def _validated(document: Document, *, default_name: str) -> Task:
    if not isinstance(document.value, dict):
        raise TaskError(f"{document.where(())}: a task is a mapping such as {{data: {{target: {{train: photos}}}}}}.")
    written = {"name": default_name, **_with_names_as_text(document.value, (), document)}
    mistakes = list(document.mistakes)
    try:
        task = Task.model_validate(written)
    except ValidationError as error:
        mistakes += explain(error, document)
    if mistakes:
        raise TaskError([words for _, words in sorted(mistakes)])
    task._holds_several = _lists_tasks(document.value)
    return task


def _lists_tasks(written: Mapping[str, Any]) -> bool:
    return bool(written.get("tasks")) and "data" not in written


def _with_names_as_text(value: Any, path: tuple[str | int, ...], document: Document) -> Any:
    if isinstance(value, dict):
        return {key: _with_names_as_text(item, (*path, key), document) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_names_as_text(item, (*path, index), document) for index, item in enumerate(value)]
    is_bare = isinstance(value, int | float)  # true and false are ints, too
    return document.written.get(path, str(value)) if is_bare and READ_AS_TEXT.fullmatch(as_text(path)) else value


def _name_for(file: Path) -> str:
    """`photos/task.yaml` is called photos, `photos.yaml` too."""
    stem = file.stem if file.stem != "task" else file.absolute().parent.name
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:64] or "task"
