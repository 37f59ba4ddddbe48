"""The shortcut test: whether properties beside the point, such as the size of a file, tell the class of an example.

They do where classes come from different hospitals, cameras or exports. A model then learns the place: it is right on
every split of these data and wrong everywhere else, and no score of the search can show it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from autotl.data.auditing.properties import Kind, Properties, binned, described
from autotl.data.examples import Finding
from autotl.data.splits import Integers, deal

TOLD_BY_ORIGIN = 0.2  # of a class, surely above it: how an example was made says nothing of an honest class
TOLD_BY_APPEARANCE = 0.5  # of all classes: brightness or length may belong to a class, within bounds
TOLD_ALONE_BY_APPEARANCE = 0.8  # of one class among several: worth a question, no warning
FEWEST_IN_CLASS = 10  # examples, or groups of them; fewer prove nothing
LOOKED_AT = 5_000  # examples, evenly of the classes
MOST_CLASSES = 30  # that are held against each other, the largest
ERROR_RATE = 0.01  # chance of a false alarm by luck, over all classes together
_FOLDS = 5
_AS_GOOD = 0.03  # of what a property tells: of those that tell so nearly the most, the first in the list is named
_SHOWN = 20


@dataclass(frozen=True)
class Words:
    """How the test speaks of what is learnt.

    Attributes:
        told: completes "… alone tell …".
        of_all: completes "take images … from every place".
        others: completes "… tell 'a' from …"; left out, the other class by its name, or the other classes.
    """

    told: str
    of_all: str
    others: str | None = None


OF_CLASSES = Words("the classes", "of every class")


def balanced_sample(labels: Integers, draws: np.random.Generator) -> Integers:
    """Rows to look at, evenly of the largest classes.

    Args:
        labels: (n,) class index; negative where the search may not know it, never drawn.
    """
    sizes = np.bincount(labels[labels >= 0])
    largest = [name for name in np.argsort(-sizes, kind="stable")[:MOST_CLASSES].tolist() if sizes[name]]
    most = LOOKED_AT // max(1, len(largest))
    drawn = [draws.permutation(np.flatnonzero(labels == name))[:most] for name in largest]
    return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *drawn]))


def shortcut_findings(
    properties: Properties,
    labels: Integers,
    groups: Integers | None,
    *,
    classes: Sequence[str],
    where: str,
    words: Words = OF_CLASSES,
) -> list[Finding]:
    """What tells the class and should not.

    A naive Bayes classifier on binned properties names the examples of each of five folds, by groups, from the other
    four. How well it tells a class is its recall less the false alarms (Youden's J: 0 by chance, 1 for certain); the
    lower end of an interval counts, over groups where there are some.

    Args:
        properties: of n examples.
        labels: (n,) index into `classes`.
        groups: (n,) or None: examples of one group are one piece of evidence.
    """
    present, told = np.unique(labels, return_inverse=True)
    names = [classes[index] for index in present.tolist()]
    grouped = np.arange(len(told)) if groups is None else groups
    if len(names) < 2 or not properties.columns:
        return []
    test = _Test.of(properties, told.astype(np.int64), grouped, names, where, words)
    of_origin = test.told_by("origin")
    found = list(test.origin_findings(of_origin))
    known = {class_told.index for class_told in of_origin}
    found += test.appearance_findings(known)
    return found


@dataclass(frozen=True)
class _Told:
    """How well a class is told from the others, and by which property most."""

    index: int
    recall: float
    false_alarms: float
    surely: float  # lower end of recall less false alarms
    most_by: int  # index of the property


@dataclass(frozen=True)
class _Test:
    properties: Properties
    labels: Integers
    groups: Integers
    names: Sequence[str]
    where: str
    words: Words
    bins: Sequence[Integers]
    evidence: NDArray[np.float32]  # (properties, n, classes): log-likelihood by folds that do not hold the example

    @classmethod
    def of(
        cls, properties: Properties, labels: Integers, groups: Integers, names: Sequence[str], where: str, words: Words
    ) -> "_Test":
        folds = deal(labels, groups, [1 / _FOLDS] * _FOLDS, np.random.default_rng(0))
        bins = [binned(column.values) for column in properties.columns]
        evidence = np.stack([_evidence(one, labels, folds, len(names)) for one in bins])
        return cls(properties, labels, groups, names, where, words, bins, evidence)

    def told_by(self, kind: Kind) -> list[_Told]:
        """Classes told by the properties of a kind, well enough to speak of them; the best told first."""
        columns = self._columns(kind)
        if not columns:
            return []
        least = TOLD_BY_ORIGIN if kind == "origin" else TOLD_ALONE_BY_APPEARANCE
        told = []
        for index in range(1 if len(self.names) == 2 else 0, len(self.names)):
            if self._pieces(index) < FEWEST_IN_CLASS:
                continue
            one = self._best_told(columns, index)
            if one.surely >= least:
                told.append(one)
        return sorted(told, key=lambda one: -one.surely)

    def origin_findings(self, told: Sequence[_Told]) -> Iterator[Finding]:
        """A warning, for no honest class is made of files of its own."""
        if told:
            which = ", ".join(repr(self.names[one.index]) for one in told[:5]) + (" …" if len(told) > 5 else "")
            words = (
                f"{self.where}: {self.properties.origin} tell {which} from {self._others}: {self._how_well(told[0])}. "
                f"Were its {self.properties.examples} made elsewhere? A model may learn that in place of what they "
                f"show. {self._remedy}"
            )
            yield Finding("shortcut", "warning", words, self._examples(told, "origin"))

    def appearance_findings(self, known: set[int]) -> Iterator[Finding]:
        """A question, for what looks different may well be different.

        Args:
            known: classes of which it was told already that their origin gives them away.
        """
        columns = self._columns("appearance")
        if not columns or (known and len(self.names) == 2):
            return
        right, surely = self._named_rightly(self.evidence[columns].sum(axis=0))
        told = [one for one in self.told_by("appearance") if one.index not in known]
        by_nature = f"Is that so by nature, or by how and where they were made? {self._remedy}"
        if surely >= TOLD_BY_APPEARANCE:
            every = [self._best_told(columns, index) for index in range(len(self.names))]
            best = max(every, key=lambda one: one.surely)
            words = (
                f"{self.where}: {self.properties.appearance} alone tell {self.words.told}: {right:.0%} of each are "
                f"named rightly (by chance {1 / len(self.names):.0%}), most by {self._in_words(best)}. {by_nature}"
            )
            yield Finding("shortcut", self.properties.question, words, self._examples([best], "appearance"))
        elif told:
            words = (
                f"{self.where}: {self.properties.appearance} alone tell {self.names[told[0].index]!r} from "
                f"{self._others}: {self._how_well(told[0])}. {by_nature}"
            )
            yield Finding("shortcut", "info", words, self._examples(told, "appearance"))

    @property
    def _others(self) -> str:
        return self.words.others or (repr(self.names[0]) if len(self.names) == 2 else "the other classes")

    def _how_well(self, told: _Told) -> str:
        return (
            f"{told.recall:.0%} of {self.names[told.index]!r} are recognised and {told.false_alarms:.0%} of the others "
            f"mistaken for it, most by {self._in_words(told)}"
        )

    @property
    def _remedy(self) -> str:
        remedy = self.properties.remedy.format(of_all=self.words.of_all)
        return f"{remedy} If it is so by nature, write 'audit: {{allow: [shortcut]}}'."

    def _columns(self, kind: Kind) -> list[int]:
        """Properties of a kind that vary at all."""
        return [
            number
            for number, column in enumerate(self.properties.columns)
            if column.kind == kind and self.bins[number].max() > 0
        ]

    def _pieces(self, index: int) -> int:
        """Independent pieces of evidence of a class: its groups."""
        return len(np.unique(self.groups[self.labels == index]))

    def _told(self, evidence: NDArray[np.float32], index: int, *, looks: int = 1) -> tuple[float, float, float]:
        """Recall, false alarms, and the lower end of their difference where the best of so many looks is taken."""
        others = np.delete(evidence, index, axis=1)
        highest = others.max(axis=1)
        mean_of_others = highest + np.log(np.exp(others - highest[:, None]).mean(axis=1))
        chosen = evidence[:, index] > mean_of_others
        here = self.labels == index
        recall, alarms = float(chosen[here].mean()), float(chosen[~here].mean())
        pieces = self._pieces(index), len(np.unique(self.groups[~here]))
        deviation = np.sqrt(_variance(recall, pieces[0]) + _variance(alarms, pieces[1]))
        return recall, alarms, recall - alarms - self._arm(looks) * float(deviation)

    def _arm(self, looks: int) -> float:
        """Of an interval, in deviations, such that luck raises an alarm as seldom as `ERROR_RATE`."""
        return NormalDist().inv_cdf(1 - ERROR_RATE / (len(self.names) * looks))

    def _named_rightly(self, evidence: NDArray[np.float32]) -> tuple[float, float]:
        """Mean recall of all classes, and the lower end of what of it is above chance, 1 being all."""
        named = evidence.argmax(axis=1)
        count = len(self.names)
        recalls = [float((named[self.labels == index] == index).mean()) for index in range(count)]
        variances = [_variance(recall, self._pieces(index)) for index, recall in enumerate(recalls)]
        right, chance = float(np.mean(recalls)), 1 / count
        lowest = right - self._arm(1) * float(np.sqrt(np.sum(variances))) / count
        return right, (lowest - chance) / (1 - chance)

    def _best_told(self, columns: Sequence[int], index: int) -> _Told:
        """A class as all properties together tell it or, where that is more, one of them: of few examples the others
        are noise beside it."""
        looks = 1 + len(columns)
        together = self._told(self.evidence[list(columns)].sum(axis=0), index, looks=looks)
        alone = [self._told(self.evidence[column], index, looks=looks) for column in columns]
        surely = np.array([one[2] for one in alone])
        first = int(np.flatnonzero(surely >= surely.max() - _AS_GOOD)[0])
        return _Told(index, *max(together, alone[first], key=lambda one: one[2]), columns[first])

    def _in_words(self, told: _Told) -> str:
        return described(self.properties.columns[told.most_by], self.labels == told.index, self.names[told.index])

    def _examples(self, told: Sequence[_Told], kind: Kind) -> tuple[str, ...]:
        """For each class the properties that tell it, the best first."""
        lines = []
        for one in told[:_SHOWN]:
            alone = {column: self._told(self.evidence[column], one.index)[2] for column in self._columns(kind)}
            telling = [column for column in sorted(alone, key=lambda column: -alone[column]) if alone[column] > 0]
            lines += [
                described(self.properties.columns[column], self.labels == one.index, self.names[one.index])
                for column in telling[: max(1, 5 // len(told))]
            ]
        return tuple(lines[:_SHOWN])


def _evidence(bins: Integers, labels: Integers, folds: Integers, classes: int) -> NDArray[np.float32]:
    """(n, classes) log-likelihood of each example's bin, counted in the folds that do not hold it."""
    width = int(bins.max()) + 1
    evidence = np.zeros((len(bins), classes), dtype=np.float32)
    for fold in range(_FOLDS):
        counted, held = folds != fold, folds == fold
        pairs = bins[counted] * classes + labels[counted]
        together = np.bincount(pairs, minlength=width * classes).reshape(width, classes) + 0.5
        evidence[held] = np.log(together / together.sum(axis=0))[bins[held]]
    return evidence


def _variance(share: float, pieces: int) -> float:
    """Of a share, never 0: that all of a few were told does not make it certain."""
    smoothed = (share * pieces + 1) / (pieces + 2)
    return smoothed * (1 - smoothed) / max(pieces, 1)
