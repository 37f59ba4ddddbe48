"""What the columns of a table are there for: label, group, time, unit. Told from names and cells, with the reason.

Everything here is a guess that a person will read: where two columns would do alike, nothing is guessed.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from autotl.data.date_text import date_form, read_date
from autotl.data.layout import ROLES
from autotl.data.modality import TIME_NAMES
from autotl.data.number_text import number_notation, read_numbers
from autotl.data.row_listing import LABEL_COLUMNS
from autotl.data.splits import Integers

Columns = Mapping[str, Sequence[str]]
Floats = NDArray[np.float64]

SURE = 0.95  # of the cells looked at
LOOKED_AT = 2_000  # cells of a column, evenly over it
MOST_CLASSES = 1_000
MOST_NUMBERS = 100  # different numbers in a label; more are a quantity, not classes
REPEATED = 0.5  # of the filled cells; more different ones are no classes and no groups
LEAST_GROUPS = 5  # fewer cannot be divided into train, validation and test
LEAST_GROUPS_IN_CLASS = 3
# last words of a column's name that mean an outcome
OUTCOME_WORDS = frozenset({
    "label", "class", "target", "category", "outcome", "diagnosis", "fault", "failure", "failed", "defect",
    "species", "sentiment", "churn", "churned", "fraud", "spam", "survived", "disease", "quality", "grade",
    "verdict", "anomaly", "response", "result",
})  # fmt: skip
# what several rows may come from; a row of the same one is no new evidence
GROUP_WORDS = frozenset({
    "patient", "subject", "participant", "person", "user", "customer", "client", "owner", "author", "speaker",
    "writer", "machine", "unit", "device", "engine", "motor", "pump", "vehicle", "record", "recording",
    "session", "run", "experiment", "batch", "lot", "product", "item", "asin", "study", "animal", "plot",
    "group",
})  # fmt: skip
SPLIT_NAMES = frozenset({"split", "subset", "partition", "fold"})
_NUMBER_WORDS = frozenset({"id", "no", "nr", "number", "code", "key", "name", "uid"})
_TIME_WORDS = TIME_NAMES | {"sec", "ms", "datetime", "tick"}

SHORTEST_RUN = 64  # samples of one label after another, on average; less are rows of a table
EVEN_STEPS = 0.9  # of all steps in time
WINDOWS = tuple(2**power for power in range(10, 3, -1))  # 1,024 … 16 samples
WINDOWS_IN_CLASS = 20
WINDOWS_IN_RECORD = 4


@dataclass(frozen=True)
class Role:
    """A column and why it is taken for this; where `name` is None, `why` says what was seen instead."""

    name: str | None
    why: str


# Cells ----------------------------------------------------------------------------------------------------------------


def is_numeric(cells: Sequence[str]) -> bool:
    """Whether nearly all filled cells are numbers."""
    some = cells[:: max(1, len(cells) // LOOKED_AT)]
    return number_notation(some, np.ones(len(some), dtype=np.int64))[1] >= SURE


def is_class_like(cells: Sequence[str]) -> bool:
    """Whether few different texts or whole numbers stand in many cells."""
    counts = Counter(cell for cell in cells if cell.strip())
    if not 2 <= len(counts) <= max(2, min(MOST_CLASSES, REPEATED * counts.total())):
        return False
    return not is_numeric(list(counts)) or all(float(value).is_integer() for value in _values(list(counts)))


def is_quantity(cells: Sequence[str]) -> bool:
    """Whether many different numbers stand in it, so that no two rows need bear the same."""
    different = sorted(set(cells))
    if len(different) <= MOST_NUMBERS or not is_numeric(different):
        return False
    return len(different) > 0.1 * len(cells) or not all(value.is_integer() for value in _values(different))


def _values(texts: Sequence[str]) -> list[float]:
    notation, _ = number_notation(texts, np.ones(len(texts), dtype=np.int64))
    values, _ = read_numbers(texts, notation)
    return [float(value) for value in values if np.isfinite(value)]


def _words(name: str) -> list[str]:
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[\W_\d]+", parted.lower()) if word]


# Label ----------------------------------------------------------------------------------------------------------------


def label_by_name(columns: Columns) -> Role:
    """The label by name and cells: one of classes, else one of numbers; None where no name tells, or several do."""
    usual = {name.strip().lower(): name for name in columns}
    for may_be in (is_class_like, is_quantity):
        for word in LABEL_COLUMNS:
            if word != "category" and word in usual and may_be(columns[usual[word]]):
                return Role(usual[word], "by its name")
        named = [name for name in columns if _words(name)[-1:] and _words(name)[-1] in OUTCOME_WORDS]
        named = [name for name in named if may_be(columns[name])]
        if len(named) == 1:
            return Role(named[0], "guessed from its name")
        if named:
            return Role(None, f"{_listed(named, columns)} may each be the label")
    return Role(None, "no column's name tells the label")


def only_class_like(columns: Columns) -> Role:
    """The label as the one column left that holds classes; None where none or several do."""
    left = [name for name, cells in columns.items() if is_class_like(cells) and not _is_group_name(name)]
    left = [name for name in left if not is_split(name, columns[name])]
    if len(left) == 1:
        return Role(left[0], "the only column of few repeated values beside the input")
    return Role(None, f"{_listed(left, columns)} may each be the label" if left else "no column holds repeated values")


def candidates(columns: Columns) -> str:
    """Columns that could be the label, for a message; empty where there is none."""
    return _listed([name for name, cells in columns.items() if is_class_like(cells)], columns)


def _listed(names: Sequence[str], columns: Columns) -> str:
    shown = [f"{name!r} ({len(set(columns[name])):,} values)" for name in names[:8]]
    return ", ".join([*shown, *(["…"] if len(names) > 8 else [])])


# Groups and splits ----------------------------------------------------------------------------------------------------


def is_split(name: str, cells: Sequence[str]) -> bool:
    """Whether a column only says to which split a row belongs."""
    values = {cell.strip().lower() for cell in cells}
    return (name.strip().lower() in SPLIT_NAMES and len(values) <= 20) or (bool(values) and values <= set(ROLES))


def group_columns(columns: Columns) -> list[str]:
    """Columns that name what several rows come from, fewest groups first."""
    found = [name for name, cells in columns.items() if _is_group_name(name) and _is_repeated(cells)]
    return sorted(found, key=lambda name: len(set(columns[name])))


def why_not_divided(groups: Sequence[str], labels: Sequence[str] | None) -> str | None:
    """Why these groups cannot be kept on one side of train, validation and test; None where they can."""
    count = len(set(groups))
    if count < LEAST_GROUPS:
        return f"only {count} of them, too few to divide"
    if labels is not None:
        in_class = Counter(label for label, _ in set(zip(labels, groups, strict=True)))
        rare = min(sorted(in_class), key=lambda label: in_class[label])
        if in_class[rare] < LEAST_GROUPS_IN_CLASS:
            return f"the class {rare!r} stands in {in_class[rare]} of them only"
    return None


def _is_group_name(name: str) -> bool:
    words = [word for word in _words(name) if word not in _NUMBER_WORDS]
    return bool(words) and words[-1] in GROUP_WORDS


def _is_repeated(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) >= SURE * len(cells) and 2 <= len(set(filled)) <= REPEATED * len(filled)


# Signals --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LongSignal:
    """How a table holds a signal, one sample a row.

    Attributes:
        time: the column of times; None where it has none.
        unit: the column of records; None where the table is one record.
        not_numbers: further columns that are no channels.
        runs: label and length of every stretch of one record, without a gap and of one label.
        step: between two samples, in what the time column counts; 0 where there is none.
        is_sure: whether a table of independent rows would hardly look like this.
    """

    time: str | None
    unit: str | None
    not_numbers: tuple[str, ...]
    runs: tuple[tuple[str, int], ...]
    step: float
    is_sure: bool


def long_signal(columns: Columns, labels: Sequence[str], tables: Sequence[int]) -> LongSignal | None:
    """The signal in a long table; None where it holds no numbers, or its times run back within every record.

    Args:
        columns: all but the label.
        labels: of each row.
        tables: which of several tables each row stands in; no record reaches from one into the next.
    """
    table = np.array(tables, dtype=np.int64)
    time, moments = next(
        ((name, read) for name, cells in columns.items() if _is_time(name) and (read := _moments(cells)) is not None),
        (None, None),
    )
    others = {name: cells for name, cells in columns.items() if name != time}
    unit, numbers = _unit(others, moments, table)
    if moments is not None and not _rises(moments, numbers):
        return None
    named = {unit, *(name for name in others if _is_group_name(name))}
    channels = [name for name in others if name not in named and is_numeric(others[name])]
    if not channels:
        return None
    order = np.argsort(numbers, kind="stable")
    steps = None if moments is None else np.diff(moments[order])
    runs, even = _runs(order, numbers, steps, labels)
    is_sure = time is not None and even >= EVEN_STEPS and float(np.mean([length for _, length in runs])) >= SHORTEST_RUN
    usual = 0.0 if steps is None or not len(steps) else float(np.median(steps))
    left = tuple(name for name in others if name not in (unit, *channels))
    return LongSignal(time, unit, left, tuple(runs), usual, is_sure)


def choose_window(runs: Sequence[tuple[str, int]]) -> int | None:
    """The longest power of two, up to 1,024 samples, that still gives every class and record several windows.

    Args:
        runs: label and length of every stretch.
    Returns:
        None where even 16 samples give some class no window.
    """
    typical = float(np.median([length for _, length in runs]))
    for in_class, in_record in ((WINDOWS_IN_CLASS, WINDOWS_IN_RECORD), (WINDOWS_IN_CLASS // 2, 1), (2, 0)):
        for window in WINDOWS:
            held: Counter[str] = Counter()
            for label, length in runs:
                held[label] += length // window
            if min(held.values()) >= in_class and typical // window >= in_record:
                return window
    return None


def _is_time(name: str) -> bool:
    words = [word for word in _words(name) if word not in ("s", "stamp")]
    return (bool(words) and words[-1] in _TIME_WORDS) or name.strip().lower() in _TIME_WORDS


def _moments(cells: Sequence[str]) -> Floats | None:
    """Times as numbers, from numbers or dates; None where some cell is neither."""
    counts = np.ones(len(cells), dtype=np.int64)
    notation, share = number_notation(cells, counts)
    if share == 1.0:
        values, _ = read_numbers(cells, notation)
        return values if np.isfinite(values).all() else None
    form, share = date_form(cells, counts)
    if share < 1.0:
        return None
    moments = [read_date(cell, form) for cell in cells]
    if any(moment is None for moment in moments):
        return None
    return np.array([(moment - moments[0]).total_seconds() for moment in moments if moment and moments[0]])


def _unit(others: Columns, moments: Floats | None, table: Integers) -> tuple[str | None, Integers]:
    """The column within whose values time always rises: of those the one with most values; and the record per row."""
    repeated = {name: cells for name, cells in others.items() if _is_repeated(cells)}
    named = [name for name in repeated if _is_group_name(name)]
    if moments is None:
        finest = max(named, key=lambda name: len(set(repeated[name])), default=None)
        return finest, table if finest is None else _numbered(repeated[finest], table)
    needs_one = not _rises(moments, table)
    tried = [*named, *(name for name in repeated if name not in named and not _is_fractional(repeated[name]))]
    tried = tried if needs_one else named
    fitting = [name for name in tried if _rises(moments, _numbered(repeated[name], table))]
    if any(name in named for name in fitting):
        fitting = [name for name in fitting if name in named]
    finest = max(fitting, key=lambda name: len(set(repeated[name])), default=None)
    return finest, table if finest is None else _numbered(repeated[finest], table)


def _is_fractional(cells: Sequence[str]) -> bool:
    some = sorted(set(cells))[:LOOKED_AT]
    return is_numeric(some) and not all(value.is_integer() for value in _values(some))


def _numbered(cells: Sequence[str], table: Integers) -> Integers:
    """A number per row, equal for equal cells of one table."""
    index: dict[tuple[str, int], int] = {}
    pairs = zip(cells, table.tolist(), strict=True)
    return np.fromiter((index.setdefault(pair, len(index)) for pair in pairs), dtype=np.int64, count=len(cells))


def _rises(moments: Floats, numbers: Integers) -> bool:
    order = np.argsort(numbers, kind="stable")
    same = np.diff(numbers[order]) == 0
    return bool((np.diff(moments[order])[same] > 0).all())


def _runs(
    order: Integers, numbers: Integers, steps: Floats | None, labels: Sequence[str]
) -> tuple[list[tuple[str, int]], float]:
    """Label and length of every stretch, and the share of steps in time that are as long as usual."""
    number = _numbered(labels, np.zeros(len(labels), dtype=np.int64))
    same_unit = np.diff(numbers[order]) == 0
    goes_on = same_unit & (np.diff(number[order]) == 0)
    even = 1.0
    if steps is not None and same_unit.any():
        usual = float(np.median(steps[same_unit]))
        as_usual = (steps > 0.5 * usual) & (steps < 1.5 * usual)
        even = float(as_usual[same_unit].mean())
        goes_on &= as_usual
    bounds = [0, *(np.flatnonzero(~goes_on) + 1).tolist(), len(order)]
    return [(labels[order[begin]], end - begin) for begin, end in pairwise(bounds)], even
