"""Every listed text, row or window is read once; what cannot be used is noted by name and reason, and left out."""

import csv

import numpy as np
import pytest

from autotl.data.listing import survey
from autotl.data.opening import open_all, unique_ids, without_folders
from autotl.data.records import Records
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.errors import DataError


def opened(task):
    found = survey(task)
    assert [finding for finding in found.findings if finding.severity == "error"] == []
    return open_all(task, found)


def text_files(folder, **classes):
    for name, contents in classes.items():
        (folder / name).mkdir(parents=True)
        for number, content in enumerate(contents):
            (folder / name / f"{number}.txt").write_bytes(content)


def write_table(path, columns):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def windows(path, rows=6, samples=16, broken=(), seed=0, **others):
    values = np.random.default_rng(seed).normal(size=(rows, samples)).astype(np.float32)
    for row, value in broken:
        values[row, 3] = value
    np.savez(path, x=values, y=np.array(["a", "b"])[np.arange(rows) % 2], **others)
    return values


def test_text_files_are_texts_by_their_names_and_the_broken_ones_are_noted(tmp_path, make_task):
    good = [b"one two", b"", "café".encode("latin-1"), "\ufeffthree\r\n".encode()]
    text_files(tmp_path / "texts", pos=good, neg=[b"four", b" \t\n"])
    (tmp_path / "texts" / "pos" / "notes.md").write_text("left alone")
    found = opened(make_task("texts", modality="text"))
    examples = found.splits["target", "train"]
    assert isinstance(examples.inputs, Texts)
    assert examples.inputs.ids == ("neg/0.txt", "pos/0.txt", "pos/3.txt")
    assert examples.inputs.texts == ("four", "one two", "three\r\n")
    assert examples.labels == ("neg", "pos", "pos")
    assert found.examples == 6
    assert {broken.name: broken.reason for broken in found.broken} == {
        "neg/1.txt": "is empty",
        "pos/1.txt": "is empty",
        "pos/2.txt": "is not utf-8: line 1, byte 0xe9. Write its encoding in the task, for example 'encoding: latin-1'",
    }
    assert {broken.domain for broken in found.broken} == {"target"}


def test_the_encoding_of_the_task_reads_text_files(tmp_path, make_task):
    text_files(tmp_path / "texts", pos=["café".encode("latin-1")], neg=[b"tea"])
    found = opened(make_task("texts", modality="text", encoding="latin-1"))
    assert found.splits["target", "train"].inputs.texts == ("tea", "café")
    assert found.broken == []


def test_a_folder_of_nothing_but_broken_texts_opens_to_nothing(tmp_path, make_task):
    text_files(tmp_path / "texts", pos=[b"\xff"], neg=[b""])
    found = opened(make_task("texts", modality="text"))
    assert len(found.splits["target", "train"]) == 0
    assert found.splits["target", "train"].labels == ()
    assert (len(found.broken), found.examples) == (2, 2)


def test_empty_texts_of_a_table_leave_labels_and_groups_with_the_others(tmp_path, make_task):
    columns = {"text": ["a", " ", "c", "\u200b"], "label": list("wxyz"), "author": list("1234")}
    write_table(tmp_path / "t.csv", columns)
    found = opened(make_task("t.csv", modality="text", columns={"group": "author"}))
    examples = found.splits["target", "train"]
    assert (examples.inputs.ids, examples.labels, examples.groups) == (("row 0", "row 2"), ("w", "y"), ("1", "3"))
    assert [(broken.name, broken.reason) for broken in found.broken] == [("row 1", "is empty"), ("row 3", "is empty")]


