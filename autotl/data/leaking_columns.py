"""Columns that give the label away: most were written down after the fact."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from autotl.data.cells import cells_of, shortened
from autotl.data.examples import Finding
from autotl.data.number_text import Floats
from autotl.data.records import Records
from autotl.data.schema import Column, Schema, placed

LEAK_ACCURACY = 0.99  # balanced; by one column alone
LEAK_IN_CLASS = 10  # rows of the smallest class, or of a flag, that such a figure must rest on
COPY_CHANCE = 0.01  # that a column copies the label by chance: small tables show it too
FLAG_CHANCE = 1e-6  # that a flag stands on rows of one class only by chance
FLAG_DIFFERENT = 5  # of its rows, at least, that are no copies of each other
FLAG_RECALL = 0.05  # of that class; rarer flags are ordinary lucky features
_MOST_PAIRS = 5_000_000  # of categories and classes; a column with more is nearly an identifier and not counted out


def leak_findings(records: Records, schema: Schema, labels: NDArray[np.int64], *, where: str) -> list[Finding]:
    """Columns that give the label away: most were written down after the fact.

    A column copies the label one to one; or a rule on it alone (majority of its category without the row itself, one
    split, nearest median of a class, filled or not) has a balanced accuracy of 0.99; or, for two classes, one of its
    values stands on rows of the rarer class only.

    Args:
        labels: (n,) class index, negative where the search may not know it: those rows are not looked at.
    """
    return told_of_columns(leaking_columns(records, schema, labels), where=where)


def leaking_columns(records: Records, schema: Schema, labels: NDArray[np.int64]) -> dict[str, str]:
    """The same, by column what gives the label away."""
    known = np.flatnonzero(labels >= 0)
    classes, classed = np.unique(labels[known], return_inverse=True)
    if len(classes) < 2:
        return {}
    used = {column.name for column in schema.columns}
    told = records.take(known).without(set(records.cells) - used).with_schema(schema)
    copies = _copies(told.digests, classed)
    return {
        column.name: reason
        for start, column in placed(schema.columns)
        if (reason := _reason_for_leak(column, told, start, classed.astype(np.int64), copies)) is not None
    }


def told_of_columns(reasons: Mapping[str, str], *, where: str) -> list[Finding]:
    """Findings of columns that give the label away.

    Args:
        reasons: by column, completing the sentence 'the column …'.
    """
    every = ", ".join(map(_in_yaml, reasons))
    hint = f"If it is not known when predicting, write 'data.columns: {{drop: [{every}]}}'"
    return [
        Finding("leak", "error", f"{where}: column {name!r} {reason}. {hint}; if it is, 'audit: {{allow: [leak]}}'.")
        for name, reason in reasons.items()
    ]


def leaks_of_labels(
    records: Records, schema: Schema, labels: NDArray[np.int64], *, classes: Sequence[str], where: str
) -> list[Finding]:
    """Columns that give away whether an example bears a label; a column is told once, with the first such label.

    Args:
        labels: marks (n, labels), negative where the search may not know them.
        classes: the labels' names.
    """
    reasons: dict[str, str] = {}
    for index, name in enumerate(classes):
        for column, reason in leaking_columns(records, schema, labels[:, index]).items():
            reasons.setdefault(column, reason.replace("the label", f"the label {name!r}", 1))
    return told_of_columns(reasons, where=where)


def _in_yaml(name: str) -> str:
    """A name as it can be pasted into a task."""
    is_plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in ("true", "false", "null")
    return name if is_plain else json.dumps(name, ensure_ascii=not name.isprintable())


def _copies(digests: Sequence[str], labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """(n,) how many rows say the same under the same label, the row itself counted in.

    An oversampled class or a table that was joined twice holds many: a row must not be told by its own copies.
    """
    pairs = cells_of([f"{digest} {label}" for digest, label in zip(digests, labels.tolist(), strict=True)])
    return pairs.counts()[pairs.codes]


def _reason_for_leak(
    column: Column, told: Records, start: int, labels: NDArray[np.int64], copies: NDArray[np.int64]
) -> str | None:
    """What gives the label away, completing the sentence 'the column …', or None."""
    cells = told.cells[column.name]
    values = told.read(np.arange(len(told), dtype=np.int64))[:, start + len(column.names) - 1].astype(np.float64)
    kinds = cells.codes.astype(np.int64) if column.kind == "categorical" else _kinds(values)
    if kinds is not None and (reason := _copy(kinds, labels)):
        return reason
    tests: list[Callable[[], str | None]] = []
    if np.bincount(labels).min() >= LEAK_IN_CLASS:
        if kinds is not None:
            tests.append(partial(_majority, kinds, labels, copies))
        if column.kind != "categorical" and _different(labels, copies).min() >= LEAK_IN_CLASS:
            tests.append(partial(_split if labels.max() == 1 else _medians, values, labels))
    if labels.max() == 1:
        if kinds is not None and kinds.max() == 1:
            written = [repr(shortened(text)) for text in cells.texts]
            tests.append(partial(_flag, kinds, labels, copies, lambda row: written[cells.codes[row]]))
        if column.kind != "categorical" and np.isnan(values).any():
            states = np.isnan(values).astype(np.int64)
            tests.append(partial(_flag, states, labels, copies, lambda row: "empty" if states[row] else "filled"))
    return next((reason for test in tests if (reason := test())), None)


def _kinds(values: Floats) -> NDArray[np.int64] | None:
    """Numbers as categories where most of them repeat; missing is a category too."""
    different, kinds = np.unique(values, return_inverse=True)
    return kinds.astype(np.int64) if len(different) <= max(2, len(values) // 2) else None


def _copy(kinds: NDArray[np.int64], labels: NDArray[np.int64]) -> str | None:
    sizes = np.bincount(labels)
    pairs = np.unique(kinds * len(sizes) + labels)
    if not len(pairs) == len(np.unique(kinds)) == len(sizes):
        return None
    ways = math.lgamma(len(labels) + 1) - sum(math.lgamma(size + 1) for size in sizes.tolist())
    if math.lgamma(len(sizes) + 1) - ways > math.log(COPY_CHANCE):
        return None
    return f"copies the label: each of its {len(sizes)} values stands for one class in all {len(labels):,} rows"


def _different(labels: NDArray[np.int64], copies: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows per class, each once whatever its copies."""
    return np.rint(np.bincount(labels, weights=1 / copies)).astype(np.int64)


