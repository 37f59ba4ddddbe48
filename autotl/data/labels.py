"""What a label is, by the problem: how it is read from a table, travels as text, and becomes what a search learns from.

Between listing and splitting every label is one text. `LABELS` holds what must differ: nothing else in this room asks
which problem a task has.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from autotl.data.cells import shortened
from autotl.data.examples import UNKNOWN, Labels, Rows, is_known
from autotl.data.label_lists import CLEAR_SEPARATORS
from autotl.data.label_sets import LabelSets
from autotl.data.number_text import MISSING_WORDS, ambiguous_comma, number_notation, read_numbers
from autotl.data.splits import FEW_VALIDATION, Integers, is_few
from autotl.data.tables import LabelError

MOST_QUANTILES = 10
FEWEST_IN_QUANTILE = 5  # examples; fewer quantiles are told apart in small data


class LabelKind(Protocol):
    """Labels of one problem.

    Attributes:
        noun: what a column of an answer stands for.
        come_from_folders: whether the names of folders can be labels.
        array_kinds: NumPy's letters for the types that a member of an .npz with labels may have.
    """

    @property
    def noun(self) -> str: ...

    @property
    def come_from_folders(self) -> bool: ...

    @property
    def array_kinds(self) -> str: ...

    def written(self, texts: Sequence[str], lines: Sequence[int], *, column: str, unit: str = "line") -> list[str]:
        """Labels as they travel, equal texts for equal labels, from a column as it is written.

        Args:
            lines: of the file on which each stands, for messages.
            unit: what these count.
        Raises:
            LabelError: a cell is no label; names the line and what it holds.
        """
        ...

    def doubtful(self, texts: Sequence[str]) -> int | None:
        """The first cell that can be read in two ways, where nothing else in the column tells which is meant."""
        ...

    def merged(self, label: str, merge: Mapping[str, str]) -> str:
        """The same label with each class called as the user wants it.

        Args:
            merge: class as written → class it means.
        """
        ...

    def stranger(self, labels: Sequence[str], names: Sequence[str]) -> tuple[int, str] | None:
        """The first row that speaks of a name that is not among these, where that must not be, and the name."""
        ...

    def of_windows(self, labels: Sequence[str], windows: Sequence[Rows]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The label of each window from those of its samples, and the windows of which it says too little."""
        ...

    def usable(self, labels: Sequence[str], names: Sequence[str]) -> Rows:
        """Rows whose label is one that the task keeps."""
        ...

    def read(self, labels: Sequence[str], names: Sequence[str]) -> Labels:
        """What a search learns from.

        Args:
            names: of the columns of an answer, `TaskData.classes`. A class that is not among them is UNKNOWN.
        """
        ...

    def unnamed(self, labels: Sequence[str], names: Sequence[str]) -> Rows:
        """Rows of a test whose label no answer can be."""
        ...

    def never_seen(self, labels: Labels, names: Sequence[str]) -> list[str]:
        """Names of which no known label speaks."""
        ...

    def unknown(self, count: int, names: Sequence[str]) -> Labels:
        """The same of examples whose labels the search may not see."""
        ...

    def strata(self, labels: Labels) -> Integers:
        """(n,), or (n, labels) marks, of which every split gets its share; -1 throughout where no label is known."""
        ...

    def is_few(self, scored: Labels, known: Labels) -> bool:
        """Whether a hold-out of these examples says too little, so that folds take its place.

        Args:
            known: of all labelled examples of the domain.
        """
        ...

    def nothing_to_learn(self, taught: Labels, names: Sequence[str]) -> str | None:
        """Why nothing can be learnt from these labels, in words; None where it can."""
        ...

    def counted(self, labels: Labels, names: Sequence[str]) -> Mapping[str, object]:
        """What a report tells of known labels; plain JSON values."""
        ...

    def in_words(self, labels: Labels, names: Sequence[str]) -> list[str]:
        """Each label as a person writes it; nothing where it is not known."""
        ...

    def listed(self, counts: Counter[str]) -> Mapping[str, object]:
        """The same of labels as they travel, with how often each occurs."""
        ...

    def per_name(self, labels: Sequence[str], names: Sequence[str]) -> Integers:
        """(names,) how many examples speak for each."""
        ...


