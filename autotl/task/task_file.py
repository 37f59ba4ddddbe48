"""From a file to a `Task`, or to every mistake in it at once."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autotl.errors import TaskError
from autotl.task.mistakes import explain
from autotl.task.model import Task
from autotl.task.yaml_reader import Document, as_text, read_document

# Where a number or `NO` is meant as the text that stands there: names of columns, classes and tasks.
READ_AS_TEXT = re.compile(
    r"name|positive|classes\[\d+\]|data\.columns\.(?:input|label|group|time|unit|drop(?:\[\d+\])?)|data\.source(?:\[\d+\])?\.name"
    r"|audit\.merge\..*"
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


def task_from_mapping(mapping: Mapping[str, Any], *, folder: Path, name: str = "task") -> Task:
    """The same from plain values, for programs that write no file; relative paths start at `folder`."""
    task = _validated(Document(name, dict(mapping), {}, {}, {}), default_name=name)
    task._folder = folder.absolute()
    return task


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
    return task


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
