"""Native files of classical models as they come from outside: sizes, types and shapes are checked before use."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from autotl.errors import StorageError

FORMAT = 1
LARGEST_FILE_BYTES = 512 << 20
LARGEST_JSON_BYTES = 64 << 20
MOST_CLASSES = 10_000

# NumPy's own reader tokenises headers as Python, which a strange one can end in many ways
_NPY_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(?P<dtype>[<|=>]\w{1,4})', 'fortran_order': False, "
    rb"'shape': \((?P<shape>(?:\d{1,18},? ?)*)\), \} *\n",
    re.DOTALL,
)
_LONGEST_NPY_HEADER = 1_024


def file_named(files: Mapping[str, bytes], name: str, *, largest_bytes: int = LARGEST_FILE_BYTES) -> bytes:
    """The content of one file.

    Raises:
        StorageError: it is not there or larger than allowed.
    """
    if name not in files:
        raise StorageError(f"{name} is missing from the model. Its files: {', '.join(sorted(files)) or 'none'}.")
    if len(files[name]) > largest_bytes:
        raise StorageError(f"{name} has {len(files[name])} bytes, more than the {largest_bytes} allowed.")
    return files[name]


def json_bytes(description: Mapping[str, Any]) -> bytes:
    """A description with the format's number in front, ASCII only so that any reader agrees on it."""
    return json.dumps({"format": FORMAT, **description}).encode("ascii")


def json_object(content: bytes, name: str, *, keys: Sequence[str]) -> dict[str, Any]:
    """A description as `json_bytes` writes it, with exactly these keys beside the format.

    Raises:
        StorageError: no JSON, another format, or other keys.
    """
    if len(content) > LARGEST_JSON_BYTES:
        raise StorageError(f"{name} has {len(content)} bytes, more than the {LARGEST_JSON_BYTES} allowed.")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{name} is no JSON file that can be read: {error}") from error
    if not isinstance(found, dict) or set(found) != {"format", *keys}:
        seen = ", ".join(sorted(found)) if isinstance(found, dict) else type(found).__name__
        raise StorageError(f"{name} holds {seen}; it should hold format, {', '.join(keys)}.")
    if type(found["format"]) is not int or found["format"] != FORMAT:
        raise StorageError(f"{name}: format is {found['format']!r}; this version reads {FORMAT}.")
    return found


def whole_number(found: Mapping[str, Any], key: str, name: str, *, least: int, most: int) -> int:
    """A number of a description.

    Raises:
        StorageError: it is none, or out of range.
    """
    value = found[key]
    if type(value) is not int or not least <= value <= most:  # True is an int to isinstance
        raise StorageError(f"{name}: {key} is {value!r}; it should be a whole number from {least} to {most}.")
    return value


def classes_and_present(found: Mapping[str, Any], name: str) -> tuple[int, NDArray[np.int64]]:
    """The number of classes and those of them that the model has seen, ascending.

    Raises:
        StorageError: they are not that.
    """
    classes = whole_number(found, "classes", name, least=1, most=MOST_CLASSES)
    present = found["present"]
    if (
        not isinstance(present, list)
        or not present
        or not all(type(index) is int and 0 <= index < classes for index in present)
        or present != sorted(set(present))
    ):
        raise StorageError(f"{name}: present should list class indices below {classes}, ascending.")
    return classes, np.array(present, dtype=np.int64)


def npy_bytes(array: NDArray[Any]) -> bytes:
    """An array as the content of a `.npy` file."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def npy_array(content: bytes, name: str, *, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """The array of a `.npy` file, whose header must promise this type and shape, and whose length must keep it.

    Raises:
        StorageError: it is another array or none.
    """
    header = _NPY_HEADER.match(content[:_LONGEST_NPY_HEADER])
    if header is None:
        raise StorageError(f"{name} is no .npy file of the first version, in C order.")
    seen_dtype = header["dtype"].decode()
    seen_shape = tuple(int(length) for length in re.findall(rb"\d+", header["shape"]))
    start = 10 + int.from_bytes(content[8:10], "little")
    wanted = np.dtype(dtype)
    promised = int(np.prod(shape, dtype=object)) * wanted.itemsize
    if seen_dtype != wanted.str or seen_shape != shape or start != header.end() or len(content) - start != promised:
        raise StorageError(
            f"{name} holds {seen_dtype} of shape {seen_shape} in {len(content) - start} bytes; "
            f"it should hold {wanted.str} of shape {shape} in {promised}."
        )
    return np.frombuffer(content, dtype=wanted, offset=start).reshape(shape).copy()


def as_bytes_array(content: bytes) -> NDArray[np.uint8]:
    """Text as an array, to be kept among arrays."""
    return np.frombuffer(content, dtype=np.uint8).copy()


def bytes_of_array(array: NDArray[Any], what: str) -> bytes:
    """The text that `as_bytes_array` was given.

    Raises:
        StorageError: the array is not of bytes.
    """
    if array.dtype != np.uint8 or array.ndim != 1:
        raise StorageError(f"{what} should be a row of bytes; it is {array.dtype} of shape {array.shape}.")
    return array.tobytes()


def all_of(arrays: Sequence[NDArray[Any]], count: int, what: str) -> Sequence[NDArray[Any]]:
    """The arrays, where there are as many as a model keeps.

    Raises:
        StorageError: there are more or fewer.
    """
    if len(arrays) != count:
        raise StorageError(f"{what} is kept as {count} arrays; there are {len(arrays)}.")
    return arrays


def must_have_classes(seen: int, wanted: int, what: str) -> None:
    """Refuses a model of another task.

    Raises:
        StorageError: the numbers of classes differ.
    """
    if seen != wanted:
        raise StorageError(f"{what} tells {seen} classes apart; the task has {wanted}.")
