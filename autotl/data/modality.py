"""Image, text, table or signal? Told from a few small facts of the data, with the reason; unsure where it is unsure."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from autotl.data.arrays import ArrayError, array_names, read_header
from autotl.data.date_text import date_form
from autotl.data.exported import ExportedError, exported_of
from autotl.data.images import SUFFIXES
from autotl.data.number_text import number_notation, read_numbers
from autotl.data.tables import TABLE_SUFFIXES, Table, TableError, read_table
from autotl.errors import TaskError
from autotl.task import Task
from autotl.task.model import Columns

Modality = Literal["image", "text", "table", "signal"]

SAMPLED_ROWS = 200
SURE = 0.95  # of the files or cells looked at
LONG_TEXT_WORDS = 6.0  # a cell, on average
FEW_WORDS = 3.0  # are enough in a column with one of TEXT_NAMES
MOST_NUMBERS_BESIDE_TEXT = 3  # columns; with more, the text may be a remark in a table
LEAST_SIGNAL_SAMPLES = 16
MOST_ASPECT = 8  # of an image; longer ones are rather (time, channels)
TEXT_NAMES = frozenset({"text", "sentence", "review", "comment", "document", "content", "body", "message", "tweet"})
PATH_NAMES = frozenset({"path", "file", "filename", "file_name", "image", "image_path"})
TIME_NAMES = frozenset({"time", "timestamp", "t", "seconds", "sample"})
LABEL_NAMES = frozenset({"label", "class", "category", "target", "y"})
_IMAGE_PATH = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(SUFFIXES)))})\s*$", re.IGNORECASE)
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")  # letters of writing without spaces


@dataclass(frozen=True)
class FolderFacts:
    """Files below a folder, counted by lower-case suffix such as `.png`."""

    suffixes: Mapping[str, int]


@dataclass(frozen=True)
class ArrayFacts:
    """The inputs of an `.npz`."""

    name: str
    shape: tuple[int, ...]
    kind: str  # of its dtype: `u`, `i`, `f`, …
    itemsize: int = 4  # bytes a value


@dataclass(frozen=True)
class TableFacts:
    """The first rows of a table, by column."""

    columns: Mapping[str, Sequence[str]]


Facts = FolderFacts | ArrayFacts | TableFacts


@dataclass(frozen=True)
class Guess:
    """A modality, or None where only the user can tell; the reason completes the sentence 'guessed: text, because …'
    or 'the modality is not clear: …'."""

    modality: Modality | None
    reason: str


def guess_modality(facts: Sequence[Facts], columns: Columns | None = None, *, window: int | None = None) -> Guess:
    """The modality that all the paths of a task agree on.

    Args:
        facts: one a path.
        columns: what the task says of columns; the label and dropped ones are not looked at.
        window: the task's window, which only signals have.
    """
    columns = columns or Columns()
    guesses = [_guess(fact, columns, window) for fact in facts]
    unsure = next((guess for guess in guesses if guess.modality is None), None)
    if not guesses or unsure is not None:
        return unsure or Guess(None, "there is nothing to tell it from")
    first = guesses[0]
    for other in guesses[1:]:
        if other.modality != first.modality:
            seen = f"one path is {first.modality}, because {first.reason}; another is {other.modality}"
            return Guess(None, f"{seen}, because {other.reason}")
    return first


def modality_of(task: Task) -> str:
    """What the task's data are; images where nothing can be read, which is told elsewhere.

    Raises:
        TaskError: the paths do not tell; names what was seen.
    """
    if _has_exported_source(task):  # where data and model differ, the data are listed as what they are
        return task.modality or guess_of(task).modality or told_modality(task) or "image"
    return told_modality(task) or "image"


def told_modality(task: Task) -> str | None:
    """What the task's data are: as it says, as its exported source says, or as its paths tell; None where what is there
    cannot be read.

    Raises:
        TaskError: the paths do not tell; names what was seen.
    """
    if _has_exported_source(task):
        try:
            exported = exported_of(task)
        except ExportedError:
            return None
        return None if exported is None else exported.description.modality
    if task.modality is not None:
        return task.modality
    facts = _facts_of_task(task)
    if not facts:  # nothing is there, or nothing that can be read; which of them is told elsewhere
        return None if any(task.resolve(given).exists() for given in _training_paths(task)) else "image"
    guess = guess_modality(facts, task.data.columns, window=task.window)
    if guess.modality is None:
        words = f"the modality is not clear: {guess.reason}. Write 'modality: image', 'text', 'table' or 'signal'."
        raise TaskError(f"{task.where('data')}: {words}")
    return guess.modality


def guess_of(task: Task) -> Guess:
    """What the task's paths look like, whatever else says so."""
    return guess_modality(_facts_of_task(task), task.data.columns, window=task.window)


