"""Tasks that are learnt together: the tasks that a file lists, and those beside each of them."""

from collections.abc import Sequence
from datetime import timedelta

from autotl.task.model import Task


def tasks_of(task: Task) -> list[Task]:
    """The tasks that a file lists, each with the others beside it; the task itself where it has data of its own.

    What stands beside `tasks` holds for each of them. The wall time is for all together: each gets an equal part.
    """
    if not task.holds_several:
        return [task]
    budget = task.budget.model_copy(update={"wall": _part_of(task.budget.wall, len(task.tasks))})
    places = range(len(task.tasks))
    return [
        _one_of(task, place, others=[other for other in places if other != place], budget=budget) for place in places
    ]


def companions_of(task: Task) -> list[Task]:
    """The tasks that this one is learnt together with, each as if it stood alone."""
    return [_one_of(task, place, others=(), classes=None) for place in range(len(task.tasks))]


def _one_of(task: Task, place: int, *, others: Sequence[int], **changed: object) -> Task:
    """The task at this place of `tasks`, with those at other places beside it."""
    own = task.tasks[place]
    update = {
        "name": own.name,
        "data": own.data,
        "metric": own.metric or task.metric,
        "positive": own.positive or task.positive,
        "tasks": tuple(task.tasks[other] for other in others),
        **changed,
    }
    made = task.model_copy(update=update)
    in_file = {place: task.place_in_file(place) for place in (place, *others)}
    made._places = {key: ("tasks", in_file[place], key) for key in ("name", "data", "metric", "positive")}
    made._companions_at = tuple(in_file[other] for other in others)
    made._holds_several = False
    return made


def _part_of(wall: timedelta, tasks: int) -> timedelta:
    """In whole seconds, as durations are written."""
    return timedelta(seconds=max(1, int(wall.total_seconds()) // tasks))
