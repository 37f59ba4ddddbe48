"""The shortcut test of each problem."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from autotl.data.auditing.number_shortcuts import number_shortcut_findings
from autotl.data.auditing.properties import Properties
from autotl.data.auditing.shortcuts import Words, shortcut_findings
from autotl.data.examples import Finding, Labels
from autotl.data.label_sets import by_rarest
from autotl.data.labels import LABELS
from autotl.data.splits import Integers

MOST_LABELS = 10  # of those that an example may bear; each is a test of its own


class TellsShortcuts(Protocol):
    """What tells the label and should not."""

    def __call__(
        self, properties: Properties, labels: Labels, groups: Integers | None, *, classes: Sequence[str], where: str
    ) -> list[Finding]: ...


@dataclass(frozen=True)
class ShortcutTest:
    """A test, and the problem whose labels it reads: examples are looked at evenly of their strata."""

    problem: str
    findings: TellsShortcuts

    def strata(self, labels: Labels) -> Integers:
        """(n,) of labels; negative where one is not known."""
        found = LABELS[self.problem].strata(labels)
        return by_rarest(found) if found.ndim == 2 else found


def _of_each_label(
    properties: Properties, labels: Labels, groups: Integers | None, *, classes: Sequence[str], where: str
) -> list[Finding]:
    """The test of classes for each label, borne or not, the most frequent ones."""
    frequent = np.argsort(-labels.sum(axis=0), kind="stable")[:MOST_LABELS]
    found = []
    for index in sorted(frequent.tolist()):
        name, both = classes[index], (f"without {classes[index]}", classes[index])
        words = Words(f"which bear {name!r}", f"with and without {name!r}", others="those without it")
        found += shortcut_findings(properties, labels[:, index], groups, classes=both, where=where, words=words)
    return found


SHORTCUT_TESTS: dict[str, ShortcutTest] = {
    "classification": ShortcutTest("classification", shortcut_findings),
    "multilabel": ShortcutTest("multilabel", _of_each_label),
    "regression": ShortcutTest("regression", number_shortcut_findings),
}
