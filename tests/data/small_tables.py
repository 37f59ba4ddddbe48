"""Small tables, and what is fitted on them."""

import numpy as np

from autotl.data.records import records_from_table
from autotl.data.schema import Schema
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table


def table_of(**columns) -> Table:
    texts = {name: list(map(str, cells)) for name, cells in columns.items()}
    return Table(texts, range(2, 2 + len(next(iter(texts.values())))))


def records_of(**columns):
    table = table_of(**columns)
    return records_from_table(table, tuple(table.columns), origin="t.csv")


def everything(records):
    return np.arange(len(records), dtype=np.int64)


def fitted(records, **options):
    return fit_schema(records, everything(records), where="task.yaml:3:12", **options)


def kinds(**columns) -> list[str]:
    return [column.kind for column in fitted(records_of(**columns)).schema.columns]


def values(cells, **more) -> list[float]:
    """The numbers of one column beside another that keeps the table alive."""
    records = records_of(x=cells, other=["a", "b"] * (len(cells) // 2) + ["a"] * (len(cells) % 2), **more)
    schema = fitted(records).schema
    return records.with_schema(schema).read(everything(records))[:, 0].tolist()


def codes_of(findings) -> list[str]:
    return [finding.code for finding in findings]


def a_schema() -> Schema:
    """A number, a category and a date."""
    return fitted(
        records_of(
            torque=["1.5", "2.5", "10.5", ""],
            kind=["L", "M", "H", "L"],
            day=["2024-01-01", "2024-01-02", "2024-01-04", ""],
        )
    ).schema
