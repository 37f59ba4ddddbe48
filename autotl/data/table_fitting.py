"""Tables get their schema: what no model may learn from is taken out, the rest is fitted on training rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from autotl.data import audit
from autotl.data.copied_numbers import copied_number_findings
from autotl.data.examples import Finding, Fold, Labels, Rows, SealedTest
from autotl.data.exported import ExportedSource
from autotl.data.joining import join_inputs
from autotl.data.known_labels import known_labels
from autotl.data.leaking_columns import leak_findings, leaks_of_labels
from autotl.data.listing import SplitName
from autotl.data.opening import Examples
from autotl.data.records import Records
from autotl.data.schema import Schema
from autotl.data.schema_fitting import fit_schema, misfit_findings
from autotl.errors import DataError, StorageError
from autotl.task import Task

# Columns that give the label away, by the problem: (records, schema, labels, names of what is learnt, where)
LEAK_TESTS: dict[str, Callable[[Records, Schema, Labels, Sequence[str], str], list[Finding]]] = {
    "classification": lambda records, schema, labels, _, where: leak_findings(records, schema, labels, where=where),
    "multilabel": lambda records, schema, labels, names, where: leaks_of_labels(
        records, schema, labels, classes=names, where=where
    ),
    "regression": lambda records, schema, labels, names, where: copied_number_findings(
        records, schema, labels, classes=names, where=where
    ),
}
Given = Mapping[tuple[str, SplitName], Examples]


def without_useless_columns(
    task: Task, given: Given, classes: Sequence[str]
) -> tuple[dict[tuple[str, SplitName], Examples], list[Finding]]:
    """All splits without the columns that nothing can be learnt from, and what was found in the others.

    Identifiers must go before anything looks for equal rows: a running number makes every row unique. Labels are read
    where the search may know them, to find columns that give them away.
    """
    training = {place: examples for place, examples in given.items() if place[1] == "train"}
    records = cast(Records, join_inputs([examples.inputs for examples in training.values()]))
    where = task.where("data")
    fitted = fit_schema(records, np.arange(len(records)), where=where, allow=task.audit.allow)
    labels = np.concatenate([known_labels(task, place[0], examples, classes) for place, examples in training.items()])
    leaks = LEAK_TESTS[task.problem](records, fitted.schema, labels, classes, where)
    findings = [*fitted.findings, *leaks]
    kept: dict[tuple[str, SplitName], Examples] = {}
    for place, examples in given.items():
        inputs = cast(Records, examples.inputs).without(fitted.left_out)
        kept[place] = replace(examples, inputs=inputs)
        if place not in training:
            findings += misfit_findings(inputs.with_schema(fitted.schema), fitted.schema, where=f"{where}: {place[0]}")
    return kept, [audit.softened(task, finding) for finding in findings]


def as_read_by(task: Task, given: Given, schema: Schema) -> tuple[dict[tuple[str, SplitName], Examples], list[Finding]]:
    """All splits with the columns that an exported model reads, and the cells that it cannot read.

    Raises:
        DataError: a column of the schema is not there.
    """
    known = {column.name for column in schema.columns}
    kept: dict[tuple[str, SplitName], Examples] = {}
    findings: list[Finding] = []
    for place, examples in given.items():
        records = cast(Records, examples.inputs)
        inputs = records.without([name for name in records.cells if name not in known]).with_schema(schema)
        kept[place] = replace(examples, inputs=inputs)
        findings += misfit_findings(inputs, schema, where=f"{task.where('data')}: {place[0]}")
    return kept, [audit.softened(task, finding) for finding in findings]


def schema_of(exported: ExportedSource) -> Schema:
    """How an exported model of a table reads its columns.

    Raises:
        DataError: its description makes no sense.
    """
    try:
        return Schema.from_dict(exported.description.preprocessing["schema"])
    except (KeyError, StorageError) as error:
        raise DataError(f"{exported.path}: is damaged: {error}") from error


def fitted_on(inputs: Sequence[Records], folds: Sequence[Fold], adaptation_rows: Rows, *, where: str) -> Schema:
    """The schema that the training rows of all folds, and the unlabelled rows that may be adapted to, give.

    Rows of a hold-out validation are not among them. In cross-validation every row trains in some fold: of such rows
    all inputs are read, and no label.
    """
    together = cast(Records, join_inputs(inputs))
    rows = np.unique(np.concatenate([adaptation_rows, *(fold.train for fold in folds)]))
    return fit_schema(together, rows, where=where, allow=("identifier",)).schema


def bound(
    inputs: Sequence[Records], test: SealedTest | None, schema: Schema
) -> tuple[list[Records], SealedTest | None]:
    """The same rows, to be read by this schema."""
    sealed = None if test is None else test.with_inputs(cast(Records, test.inputs).with_schema(schema))
    return [records.with_schema(schema) for records in inputs], sealed
