"""How answers are told to whoever asked a model: by the problem that it was made for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from autotl.leaderboard.files import guarded
from autotl.scoring.label_sets import said_sets
from autotl.task.problem import CLASSIFICATION

BETWEEN_LABELS = "; "
Said = NDArray[np.floating]


class Form(Protocol):
    """Answers (n, columns) as rows of a table and as JSON values."""

    def labels(self, names: Sequence[str], said: Said) -> list[str]:
        """What each answer comes to, in a word."""
        ...

    def header(self, names: Sequence[str]) -> list[str]:
        """Of the columns behind that of the input."""
        ...

    def rows(self, names: Sequence[str], said: Said) -> Iterator[list[str]]:
        """Cells of these columns."""
        ...

    def values(self, names: Sequence[str], said: Said) -> Iterator[dict[str, Any]]:
        """Each answer as a service gives it."""
        ...

    def cautions(self) -> list[str]:
        """What everyone who relies on the answers should know, in sentences."""
        ...


@dataclass(frozen=True)
class _OfClasses:
    """`label`, `probability` and a column `p_<class>` per class."""

    def labels(self, names: Sequence[str], said: Said) -> list[str]:
        return [names[index] for index in said.argmax(axis=1)]

    def header(self, names: Sequence[str]) -> list[str]:
        return ["label", "probability", *(f"p_{name}" for name in names)]

    def rows(self, names: Sequence[str], said: Said) -> Iterator[list[str]]:
        for label, row in zip(self.labels(names, said), said, strict=True):
            yield [_guarded_label(label), f"{row.max():.6f}", *(f"{value:.6f}" for value in row)]

    def values(self, names: Sequence[str], said: Said) -> Iterator[dict[str, Any]]:
        for label, row in zip(self.labels(names, said), said.tolist(), strict=True):
            yield {
                "label": label,
                "probability": max(row),
                "probabilities": dict(zip(names, row, strict=True)),
            }

    def cautions(self) -> list[str]:
        return []


@dataclass(frozen=True)
class OfNumbers:
    """The number under its own name and, where validation allowed it, the ends of an interval around it.

    Attributes:
        interval: its level and half width; None where there is none.
        is_of_source: whether examples of the source told how wide it is, for want of labels in the target.
    """

    interval: tuple[float, float] | None = None
    is_of_source: bool = False

    def labels(self, names: Sequence[str], said: Said) -> list[str]:  # noqa: ARG002 - one interface
        return [_digits(value) for value in said[:, 0].tolist()]

    def header(self, names: Sequence[str]) -> list[str]:
        ends = [] if self.interval is None else [f"low_{self._level}", f"high_{self._level}"]
        return [guarded(names[0]), *ends]

    def rows(self, names: Sequence[str], said: Said) -> Iterator[list[str]]:  # noqa: ARG002
        for value in said[:, 0].tolist():
            yield [_digits(each) for each in (value, *self._ends(value))]

    def values(self, names: Sequence[str], said: Said) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        for value in said[:, 0].tolist():
            told: dict[str, Any] = {"number": value}
            if self.interval is not None:
                low, high = self._ends(value)
                told["interval"] = {"level": self.interval[0], "low": low, "high": high}
            yield told

    def cautions(self) -> list[str]:
        if self.interval is None or not self.is_of_source:
            return []
        return [
            "The intervals are as wide as labelled examples of the source ask for. Here, where none had a label, they "
            f"may hold the truth less often than {self._level}."
        ]

    @property
    def _level(self) -> str:
        return f"{self.interval[0]:.0%}" if self.interval else ""

    def _ends(self, value: float) -> tuple[float, ...]:
        return () if self.interval is None else (value - self.interval[1], value + self.interval[1])


@dataclass(frozen=True)
class OfSets:
    """`labels`, those that are said with `; ` between them, and a column `p_<label>` per label.

    Attributes:
        thresholds: from which probability on each label is said.
    """

    thresholds: tuple[float, ...]

    def labels(self, names: Sequence[str], said: Said) -> list[str]:
        return [BETWEEN_LABELS.join(labels) for labels in self.sets(names, said)]

    def sets(self, names: Sequence[str], said: Said) -> list[list[str]]:
        """The labels of each answer, maybe none."""
        marks = said_sets(said, self.thresholds)
        return [[names[index] for index in np.flatnonzero(row).tolist()] for row in marks]

    def header(self, names: Sequence[str]) -> list[str]:
        return ["labels", *(f"p_{name}" for name in names)]

    def rows(self, names: Sequence[str], said: Said) -> Iterator[list[str]]:
        for labels, row in zip(self.labels(names, said), said, strict=True):
            yield [guarded(labels), *(f"{value:.6f}" for value in row)]

    def values(self, names: Sequence[str], said: Said) -> Iterator[dict[str, Any]]:
        for labels, row in zip(self.sets(names, said), said.tolist(), strict=True):
            yield {"labels": labels, "probabilities": dict(zip(names, row, strict=True))}

    def cautions(self) -> list[str]:
        return []


OF_CLASSES = _OfClasses()


def form_of(description: Mapping[str, Any]) -> Form:
    """How a bundle's answers are told.

    Args:
        description: of the bundle; of before there were several problems it does not name one.
    """
    return FORMS[str(description.get("problem", CLASSIFICATION.name))](description)


def _of_numbers(description: Mapping[str, Any]) -> Form:
    interval = description.get("interval")
    if interval is None:
        return OfNumbers()
    shown = (float(interval["level"]), float(interval["half_width"]))
    return OfNumbers(shown, is_of_source=interval.get("told_by") == "source")


FORMS: dict[str, Callable[[Mapping[str, Any]], Form]] = {
    "classification": lambda _: OF_CLASSES,
    "multilabel": lambda description: OfSets(tuple(map(float, description["thresholds"]))),
    "regression": _of_numbers,
}


def _digits(value: float) -> str:
    return f"{value:.7g}"  # what float32 holds


def _guarded_label(label: str) -> str:
    """Classes named -1 and +1 are numbers, which a spreadsheet shows and programs compare."""
    try:
        float(label)
    except ValueError:
        return guarded(label)
    return label
