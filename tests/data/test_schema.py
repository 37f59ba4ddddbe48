"""What was fitted reads new tables alike, travels as JSON, and tells every cell that does not fit."""

import json

import numpy as np
import pytest
from small_tables import a_schema, table_of

from autotl.data.schema import Schema
from autotl.errors import DataError, StorageError


@pytest.fixture
def schema() -> Schema:
    return a_schema()


def test_a_schema_reads_a_new_table_whatever_its_order_and_further_columns(schema):
    table = table_of(more=["z", "z"], day=["2024-01-03", ""], kind=["M", "new"], torque=["3", "-"])
    read = schema.encode(table)
    assert (read.dtype, schema.names) == (np.float32, ("torque", "kind", "day: weekday", "day: days"))
    np.testing.assert_array_equal(read, [[3, 3, 2, 2], [np.nan, 0, np.nan, np.nan]])
    assert schema.encode(table, np.array([1]))[0, 1] == 0
    assert (schema.categorical, schema.cardinalities) == ((1,), (4,))


def test_the_wide_encoding_fills_medians_and_spreads_categories(schema):
    assert schema.wide_names() == ("torque", "kind=H", "kind=L", "kind=M", "day: weekday", "day: days")
    wide = schema.wide(schema.encode(table_of(torque=["3", ""], kind=["M", "new"], day=["2024-01-03", ""])))
    assert wide.dtype == np.float32
    assert wide.tolist() == [[3, 0, 0, 1, 2, 2], [2.5, 0, 0, 0, 1, 1]]


def test_a_schema_survives_json_and_keeps_its_digest(schema):
    again = Schema.from_dict(json.loads(json.dumps(schema.as_dict())))
    assert (again, again.digest) == (schema, schema.digest)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda content: content.pop("columns"), "schema.columns: Field required"),
        (lambda content: content.update(more=1), "schema.more: Extra inputs"),
        (lambda content: content.update(format=2), "schema.format"),
        (lambda content: content.update(columns=[]), "schema.columns"),
        (lambda content: content["columns"][0].update(kind="numbr"), "numbr"),
        (lambda content: content["columns"][0].update(median="1"), "median"),
        (lambda content: content["columns"][0].update(median=float("nan")), "median"),
        (lambda content: content["columns"][0].update(notation="5.4321"), "notation"),
        (lambda content: content["columns"][1].update(categories=["b", "a"]), "are not sorted"),
        (lambda content: content["columns"][1].update(name="torque"), "two columns are called 'torque'"),
        (lambda content: content["columns"][2].update(origin="yesterday"), "columns.2.date"),
        (lambda content: content["columns"][2].update(medians=[1.0]), "one median for each"),
        (lambda content: content["columns"][2].update(median={1}), "JSON"),
    ],
)
def test_a_schema_that_was_tampered_with_is_refused(schema, change, words):
    content = schema.as_dict()
    change(content)
    with pytest.raises(StorageError, match="schema") as caught:
        Schema.from_dict(content)
    assert words in str(caught.value)


def test_a_new_table_tells_all_its_mistakes_by_line_and_column(schema):
    table = table_of(torque=["1", "1,5"], kind=["L", "L"], day=["tomorrow", "2024-01-01"])
    with pytest.raises(DataError) as caught:
        schema.encode(table, where="new.csv: ")
    assert caught.value.mistakes == (
        "new.csv: line 2: 'day': 'tomorrow' does not fit. Expected a date written as 2024-01-31, with or without a "
        "time such as 14:30, or an empty cell.",
        "new.csv: line 3: 'torque': '1,5' does not fit. Expected a number written as 1234.5, or an empty cell.",
    )


def test_a_new_table_without_a_column_names_the_nearest(schema):
    with pytest.raises(DataError) as caught:
        schema.encode(table_of(torqe=["1"], kind=["L"]), where="new.csv: ")
    assert "new.csv: has no numeric column 'torque'. Its columns: torqe, kind. Did you mean 'torqe'?" in str(
        caught.value
    )
    assert len(caught.value.mistakes) == 2


def test_a_thousand_cells_that_do_not_fit_are_counted(schema):
    with pytest.raises(DataError, match=r"980 more cells do not fit"):
        schema.encode(table_of(torque=["x"] * 1000, kind=["L"] * 1000, day=[""] * 1000))
