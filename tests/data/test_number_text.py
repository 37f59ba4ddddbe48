"""Numbers in all the ways that people write them."""

import numpy as np
import pytest
from small_tables import codes_of, fitted, records_of, values

from autotl.data.number_text import number_notation


def test_decimal_points_exponents_and_signs_are_numbers():
    assert values(["1", "-2.5", "1e3", "+.5", " 7 "]) == [1, -2.5, 1000, 0.5, 7]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,5", "2,25", "3"], [1.5, 2.25, 3]),
        (["1,234.5", "12", "1,234,567.0"], [1234.5, 12, 1234567]),
        (["1.234,5", "12", "7,25"], [1234.5, 12, 7.25]),
        (["1 234,5", "12", "2\u202f000,0"], [1234.5, 12, 2000]),
        (["1'234.5", "12", "7.25"], [1234.5, 12, 7.25]),
        (["1,234,567", "12", "3,000,000"], [1234567, 12, 3000000]),
        (["−5", "3", "2"], [-5, 3, 2]),
    ],
)
def test_each_column_has_its_own_way_of_writing_numbers(cells, numbers):
    assert values(cells) == numbers


def test_a_comma_that_may_mean_two_things_is_read_as_decimals_and_told():
    found = fitted(records_of(x=["1,234", "999", "5,678"], other=["a", "b", "a"]))
    assert found.schema.columns[0].notation == "1234,5"
    assert codes_of(found.findings) == ["ambiguous_numbers"]
    assert "line 2: '1,234', may stand before decimals or thousands" in found.findings[0].message


def test_a_stray_comma_does_not_make_thousands_of_decimals():
    cells = [*(f"{value:.3f}" for value in np.linspace(1.001, 9.9, 99)), "1,5"]
    notation, share = number_notation(cells, np.ones(100, dtype=np.int64))
    assert (notation, share) == ("1234.5", 0.99)
    assert number_notation(["0.435", "0.318", "1,5"], np.ones(3, dtype=np.int64))[0] == "1234.5", (
        "no group begins with 0"
    )
    of_thousands = ["1.234", "2,5", "3,5", "4.500", "17"]
    assert number_notation(of_thousands, np.ones(5, dtype=np.int64)) == ("1.234,5", 1.0)


def test_words_for_missing_and_infinity_are_missing_numbers():
    read = values(["1.5", "NaN", "", "inf", "-Infinity", "n/a", "NULL", "?", "2", "1e999", "1e39"])
    assert np.isnan(read).tolist() == [False, *[True] * 7, False, True, True]


def test_true_and_false_are_one_and_zero():
    assert values(["true", "FALSE", "0", "1", ""])[:4] == [1, 0, 0, 1]
