"""An `.npz` is read as it is, and a damaged or lying one is refused in words before any memory is taken."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from autotl.data.arrays import ArrayError, array_names, read_array, read_header, read_names


def header_of(**claims) -> bytes:
    """The beginning of a member that claims a shape and a type, whatever follows."""
    stream = io.BytesIO()
    claimed = {"descr": "|u1", "fortran_order": False, "shape": (2, 3)} | claims
    np.lib.format.write_array_header_1_0(stream, claimed)
    return stream.getvalue()


@pytest.fixture
def write(tmp_path):
    """An archive with the member `x` made of these bytes."""

    def write_archive(member: bytes, *, compression: int = zipfile.ZIP_STORED):
        with zipfile.ZipFile(tmp_path / "d.npz", "w", compression) as archive:
            archive.writestr("x.npy", member)
        return tmp_path / "d.npz"

    return write_archive


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "values",
    [
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros((0, 4, 4), dtype=np.float32),
        np.array(["é", "😀 two"]),
        np.array([True, False]),
    ],
)
def test_a_member_comes_back_as_it_was_saved(tmp_path, save, values):
    save(tmp_path / "d.npz", x=values, other=np.zeros(1))
    assert array_names(tmp_path / "d.npz") == ("x", "other")
    header = read_header(tmp_path / "d.npz", "x")
    assert (header.shape, header.dtype, header.rows) == (values.shape, values.dtype, len(values))
    np.testing.assert_array_equal(read_array(tmp_path / "d.npz", "x"), values)


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (header_of(shape=(1024**4, 400)) + b"\0" * 6, "claims 439,804,651,110,400 bytes"),
        (header_of() + b"\0" * 5, "claims 6 bytes (shape (2, 3), uint8) where the file has 5"),
        (header_of() + b"\0" * 7, "where the file has 7"),
        (header_of(shape=(10**12, 0, 4)), "rows of nothing"),
        (header_of(shape=(10**12,), descr="<U0"), "rows of nothing"),
        (header_of(shape=(-1, -6)) + b"\0" * 6, "impossible shape"),
        (header_of(shape=(10**400,)), "impossible shape"),
        (header_of(shape=()) + b"\0", "is a single value"),
        (header_of(descr="|O") + b"\0" * 48, "holds Python objects, which are never loaded"),
        (header_of(descr="wrong") + b"\0" * 6, "'x' cannot be read: "),
        (header_of().replace(b"'shape'", b"'shepa'") + b"\0" * 6, "'x' cannot be read: "),
        (header_of()[:40], "'x' cannot be read: "),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "'x' cannot be read: "),
        (b"no array", "'x' cannot be read: "),
        (b"", "'x' cannot be read: "),
    ],
)
def test_a_header_that_is_wrong_is_told_before_memory_is_taken(write, member, words):
    path = write(member)
    tracemalloc.start()
    for read in (read_header, read_array):
        with pytest.raises(ArrayError) as caught:
            read(path, "x")
        assert words in str(caught.value)
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    tracemalloc.stop()


def test_a_size_that_the_file_cannot_hold_is_a_lie_too(write):
    path = write(header_of(shape=(1024**4, 400)) + b"\0" * 6)
    content = bytearray(path.read_bytes())
    claimed = 1024**4 * 400 % 2**32
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", claimed or 2**32 - 2)
    path.write_bytes(content)
    with pytest.raises(ArrayError, match="more than the file can hold"):
        read_array(path, "x")


def test_an_encrypted_member_and_an_unknown_packing_are_told_apart(write):
    for offset, value, words in ((8, 1, "is encrypted"), (10, 99, "packed in a way")):
        path = write(header_of() + b"\0" * 6)
        content = bytearray(path.read_bytes())
        content[content.index(b"PK\x01\x02") + offset] = value
        path.write_bytes(content)
        with pytest.raises(ArrayError, match=words):
            read_array(path, "x")
    with pytest.raises(ArrayError, match="packed in a way that numpy does not use"):
        read_array(write(header_of() + b"\0" * 6, compression=zipfile.ZIP_BZIP2), "x")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_any_damage_is_one_error_in_words(tmp_path, save):
    values = np.random.default_rng(0).integers(0, 9, (20, 4, 4), dtype=np.uint8)
    save(tmp_path / "good.npz", x=values)
    good, draws = (tmp_path / "good.npz").read_bytes(), np.random.default_rng(1)
    path = tmp_path / "bad.npz"
    damaged = [good[:end] for end in range(0, len(good), 7)]
    for _ in range(300):
        content = bytearray(good)
        content[int(draws.integers(len(good)))] ^= int(draws.integers(1, 256))
        damaged.append(bytes(content))
    said = []
    for content in damaged:
        path.write_bytes(content)
        try:
            if "x" in array_names(path):
                np.testing.assert_array_equal(read_array(path, "x"), values)
        except ArrayError as error:
            said.append(str(error))
    assert len(said) > 0.8 * len(damaged)
    assert all(words.endswith((".", "?")) for words in said)


def test_a_missing_file_and_a_lone_array_are_no_archive(tmp_path):
    with (tmp_path / "lone.npz").open("wb") as file:
        np.save(file, np.zeros((2, 3)))
    for name in ("lone.npz", "nowhere.npz"):
        with pytest.raises(ArrayError, match="is no .npz that can be read"):
            array_names(tmp_path / name)
    np.savez(tmp_path / "d.npz", x=np.zeros(1))
    with pytest.raises(ArrayError, match="there is no array 'y' in it"):
        read_header(tmp_path / "d.npz", "y")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (np.array(["NA", "1e3", "😀"]), ["NA", "1e3", "😀"]),
        (np.array([[1], [2]]), ["1", "2"]),
        (np.array([b"a", "é".encode()]), ["a", "é"]),
        (np.array([True, False]), ["True", "False"]),
    ],
)
def test_names_are_text_whatever_they_were(tmp_path, values, names):
    np.savez(tmp_path / "d.npz", y=values)
    assert read_names(tmp_path / "d.npz", "y", meaning="labels") == names


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.eye(2), "'y' has shape (2, 2). Labels are one text or number a row, shape (n,)."),
        (np.array([0.5, 1.5]), "holds values of type float64. Labels are text or whole numbers"),
        (np.array([b"\xff"]), "no valid Unicode"),
        (np.array(["\ud800"]), "no valid Unicode"),
    ],
)
def test_other_values_are_no_names(tmp_path, values, words):
    np.savez(tmp_path / "d.npz", y=values)
    with pytest.raises(ArrayError) as caught:
        read_names(tmp_path / "d.npz", "y", meaning="labels")
    assert words in str(caught.value)
