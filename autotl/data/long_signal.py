"""A signal in a long table, one sample a row: its clock, its records, and windows that suit it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from autotl.data.column_roles import LOOKED_AT, Columns, is_group_name, is_numeric, is_repeated, numbers_in, words_of
from autotl.data.date_text import date_form, read_date
from autotl.data.modality import TIME_NAMES
from autotl.data.number_text import number_notation, read_numbers
from autotl.data.splits import Integers

Floats = NDArray[np.float64]

SHORTEST_RUN = 64  # samples of one label after another, on average; less are rows of a table
EVEN_STEPS = 0.9  # of all steps in time
WINDOWS = tuple(2**power for power in range(10, 3, -1))  # 1,024 … 16 samples
WINDOWS_IN_CLASS = 20
WINDOWS_IN_RECORD = 4
_TIME_WORDS = TIME_NAMES | {"sec", "ms", "datetime", "tick"}


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
    named = {unit, *(name for name in others if is_group_name(name))}
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
    words = [word for word in words_of(name) if word not in ("s", "stamp")]
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
    repeated = {name: cells for name, cells in others.items() if is_repeated(cells)}
    named = [name for name in repeated if is_group_name(name)]
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
    return is_numeric(some) and not all(value.is_integer() for value in numbers_in(some))


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
