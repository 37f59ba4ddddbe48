"""The shortcut test of each problem."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from autotl.data.auditing.number_shortcuts import number_shortcut_findings
from autotl.data.auditing.properties import Properties
from autotl.data.auditing.shortcuts import shortcut_findings
from autotl.data.examples import Finding, Labels
from autotl.data.labels import LABELS
from autotl.data.splits import Integers


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
        return LABELS[self.problem].strata(labels)


SHORTCUT_TESTS: dict[str, ShortcutTest] = {
    "classification": ShortcutTest("classification", shortcut_findings),
    "regression": ShortcutTest("regression", number_shortcut_findings),
}
