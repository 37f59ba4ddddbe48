"""A first task.yaml for data that nobody has described yet: looked at, written with its reasons, and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autotl.api.opening import Overrides, open_task
from autotl.data import load_data
from autotl.data.first_look import Asked
from autotl.data.listing import KINDS
from autotl.data.proposal import Proposal, propose
from autotl.errors import DataError, EnvironmentProblemError, StorageError, TaskError, UsageError, suggestion
from autotl.task.template import render_template

HEADING = (
    "Written by `autotl init` from the data alone: a proposal with its reasons. Read it, change it, keep it.",
    "A line that begins with # says nothing until the sign is taken away. All keys: README.md, 'What a task can say'.",
)


@dataclass(frozen=True)
class WrittenTask:
    """A task file that a search runs as it is.

    Attributes:
        sentences: what was found in the data and what was made of it.
    """

    path: Path
    modality: str
    sentences: tuple[str, ...]


def write_task(
    data: Path | str | Sequence[Path | str],
    *,
    out: Path | str = "task.yaml",
    source: Path | str | Sequence[Path | str] = (),
    label: str | None = None,
    modality: str | None = None,
    input: str | None = None,
) -> WrittenTask:
    """Looks at the data and writes a commented task for them; then opens it as a search would.

    Args:
        data: a folder, table or `.npz`, or several that are one domain.
        out: the file to write; there must be none yet.
        source: labelled domains that help, one a path.
        label, modality, input: what cannot be told from the data: the label column, the modality, the input column.
    Raises:
        UsageError: the file is there already, or its folder is not.
        DataError: something cannot be told, or the data cannot be used as they are. Where only a choice is missing the
            file is written all the same, and the message says so.
    """
    path = Path(out)
    _check_usage(path, modality)
    asked = Asked(label=label, modality=modality, input=input)
    proposal = propose(_paths(data), folder=path.absolute().parent, source=_paths(source), asked=asked)
    text = render_template(proposal.lines, heading=HEADING)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _taken(path) from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}.") from error
    try:
        remarks = _checked(path, proposal)
    except (TaskError, DataError) as error:
        next_step = f"{path} was written. Settle this in it or in the data, then: autotl validate {path} --full"
        raise type(error)([*error.mistakes, next_step]) from error
    return WrittenTask(path, proposal.modality, (*proposal.sentences, *remarks))


def _check_usage(path: Path, modality: str | None) -> None:
    if path.exists():
        raise _taken(path)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}. Make it, or choose another --out.")
    if modality is not None and modality not in KINDS:
        raise UsageError(f"--modality: {modality!r} is not known. {suggestion(modality, KINDS)}")


def _taken(path: Path) -> UsageError:
    return UsageError(f"{path} is there already and is not overwritten. Choose another --out, or remove it.")


def _paths(given: Path | str | Sequence[Path | str]) -> list[Path]:
    return [Path(given)] if isinstance(given, str | Path) else [Path(path) for path in given]


def _checked(path: Path, proposal: Proposal) -> tuple[str, ...]:
    """Opens the task as a search would. That this machine lacks the weights is a remark: the task is sound."""
    try:
        opened = open_task(path, Overrides())
    except EnvironmentProblemError as error:
        return (f"Before a search: {error}",)
    if proposal.is_opened:
        load_data(opened.task)
    return ()
