"""What the columns of a table are there for: label, group, split. Told from names and cells, with the reason.

Everything here is a guess that a person will read: where two columns would do alike, nothing is guessed.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autotl.data.layout import ROLES
from autotl.data.number_text import number_notation, read_numbers
from autotl.data.row_listing import LABEL_COLUMNS

Columns = Mapping[str, Sequence[str]]

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
    return not is_numeric(list(counts)) or all(float(value).is_integer() for value in numbers_in(list(counts)))


def is_quantity(cells: Sequence[str]) -> bool:
    """Whether many different numbers stand in it, so that no two rows need bear the same."""
    different = sorted(set(cells))
    if len(different) <= MOST_NUMBERS or not is_numeric(different):
        return False
    return len(different) > 0.1 * len(cells) or not all(value.is_integer() for value in numbers_in(different))


def numbers_in(texts: Sequence[str]) -> list[float]:
    """The numbers among these texts, read in the notation that most are written in."""
    notation, _ = number_notation(texts, np.ones(len(texts), dtype=np.int64))
    values, _ = read_numbers(texts, notation)
    return [float(value) for value in values if np.isfinite(value)]


def words_of(name: str) -> list[str]:
    """The words that a column's name is made of, in small letters."""
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
        named = [name for name in columns if words_of(name)[-1:] and words_of(name)[-1] in OUTCOME_WORDS]
        named = [name for name in named if may_be(columns[name])]
        if len(named) == 1:
            return Role(named[0], "guessed from its name")
        if named:
            return Role(None, f"{_listed(named, columns)} may each be the label")
    return Role(None, "no column's name tells the label")


def only_class_like(columns: Columns) -> Role:
    """The label as the one column left that holds classes; None where none or several do."""
    left = [name for name, cells in columns.items() if is_class_like(cells) and not is_group_name(name)]
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
    found = [name for name, cells in columns.items() if is_group_name(name) and is_repeated(cells)]
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


def is_group_name(name: str) -> bool:
    """Whether a column is called after what several rows may come from."""
    words = [word for word in words_of(name) if word not in _NUMBER_WORDS]
    return bool(words) and words[-1] in GROUP_WORDS


def is_repeated(cells: Sequence[str]) -> bool:
    """Whether nearly all cells are filled, with values that come back."""
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) >= SURE * len(cells) and 2 <= len(set(filled)) <= REPEATED * len(filled)
