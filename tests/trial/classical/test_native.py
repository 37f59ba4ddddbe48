"""An array from outside is what its header says, or is refused before anything is set aside for it."""

import io

import numpy as np
import pytest

from autotl.errors import StorageError
from autotl.trial.classical.native import file_named, npy_array, npy_bytes

NUMBERS = np.arange(6, dtype=np.float32).reshape(2, 3)


def written(array: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


def test_an_array_is_what_numpy_would_write_and_read():
    assert npy_bytes(NUMBERS) == written(NUMBERS)
    np.testing.assert_array_equal(npy_array(npy_bytes(NUMBERS), "a.npy", dtype=np.float32, shape=(2, 3)), NUMBERS)


@pytest.mark.parametrize(
    "content",
    [
        written(NUMBERS.astype(np.float64)),
        written(NUMBERS.T),
        written(np.asfortranarray(NUMBERS)),
        written(NUMBERS.astype(object), allow_pickle=True),
        npy_bytes(NUMBERS)[:-1],
        npy_bytes(NUMBERS) + b"\0",
        npy_bytes(NUMBERS).replace(b"(2, 3)", b"(9, 9)"),
        npy_bytes(NUMBERS).replace(b"'<f4'", b"'|V9'"),
        npy_bytes(NUMBERS).replace(b"{'descr'", b"__import__"),
        b"\x93NUMPY\x02\x00",
        b"PK\x03\x04",
        b"",
    ],
)
def test_anything_else_is_refused(content):
    with pytest.raises(StorageError, match=r"a\.npy"):
        npy_array(content, "a.npy", dtype=np.float32, shape=(2, 3))


def test_a_file_that_is_missing_or_too_large_is_named():
    with pytest.raises(StorageError, match=r"b\.txt is missing from the model. Its files: a\.txt"):
        file_named({"a.txt": b"abc"}, "b.txt")
    with pytest.raises(StorageError, match=r"a\.txt has 3 bytes, more than the 2 allowed"):
        file_named({"a.txt": b"abc"}, "a.txt", largest_bytes=2)
