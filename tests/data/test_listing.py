import zipfile

import numpy as np
import pytest
from PIL import Image

from autotl.data.listing import survey


def error_of(task) -> tuple[str, str]:
    (finding,) = survey(task).findings
    assert finding.severity == "error"
    return finding.code, finding.message


def test_class_folders_are_listed_in_order_with_their_names_as_written(write_images, make_task):
    write_images("photos", {"NO": 2, "1e3": 1, "😀 face": 1})
    (write_images("photos", {"NO/deeper": 1}) / ".DS_Store").write_text("x")
    listed = survey(make_task("photos"))
    (listing,) = listed.splits["target", "train"]
    assert listing.names == ("1e3/0000.png", "NO/0000.png", "NO/0001.png", "NO/deeper/0000.png", "😀 face/0000.png")
    assert listing.labels == ("1e3", "NO", "NO", "NO", "😀 face")
    assert listed.findings == ()


def test_files_that_are_no_images_are_left_alone_and_noted(write_images, make_task):
    folder = write_images("photos", {"a": 1, "b": 1})
    (folder / "README.md").write_text("about")
    (folder / "a" / "notes.txt").write_text("about")
    (listing,) = survey(make_task("photos")).splits["target", "train"]
    assert len(listing) == 2
    assert set(listing.strangers) == {"README.md", "a/notes.txt"}


def test_a_table_of_paths_is_listed_below_its_own_folder(write_images, make_task, tmp_path):
    write_images("photos", {"a": 2, "b": 1})
    lines = ["who,file,kind", "ann,a/0000.png,NA", "ann,a/0001.png,NO", "bob,b/0000.png,NA"]
    (tmp_path / "photos" / "list.csv").write_text("\n".join(lines))
    columns = {"input": "file", "label": "kind", "group": "who"}
    (listing,) = survey(make_task("photos/list.csv", columns=columns)).splits["target", "train"]
    assert listing.names == ("a/0000.png", "a/0001.png", "b/0000.png")
    assert listing.labels == ("NA", "NO", "NA")
    assert listing.groups == ("ann", "ann", "bob")


def test_usual_column_names_need_not_be_said(write_images, make_task, tmp_path):
    write_images("photos", {"a": 1})
    (tmp_path / "photos" / "list.csv").write_text("Path,Label\na/0000.png,cat\n")
    (listing,) = survey(make_task("photos/list.csv")).splits["target", "train"]
    assert listing.labels == ("cat",)


def test_an_array_file_brings_its_own_test(make_task, tmp_path):
    pixels = np.zeros((6, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x_train=pixels, y_train=np.arange(6) % 2, x_test=pixels[:2], y_test=["0", "1"])
    listed = survey(make_task("d.npz"))
    assert listed.rows("target", "train") == 6
    assert listed.labels("target", "test") == ["0", "1"]
    assert ("target", "test") not in survey(make_task({"train": "d.npz", "test": "none"})).splits


def test_one_array_file_may_be_a_split_alone(make_task, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 4, 4)), y=[[1], [2], [3]])
    np.savez(tmp_path / "b.npz", x=np.zeros((2, 4, 4)), y=np.array([b"1", b"2"]))
    listed = survey(make_task({"train": "a.npz", "test": "b.npz"}))
    assert listed.labels("target", "train") == ["1", "2", "3"]
    assert listed.labels("target", "test") == ["1", "2"]


def test_classes_that_mean_the_same_are_merged_as_the_task_says(write_images, make_task):
    write_images("photos", {"Cat": 1, "cat ": 1, "dog": 1})
    listed = survey(make_task("photos", audit={"merge": {"cat ": "Cat"}}))
    assert listed.counts("target") == {"Cat": 2, "dog": 1}


def test_a_missing_folder_names_the_nearest_one(write_images, make_task):
    write_images("photos", {"a": 1})
    code, message = error_of(make_task("phtos"))
    assert code == "missing_path"
    assert message.startswith("data.target.train: there is no 'phtos'. Did you mean 'photos'")


def test_every_path_of_a_list_is_told_by_its_number(write_images, make_task):
    write_images("photos", {"a": 1})
    _, message = error_of(make_task({"train": ["photos", "nowhere"]}))
    assert message.startswith("data.target.train[1]: there is no 'nowhere'.")


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ([], "no_images", "it is empty"),
        (["a.png", "b.png"], "no_classes", "holds images but no class folders. Sort them into photos/CLASS/"),
        (["train/x/a.png", "test/x/a.png"], "splits_as_classes", "Name each: photos/test, photos/train."),
    ],
)
def test_a_folder_without_classes_says_what_it_holds(make_task, tmp_path, files, code, words):
    (tmp_path / "photos").mkdir()
    for name in files:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(tmp_path / "photos" / name, "PNG")
    seen, message = error_of(make_task("photos"))
    assert seen == code
    assert words in message


