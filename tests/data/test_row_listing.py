"""Tables whose rows are examples: which column holds what, and what is said where none does."""

import csv

import numpy as np
import pytest

from autotl.data.records import Records
from autotl.data.row_listing import found_column, label_column, list_rows, signal_columns, text_column
from autotl.data.tables import Table, TableError
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.errors import DataError


@pytest.fixture
def write(tmp_path):
    """A CSV of these columns; returns its path."""

    def write_table(columns, name="t.csv"):
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        return tmp_path / name

    return write_table


def listed(task, path, modality, *, labelled=True):
    return list_rows(task, path, "t.csv", "task.yaml:3", modality, labelled=labelled)


def table(*names):
    return Table({name: [] for name in names}, [])


def test_texts_come_with_labels_and_groups_exactly_as_written(make_task, write):
    path = write({"Text": ["a b", "NA", ""], "label": ["NO", "1e3", "😀"], "author": ["x", "", "x"]})
    found = listed(make_task("t.csv", columns={"group": "author"}), path, "text")
    assert isinstance(found.inputs, Texts)
    assert found.inputs.texts == ("a b", "NA", "")
    assert found.inputs.ids == ("row 0", "row 1", "row 2")
    assert found.labels == ("NO", "1e3", "😀")
    assert found.groups == ("x", "", "x")
    assert found.columns == {"Text", "label", "author"}
    assert found.findings == ()


def test_records_hold_neither_label_nor_group_nor_dropped_columns(make_task, write):
    path = write({"speed": ["1", "2"], "day": ["3", "4"], "who": ["a", "b"], "note": ["-", "+"], "y": ["0", "1"]})
    found = listed(make_task("t.csv", columns={"group": "who", "drop": "note"}), path, "table")
    assert isinstance(found.inputs, Records)
    assert tuple(found.inputs.cells) == ("speed", "day")
    assert (found.labels, found.groups) == (("0", "1"), ("a", "b"))
    assert found.inputs.origin == "t.csv"


@pytest.mark.parametrize("modality", ["text", "table"])
def test_a_label_that_may_not_be_read_is_still_no_feature(make_task, write, modality):
    path = write({"text": ["a", "b"], "a": ["1", "2"], "label": ["x", "y"]})
    found = listed(make_task("t.csv"), path, modality, labelled=False)
    assert found.labels == ("x", "y"), "sealed away by whoever reads this"
    if modality == "table":
        assert isinstance(found.inputs, Records)
        assert "label" not in found.inputs.cells


def test_numbers_to_learn_whose_commas_may_mean_two_things_are_told(make_task, write):
    path = write({"x": ["1", "2", "3"], "y": ["1,234", "17", "5,678"]})
    task = make_task("t.csv", problem="regression")
    (doubt,) = listed(task, path, "table").findings
    assert (doubt.code, doubt.severity) == ("ambiguous_numbers", "warning")
    assert "task.yaml:3: column 'y': its commas, such as line 2: '1,234', may stand before decimals" in doubt.message
    assert listed(task, path, "table", labelled=False).findings == (), "labels that may not be known are not told of"
    clear = write({"x": ["1", "2", "3"], "y": ["0,234", "17", "5,678"]})
    assert listed(task, clear, "table").findings == ()


def test_a_table_need_not_have_a_label_where_none_is_read(make_task, write):
    path = write({"text": ["a", "b"]})
    assert listed(make_task("t.csv"), path, "text", labelled=False).labels is None
    assert listed(make_task("t.csv", columns={"label": "stars"}), path, "text", labelled=False).labels is None
    with pytest.raises(TableError, match=r"no label column is named\. Its columns: text\."):
        listed(make_task("t.csv"), path, "text")
    with pytest.raises(TableError, match=r"has no label column 'stars'"):
        listed(make_task("t.csv", columns={"label": "stars"}), path, "text")


def test_rows_of_a_long_table_become_windows_that_cross_no_unit(make_task, write):
    rows = 40
    values = [str(row) for row in range(rows)]
    machine = ["m1"] * 22 + ["m2"] * 18
    time = [f"{row / 10:.1f}" for row in range(22)] + [f"{row / 10:.1f}" for row in range(18)]
    path = write({"Time": time, "machine": machine, "force": values, "label": ["a"] * 20 + ["b"] * 20})
    found = listed(make_task("t.csv", window=8, modality="signal"), path, "signal")
    assert isinstance(found.inputs, Windows)
    assert found.inputs.shape == (8, 1)
    assert found.inputs.channels == ("force",)
    assert found.inputs.read(np.arange(4))[:, 0, 0].tolist() == [0.0, 8.0, 22.0, 30.0]
    assert found.groups == ("m1", "m1", "m2", "m2")
    assert found.labels == ("a", "a", "b", "b")
    assert [finding.code for finding in found.findings] == []


def test_windows_across_a_change_of_label_are_told_only_where_labels_may_be_known(make_task, write):
    path = write({"force": [str(row) for row in range(32)], "label": ["a"] * 12 + ["b"] * 20})
    task = make_task("t.csv", window=8, modality="signal")
    assert [finding.code for finding in listed(task, path, "signal").findings] == ["mixed_window"]
    assert listed(task, path, "signal", labelled=False).findings == ()


def test_single_samples_without_a_window_are_refused_with_what_to_write(make_task, write):
    path = write({"force": ["1", "2"], "label": ["a", "b"]})
    with pytest.raises(DataError, match=r"task.yaml:3: t.csv: holds single samples. Write 'window: N'"):
        listed(make_task("t.csv", modality="signal"), path, "signal")


@pytest.mark.parametrize("modality", ["text", "table", "signal"])
def test_a_table_without_rows_or_with_a_bare_label_says_so(make_task, write, modality):
    task = make_task("t.csv", window=4)
    with pytest.raises(TableError, match="holds no rows below its header"):
        listed(task, write({"text": [], "label": []}), modality)
    path = write({"text": ["1", "2", "3", "4", "5"], "label": ["a", " ", "", "a", "b"]})
    with pytest.raises((TableError, DataError), match="line 3: 2 rows have no label. Fill or remove them"):
        listed(task, path, modality)


def test_a_column_goes_by_the_tasks_name_or_the_first_usual_one(make_task):
    assert text_column(make_task("t.csv"), table("review", " TEXT ", "label")) == " TEXT "
    assert text_column(make_task("t.csv", columns={"input": "body"}), table("text", "body")) == "body"
    assert label_column(make_task("t.csv"), table("text", "Category", "y"), required=True) == "Category"
    assert label_column(make_task("t.csv", columns={"label": "y"}), table("label", "y"), required=True) == "y"
    with pytest.raises(TableError, match=r"no input column is named\. Its columns: a, b\. Write .*\{input: NAME\}"):
        found_column(table("a", "b"), None, ("text",), "input")


def test_time_and_unit_go_by_the_tasks_names_or_the_usual_ones(make_task):
    columns = signal_columns(make_task("t.csv"), table("Timestamp", "Machine", "x"), label=None)
    assert (columns.time, columns.unit, columns.label) == ("Timestamp", "Machine", None)
    task = make_task("t.csv", columns={"time": "t", "unit": "run", "drop": ["x"], "group": "g"})
    columns = signal_columns(task, table("time", "machine", "t", "run", "x"), label="y")
    assert (columns.time, columns.unit, columns.label) == ("t", "run", "y")
    assert (columns.drop, columns.group) == (("x",), "g")
    assert signal_columns(make_task("t.csv"), table("x"), label=None).time is None
