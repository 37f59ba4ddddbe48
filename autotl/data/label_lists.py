"""Several labels of one example, as tables write them: a list in a cell, or a column of 0 and 1 for each label.

Between listing and splitting a set of labels travels as one text (`as_text`), as a single label does: equal sets are
equal texts.
"""

import ast
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.cells import shortened
from autotl.data.tables import LabelError, Table

BAD = "bad_label_list"  # the code of what cannot be read
CLEAR_SEPARATORS = (";", "|")
SEPARATORS = (*CLEAR_SEPARATORS, ",")  # a comma only where neither of the others is written: names may hold one
_YES = frozenset({"1", "1.0", "true", "yes"})
_NO = frozenset({"0", "0.0", "false", "no"})


def as_text(names: Iterable[str]) -> str:
    """A set of labels as one text, whatever their order was."""
    return json.dumps(sorted(set(names)), ensure_ascii=False)


def names_in(text: str) -> tuple[str, ...]:
    """The labels of a set that `as_text` wrote, in alphabetical order."""
    names: list[str] = json.loads(text)
    return tuple(names)


NONE = as_text(())


def renamed(text: str, rename: Callable[[str], str]) -> str:
    """The same set with each label as `rename` gives it."""
    return as_text(map(rename, names_in(text)))


@dataclass(frozen=True)
class Cells:
    """Label lists as they were written, and where each stands.

    Attributes:
        places: what a message about each begins with: `line 17`, `row 3`.
    """

    texts: Sequence[str]
    places: Sequence[str]
    column: str

    def first(self, is_so: Iterable[bool]) -> int | None:
        """The first cell of which something holds."""
        return next((at for at, holds in enumerate(is_so) if holds), None)


def look_like_lists(texts: Sequence[str]) -> bool:
    """Whether cells are lists in brackets, or `;`, `|` or `,` divides some into names that come back in others.

    There are fewer names then than ways to join them, an empty cell being one. A comma may be part of a name, so that
    one of those which it divides must stand alone somewhere.
    """
    cells = {text.strip() for text in texts}
    filled = cells - {""}
    if filled and all(map(_is_bracketed, filled)):
        return True
    for separator in SEPARATORS:
        names = {name.strip() for cell in filled for name in cell.split(separator)} - {""}
        is_sure = separator in CLEAR_SEPARATORS or bool(names & filled)
        if is_sure and any(separator in cell for cell in filled) and 2 <= len(names) < len(cells):
            return True
    return False


def as_one_column(table: Table, columns: Sequence[str]) -> tuple[Table, str]:
    """The table with its columns of 0 and 1 as one column of label sets, and what that is called.

    Raises:
        TableError: a column is not there.
        LabelError: a cell is neither; says the line.
    """
    name = ", ".join(columns)
    sets = from_flags(table, columns)
    rest = {key: cells for key, cells in table.columns.items() if key not in columns}
    return Table({**rest, name: sets}, table.lines), name


def from_lists(cells: Cells) -> list[str]:
    """Label sets from lists: `a;b`, `a|b`, `a, b` or `["a", "b"]`. An empty cell is none.

    Raises:
        LabelError: the cells mix separators, or a list cannot be read; says the line.
    """
    return [as_text(names) for names in _split(cells)]


def from_marks(marks: NDArray[Any], names: Sequence[str]) -> list[str]:
    """Label sets from marks 0 and 1, (n, labels)."""
    return [as_text(names[index] for index in np.flatnonzero(row).tolist()) for row in marks]


def from_flags(table: Table, columns: Sequence[str]) -> tuple[str, ...]:
    """Label sets from columns of 0 and 1 (true and false, yes and no), each called after its label.

    Raises:
        TableError: a column is not there.
        LabelError: a cell is neither; says the line.
    """
    flags = []
    for name in columns:
        cells = table.column(name, meaning="label")
        low = [cell.strip().lower() for cell in cells]
        wrong = next((at for at, cell in enumerate(low) if cell not in _YES and cell not in _NO), None)
        if wrong is not None:
            seen = "an empty cell" if not low[wrong] else repr(shortened(cells[wrong]))
            words = f"column {name!r} holds {seen} where 0 or 1 must say whether an example bears that label"
            raise LabelError(BAD, f"line {table.lines[wrong]}: {words}.")
        flags.append([cell in _YES for cell in low])
    return tuple(
        as_text(name for name, is_borne in zip(columns, row, strict=True) if is_borne)
        for row in zip(*flags, strict=True)
    )


def _split(cells: Cells) -> list[list[str]]:
    if any(map(_is_bracketed, cells.texts)):
        plain = cells.first(bool(text.strip()) and not _is_bracketed(text) for text in cells.texts)
        if plain is not None:
            seen = shortened(cells.texts[plain])
            words = f"{seen!r} is no list in brackets, as others of column {cells.column!r} are: write all alike."
            raise LabelError(BAD, f"{cells.places[plain]}: {words}")
        return [_from_brackets(text, place) for text, place in zip(cells.texts, cells.places, strict=True)]
    separator = _separator(cells)
    parts = [[text] if separator is None else text.split(separator) for text in cells.texts]
    return [[name.strip() for name in names if name.strip()] for names in parts]


def _is_bracketed(text: str) -> bool:
    return text.strip().startswith("[")


def _separator(cells: Cells) -> str | None:
    """The one that these cells use; None where none holds several labels."""
    first = {each: cells.first(each in text for text in cells.texts) for each in CLEAR_SEPARATORS}
    used = {each: at for each, at in first.items() if at is not None}
    if len(used) == 2:
        (one, one_at), (other, other_at) = used.items()
        words = f"separates labels by {one!r} on {cells.places[one_at]} and by {other!r} on {cells.places[other_at]}"
        place = cells.places[max(one_at, other_at)]
        raise LabelError(BAD, f"{place}: column {cells.column!r} {words}. Write one of them throughout.")
    if used:
        return next(iter(used))
    return "," if any("," in text for text in cells.texts) else None


def _from_brackets(text: str, place: str) -> list[str]:
    if not text.strip():
        return []
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = ast.literal_eval(text.strip())  # as pandas and Parquet's lists are written: single quotes
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found = None
    if not isinstance(found, list) or not all(isinstance(name, str | int) and str(name).strip() for name in found):
        raise LabelError(BAD, f'{place}: {shortened(text)!r} is no list of labels such as ["a", "b"].')
    return [str(name).strip() for name in found]
