"""Inputs to predict on come from a folder, an image, a table or an array, and labels play no part."""

import io

import numpy as np
import pytest
from PIL import Image

from autotl.data.unlabelled import read_listed, read_unlabelled
from autotl.errors import DataError


def grey(path, value=128, size=(6, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)
    return path


def test_a_folder_gives_every_image_below_it_by_its_relative_name(tmp_path):
    for name in ("b.png", "a/z.JPG", "a/b/c.bmp", ".hidden.png", ".cache/d.png"):
        grey(tmp_path / name)
    (tmp_path / "notes.md").write_text("no image")
    images, skipped = read_unlabelled(tmp_path)
    assert sorted(images.ids) == ["a/b/c.bmp", "a/z.JPG", "b.png"]
    assert skipped == ()


def test_images_come_decoded_at_the_asked_size(tmp_path):
    images, _ = read_unlabelled(grey(tmp_path / "a.png", value=200))
    pixels = images.read(np.array([0]), size=8)
    assert pixels.shape == (1, 8, 8, 3)
    assert (pixels == 200).all()


def test_a_single_image_is_its_own_data_set(tmp_path):
    grey(tmp_path / "other.png")
    images, _ = read_unlabelled(grey(tmp_path / "a.png"))
    assert images.ids == ("a.png",)


def test_a_broken_image_is_left_out_and_told_of(tmp_path):
    grey(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("not an image")
    images, skipped = read_unlabelled(tmp_path)
    assert images.ids == ("good.png",)
    assert len(skipped) == 1
    assert skipped[0].startswith("bad.png: the file is no JPEG")


def test_only_broken_images_are_an_error_that_names_them(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"(?s)none of 1 files can be decoded.*bad\.png: the file is empty"):
        read_unlabelled(tmp_path)


def test_a_table_gives_its_paths_in_their_order(tmp_path):
    for name in ("x/a.png", "x/b.png"):
        grey(tmp_path / name)
    (tmp_path / "list.csv").write_text("Label,Path\n?,x/b.png\n?, x\\a.png\n")
    images, _ = read_unlabelled(tmp_path / "list.csv")
    assert images.ids == ("x/b.png", "x/a.png")


def test_a_table_without_paths_says_which_names_are_looked_for(tmp_path):
    (tmp_path / "list.csv").write_text("name\na.png\n")
    with pytest.raises(DataError, match="no column holds paths. Its columns: name. Name it one of: path, file"):
        read_unlabelled(tmp_path / "list.csv")


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "x/../../secret.png"])
def test_a_table_cannot_lead_out_of_its_folder(tmp_path, name):
    grey(tmp_path / "secret.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "list.csv").write_text(f"path\n{name}\n")
    with pytest.raises(DataError, match="line 2: .* lies outside the table's folder"):
        read_unlabelled(tmp_path / "data" / "list.csv")


def test_a_table_without_rows_holds_no_image(tmp_path):
    (tmp_path / "list.csv").write_text("path\n")
    with pytest.raises(DataError, match="holds no image"):
        read_unlabelled(tmp_path / "list.csv")


@pytest.mark.parametrize(("members", "expected"), [(("x",), 1), (("y", "x_test"), 2), (("x_train", "x_test"), 2)])
def test_an_array_is_found_by_its_name(tmp_path, members, expected):
    lengths = {"x": 1, "x_test": 2, "x_train": 3, "y": 9}
    np.savez(tmp_path / "d.npz", **{name: np.zeros((lengths[name], 4, 4), dtype=np.uint8) for name in members})
    images, _ = read_unlabelled(tmp_path / "d.npz")
    assert images.ids == tuple(f"row {row}" for row in range(expected))


def test_an_archive_without_inputs_says_what_it_holds(tmp_path):
    np.savez(tmp_path / "d.npz", pictures=np.zeros((1, 4, 4)))
    with pytest.raises(DataError, match="holds pictures, none of x, x_test"):
        read_unlabelled(tmp_path / "d.npz")


def archive_of(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def encrypted(archive):
    flags = archive.index(b"PK\x01\x02") + 8
    return archive[:flags] + b"\x01" + archive[flags + 1 :]


def single_array():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((1, 4, 4), dtype=np.uint8))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"text", id="text"),
        pytest.param(archive_of(x=np.zeros((9, 9, 9), dtype=np.uint8))[:200], id="cut off"),
        pytest.param(archive_of(x=np.array([{"a": 1}], dtype=object)), id="pickled"),
        pytest.param(archive_of(x=np.zeros(7)), id="not the shape of images"),
        pytest.param(archive_of(x=np.full((1, 2, 2), -5.0)), id="not the values of images"),
        pytest.param(archive_of(x=np.zeros((0, 4, 4), dtype=np.uint8)), id="no image"),
        pytest.param(single_array(), id="a single array"),
        pytest.param(archive_of(x=np.zeros((1, 4, 4), dtype=np.uint8)).replace(b"\0" * 16, b"\1" * 16), id="damaged"),
        pytest.param(archive_of(x=np.zeros((1, 4, 4), dtype=np.uint8)).replace(b"(1, 4", b"(9, 4"), id="lying"),
        pytest.param(encrypted(archive_of(x=np.zeros((1, 4, 4), dtype=np.uint8))), id="encrypted"),
    ],
)
def test_an_array_that_is_no_images_is_a_data_error_that_names_the_file(tmp_path, content):
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"d\.npz: "):
        read_unlabelled(tmp_path / "d.npz")


