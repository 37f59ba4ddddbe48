import numpy as np

from autotl.data.copied_numbers import copied_number_findings
from tests.data.small_tables import fitted, records_of


def told(labels, **columns):
    records = records_of(**columns)
    schema = fitted(records).schema
    return copied_number_findings(records, schema, np.asarray(labels, dtype=float), classes=["torque"], where="t")


def test_a_column_with_the_number_in_another_unit_gives_it_away():
    labels = np.random.default_rng(0).normal(40.0, 10.0, 60)
    (found,) = told(labels, inch=[f"{value / 2.54:.4f}" for value in labels], other=range(60))
    assert (found.code, found.severity) == ("leak", "error")
    assert found.message.startswith("t: column 'inch' holds 'torque' itself, as it is or in another unit, in 60 rows.")
    assert "drop: [inch]" in found.message


def test_a_column_that_predicts_well_is_what_columns_are_for():
    draws = np.random.default_rng(0)
    labels = draws.normal(40.0, 10.0, 60)
    assert told(labels, good=labels + draws.normal(0.0, 0.5, 60), square=labels**2) == []


def test_hidden_numbers_are_not_looked_at():
    labels = np.random.default_rng(0).normal(size=60)
    assert told(np.where(np.arange(60) < 50, np.nan, labels), copy=labels) == []
