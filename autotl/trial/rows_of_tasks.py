"""The examples of tasks that are learnt together: counted through, this task's own first, and dealt for an epoch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Fold, Rows, TaskData


def labels_of_all(data: TaskData) -> NDArray[np.int64]:
    """(n,) of all rows of the task and then of its companions; each task's classes count on from those before."""
    found, first = [data.labels], len(data.classes)
    for each in data.companions:
        found.append(each.labels + first)
        first += len(each.classes)
    return np.concatenate(found)


def rows_of_tasks(data: TaskData, fold: Fold) -> list[Rows]:
    """What each task learns from in a fold, this one first: of the others no copy of what the fold is scored on."""
    digests = [digest for inputs in data.inputs for digest in inputs.digests]
    scored = {digests[row] for row in fold.validation.tolist()}
    found, start = [fold.train], len(digests)
    for each in data.companions:
        found.append(each.rows_without(scored) + start)
        start += len(each.inputs)
    return found


def dealt_by_root(tasks: Sequence[Rows], draws: np.random.Generator) -> Rows:
    """As many rows as all tasks have together, each task's part by the square root of its own; no row of a task comes
    again before all have come."""
    counts = np.array([len(rows) for rows in tasks])
    shares = np.sqrt(counts) / np.sqrt(counts).sum()
    wanted = np.rint(shares * counts.sum()).astype(np.int64)
    return np.concatenate([_so_many(rows, int(count), draws) for rows, count in zip(tasks, wanted, strict=True)])


def _so_many(rows: Rows, count: int, draws: np.random.Generator) -> Rows:
    if not len(rows):
        return rows
    whole, rest = divmod(count, len(rows))
    return np.concatenate([np.repeat(rows, whole), draws.choice(rows, size=rest, replace=False)])