def _majority(kinds: NDArray[np.int64], labels: NDArray[np.int64], copies: NDArray[np.int64]) -> str | None:
    """Each row is told by the other rows of its category, so that a category of one row tells nothing."""
    classes = int(labels.max()) + 1
    if (int(kinds.max()) + 1) * classes > _MOST_PAIRS:
        return None
    together = np.bincount(kinds * classes + labels, minlength=(int(kinds.max()) + 1) * classes).reshape(-1, classes)
    ordered = np.sort(together, axis=1)
    best_other = np.where(together == ordered[:, -1:], ordered[:, -2:-1], ordered[:, -1:])
    right = together[kinds, labels] - copies > best_other[kinds, labels]
    return _rule("its values alone", np.bincount(labels, weights=right) / np.bincount(labels))


def _split(values: Floats, labels: NDArray[np.int64]) -> str | None:
    """One threshold for two classes; missing numbers are tried on either side."""
    sides = (-np.inf, np.inf) if np.isnan(values).any() else (0.0,)
    best, at = 0.0, 0.0
    for side in sides:
        placed = np.where(np.isnan(values), side, values)
        order = np.argsort(placed, kind="stable")
        ends = np.flatnonzero(placed[order][1:] != placed[order][:-1])  # where a run of equal values ends
        if not len(ends):
            continue
        below = np.cumsum(labels[order] == 1)[ends] / (labels == 1).sum()
        below_other = np.cumsum(labels[order] == 0)[ends] / (labels == 0).sum()
        accuracy = 0.5 + np.abs(below - below_other) / 2
        index = int(np.argmax(accuracy))
        if accuracy[index] > best:
            best, at = float(accuracy[index]), float(placed[order][ends[index]])
    rule = f"the one split 'up to {at:g}'" if np.isfinite(at) else "whether it is filled"
    return _rule(rule, np.array([best, best]))


def _medians(values: Floats, labels: NDArray[np.int64]) -> str | None:
    present = ~np.isnan(values)
    classes = range(int(labels.max()) + 1)
    if any(not (present & (labels == index)).any() for index in classes):
        return None
    medians = np.array([np.median(values[present & (labels == index)]) for index in classes])
    nearest = np.argmin(np.abs(values[:, None] - medians), axis=1)
    right = (nearest == labels) & present
    return _rule("its nearest class median", np.array([right[labels == index].mean() for index in classes]))


def _rule(rule: str, recalls: Floats) -> str | None:
    accuracy = float(recalls.mean())
    if accuracy < LEAK_ACCURACY:
        return None
    return f"tells the label by itself: by {rule}, with a balanced accuracy of {accuracy:.3f}"


def _flag(
    states: NDArray[np.int64], labels: NDArray[np.int64], copies: NDArray[np.int64], name: Callable[[int], str]
) -> str | None:
    """One of two states stands on rows of the rarer class only, too often for chance."""
    sizes = np.bincount(labels)
    rare = int(np.argmin(sizes))
    for state in (0, 1):
        here = np.flatnonzero(states == state)
        count = len(here)
        if count < max(LEAK_IN_CLASS, FLAG_RECALL * sizes[rare]) or (labels[here] != rare).any():
            continue
        if np.rint((1 / copies[here]).sum()) < FLAG_DIFFERENT:
            continue
        chance = _log_choices(int(sizes[rare]), count) - _log_choices(len(labels), count)
        if chance <= math.log(FLAG_CHANCE):
            return f"is {name(int(here[0]))} in {count:,} rows, every one of the rarer class: it follows from the label"
    return None


def _log_choices(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
