"""The domain gap of a task's data: which rows are compared, source by source."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from autotl.data.examples import Rows, TaskData, class_labels
from autotl.data.records import Records
from autotl.scoring.components import sampled
from autotl.scoring.gap import FEWEST_ROWS, TooFewRowsError, column_shifts, measure
from autotl.scoring.gap.domains import MOST_ROWS
from autotl.trial.reference import Features, Reference

Panel = dict[str, Any]


def rows_of_target(data: TaskData) -> Rows:
    """Target inputs that are compared; no test input is among the task's rows."""
    rows = np.flatnonzero(data.domain_of == 0)
    return rows[sampled(len(rows), MOST_ROWS)]


def rows_of_source(data: TaskData, *, domain: int | None = None) -> Rows:
    """Source inputs that are compared: of one domain, or of all together."""
    rows = np.flatnonzero(data.domain_of > 0 if domain is None else data.domain_of == domain)
    return rows[sampled(len(rows), MOST_ROWS)]


def held_out_source(data: TaskData) -> Rows:
    """Source inputs that no trial learns from, so that trained features flatter none of them; all of them where too few
    were held out."""
    rows = data.source_validation[data.domain_of[data.source_validation] > 0]
    return rows[sampled(len(rows), MOST_ROWS)] if len(rows) >= FEWEST_ROWS else rows_of_source(data)


def compare(data: TaskData, features_of: Callable[[Rows], Features], source: Rows, target: Rows) -> Panel:
    """The panel of `scoring.gap.measure` for these rows; no label of the target is looked at.

    Raises:
        TooFewRowsError: a domain has too few examples.
    """
    for name, rows in (("source", source), ("target", target)):
        if len(rows) < FEWEST_ROWS:
            raise TooFewRowsError(f"the {name} has {len(rows)} examples, {FEWEST_ROWS} are needed to compare it.")
    both = features_of(np.concatenate([source, target]))
    return measure(both[: len(source)], both[len(source) :], class_labels(data.labels[source]), data.classes)


def compare_columns(data: TaskData, source: Rows, target: Rows) -> list[dict[str, Any]]:
    """Every column of a table, what moved most first; of other modalities nothing."""
    if data.modality != "table":
        return []
    matrix = np.concatenate([cast(Records, inputs).read(np.arange(len(inputs))) for inputs in data.inputs])
    schema = cast(Records, data.inputs[0]).schema
    assert schema is not None, "the task's tables have a schema"
    shifts = column_shifts(matrix[source], matrix[target], schema.names, categorical=schema.categorical)
    return [vars(shift) for shift in shifts]


def compare_each_source(
    data: TaskData, features_of: Callable[[Rows], Features], names: Sequence[str]
) -> dict[str, Panel]:
    """A panel for each source, all of them together first where there are several.

    Args:
        names: of the sources, in the order of the task's domains.
    """
    target = rows_of_target(data)
    places: dict[str, int | None] = {name: number for number, name in enumerate(names, start=1)}
    asked = {"all sources": None, **places} if len(names) > 1 else places
    panels = {}
    for name, domain in asked.items():
        source = rows_of_source(data, domain=domain)
        panels[name] = {
            **compare(data, features_of, source, target),
            "columns": compare_columns(data, source, target),
        }
    return panels


def before_and_after(data: TaskData, by: Reference, adapted: Callable[[Rows], Features]) -> dict[str, Any] | None:
    """The gap by reference features and by a trained model's, on the same source and target inputs.

    Args:
        adapted: rows → (n, d) features of the trained model.
    Returns:
        `features` in words, `before` and `after`; None where there is no source or a domain is too small.
    """
    if len(data.domains) < 2:
        return None
    source, target = held_out_source(data), rows_of_target(data)
    try:
        before = compare(data, by.of, source, target)
        return {
            "features": by.words,
            "before": {**before, "columns": compare_columns(data, source, target)},
            "after": {**compare(data, adapted, source, target), "columns": []},
        }
    except TooFewRowsError:
        return None
