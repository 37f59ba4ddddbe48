"""Columns of a table that give a number away: they hold it again, perhaps in another unit."""

from collections.abc import Sequence

import numpy as np

from autotl.data.examples import Finding, Labels, is_known
from autotl.data.leaking_columns import told_of_columns
from autotl.data.records import Records
from autotl.data.schema import Schema, placed

COPIES = 1e-5  # share of the variance that a straight line may leave: what rounding leaves
FEWEST_ROWS = 20
FEWEST_VALUES = 5  # different ones; a line through fewer proves little


def copied_number_findings(
    records: Records, schema: Schema, labels: Labels, *, classes: Sequence[str], where: str
) -> list[Finding]:
    """Numeric columns of which the label is a straight line in all rows.

    A column that only predicts the label well is no leak: that is what columns are for.

    Args:
        labels: (n,) numbers, not-a-number where the search may not know them: those rows are not looked at.
        classes: the one name of the number.
    """
    rows = np.flatnonzero(is_known(labels))
    if len(rows) < FEWEST_ROWS:
        return []
    used = {column.name for column in schema.columns}
    read = records.take(rows).without(set(records.cells) - used).with_schema(schema)
    values, told = read.read(np.arange(len(rows), dtype=np.int64)).astype(np.float64), labels[rows]
    found = {}
    for start, column in placed(schema.columns):
        of_column = values[:, start + len(column.names) - 1]
        there = ~np.isnan(of_column)
        if column.kind == "categorical" or there.sum() < FEWEST_ROWS:
            continue
        if _is_line(of_column[there], told[there]):
            found[column.name] = f"holds {classes[0]!r} itself, as it is or in another unit, in {there.sum():,} rows"
    return told_of_columns(found, where=where)


def _is_line(values: Labels, labels: Labels) -> bool:
    if min(len(np.unique(values)), len(np.unique(labels))) < FEWEST_VALUES:
        return False
    return 1.0 - float(np.corrcoef(values, labels)[0, 1]) ** 2 < COPIES