@dataclass(frozen=True)
class Classes:
    """One class an example: any text."""

    noun: str = "class"
    come_from_folders: bool = True
    array_kinds: str = "SUiub"

    def written(self, texts: Sequence[str], lines: Sequence[int], *, column: str, unit: str = "line") -> list[str]:  # noqa: ARG002
        """As they are; an empty one is no label."""
        bare = [line for line, text in zip(lines, texts, strict=True) if not text.strip()]
        if bare:
            words = f"{unit} {bare[0]}: {len(bare):,} rows have no label. Fill or remove them."
            if any(separator in text for text in texts for separator in CLEAR_SEPARATORS):
                words += " Where an example may bear several labels, or none, write 'problem: multilabel'."
            raise LabelError("empty_label", words)
        return list(texts)

    def doubtful(self, texts: Sequence[str]) -> None:
        """Names mean what they say."""

    def merged(self, label: str, merge: Mapping[str, str]) -> str:
        """The class that it means."""
        return merge.get(label, label)

    def stranger(self, labels: Sequence[str], names: Sequence[str]) -> None:
        """Rows of other classes are left out."""

    def of_windows(self, labels: Sequence[str], windows: Sequence[Rows]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The label that most samples of each window bear, and the windows where not all do."""
        numbers: dict[str, int] = {}
        number = np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.int64)
        told: list[str] = []
        mixed: list[int] = []
        for index, rows in enumerate(windows):
            told.append(labels[rows[0]])
            if (number[rows] != number[rows[0]]).any():
                told[-1] = Counter(labels[row] for row in rows.tolist()).most_common(1)[0][0]
                mixed.append(index)
        return tuple(told), tuple(mixed)

    def usable(self, labels: Sequence[str], names: Sequence[str]) -> Rows:
        """Rows of the classes that the task has."""
        known = set(names)
        return np.array([row for row, label in enumerate(labels) if label in known], dtype=np.int64)

    def read(self, labels: Sequence[str], names: Sequence[str]) -> Labels:
        """Class index per row."""
        index = {name: number for number, name in enumerate(names)}
        return np.array([index.get(label, UNKNOWN) for label in labels], dtype=np.int64)

    def unnamed(self, labels: Sequence[str], names: Sequence[str]) -> Rows:
        """Those of other classes."""
        return np.setdiff1d(np.arange(len(labels)), self.usable(labels, names))

    def never_seen(self, labels: Labels, names: Sequence[str]) -> list[str]:
        """Classes without an example."""
        present = set(np.unique(labels).tolist())
        return [name for index, name in enumerate(names) if index not in present]

    def unknown(self, count: int, names: Sequence[str]) -> Labels:  # noqa: ARG002 - one interface
        """UNKNOWN throughout."""
        return np.full(count, UNKNOWN, dtype=np.int64)

    def strata(self, labels: Labels) -> Integers:
        """The classes."""
        return labels

    def is_few(self, scored: Labels, known: Labels) -> bool:
        """By the classes that there are examples of."""
        return is_few(scored, np.unique(known))

    def nothing_to_learn(self, taught: Labels, names: Sequence[str]) -> str | None:
        """It takes two classes."""
        present = np.unique(taught)
        if len(present) > 1:
            return None
        seen = ", ".join(repr(names[index]) for index in present.tolist()) or "none"
        return f"needs ≥ 2 classes to train on, found only {seen} after splitting. Are all examples of one group?"

    def counted(self, labels: Labels, names: Sequence[str]) -> Mapping[str, object]:
        """Examples per class."""
        counts = Counter(names[index] for index in labels.tolist() if index != UNKNOWN)
        return {"classes": dict(sorted(counts.items()))} if counts else {}

    def in_words(self, labels: Labels, names: Sequence[str]) -> list[str]:
        """The classes' names."""
        return ["" if index == UNKNOWN else names[index] for index in labels.tolist()]

    def listed(self, counts: Counter[str]) -> Mapping[str, object]:
        """Examples per class."""
        return {"classes": dict(sorted(counts.items()))}

    def per_name(self, labels: Sequence[str], names: Sequence[str]) -> Integers:
        """Examples per class."""
        seen = Counter(labels)
        return np.array([seen[name] for name in names], dtype=np.int64)


@dataclass(frozen=True)
class Numbers:
    """A number an example. As text it travels as Python writes it."""

    noun: str = "number"
    come_from_folders: bool = False
    array_kinds: str = "SUiuf"

    def written(self, texts: Sequence[str], lines: Sequence[int], *, column: str, unit: str = "line") -> list[str]:
        """By the notation that most cells of the column fit; none may be missing, infinite or text."""
        unique, counts = np.unique(np.array(texts, dtype=object), return_counts=True)
        notation, _ = number_notation(unique.tolist(), counts)
        values, fits = read_numbers(texts, notation if notation != "true/false" else "1234.5")
        bare = np.flatnonzero(fits & np.isnan(values))
        wrong = np.flatnonzero(~fits)
        if len(wrong):
            at = int(wrong[0])
            words = f"column {column!r} holds {shortened(texts[at])!r} where numbers are learnt"
            hint = "Repair or remove it, or leave out 'problem: regression'."
            raise LabelError("no_number", f"{unit} {lines[at]}: {words} ({_in_rows(len(wrong))}). {hint}")
        if len(bare):
            at = int(bare[0])
            seen = shortened(texts[at]).strip()
            what = f"holds {seen!r}, {_why_not_learnt(seen)}" if seen else "is empty"
            words = f"column {column!r} {what} ({_in_rows(len(bare))})"
            raise LabelError("empty_label", f"{unit} {lines[at]}: {words}. Fill in a number or remove the row.")
        return [repr(value) for value in values.tolist()]

    def doubtful(self, texts: Sequence[str]) -> int | None:
        """A comma that may stand before decimals or thousands."""
        unique, counts = np.unique(np.array(texts, dtype=object), return_counts=True)
        found = ambiguous_comma(unique.tolist(), number_notation(unique.tolist(), counts)[0])
        return None if found is None else list(texts).index(unique[found])

    def merged(self, label: str, merge: Mapping[str, str]) -> str:  # noqa: ARG002 - one interface
        """Numbers are no classes."""
        return label

    def stranger(self, labels: Sequence[str], names: Sequence[str]) -> None:
        """No number is one."""

    def of_windows(self, labels: Sequence[str], windows: Sequence[Rows]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The mean of the samples' numbers."""
        values = np.array([float(label) for label in labels])
        return tuple(repr(float(values[rows].mean())) for rows in windows), ()

    def usable(self, labels: Sequence[str], names: Sequence[str]) -> Rows:  # noqa: ARG002 - one interface
        """All."""
        return np.arange(len(labels), dtype=np.int64)

    def read(self, labels: Sequence[str], names: Sequence[str]) -> Labels:  # noqa: ARG002
        """The numbers, float64."""
        return np.array([float(label) for label in labels], dtype=np.float64)

    def unnamed(self, labels: Sequence[str], names: Sequence[str]) -> Rows:  # noqa: ARG002
        """None: any number can be an answer."""
        return np.empty(0, dtype=np.int64)

    def never_seen(self, labels: Labels, names: Sequence[str]) -> list[str]:  # noqa: ARG002
        """None."""
        return []

    def unknown(self, count: int, names: Sequence[str]) -> Labels:  # noqa: ARG002
        """Not a number throughout."""
        return np.full(count, np.nan)

    def strata(self, labels: Labels) -> Integers:
        """Quantiles of the known numbers, so that small and large ones stand in every split."""
        known = is_known(labels)
        found = np.full(len(labels), UNKNOWN, dtype=np.int64)
        quantiles = min(MOST_QUANTILES, int(known.sum()) // FEWEST_IN_QUANTILE)
        if quantiles < 2:
            return found
        ends = np.unique(np.quantile(labels[known], np.linspace(0, 1, quantiles + 1)[1:-1]))
        found[known] = np.searchsorted(ends, labels[known], side="right")
        return found

    def is_few(self, scored: Labels, known: Labels) -> bool:  # noqa: ARG002
        """By how many there are."""
        return len(scored) < FEW_VALIDATION

    def nothing_to_learn(self, taught: Labels, names: Sequence[str]) -> str | None:
        """It takes two different numbers."""
        different = np.unique(taught[is_known(taught)])
        if len(different) > 1:
            return None
        seen = f"found only {different[0]:g}" if len(different) else "found none"
        return f"needs ≥ 2 different values of {names[0]!r} to train on, {seen} after splitting."

    def counted(self, labels: Labels, names: Sequence[str]) -> Mapping[str, object]:  # noqa: ARG002
        """Where the numbers lie."""
        known = labels[is_known(labels)]
        if not len(known):
            return {}
        least, quarter, median, three_quarters, most = np.quantile(known, [0, 0.25, 0.5, 0.75, 1]).tolist()
        figures = {"least": least, "quarter": quarter, "median": median, "three_quarters": three_quarters, "most": most}
        return {"numbers": {**figures, "mean": float(known.mean()), "deviation": float(known.std())}}

    def in_words(self, labels: Labels, names: Sequence[str]) -> list[str]:  # noqa: ARG002
        """In as many digits as tell it from its neighbours."""
        return ["" if np.isnan(value) else f"{value:.10g}" for value in labels.tolist()]

    def listed(self, counts: Counter[str]) -> Mapping[str, object]:
        """Where the numbers lie."""
        return self.counted(self.read(list(counts.elements()), ()), ())

    def per_name(self, labels: Sequence[str], names: Sequence[str]) -> Integers:  # noqa: ARG002
        """All."""
        return np.array([len(labels)], dtype=np.int64)


def _why_not_learnt(seen: str) -> str:
    is_number = seen.strip("+-").lower() not in MISSING_WORDS
    return "which is too large for a 32-bit float" if is_number else "which is no number to learn"


def _in_rows(count: int) -> str:
    return "in 1 row" if count == 1 else f"in {count:,} rows"


# What tables write for numbers, and what must be told from classes: nine of ten distinct texts are numbers, …
CONTINUOUS_FROM = 20  # … there are more of them than this, …
CONTINUOUS_SHARE = 0.3  # … and this many for each example; or this, where there are parts of whole ones
CONTINUOUS_SHARE_OF_FRACTIONS = 0.02


def are_continuous(counts: Mapping[str, int]) -> bool:
    """Whether class labels, with how often each occurs, are rather quantities: numbers that hardly repeat."""
    if len(counts) <= CONTINUOUS_FROM:
        return False
    texts, times = list(counts), np.array(list(counts.values()))
    notation, share = number_notation(texts, times)
    values, _ = read_numbers(texts, notation)
    values = values[~np.isnan(values)]
    if share < 1.0 or any(text.strip().lower() in MISSING_WORDS for text in texts) or not len(values):
        return False
    fractions = (values != np.round(values)).mean()
    least = CONTINUOUS_SHARE_OF_FRACTIONS if fractions > 0.1 else CONTINUOUS_SHARE
    return len(counts) >= least * int(times.sum())


CLASSES = Classes()

LABELS: dict[str, LabelKind] = {
    "classification": CLASSES,
    "multilabel": LabelSets(),
    "regression": Numbers(),
}