def test_windows_that_hold_no_numbers_are_noted_with_sample_and_kind(tmp_path, make_task):
    values = windows(tmp_path / "w.npz", broken=[(1, np.nan), (4, np.inf)], owner=np.array(list("pqrstu")))
    found = opened(make_task("w.npz", modality="signal", columns={"group": "owner"}))
    examples = found.splits["target", "train"]
    assert isinstance(examples.inputs, Windows)
    np.testing.assert_array_equal(examples.inputs.read(np.arange(4))[:, :, 0], values[[0, 2, 3, 5]])
    assert (examples.labels, examples.groups) == (("a", "a", "b", "b"), tuple("prsu"))
    assert [broken.name for broken in found.broken] == ["row 1", "row 4"]
    assert found.broken[0].reason == "holds values that are no number: 1, the first at sample 3: NaN"
    assert found.broken[1].reason.endswith("infinite")
    assert found.findings == [], "they are told as broken, once"


def test_constant_windows_are_kept_and_told(tmp_path, make_task):
    values = np.random.default_rng(0).normal(size=(6, 16))
    values[2] = 5
    np.savez(tmp_path / "w.npz", x=values, y=np.array(list("ababab")))
    found = opened(make_task("w.npz", modality="signal"))
    assert len(found.splits["target", "train"]) == 6
    assert [finding.code for finding in found.findings] == ["constant_window"]


def test_several_paths_of_a_domain_are_one_and_their_ids_tell_them_apart(tmp_path, make_task):
    windows(tmp_path / "a.npz", rows=2)
    windows(tmp_path / "b.npz", rows=3, seed=1)
    examples = opened(make_task({"train": ["a.npz", "b.npz"]}, modality="signal")).splits["target", "train"]
    assert examples.inputs.ids == ("a.npz row 0", "a.npz row 1", "b.npz row 0", "b.npz row 1", "b.npz row 2")
    write_table(tmp_path / "c.csv", {"text": ["x"], "label": ["1"]})
    text_files(tmp_path / "texts", pos=[b"y"])
    examples = opened(make_task({"train": ["c.csv", "texts"]}, modality="text")).splits["target", "train"]
    assert examples.inputs.ids == ("c.csv row 0", "texts/pos/0.txt")
    assert (examples.inputs.texts, examples.labels) == (("x", "y"), ("1", "pos"))


def test_tables_of_a_domain_are_joined_by_column_name(tmp_path, make_task):
    write_table(tmp_path / "a.csv", {"p": ["1"], "q": ["2"], "label": ["x"]})
    write_table(tmp_path / "b.csv", {"q": ["3"], "label": ["y"], "p": ["4"]})
    examples = opened(make_task({"train": ["a.csv", "b.csv"]}, modality="table")).splits["target", "train"]
    assert isinstance(examples.inputs, Records)
    assert examples.inputs.cells["p"].texts == ("1", "4")
    assert examples.labels == ("x", "y")


@pytest.mark.parametrize("place", ["train", "validation", "test", "source"])
def test_windows_of_other_shapes_are_refused_wherever_they_stand(tmp_path, make_task, place):
    windows(tmp_path / "a.npz")
    windows(tmp_path / "b.npz", samples=24)
    target = {"train": ["a.npz", "b.npz"] if place == "train" else "a.npz"}
    target |= {place: "b.npz"} if place in ("validation", "test") else {}
    task = make_task(target, {"train": "b.npz"} if place == "source" else None, modality="signal")
    with pytest.raises(DataError, match=r"a.npz 16 samples x 1 channel and those of b.npz 24 samples x 1 channel"):
        opened(task)


def test_an_array_that_is_no_windows_names_place_and_member(tmp_path, make_task):
    np.savez(tmp_path / "w.npz", x=np.zeros((4, 2, 2, 2)), y=np.array(list("abab")))
    with pytest.raises(DataError, match=r"w.npz: the array 'x' has shape \(4, 2, 2, 2\). Windows are"):
        opened(make_task("w.npz", modality="signal"))


def test_ids_are_unique_and_a_hidden_folder_is_cut_off():
    assert unique_ids(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]
    assert without_folders("secret/1.txt") == "1.txt"
    assert without_folders("row 3") == "row 3"
