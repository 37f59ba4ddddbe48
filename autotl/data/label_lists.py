"""Several labels of one example, as tables write them: a list in a cell, or a column of 0 and 1 for each label.

Between listing and splitting a set of labels travels as one text (`as_text`), as a single label does: equal sets are
equal texts.
"""

import ast
import json
from collections.abc import Callable, Iterable, Sequence

from autotl.data.cells import shortened
from autotl.data.tables import Table, TableError

SEPARATORS = (";", "|", ",")  # a comma only where neither of the others is written: names may hold one
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


def from_lists(cells: Sequence[str], lines: Sequence[int], *, column: str) -> tuple[str, ...]:
    """Label sets from a column whose cells are lists: `a;b`, `a|b`, `a, b` or `["a", "b"]`. An empty cell is none.

    Args:
        lines: of the file on which each cell stands, for messages.
    Raises:
        TableError: the column mixes separators, or a list cannot be read; names the line.
    """
    if any(cell.strip().startswith("[") for cell in cells):
        plain = _first(lines, (bool(cell.strip()) and not cell.strip().startswith("[") for cell in cells))
        if plain is not None:
            line, at = plain
            words = f"{shortened(cells[at])!r} is no list in brackets, as other cells of column {column!r} are"
            raise TableError(f"line {line}: {words}. Write all of them alike.")
        return tuple(as_text(_from_brackets(cell, line)) for cell, line in zip(cells, lines, strict=True))
    separator = _separator(cells, lines, column)
    if separator is None:
        return tuple(as_text([cell.strip()] if cell.strip() else []) for cell in cells)
    return tuple(as_text(name.strip() for name in cell.split(separator) if name.strip()) for cell in cells)


def from_flags(table: Table, columns: Sequence[str]) -> tuple[str, ...]:
    """Label sets from columns of 0 and 1 (true and false, yes and no), each called after its label.

    Raises:
        TableError: a column is not there, or a cell is neither; names the line.
    """
    flags = []
    for name in columns:
        cells = table.column(name, meaning="label")
        low = [cell.strip().lower() for cell in cells]
        wrong = _first(table.lines, (cell not in _YES and cell not in _NO for cell in low))
        if wrong is not None:
            line, at = wrong
            seen = "an empty cell" if not low[at] else repr(shortened(cells[at]))
            raise TableError(
                f"line {line}: column {name!r} holds {seen} where 0 or 1 must say whether an example bears that label."
            )
        flags.append([cell in _YES for cell in low])
    return tuple(
        as_text(name for name, is_borne in zip(columns, row, strict=True) if is_borne)
        for row in zip(*flags, strict=True)
    )


def _separator(cells: Sequence[str], lines: Sequence[int], column: str) -> str | None:
    """The one that this column uses; None where no cell holds several labels."""
    first = {each: _first(lines, (each in cell for cell in cells)) for each in SEPARATORS[:2]}
    used = {each: found for each, found in first.items() if found is not None}
    if len(used) == 2:
        (one, (one_line, _)), (other, (other_line, _)) = used.items()
        words = (
            f"column {column!r} separates labels by {one!r} on line {one_line} and by {other!r} on line {other_line}"
        )
        raise TableError(f"line {max(one_line, other_line)}: {words}. Write one of them throughout.")
    if used:
        return next(iter(used))
    return "," if any("," in cell for cell in cells) else None


def _first(lines: Sequence[int], is_so: Iterable[bool]) -> tuple[int, int] | None:
    """Line and place of the first cell of which something holds."""
    return next(((line, at) for at, (line, holds) in enumerate(zip(lines, is_so, strict=True)) if holds), None)


def _from_brackets(cell: str, line: int) -> list[str]:
    if not cell.strip():
        return []
    try:
        found = json.loads(cell)
    except ValueError:
        try:
            found = ast.literal_eval(cell.strip())  # as pandas and Parquet's lists are written: single quotes
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            found = None
    if not isinstance(found, list) or not all(isinstance(name, str | int) and str(name).strip() for name in found):
        raise TableError(f'line {line}: {shortened(cell)!r} is no list of labels such as ["a", "b"].')
    return [str(name).strip() for name in found]
