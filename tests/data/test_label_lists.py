"""Label lists are read however tables write them; what is ambiguous is refused with its line."""

import numpy as np
import pytest

from autotl.data.label_lists import (
    NONE,
    Cells,
    as_one_column,
    as_text,
    from_flags,
    from_lists,
    from_marks,
    look_like_lists,
    names_in,
    renamed,
)
from autotl.data.tables import Table, TableError

LINES = (2, 3, 4, 5)


def read(*cells):
    places = [f"line {line}" for line in LINES[: len(cells)]]
    return [names_in(text) for text in from_lists(Cells(cells, places, "faults"))]


@pytest.mark.parametrize(
    "cells",
    [
        ("b;a", "", " a ", "b"),
        ("b|a", "", "a", "b|"),
        ("b, a", "", "a", "b"),
        ('["b", "a"]', "[]", '["a"]', '["b", "b"]'),
        ("['b', 'a']", "", "['a']", "['b']"),
    ],
)
def test_lists_are_sets_and_an_empty_one_is_an_answer(cells):
    assert read(*cells) == [("a", "b"), (), ("a",), ("b",)]


def test_a_comma_belongs_to_names_where_another_separator_is_used():
    assert read("red, dark;blue", "blue") == [("blue", "red, dark"), ("blue",)]


def test_equal_sets_are_equal_texts_and_names_may_be_changed():
    assert as_text(["b", "a", "b"]) == as_text(("a", "b"))
    assert as_text([]) == NONE
    assert names_in(renamed(as_text(["Cat", "cat"]), str.lower)) == ("cat",)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (("a;b", "a", "a|b"), r"line 4: column 'faults' separates labels by ';' on line 2 and by '\|' on line 4"),
        (("a|b;c",), "line 2: .*Write one of them throughout"),
        (('["a"]', "b"), "line 3: 'b' is no list in brackets"),
        (("[a, b",), r"line 2: '\[a, b' is no list of labels"),
        (('["a", ""]',), "line 2: .* is no list of labels"),
        (('[{"a": 1}]',), "line 2: .* is no list of labels"),
        (("[__import__('os')]",), "line 2: .* is no list of labels"),
    ],
)
def test_what_is_ambiguous_is_refused_with_its_line(cells, words):
    with pytest.raises(TableError, match=words):
        read(*cells)


def test_columns_of_0_and_1_name_the_labels():
    table = Table({"TWF": ["0", "1", "1.0"], "HDF": ["false", "True", "no"], "x": ["7", "8", "9"]}, LINES[:3])
    assert [names_in(text) for text in from_flags(table, ("TWF", "HDF"))] == [(), ("HDF", "TWF"), ("TWF",)]


@pytest.mark.parametrize(("cell", "seen"), [("2", "'2'"), ("", "an empty cell"), ("maybe", "'maybe'")])
def test_a_flag_that_is_neither_is_refused_with_its_line(cell, seen):
    with pytest.raises(TableError, match=f"line 3: column 'TWF' holds {seen}"):
        from_flags(Table({"TWF": ["0", cell]}, LINES[:2]), ("TWF",))


def test_a_missing_flag_column_is_told_with_its_nearest():
    with pytest.raises(TableError, match="Did you mean 'TWF'"):
        from_flags(Table({"TWF": ["0"]}, LINES[:1]), ("TWG",))


def test_label_columns_become_one_and_are_no_features():
    table = Table({"x": ["7", "8"], "TWF": ["0", "1"], "HDF": ["1", "1"]}, LINES[:2])
    both, name = as_one_column(table, ("TWF", "HDF"))
    assert list(both.columns) == ["x", name]
    assert [names_in(text) for text in both.columns[name]] == [("HDF",), ("HDF", "TWF")]


def test_marks_of_an_array_are_sets():
    assert from_marks(np.array([[1, 0], [0, 0], [1, 1]]), ("b", "a")) == [as_text("b"), as_text(()), as_text("ab")]


@pytest.mark.parametrize(
    ("cells", "are_lists"),
    [
        (["a;b", "a", "", "b"], True),
        (["a | c", "b | c", "a | b", "b"], True),
        (["a;b", "c;d", "a;b"], False),  # every name in one cell only: two classes
        (["x, y", "x", "y"], True),
        (["heat, wear", "heat", ""], True),  # an empty cell is a set, too
        (
            ["Smith, Ann", "Smith, Bob", "Miller, Ann", "Miller, Bob", "Jones, Ann"],
            False,
        ),  # a comma may stand in a name
        (['["heat", "wear"]', '["heat"]', "[]"], True),
        (['["heat"]', "heat"], False),
        (["a", "b"], False),
    ],
)
def test_cells_look_like_lists_where_a_separator_joins_names_that_come_back(cells, are_lists):
    assert look_like_lists(cells) is are_lists
