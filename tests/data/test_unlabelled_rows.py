"""Texts, records and windows to predict on: read as the model's own were, labels left alone, trouble told by name."""

import csv

import numpy as np
import pytest

from autotl.data.records import records_from_table
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table
from autotl.data.unlabelled_rows import read_records, read_texts, read_windows
from autotl.errors import DataError


def write(path, cells, encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(cells)
        writer.writerows(zip(*cells.values(), strict=True))
    return path


# Texts ----------------------------------------------------------------------------------------------------------------


def test_texts_of_a_table_come_from_the_models_own_column_or_a_usual_one(tmp_path):
    path = write(tmp_path / "t.csv", {"label": ["x", "y"], "Review": ["a", "b"], "body": ["c", "d"]})
    assert read_texts(path, {"input": "body"})[0].texts == ("c", "d")
    assert read_texts(path, {"input": "gone"})[0].texts == ("a", "b")
    assert read_texts(path, {})[0].ids == ("row 0", "row 1")
    write(path, {"remark": ["a"]})
    with pytest.raises(DataError, match=r"t.csv: no column is called one of: body, text, .*Its columns: remark"):
        read_texts(path, {"input": "body"})


def test_texts_of_a_folder_go_by_their_relative_names_whatever_the_folders_say(tmp_path):
    for name in ("b.txt", "a/z.TXT", "a/b/c.txt", ".hidden/d.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "notes.md").write_text("left alone")
    texts, left = read_texts(tmp_path, {})
    assert dict(zip(texts.ids, texts.texts, strict=True)) == {name: name for name in ("b.txt", "a/z.TXT", "a/b/c.txt")}
    assert left == ()
    assert read_texts(tmp_path / "b.txt", {})[0].ids == ("b.txt",)


def test_texts_that_are_empty_or_undecodable_are_left_out_and_told(tmp_path):
    (tmp_path / "good.txt").write_text("one")
    (tmp_path / "blank.txt").write_text(" \n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    texts, left = read_texts(tmp_path, {})
    assert texts.ids == ("good.txt",)
    assert left[0].startswith("latin.txt: the file is not utf-8: line 1, byte 0xe9")
    assert left[1] == "blank.txt: the text is empty"
    assert read_texts(tmp_path, {"encoding": "latin-1"})[0].texts == ("one", "café")
    path = write(tmp_path / "t.csv", {"text": ["", "a", " "]})
    texts, left = read_texts(path, {})
    assert (texts.ids, left) == (("row 1",), ("row 0: the text is empty", "row 2: the text is empty"))


def test_nothing_to_read_is_an_error_that_says_what_would_do(tmp_path):
    with pytest.raises(DataError, match="there is nothing here. Name a CSV, a folder of .txt files"):
        read_texts(tmp_path / "gone", {})
    with pytest.raises(DataError, match="holds no text. Name a CSV or Parquet"):
        read_texts(tmp_path, {})
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(DataError, match=r"(?s)holds no text that is not empty.*a.txt: the text is empty"):
        read_texts(tmp_path, {})
    with pytest.raises(DataError, match="t.csv: holds no rows below its header"):
        read_texts(write(tmp_path / "t.csv", {"text": []}), {})
    with pytest.raises(DataError, match="gone.csv: cannot be read: No such file"):
        read_texts(tmp_path / "gone.csv", {})


@pytest.mark.parametrize("read", [read_texts, lambda path, written: read_windows(path, (4, 1), written)])
def test_a_table_in_another_encoding_is_told_without_a_word_of_a_task(tmp_path, read):
    path = write(tmp_path / "t.csv", {"text": ["café"]}, encoding="latin-1")
    with pytest.raises(DataError, match=r"t.csv: line 2: byte 0xe9 is not utf-8. Save the table as utf-8\.") as caught:
        read(path, {})
    assert "task" not in str(caught.value).removeprefix(str(tmp_path))
    assert read_texts(path, {"encoding": "latin-1"})[0].texts == ("café",)


# Records --------------------------------------------------------------------------------------------------------------


def a_schema():
    cells = {"speed": ["1.5", "2", "", "7"], "grade": ["L", "NA", "M", "L"]}
    records = records_from_table(Table(cells, range(2, 6)), tuple(cells))
    return fit_schema(records, np.arange(4), where="data").schema


def test_records_are_read_by_column_name_in_any_order_and_others_are_ignored(tmp_path):
    schema = a_schema()
    cells = {"label": ["?", "?", "?"], "grade": ["NA", "new", ""], "id": ["9", "8", "7"], "speed": ["3", "n/a", "-1"]}
    records, left = read_records(write(tmp_path / "t.csv", cells), schema, {})
    assert left == ()
    assert records.ids == ("row 0", "row 1", "row 2")
    assert records.schema == schema
    numbers = records.read(np.arange(3))
    np.testing.assert_array_equal(numbers[:, schema.names.index("speed")], [3, np.nan, -1])
    assert numbers[:, schema.names.index("grade")].tolist() == [3, 0, 0]  # L, M, NA in order; unknown; empty
    np.testing.assert_array_equal(records.take(np.array([2])).read(np.array([0])), numbers[2:])


def test_records_that_do_not_fit_name_line_column_and_what_was_expected(tmp_path):
    path = write(tmp_path / "t.csv", {"speed": ["1", "fast"], "grade": ["L", "M"]})
    with pytest.raises(DataError, match=r"t.csv: line 3: 'speed': 'fast' does not fit. Expected a number"):
        read_records(path, a_schema(), {})
    write(path, {"Speed": ["1"], "grade": ["L"]})
    with pytest.raises(DataError, match=r"t.csv: has no numeric column 'speed'.*Did you mean 'Speed'"):
        read_records(path, a_schema(), {})
    with pytest.raises(DataError, match="not a table. Name a CSV or Parquet"):
        read_records(tmp_path, a_schema(), {})
    with pytest.raises(DataError, match="gone.csv: cannot be read"):
        read_records(tmp_path / "gone.csv", a_schema(), {})


# Windows --------------------------------------------------------------------------------------------------------------


def windows(rows=5, samples=8, channels=1, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, samples, channels)).astype(np.float32)


@pytest.mark.parametrize(
    ("written", "member"), [({}, "x"), ({}, "x_test"), ({"input": "force"}, "force_test"), ({"input": "force"}, "x")]
)
def test_windows_of_an_array_are_found_by_their_name(tmp_path, written, member):
    values = windows()
    np.savez(tmp_path / "w.npz", y=np.zeros(5), **{member: values})
    found, left = read_windows(tmp_path / "w.npz", (8, 1), written)
    np.testing.assert_array_equal(found.read(np.arange(5)), values)
    assert (found.ids[0], left) == ("row 0", ())


def test_windows_that_hold_no_numbers_are_left_out_and_told(tmp_path):
    values = windows()
    values[1, 2, 0] = np.nan
    np.savez(tmp_path / "w.npz", x=values)
    found, left = read_windows(tmp_path / "w.npz", (8, 1), {})
    np.testing.assert_array_equal(found.read(np.arange(4)), values[[0, 2, 3, 4]])
    assert left == ("row 1: the window holds values that are no number: 1, the first at sample 2: NaN",)
    np.savez(tmp_path / "w.npz", x=np.full((2, 8), np.inf))
    with pytest.raises(DataError, match=r"(?s)none of 2 windows can be used.*row 0: the window"):
        read_windows(tmp_path / "w.npz", (8, 1), {})


def test_windows_of_another_shape_name_both(tmp_path):
    np.savez(tmp_path / "w.npz", x=windows(samples=9, channels=2))
    with pytest.raises(DataError, match=r"holds windows of shape \(9, 2\); the model takes \(8, 1\)"):
        read_windows(tmp_path / "w.npz", (8, 1), {})


def test_samples_of_a_table_are_cut_as_in_training_and_labels_left_alone(tmp_path):
    values = windows(rows=1, samples=20, channels=2)[0]
    cells = {
        "label": ["?"] * 20,
        "time": [f"{row / 4}" for row in range(20)],
        "force": [f"{value!r}" for value in values[:, 0].tolist()],
        "current": [f"{value!r}" for value in values[:, 1].tolist()],
        "machine": ["m"] * 20,
    }
    path = write(tmp_path / "s.csv", cells)
    written = {"time": "time", "unit": "machine", "stride": 4, "channels": ["force", "current"]}
    found, left = read_windows(path, (8, 2), written)
    assert left == ()
    assert found.ids == ("m sample 0", "m sample 4", "m sample 8", "m sample 12")
    np.testing.assert_array_equal(found.read(np.array([1]))[0], values[4:12])


def test_channels_are_taken_by_name_whatever_their_order(tmp_path):
    cells = {"b": [str(row) for row in range(8)], "a": [str(-row) for row in range(8)]}
    found, _ = read_windows(write(tmp_path / "s.csv", cells), (8, 2), {"channels": ["a", "b"]})
    np.testing.assert_array_equal(found.read(np.array([0]))[0, :, 0], -np.arange(8))


def test_a_table_that_lacks_a_channel_names_it(tmp_path):
    path = write(tmp_path / "s.csv", {"force": [str(row) for row in range(8)]})
    with pytest.raises(DataError, match="'current'"):
        read_windows(path, (8, 2), {"channels": ["force", "current"]})


@pytest.mark.parametrize("members", [{"pictures": np.zeros(3)}, {"x": np.array([[1, 2], [3]], dtype=object)}])
def test_an_archive_without_windows_says_what_it_holds(tmp_path, members):
    np.savez(tmp_path / "w.npz", **members)
    with pytest.raises(DataError, match=r"w.npz: (holds pictures, none of x, x_test|'x' holds Python objects)"):
        read_windows(tmp_path / "w.npz", (8, 1), {})


def test_a_path_that_is_neither_says_what_is_allowed(tmp_path):
    for path in (tmp_path, tmp_path / "gone.wav"):
        with pytest.raises(DataError, match="neither an .npz with windows nor a table with samples"):
            read_windows(path, (8, 1), {})
    with pytest.raises(DataError, match="gone.npz: is no .npz that can be read"):
        read_windows(tmp_path / "gone.npz", (8, 1), {})