def test_a_missing_path_and_an_unknown_kind_say_what_is_allowed(tmp_path):
    with pytest.raises(DataError, match="there is nothing here. Name a folder of images"):
        read_unlabelled(tmp_path / "nowhere")
    (tmp_path / "film.mp4").touch()
    with pytest.raises(DataError, match=r"not an image, folder, table or array. Images end in \.bmp"):
        read_unlabelled(tmp_path / "film.mp4")


def test_an_empty_folder_holds_no_image(tmp_path):
    with pytest.raises(DataError, match="holds no image"):
        read_unlabelled(tmp_path)


def test_a_table_is_read_by_its_own_column_and_encoding(tmp_path):
    grey(tmp_path / "café.png")
    grey(tmp_path / "other.png")
    (tmp_path / "list.csv").write_bytes("photo,path\ncafé.png,other.png\n".encode("latin-1"))
    images, _ = read_unlabelled(tmp_path / "list.csv", input_column="photo", encoding="latin-1")
    assert images.ids == ("café.png",)


def test_the_usual_names_serve_a_table_that_lacks_the_models_own_column(tmp_path):
    grey(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text("path\na.png\n")
    images, _ = read_unlabelled(tmp_path / "list.csv", input_column="photo")
    assert images.ids == ("a.png",)
    (tmp_path / "list.csv").write_text("name\na.png\n")
    with pytest.raises(DataError, match="Its columns: name. Name it one of: photo, path, file"):
        read_unlabelled(tmp_path / "list.csv", input_column="photo")


def test_a_wrong_encoding_is_told_without_a_word_of_a_task(tmp_path):
    (tmp_path / "list.csv").write_bytes("path\ncafé.png\n".encode("latin-1"))
    with pytest.raises(DataError, match="line 2: byte 0xe9 is not utf-8. Save the table as utf-8.") as caught:
        read_unlabelled(tmp_path / "list.csv")
    assert "task" not in str(caught.value).removeprefix(str(tmp_path))


def test_an_array_is_found_by_the_models_own_member(tmp_path):
    pixels = np.zeros((3, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "d.npz", x=pixels[:1], pixels_test=pixels)
    images, _ = read_unlabelled(tmp_path / "d.npz", input_column="pixels")
    assert len(images) == 3


def test_listed_files_may_lie_anywhere_and_broken_ones_are_told(tmp_path, monkeypatch):
    (tmp_path / "far").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "far" / "a.png")
    (tmp_path / "far" / "b.png").write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)
    listed = [str(tmp_path / "far" / "a.png"), "far/a.png", "far/b.png", "gone.png"]
    images, skipped = read_listed(listed, where="standard input")
    assert images.ids == tuple(listed[:2])
    assert images.read(np.arange(2), size=4).shape == (2, 4, 4, 3)
    assert [line.partition(":")[0] for line in skipped] == listed[2:]
    with pytest.raises(DataError, match="standard input: holds no path"):
        read_listed([], where="standard input")
    with pytest.raises(DataError, match="standard input: none of 1 files can be decoded"):
        read_listed(["gone.png"], where="standard input")
