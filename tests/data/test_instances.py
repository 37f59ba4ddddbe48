"""Examples that come as values: read as files are, and every mistake told by its place."""

import numpy as np
import pytest

from autotl.data.instances import records_from_values, texts_from_values, windows_from_values
from autotl.data.schema import Schema
from autotl.data.tables import Table
from autotl.errors import DataError

NUMBER = {"kind": "numeric", "name": "age", "median": 1.0}
CITY = {"kind": "categorical", "name": "city", "categories": ["1", "2.0", "NO", "true"]}
DATE = {
    "kind": "date",
    "name": "sold",
    "form": "2024-01-31",
    "origin": "2024-01-01T00:00:00",
    "parts": ["month"],
    "medians": [6.0],
}


def schema(*columns):
    return Schema.from_dict({"columns": list(columns)})


def mistakes(read, *arguments):
    with pytest.raises(DataError) as caught:
        read(*arguments)
    return caught.value.mistakes


@pytest.mark.parametrize("notation", ["1234.5", "1234,5", "1,234.5", "1.234,5", "1 234.5", "1 234,5", "1'234.5"])
@pytest.mark.parametrize("value", [0, -3, 12.5, 1234.5, 1e-7, 2.5e22, 123456789])
def test_a_number_is_a_number_however_the_training_data_wrote_theirs(notation, value):
    known = schema(NUMBER | {"notation": notation})
    assert records_from_values([{"age": value}], known).read(np.array([0]))[0, 0] == np.float32(value)


def test_rows_are_read_as_a_table_of_the_same_cells_is():
    known = schema(NUMBER | {"notation": "1234.5"}, CITY, DATE)
    table = Table({"age": ["7", ""], "city": ["NO", "nowhere"], "sold": ["2024-03-01", ""]}, [2, 3])
    values = [
        {"age": 7, "city": "NO", "sold": "2024-03-01", "more": []},
        {"sold": None, "city": "nowhere", "age": None},
    ]
    assert np.array_equal(records_from_values(values, known).values, known.encode(table), equal_nan=True)


def test_a_category_may_be_a_number_or_a_truth_value():
    read = records_from_values([{"city": value} for value in (1, 1.0, 2, 2.0, True, "NO", None, 3)], schema(CITY))
    assert read.values[:, 0].tolist() == [1, 1, 2, 2, 4, 3, 0, 0]


def test_truth_values_of_a_column_of_them():
    known = schema(NUMBER | {"notation": "true/false"})
    assert (
        records_from_values([{"age": value} for value in (True, False, 1, 0)], known).values[:, 0].tolist()
        == [1, 0] * 2
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (["a"], "instances[0]: expected an object with a value for each column, got a list of 1."),
        ({"Age": 1}, "instances[0]: has no column 'age'. Did you mean 'Age'?"),
        ({}, "instances[0]: has no column 'age'. Write null where it is missing."),
        ({"age": "old"}, "instances[0].age: 'old' does not fit. Expected a number written as 1234.5, or null."),
        ({"age": [1]}, "instances[0].age: a list of 1 is no cell of a table."),
        ({"age": 10**30}, "is no cell of a table."),
        ({"age": float("inf")}, "instances[0].age: inf is no cell of a table."),
    ],
)
def test_rows_that_cannot_be_read(row, words):
    assert words in " ".join(mistakes(records_from_values, [row], schema(NUMBER | {"notation": "1234.5"})))


def test_every_mistake_is_told_up_to_twenty():
    told = mistakes(texts_from_values, list(range(30)))
    assert told[0] == "instances[0]: expected a text, got 0."
    assert told[-1] == "and 10 more mistakes."
    assert len(told) == 21


def test_windows_of_one_channel_may_be_flat():
    assert windows_from_values([[1, 2.5, 3]], (3, 1)).read(np.array([0])).tolist() == [[[1], [2.5], [3]]]


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ([[1, 2]] * 2, "got a list of shape (2, 2)"),
        ([[1, 2], [3]], "got a list of 2"),
        ([["1", "2"]] * 3, "expected 3 samples of 2 channels, all numbers"),
        ([[1, None]] * 3, "got a list of 3"),
        ([[True, False]] * 3, "got a list of 3"),
        ("abc", "got 'abc'"),
        ([[1e39, 0]] * 3, "instances[0]: the window"),
    ],
)
def test_windows_that_cannot_be_read(window, words):
    assert words in mistakes(windows_from_values, [window], (3, 2))[0]