@pytest.mark.parametrize(
    ("table", "code", "words"),
    [
        ("path,lable\na/0000.png,x\n", "unknown_column", "no label column is named. Its columns: path, lable."),
        ("path,label\n", "bad_table", "holds no rows"),
        ("path,label\na/0000.png,\n", "empty_label", "line 2: 1 rows have no label"),
        ("path,label\na/9.png,x\na/8.png,x\n", "missing_file", "line 2: 'a/9.png' is no file below"),
        ("path,label\na/9.png,x\na/8.png,x\n", "missing_file", "and 1 more"),
        ("path,label\n../secret.png,x\n", "path_outside", "line 2: '../secret.png' lies outside photos."),
        ("path,label\n/etc/passwd,x\n", "path_outside", "'/etc/passwd' lies outside"),
        ("path,label\n..\\secret.png,x\n", "path_outside", "lies outside"),
        ("path,label\nlink.png,x\n", "path_outside", "'link.png' lies outside"),
        ("path,label\nlinked/0000.png,x\n", "path_outside", "lies outside"),
        ("path,label\na\0.png,x\n", "path_outside", "lies outside"),
    ],
)
def test_a_table_with_unusable_rows_says_line_and_reason(write_images, make_task, tmp_path, table, code, words):
    folder = write_images("photos", {"a": 1})
    Image.new("RGB", (2, 2)).save(tmp_path / "secret.png")
    write_images("outside", {"b": 1})
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "linked").symlink_to(tmp_path / "outside" / "b")
    (folder / "list.csv").write_text(table)
    seen, message = error_of(make_task("photos/list.csv"))
    assert seen == code
    assert message.startswith("data.target.train: photos/list.csv: ")
    assert words in message


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"pixels": np.zeros((2, 4, 4))}, "holds pixels. Expected x and y, or x_train and y_train."),
        ({"x": np.zeros((2, 4, 4))}, "holds 'x' without its labels 'y'"),
        ({"x": np.zeros((2, 4, 4)), "y": [1, 2, 3]}, "'x' has 2 rows, 'y' has 3"),
        ({"x": np.zeros((0, 4, 4)), "y": np.zeros(0, dtype=int)}, "has no rows"),
        ({"x_train": np.zeros((2, 4)), "y_train": [0, 1], "x_test": np.zeros((2, 4))}, "without its labels 'y_test'"),
        ({"x": np.zeros((2, 4, 4)), "y": np.eye(2)}, "has shape (2, 2). Labels are one text or number a row"),
        ({"x": np.zeros((2, 4, 4)), "y": [0.5, 1.5]}, "Labels are text or whole numbers"),
        ({"x": np.zeros((2, 4, 4)), "y": np.array([object(), None])}, "holds Python objects, which are never loaded"),
    ],
)
def test_an_array_file_that_does_not_fit_says_why(make_task, tmp_path, arrays, words):
    np.savez(tmp_path / "d.npz", **arrays)
    code, message = error_of(make_task("d.npz", modality="image"))
    assert code == "bad_array"
    assert words in message


def test_a_file_of_another_kind_lists_what_is_read(make_task, tmp_path):
    (tmp_path / "d.zip").write_bytes(b"PK")
    assert error_of(make_task("d.zip"))[0] == "unknown_kind"
    (tmp_path / "d.npz").write_bytes(b"PK")
    assert error_of(make_task("d.npz"))[0] == "bad_array"


def test_a_member_that_claims_more_than_the_file_holds_is_a_finding(make_task, tmp_path):
    np.savez(tmp_path / "d.npz", x=np.zeros((2, 4, 4), dtype=np.uint8), y=[0, 1])
    with zipfile.ZipFile(tmp_path / "d.npz") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    shape, lie = b"'shape': (2, 4, 4), }", b"'shape': (2000000000000, 4, 4), }"
    members["x.npy"] = members["x.npy"].replace(shape + b" " * (len(lie) - len(shape)), lie)
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    code, message = error_of(make_task("d.npz"))
    assert code == "bad_array"
    assert "data.target.train: d.npz: 'x' claims 32,000,000,000,000 bytes" in message
    assert "where the file has 32. Is it cut off?" in message


def test_an_array_file_brings_its_own_validation_where_the_task_says_nothing(make_task, tmp_path):
    pixels = np.zeros((6, 4, 4), dtype=np.uint8)
    train = {"x_train": pixels, "y_train": np.arange(6) % 2}
    np.savez(tmp_path / "d.npz", **train, x_validation=pixels[:4], y_validation=np.arange(4) % 2)
    np.savez(tmp_path / "s.npz", **train, x_val=pixels[:2], y_val=["0", "1"])
    listed = survey(make_task("d.npz", source={"train": "s.npz"}))
    assert listed.rows("target", "validation") == 4
    assert listed.labels("source", "validation") == ["0", "1"]
    assert listed.notes == ()


