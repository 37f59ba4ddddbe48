"""Several labels per example as a search learns them: a row of marks, 1 for each label that the example bears."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autotl.data.examples import UNKNOWN, Labels, Rows, is_known
from autotl.data.label_lists import NONE, Cells, as_text, from_lists, names_in, renamed
from autotl.data.splits import Integers, is_few

BORNE_BY = 0.5  # of a window's samples, for a label to be the window's


@dataclass(frozen=True)
class LabelSets:
    """A set of labels an example, maybe empty; see `labels.LabelKind`."""

    noun: str = "label"
    come_from_folders: bool = False
    array_kinds: str = "SU"

    def written(self, texts: Sequence[str], lines: Sequence[int], *, column: str, unit: str = "line") -> list[str]:
        """Sets from lists; an empty cell is none."""
        cells = Cells(texts, [f"{unit} {line}" for line in lines], column)
        return from_lists(cells)

    def doubtful(self, texts: Sequence[str]) -> None:
        """Names mean what they say."""

    def merged(self, label: str, merge: Mapping[str, str]) -> str:
        """Each label of the set as it is meant."""
        return renamed(label, lambda name: merge.get(name, name)) if merge else label

    def stranger(self, labels: Sequence[str], names: Sequence[str]) -> tuple[int, str] | None:
        """Such a label would be dropped from its set, and the example taken for one without it."""
        known = set(names)
        for text in dict.fromkeys(labels):
            strangers = [name for name in names_in(text) if name not in known]
            if strangers:
                return labels.index(text), strangers[0]
        return None

    def of_windows(self, labels: Sequence[str], windows: Sequence[Rows]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """The labels that at least half of each window's samples bear, and the windows where not all bear the same."""
        names = tuple(sorted({name for text in set(labels) for name in names_in(text)}))
        marks = self.read(labels, names)
        told: list[str] = []
        mixed: list[int] = []
        for index, rows in enumerate(windows):
            shares = marks[rows].mean(axis=0)
            told.append(as_text(name for name, share in zip(names, shares, strict=True) if share >= BORNE_BY))
            if ((shares > 0) & (shares < 1)).any():
                mixed.append(index)
        return tuple(told), tuple(mixed)

    def usable(self, labels: Sequence[str], names: Sequence[str]) -> Rows:  # noqa: ARG002 - one interface
        """All: an example without the labels that the task leaves out is still one of the others."""
        return np.arange(len(labels), dtype=np.int64)

    def read(self, labels: Sequence[str], names: Sequence[str]) -> Labels:
        """Marks (n, labels): 1 where an example bears the label, else 0."""
        index = {name: number for number, name in enumerate(names)}
        of_text = {text: [index[name] for name in names_in(text) if name in index] for text in set(labels)}
        marks = np.zeros((len(labels), len(names)), dtype=np.int64)
        for row, text in enumerate(labels):
            marks[row, of_text[text]] = 1
        return marks

    def unnamed(self, labels: Sequence[str], names: Sequence[str]) -> Rows:
        """Those that bear a label without a name."""
        known = set(names)
        return np.array(
            [row for row, text in enumerate(labels) if not known.issuperset(names_in(text))], dtype=np.int64
        )

    def never_seen(self, labels: Labels, names: Sequence[str]) -> list[str]:
        """Labels that no known example bears."""
        borne = (labels == 1).any(axis=0)
        return [name for name, is_borne in zip(names, borne, strict=True) if not is_borne]

    def unknown(self, count: int, names: Sequence[str]) -> Labels:
        """UNKNOWN throughout, (n, labels)."""
        return np.full((count, len(names)), UNKNOWN, dtype=np.int64)

    def strata(self, labels: Labels) -> Integers:
        """The marks."""
        return labels

    def is_few(self, scored: Labels, known: Labels) -> bool:
        """By the labels that somebody bears."""
        return is_few(scored, np.flatnonzero((known == 1).any(axis=0)))

    def nothing_to_learn(self, taught: Labels, names: Sequence[str]) -> str | None:
        """It takes a label that some examples bear and others do not."""
        known = taught[is_known(taught)]
        if len(known) and ((known == 1).any(axis=0) & (known == 0).any(axis=0)).any():
            return None
        every = ", ".join(map(repr, names[:5]))
        return f"no label of {every} is borne by some of the examples to train on and not by others, after splitting."

    def counted(self, labels: Labels, names: Sequence[str]) -> Mapping[str, object]:
        """Examples per label, and those that bear none."""
        known = labels[is_known(labels)]
        if not len(known):
            return {}
        counts = dict(zip(names, known.sum(axis=0).tolist(), strict=True))
        return {"classes": dict(sorted(counts.items())), "without": int((known.sum(axis=1) == 0).sum())}

    def in_words(self, labels: Labels, names: Sequence[str]) -> list[str]:
        """The labels of each, and `-` for none of them; nothing where they are not known."""
        told = [", ".join(name for name, mark in zip(names, row, strict=True) if mark == 1) for row in labels.tolist()]
        return [(words or "-") if known else "" for words, known in zip(told, is_known(labels).tolist(), strict=True)]

    def listed(self, counts: Counter[str]) -> Mapping[str, object]:
        """Examples per label, and those that bear none."""
        return {"classes": dict(sorted(borne(counts).items())), "without": counts[NONE]} if counts else {}

    def per_name(self, labels: Sequence[str], names: Sequence[str]) -> Integers:
        """How many bear each label."""
        return np.asarray(self.read(labels, names).sum(axis=0))


def borne(counts: Counter[str]) -> Counter[str]:
    """How many examples bear each label, from how often each set occurs."""
    found: Counter[str] = Counter()
    for text, times in counts.items():
        for name in names_in(text):
            found[name] += times
    return found


def by_rarest(marks: Labels) -> Integers:
    """(n,) the rarest label of each example, `labels` where it bears none, negative where its labels are not known."""
    order = np.argsort((marks == 1).sum(axis=0), kind="stable")
    rarest = order[(marks[:, order] == 1).argmax(axis=1)]
    found = np.where((marks == 1).any(axis=1), rarest, marks.shape[1])
    return np.where(is_known(marks), found, UNKNOWN).astype(np.int64)
