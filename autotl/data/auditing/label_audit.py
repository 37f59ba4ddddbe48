"""What the audit of labels is made of, whatever a label is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from autotl.data.examples import Finding
from autotl.data.listing import Listing, Survey
from autotl.task import Task


@dataclass(frozen=True)
class LabelAudit:
    """The checks of one problem.

    Attributes:
        names: what the columns of an answer are called (`TaskData.classes`), and what was found while agreeing on them.
        findings: all that listings tell of labels, those of `names` included.
        suggested_metric: what a task without a metric is measured by, from examples per class.
    """

    names: Callable[[Task, Survey], tuple[tuple[str, ...], tuple[Finding, ...]]]
    findings: Callable[[Task, Survey], Iterator[Finding]]
    suggested_metric: Callable[[Mapping[str, int]], str]


def learnt_from(listed: Survey, domain: str) -> tuple[Listing, ...]:
    """What a domain lists to learn from and to check on: its training and its validation paths."""
    return (*listed.splits.get((domain, "train"), ()), *listed.splits.get((domain, "validation"), ()))
