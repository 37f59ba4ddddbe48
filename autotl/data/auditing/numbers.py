"""What listings tell of labels that are numbers, and of classes that rather are numbers."""

from collections.abc import Iterator, Mapping

import numpy as np

from autotl.data.auditing.label_audit import LabelAudit, learnt_from
from autotl.data.examples import Finding
from autotl.data.labels import are_continuous
from autotl.data.listing import Survey, is_hidden
from autotl.task import Task
from autotl.task.problem import REGRESSION

FEW_EXAMPLES = 10  # of a domain; with fewer nothing that is measured is sure
FEW_VALUES = 5  # whole numbers; so few may well be classes


def continuous_findings(task: Task, listed: Survey) -> Iterator[Finding]:
    """Domains of a classification whose labels are quantities."""
    for domain in listed.domains:
        counts = listed.counts(domain)
        if is_hidden(task, domain) or not are_continuous(counts):
            continue
        where = learnt_from(listed, domain)[0].where
        words = (
            f"the labels of {domain} are numbers, and {len(counts):,} of {counts.total():,} differ: that is no class. "
            "Write 'problem: regression' to learn the number; if each does stand for a class, "
            "'audit: {allow: [continuous_labels]}'."
        )
        yield Finding("continuous_labels", "error", f"{where}: {words}", tuple(list(counts)[:20]))


def _names(task: Task, listed: Survey) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The one number is called after the column that it is read from, of the target where its labels are known."""
    named = [listing.label for domain in listed.domains for listing in learnt_from(listed, domain) if listing.label]
    return (next(iter([*task.data.columns.labels, *named]), "value"),), ()


def _findings(task: Task, listed: Survey) -> Iterator[Finding]:
    for domain in listed.domains:
        counts = listed.counts(domain)
        if is_hidden(task, domain) or not counts:
            continue
        where, values = learnt_from(listed, domain)[0].where, np.array([float(text) for text in counts])
        if len(values) == 1:
            words = f"every label of {domain} is {values[0]:g}: there is nothing to learn."
            yield Finding("one_number", "error", f"{where}: {words}")
        elif len(values) <= FEW_VALUES and (values == np.round(values)).all():
            seen = ", ".join(f"{value:g}" for value in np.sort(values))
            words = f"the labels of {domain} take {len(values)} values only ({seen})."
            hint = "If they name classes and no quantity, leave out 'problem: regression'."
            yield Finding("few_numbers", "info", f"{where}: {words} {hint}")
        if len(values) > 1 and counts.total() < FEW_EXAMPLES:
            words = f"{domain} has only {counts.total()} labelled examples. All figures will be uncertain."
            yield Finding("few_examples", "warning", f"{where}: {words}")


def _metric(counts: Mapping[str, int]) -> str:  # noqa: ARG001 - one interface: numbers have no classes to count
    return REGRESSION.default_metric


NUMBERS = LabelAudit(_names, _findings, _metric)
