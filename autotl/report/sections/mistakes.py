"""Where the winner is wrong: the confusion matrix, cut to a readable size."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autotl.report.values import Json
from autotl.report.wording import NOTHING

MOST_CLASSES = 30
"""Classes of a confusion matrix that a person can still read; with more, those with the most mistakes are shown."""

MOST_PAIRS = 12


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix cut to a readable size, with what it says in words."""

    split: str
    classes: Sequence[str]
    counts: Sequence[Sequence[int]]
    recalls: Sequence[str]
    precisions: Sequence[str]
    pairs: Sequence[tuple[str, str, int]]  # true, predicted, how often; most often first
    right: int
    examples: int
    classes_in_all: int


def matrix(confusion: Json) -> Matrix:
    """The confusion matrix with recall and precision per class, and the pairs that are mixed up most."""
    classes, counts = [str(name) for name in confusion["classes"]], confusion["matrix"]
    everything = range(len(classes))
    columns = [sum(counts[i][j] for i in everything) for j in everything]
    pairs = sorted(
        ((i, j, counts[i][j]) for i in everything for j in everything if i != j and counts[i][j]),
        key=lambda pair: (-pair[2], pair[0], pair[1]),
    )
    mistakes: Counter[int] = Counter()
    for true, predicted, number in pairs:
        mistakes[true] += number
        mistakes[predicted] += number
    kept = sorted(sorted(everything, key=lambda index: (-mistakes[index], index))[:MOST_CLASSES])
    return Matrix(
        split=str(confusion.get("split", "validation")),
        classes=[classes[index] for index in kept],
        counts=[[counts[i][j] for j in kept] for i in kept],
        recalls=[_ratio(counts[index][index], sum(counts[index])) for index in kept],
        precisions=[_ratio(counts[index][index], columns[index]) for index in kept],
        pairs=[(classes[i], classes[j], number) for i, j, number in pairs[:MOST_PAIRS]],
        right=sum(counts[index][index] for index in everything),
        examples=sum(columns),
        classes_in_all=len(classes),
    )


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else NOTHING