@pytest.mark.parametrize(
    ("split", "written", "words"),
    [
        ("validation", 0.3, "data.target.validation says 0.3"),
        ("validation", "v.npz", "data.target.validation says v.npz"),
        ("test", 0.2, "data.target.test says 0.2"),
        ("test", "none", "data.target.test says none"),
    ],
)
def test_what_the_task_says_wins_over_the_members_of_a_file_and_that_is_said(
    make_task, tmp_path, split, written, words
):
    pixels, labels = np.zeros((6, 4, 4), dtype=np.uint8), np.arange(6) % 2
    np.savez(tmp_path / "d.npz", **{"x_train": pixels, "y_train": labels, f"x_{split}": pixels, f"y_{split}": labels})
    np.savez(tmp_path / "v.npz", x=pixels, y=labels)
    listed = survey(make_task({"train": "d.npz", split: written}))
    assert listed.notes == (f"d.npz holds 'x_{split}', which is left alone: {words}.",)
    given = [listing.path.name for listing in listed.splits.get(("target", split), ())]
    assert given == (["v.npz"] if written == "v.npz" else [])
    assert survey(make_task({"train": "d.npz", split: "d.npz"})).notes == ()


def test_a_split_that_only_some_paths_bring_is_left_alone_and_that_is_said(make_task, tmp_path):
    pixels, labels = np.zeros((6, 4, 4), dtype=np.uint8), np.arange(6) % 2
    np.savez(tmp_path / "a.npz", x_train=pixels, y_train=labels, x_val=pixels, y_val=labels)
    np.savez(tmp_path / "b.npz", x=pixels, y=labels)
    listed = survey(make_task({"train": ["a.npz", "b.npz"]}))
    assert ("target", "validation") not in listed.splits
    assert listed.notes == ("a.npz holds 'x_val', which is left alone: not every path of target brings one.",)


@pytest.mark.parametrize("suffix", ["", "_train"])
def test_columns_name_the_members_of_an_array_file(make_task, tmp_path, suffix):
    names = {"pixels": np.zeros((3, 4, 4)), "kind": ["a", "b", "a"], "owner": ["ann", "", "bob"]}
    np.savez(tmp_path / "d.npz", **{name + suffix: values for name, values in names.items()})
    columns = {"input": "pixels", "label": "kind", "group": "owner"}
    listed = survey(make_task("d.npz", columns=columns))
    assert listed.findings == ()
    (listing,) = listed.splits["target", "train"]
    assert (listing.labels, listing.groups) == (("a", "b", "a"), ("ann", "", "bob"))


def test_an_array_file_without_the_groups_that_are_asked_for_says_what_it_holds(make_task, tmp_path):
    np.savez(tmp_path / "d.npz", x=np.zeros((2, 4, 4)), y=[1, 2])
    code, message = error_of(make_task("d.npz", columns={"group": "owner"}))
    assert code == "bad_array"
    assert message == "data.target.train: d.npz: holds 'x' without its groups 'owner'. It holds x, y."


def test_groups_of_class_folders_are_refused_because_folders_have_no_columns(write_images, make_task):
    write_images("photos", {"a": 1, "b": 1})
    code, message = error_of(make_task("photos", columns={"group": "owner"}))
    assert code == "no_columns"
    assert message.startswith("data.target.train: 'photos' is a folder, which has no columns, so 'owner'")
    assert "Name a CSV with a path, a label and that column." in message


@pytest.mark.parametrize("columns", [{"input": "file"}, {"label": "kind"}, {"drop": ["size"]}])
def test_a_column_that_no_path_has_is_never_passed_over_in_silence(write_images, make_task, columns):
    write_images("photos", {"a": 1, "b": 1})
    code, message = error_of(make_task("photos", columns=columns))
    assert code == "unknown_column"
    assert message.startswith(f"data.columns.{next(iter(columns))}: ")
    assert "Class folders have no columns. Leave it out, or name a CSV." in message


def test_a_column_to_drop_that_no_table_has_names_the_nearest(write_images, make_task, tmp_path):
    write_images("photos", {"a": 1})
    (tmp_path / "photos" / "list.csv").write_text("path,label,size\na/0000.png,cat,3\n")
    _, message = error_of(make_task("photos/list.csv", columns={"drop": "sise"}))
    assert message.startswith("data.columns.drop: 'sise' names nothing in the data. Allowed: label, path, size.")
    assert "Did you mean 'size'?" in message


def test_columns_of_a_table_may_stand_beside_class_folders(write_images, make_task, tmp_path):
    write_images("photos", {"a": 1})
    (tmp_path / "photos" / "list.csv").write_text("file,kind\na/0000.png,cat\n")
    task = make_task("photos/list.csv", source={"train": "photos"}, columns={"input": "file", "label": "kind"})
    assert survey(task).findings == ()
