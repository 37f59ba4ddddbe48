"""Tasks that are learnt together with another one: what of their examples may teach it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import xxhash

from autotl.data.examples import Companion, Rows, TaskData, is_known
from autotl.data.modality import told_modality
from autotl.data.windows import Windows
from autotl.errors import DataError, TaskError
from autotl.task import Task, companions_of

WITHOUT_A_SHARED_NETWORK = "table"  # every table has columns of its own, so no network reads two of them


def refuse_unlike(task: Task, modality: str) -> None:
    """Raises a TaskError for tasks that cannot share a network with this one, each with what it is instead."""
    companions = companions_of(task)
    if companions and modality == WITHOUT_A_SHARED_NETWORK:
        words = "tables have columns of their own, so no network reads two of them. Search such tasks one by one."
        raise TaskError(f"{task.where('tasks')}: {words}")
    mistakes = []
    for each in companions:
        found = told_modality(each)
        if found != modality:
            words = f"{each.name!r} holds {found}s, {task.name!r} {modality}s. Tasks learn together within a modality."
            mistakes.append(f"{each.where('data')}: {words}")
    if mistakes:
        raise TaskError(mistakes)


def with_companions(data: TaskData, others: Mapping[str, TaskData], task: Task) -> TaskData:
    """The data of a task, and beside it what the other tasks may teach.

    Args:
        others: by name, in the order in which they are named.
    Raises:
        DataError: windows of signals are not of one shape, or nothing of another task is left to learn from.
    """
    if not others:
        return data
    tested = () if data.test is None else data.test.inputs.digests
    companions = tuple(_companion(name, other, tested) for name, other in others.items())
    mistakes = [f"{task.where('tasks')}: {words}" for words in _misfits(data, companions)]
    if mistakes:
        raise DataError(mistakes)
    told = cast(list[str], data.summary["notes"])
    beside = {each.name: _told(each) for each in companions}
    content = f"{data.summary['fingerprint']}\n{beside}"
    summary = {
        **data.summary,
        "notes": [*told, *(_note(each, others[each.name]) for each in companions)],
        "together": beside,
        "fingerprint": xxhash.xxh3_128_hexdigest(content.encode()),
    }
    return replace(data, companions=companions, summary=summary)


def _companion(name: str, data: TaskData, tested: Collection[str]) -> Companion:
    whole = Companion(name, data.classes, data.inputs[0], data.labels, data.groups).take(_labelled(data))
    return whole.take(whole.rows_without(tested))


def _told(companion: Companion) -> dict[str, object]:
    """By what a resumed search knows it again."""
    content = "\n".join(companion.inputs.digests).encode() + companion.labels.tobytes()
    digest = xxhash.xxh3_128_hexdigest(content)
    return {"rows": len(companion.labels), "classes": list(companion.classes), "digest": digest}


def _labelled(data: TaskData) -> Rows:
    return np.flatnonzero(is_known(data.labels))


def _misfits(data: TaskData, companions: tuple[Companion, ...]) -> list[str]:
    own = data.inputs[0]
    said = [
        f"{each.name!r} has no labelled example that is not tested on." for each in companions if not len(each.labels)
    ]
    for each in companions:
        if isinstance(own, Windows) and isinstance(each.inputs, Windows) and own.shape != each.inputs.shape:
            said.append(f"windows of {each.name!r} are {each.inputs.shape}, those of this task {own.shape}.")
    return said


def _note(companion: Companion, data: TaskData) -> str:
    left_out = len(_labelled(data)) - len(companion.labels)
    but = f"; {left_out:,} that are also in this task's test are left out" if left_out else ""
    return f"Learnt together with {companion.name}: {len(companion.labels):,} labelled examples{but}."