def _has_exported_source(task: Task) -> bool:
    return any(source.exported is not None for source in task.data.source)


def _training_paths(task: Task) -> list[str]:
    return [*task.data.target.train, *(path for source in task.data.source for path in source.train or ())]


def _facts_of_task(task: Task) -> list[Facts]:
    facts = [_facts_of(task.resolve(given), task.encoding) for given in _training_paths(task)]
    return [fact for fact in facts if fact is not None and not (isinstance(fact, FolderFacts) and not fact.suffixes)]


def _facts_of(path: Path, encoding: str) -> Facts | None:
    """What a path tells; None where it cannot be read, which is told elsewhere."""
    try:
        if path.is_dir():
            return folder_facts([name for _, _, names in os.walk(path) for name in names])
        if path.suffix.lower() == ".npz":
            return array_facts(path)
        if path.suffix.lower() in TABLE_SUFFIXES:
            return table_facts(read_table(path, encoding=encoding))
    except (ArrayError, TableError, OSError):
        return None
    return None


def folder_facts(names: Sequence[str]) -> FolderFacts:
    """Facts of the files below a folder, from their names."""
    return FolderFacts(dict(Counter(Path(name).suffix.lower() for name in names)))


def array_facts(path: Path) -> ArrayFacts | None:
    """Facts of the inputs in an `.npz`, from its headers alone; None where no member is called `x` or `x_train`.

    Raises:
        ArrayError: not readable.
    """
    names = array_names(path)
    name = next((name for name in ("x_train", "x", *names) if name in names and re.match("x(_|$)", name)), None)
    if name is None:
        return None
    header = read_header(path, name)
    return ArrayFacts(name, header.shape, header.dtype.kind, header.dtype.itemsize)


def table_facts(table: Table) -> TableFacts:
    """Facts of a table that was read already."""
    return TableFacts({name: cells[:SAMPLED_ROWS] for name, cells in table.columns.items()})


def _guess(facts: Facts, columns: Columns, window: int | None) -> Guess:
    if isinstance(facts, FolderFacts):
        return _of_folder(facts)
    if isinstance(facts, ArrayFacts):
        return _of_array(facts)
    return _of_table(facts, columns, window)


def _of_folder(facts: FolderFacts) -> Guess:
    total = sum(facts.suffixes.values())
    images = sum(count for suffix, count in facts.suffixes.items() if suffix in SUFFIXES)
    texts = facts.suffixes.get(".txt", 0)
    if not total:
        return Guess(None, "the folder holds no file")
    if images and images > texts:
        return Guess("image", f"the folder holds {images:,} image files")
    if texts and (not images or texts >= SURE * (images + texts)):
        return Guess("text", f"the folder holds {texts:,} .txt files")
    if images and texts:
        return Guess(None, f"the folder holds {images:,} image files and {texts:,} .txt files")
    common = max(sorted(facts.suffixes), key=lambda suffix: facts.suffixes[suffix])
    if common in TABLE_SUFFIXES or common == ".npz":
        return Guess(None, f"the folder holds {common} files: name the files themselves")
    return Guess(None, f"the folder holds neither images nor .txt files; most are {common or 'without a suffix'}")


def _of_array(facts: ArrayFacts) -> Guess:
    shape, bytes_only = facts.shape, facts.kind == "u" and facts.itemsize == 1
    of = f"{facts.name!r} has shape {_written(shape)}"
    if facts.kind not in "iufb":
        return Guess(None, f"{facts.name!r} holds neither whole numbers nor floats")
    if len(shape) == 4:
        if shape[3] in (1, 3):
            return Guess("image", f"{of}, images with {shape[3]} channel{'s' if shape[3] > 1 else ''}")
        return Guess(None, f"{of}, which is neither (n, height, width, 3) nor (n, time, channels)")
    if len(shape) == 2:
        if shape[1] < LEAST_SIGNAL_SAMPLES:
            return Guess(None, f"{of}: {shape[1]} values a row are a short signal or the columns of a table")
        return Guess("signal", f"{of}, windows of {shape[1]:,} samples")
    if len(shape) != 3:
        return Guess(None, f"{of}, which is neither images nor windows")
    height, width = shape[1:]
    looks_like_image = max(height, width) <= MOST_ASPECT * min(height, width) and min(height, width) >= 4
    if height == width:
        return Guess("image", f"{of}, square grey images")
    if bytes_only and looks_like_image:
        return Guess("image", f"{of} and holds bytes, grey images")
    if not bytes_only and not looks_like_image and height > width:
        return Guess("signal", f"{of}, windows of {height:,} samples x {width:,} channel{'s' if width > 1 else ''}")
    if not bytes_only and not looks_like_image:
        return Guess(None, f"{of}: signals are (n, time, channels), and this has more channels than samples")
    return Guess(None, f"{of}, which may be grey images of {height} x {width} or windows of {height} samples")


