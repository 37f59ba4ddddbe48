"""Every error a user can cause, with the exit code the command line answers with.

The codes are a contract: 0 done, 1 bug in autotl, 2 wrong usage, 3 bad configuration or nothing to resume, 4 bad data,
5 no usable model, 6 gate not met, 7 environment, 8 storage, 130 and 143 for the signals.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

LONGEST = 300  # characters of a foreign error that are told


class AutotlError(Exception):
    """An error with a message for the user; anything else that escapes is a bug in autotl (exit code 1)."""

    exit_code = 1


class UsageError(AutotlError):
    """The command line was used wrongly, for example an output folder that is not empty."""

    exit_code = 2


class TaskError(AutotlError):
    """The configuration is wrong. Carries every mistake found, one line each."""

    exit_code = 3

    def __init__(self, mistakes: str | Sequence[str]) -> None:
        self.mistakes = (mistakes,) if isinstance(mistakes, str) else tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class NothingToResumeError(AutotlError):
    """There is no search in the folder that could go on: none was begun, or it is finished."""

    exit_code = 3


class DataError(AutotlError):
    """The data cannot be used as it is: missing, broken, leaking or without classes."""

    exit_code = 4

    def __init__(self, mistakes: str | Sequence[str]) -> None:
        self.mistakes = (mistakes,) if isinstance(mistakes, str) else tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class NoUsableModelError(AutotlError):
    """The search ended and no trial may win."""

    exit_code = 5


class GateNotMetError(AutotlError):
    """The best model misses a required figure (`--require metric>=x`)."""

    exit_code = 6


class EnvironmentProblemError(AutotlError):
    """The machine lacks something the run needs: a GPU that was asked for, weights that are not at hand."""

    exit_code = 7


class StorageError(AutotlError):
    """Disk full, no right to write, or a file in the run folder or store that cannot be read."""

    exit_code = 8


class InterruptedSearchError(AutotlError):
    """The search was stopped by a signal; what had finished is written."""

    def __init__(self, message: str, *, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class SeveralTasksError(AutotlError):
    """What went wrong with tasks of a command that has several; its exit code is that of a signal, or of the first."""

    def __init__(self, errors: Mapping[str, AutotlError]) -> None:
        stopped = [error for error in errors.values() if isinstance(error, InterruptedSearchError)]
        self.exit_code = [*stopped, *errors.values()][0].exit_code
        said = [(name, str(error)) for name, error in errors.items()]
        super().__init__("\n".join(words if words.startswith(name) else f"{name}: {words}" for name, words in said))


def unknown_name(
    where: str, seen: str, allowed: Iterable[str], *, other_names: Mapping[str, str] | None = None
) -> TaskError:
    """The error for a name that a table does not hold, with its nearest neighbour."""
    return TaskError(f"{where}: {seen!r} is not known. {suggestion(seen, allowed, other_names=other_names)}")


def suggestion(seen: str, allowed: Iterable[str], *, other_names: Mapping[str, str] | None = None) -> str:
    """`Allowed: a, b. Did you mean 'a'?`, the second half only where a name is near.

    Args:
        other_names: what people call an allowed name elsewhere → that name; in lower case, words joined by `_`.
    """
    names = sorted(allowed)
    elsewhere = {other: name for other, name in (other_names or {}).items() if name in names}
    plain = seen.lower().replace("-", "_").replace(" ", "_")
    known = elsewhere.get(plain) or next(iter(get_close_matches(seen, names, n=1)), None)
    near = known or next((elsewhere[other] for other in get_close_matches(plain, elsewhere, n=1)), None)
    hint = f" Did you mean {near!r}?" if near else ""
    return f"Allowed: {', '.join(names)}.{hint}"


def first_line(error: BaseException) -> str:
    """The first line of what an error says; its kind where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def in_one_line(error: BaseException) -> str:
    """All that an error says as one line, cut where it is very long; its kind where it says nothing."""
    return " ".join(str(error).split())[:LONGEST] or type(error).__name__
