"""Which kind a column is, what is left out, and what is told of it."""

import numpy as np
import pytest
from small_tables import a_schema, codes_of, everything, fitted, kinds, records_of

from autotl.data.schema import MAX_CATEGORIES, Schema
from autotl.data.schema_fitting import fit_schema, misfit_findings
from autotl.errors import DataError


@pytest.fixture
def schema() -> Schema:
    return a_schema()


def test_in_a_column_of_text_only_the_empty_cell_is_missing():
    records = records_of(x=["NA", "NO", "nan", "😀", "", "null", "1e3"])
    schema = fitted(records).schema
    assert schema.columns[0].categories == ("1e3", "NA", "NO", "nan", "null", "😀")
    assert records.with_schema(schema).read(everything(records))[:, 0].tolist() == [2, 3, 4, 6, 0, 5, 1]


def test_the_kinds_of_columns():
    assert kinds(
        few=[0, 1, 2] * 10,
        truth=["true", "False", "1"] * 10,
        flag=["0", "1", "1"] * 10,
        code=["007", "012", "100"] * 10,
        word=["L", "M", "M"] * 10,
        day=["2024-01-31", "2024-02-29", ""] * 10,
    ) == ["numeric", "numeric", "numeric", "categorical", "categorical", "date"]


def test_strays_among_numbers_are_missing_and_told_by_line_and_cell():
    cells = [f"{index}.5" for index in range(10_000)]
    cells[16], cells[500], cells[9_000] = "abc", "12V", "abc"
    records = records_of(torque=cells)
    found = fitted(records)
    assert found.findings[0].message == (
        "task.yaml:3:12: column 'torque': 3 of 10,000 cells are no numbers, such as line 18: 'abc'. Read as missing."
    )
    assert np.isnan(records.with_schema(found.schema).read(np.array([16, 17]))).ravel().tolist() == [True, False]


def test_a_column_half_of_numbers_is_text_and_told():
    found = fitted(records_of(size=["10", "12", "14", "XL"] * 5))
    assert found.schema.columns[0].kind == "categorical"
    assert "75% of its filled cells are numbers, the others are not, such as line 5: 'XL'" in found.findings[0].message


def test_columns_that_tell_nothing_are_left_out_with_a_warning():
    rows = 40
    found = fitted(
        records_of(
            kept=["a", "b"] * 20,
            empty=["", " "] * 20,
            constant=["NA"] * rows,
            same_number=["1", "1.0"] * 20,
            number=range(1000, 1000 + rows),
            name=[f"M{index}" for index in range(rows)],
            copy=["x", "y"] * 20,
            measured=[index + 0.5 for index in range(rows)],
        )
    )
    assert [column.name for column in found.schema.columns] == ["kept", "measured"]
    assert found.left_out == ("empty", "constant", "same_number", "number", "name", "copy")
    assert {finding.severity for finding in found.findings} == {"warning"}
    assert codes_of(found.findings) == [
        "empty_column",
        "constant_column",
        "constant_column",
        "identifier",
        "identifier",
        "duplicate_column",
    ]
    assert "column 'copy' says the same as 'kept' in every row" in found.findings[-1].message


def test_an_identifier_is_found_in_a_part_of_its_rows_and_kept_where_it_is_allowed():
    numbers = np.random.default_rng(0).permutation(10_000)[:3_000]
    records = records_of(number=numbers, measured=np.arange(3_000) % 7)
    assert fitted(records).left_out == ("number",)
    assert fitted(records, allow=["identifier"]).left_out == ()


def test_whole_numbers_from_a_wide_range_are_no_identifier():
    prices = np.random.default_rng(0).integers(0, 10**9, 200)
    assert fitted(records_of(price=prices)).left_out == ()


def test_a_table_without_anything_to_learn_from_is_refused():
    with pytest.raises(DataError, match=r"no column of t\.csv is left to learn from\..*every cell is 'a'"):
        fitted(records_of(x=["a", "a"]))


def test_the_schema_knows_the_training_rows_only():
    records = records_of(x=["1", "3", "1000"], kind=["a", "b", "c"])
    schema = fit_schema(records, np.array([0, 1]), where="t").schema
    assert schema.columns[0].median == 2
    assert schema.columns[1].categories == ("a", "b")
    assert records.with_schema(schema).read(np.array([2])).tolist() == [[1000, 0]]


def test_the_order_of_rows_and_columns_does_not_matter_to_the_schema():
    records = records_of(x=["1", "3", "1000", ""], kind=["b", "a", "c", "a"])
    other = fit_schema(records, np.array([3, 1, 0, 2]), where="t").schema
    assert fitted(records).schema == other
    assert fitted(records).schema.digest == other.digest


def test_rare_categories_share_the_code_of_the_unknown():
    cells = [f"c{index:03}" for index in range(MAX_CATEGORIES + 20) for _ in range(3 if index < MAX_CATEGORIES else 2)]
    found = fitted(records_of(x=cells))
    assert (len(found.schema.columns[0].categories), found.schema.cardinalities) == (MAX_CATEGORIES, (101,))
    assert [(finding.code, finding.severity) for finding in found.findings] == [("many_categories", "info")]


def test_other_rows_are_held_against_the_schema(schema):
    count = 500
    torque = ["bad" if row < 4 else "1" for row in range(count)]
    records = records_of(torque=torque, kind=["Q"] * 100 + ["L"] * 400, day=["no"] * 100 + ["2024-01-01"] * 400)
    found = misfit_findings(records, schema, where="books")
    assert [(finding.code, finding.severity) for finding in found] == [
        ("mixed_types", "warning"),
        ("unseen_categories", "warning"),
        ("mixed_types", "error"),
    ]
    assert "4 of 500 cells do not fit, such as line 2: 'bad'. Read as missing." in found[0].message
    assert "20% of the cells hold categories that training has not: 'Q'" in found[1].message