def _of_table(facts: TableFacts, columns: Columns, window: int | None) -> Guess:
    named = {*columns.labels, columns.group, columns.time, columns.unit, *columns.drop}
    cells = {name: values for name, values in facts.columns.items() if name not in named}
    if columns.label is None:
        cells = {name: values for name, values in cells.items() if name.strip().lower() not in LABEL_NAMES} or cells
    if window is not None or columns.time is not None or columns.unit is not None:
        which = "a window" if window is not None else "a time column" if columns.time is not None else "a unit column"
        return Guess("signal", f"the task names {which}")
    if columns.input is not None:
        cells = {columns.input: cells.get(columns.input, facts.columns.get(columns.input, ()))}
    called = next((name for name in facts.columns if name.strip().lower() in PATH_NAMES), None)
    if called is not None:
        return Guess("image", f"column {called!r} names files")
    if not any(any(cell.strip() for cell in values) for values in cells.values()):
        return Guess(None, "the table has no filled cell beside the label")
    paths = next(iter(path_columns(cells)), None)
    if paths is not None:
        return Guess("image", f"column {paths!r} holds the paths of image files")
    numbers = [name for name, values in cells.items() if _is_of_numbers(values)]
    prose = prose_columns({name: values for name, values in cells.items() if name not in numbers})
    if prose:
        name = max(prose, key=lambda name: prose[name])
        if len(numbers) > MOST_NUMBERS_BESIDE_TEXT:
            beside = f"beside {len(numbers)} columns of numbers"
            return Guess(None, f"column {name!r} holds texts {beside}: a table with remarks, or texts with extras")
        return Guess("text", f"column {name!r} holds texts of {prose[name]:.0f} words on average")
    clock = next((name for name in numbers if name.strip().lower() in TIME_NAMES and _increases(cells[name])), None)
    if clock is not None and len(numbers) == len(cells) > 1:
        words = f"column {clock!r} increases row by row beside numbers"
        return Guess(None, f"{words}: a table, or a signal with data.columns: {{time: {clock}}} and a window")
    others = len(cells) - len(numbers)
    if not numbers and len(cells) == 1:
        return Guess(None, f"column {next(iter(cells))!r} holds short texts: a category of a table, or texts")
    parts = [f"of numbers ({len(numbers)})"] if numbers else []
    parts += [f"of categories or dates ({others})"] if others else []
    return Guess("table", f"it has columns {' and '.join(parts)}")


def path_columns(cells: Mapping[str, Sequence[str]]) -> list[str]:
    """The columns whose cells are paths of image files."""
    return [name for name, values in cells.items() if _image_path_share(values) >= SURE]


def prose_columns(cells: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """The columns that hold texts, and the words of a cell on average."""
    return {name: _words(values) for name, values in cells.items() if _is_prose(name, values)}


def _image_path_share(values: Sequence[str]) -> float:
    filled = [value for value in values if value.strip()]
    return sum(_IMAGE_PATH.search(value) is not None for value in filled) / len(filled) if filled else 0.0


def _is_of_numbers(values: Sequence[str]) -> bool:
    return number_notation(values, np.ones(len(values), dtype=np.int64))[1] >= SURE


def _is_prose(name: str, values: Sequence[str]) -> bool:
    """Whether a column of text says something new in nearly every cell, in words."""
    filled = [value for value in values if value.strip()]
    least = FEW_WORDS if name.strip().lower() in TEXT_NAMES else LONG_TEXT_WORDS
    if not filled or len(set(filled)) < len(filled) / 2 or _words(filled) < least:
        return False
    return date_form(filled, np.ones(len(filled), dtype=np.int64))[1] < SURE


def _words(values: Sequence[str]) -> float:
    """Words a filled cell; in writing without spaces two letters count as one."""
    filled = [value for value in values if value.strip()]
    if not filled:
        return 0.0
    return sum(len(value.split()) + _UNSPACED.subn("", value)[1] / 2 for value in filled) / len(filled)


def _increases(values: Sequence[str]) -> bool:
    numbers, _ = read_numbers(values, number_notation(values, np.ones(len(values), dtype=np.int64))[0])
    return len(numbers) > 1 and bool((np.diff(numbers) > 0).all())


def _written(shape: tuple[int, ...]) -> str:
    return f"({', '.join(['n', *map(str, shape[1:])])})"
