"""What can be asked for already and what cannot: read and checked, then refused by a plain line."""

from collections.abc import Callable, Iterator

from autotl.task.model import Task

# (path in the file, what to call it, is it asked for?); building a part removes its line
NOT_YET: tuple[tuple[str, str, Callable[[Task], bool]], ...] = ()


def unsupported(task: Task) -> list[str]:
    """A line for each thing asked for that this version cannot run yet, in the order of the table."""
    return [f"{where}: {what} is read, but this version cannot run it yet." for where, what in _not_yet(task)]


def _not_yet(task: Task) -> Iterator[tuple[str, str]]:
    for path, what, is_asked_for in NOT_YET:
        if is_asked_for(task):
            yield task.where(path), what.format(task)
