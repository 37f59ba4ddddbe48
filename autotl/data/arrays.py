"""Arrays of an `.npz`, read without trust: what a header claims is held against the file before any memory is taken."""

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy writes
_DEFLATE = 1032  # nothing that deflate packs shrinks further than this
_ENCRYPTED = 0x1
INFLATION, SPARED = 4, 20 * 2**20  # times the file's size, and bytes that are allowed anyway
NAMES = "SUiub"  # kinds of types that a member with names may have
_MOST_VALUES = 2**62  # what claims more is no array


class ArrayError(Exception):
    """An `.npz` or a member of it that cannot be used; the message completes the sentence '<file>: …'."""


@dataclass(frozen=True)
class ArrayHeader:
    """Shape and type of a member, whose bytes are all there."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def rows(self) -> int:
        """Length of the first axis."""
        return self.shape[0]


def array_names(path: Path) -> tuple[str, ...]:
    """The members of an `.npz`, in their order.

    Raises:
        ArrayError: no such archive.
    """
    with _opened(path) as archive:
        return tuple(name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy"))


def read_header(path: Path, name: str) -> ArrayHeader:
    """What a member holds, without reading it.

    Raises:
        ArrayError: not readable, encrypted, cut off, Python objects, or a header that claims what the file has not.
    """
    with _opened(path) as archive:
        return _header(archive, name, path.stat().st_size)


def read_array(path: Path, name: str) -> NDArray[Any]:
    """A member as an array.

    Raises:
        ArrayError: as `read_header`; or content that is damaged or larger than the memory.
    """
    with _opened(path) as archive:
        _header(archive, name, path.stat().st_size)
        return _content(archive, name)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Every member of an `.npz` that autotl wrote, single values among them.

    Raises:
        ArrayError: as `read_array`; or it would grow to many times its size, which numbers that were learnt never do.
    """
    with _opened(path) as archive:
        entries, allowed = archive.infolist(), INFLATION * path.stat().st_size + SPARED
        declared = sum(entry.file_size for entry in entries)
        if declared > allowed:
            raise ArrayError(
                f"would unpack to {declared:,} bytes, more than the {allowed:,} that such a file may have."
            )
        names = [entry.filename.removesuffix(".npy") for entry in entries]
        for name in names:
            _claims(archive, name, path.stat().st_size)
        return {name: _content(archive, name) for name in names}


def read_names(path: Path, name: str, *, meaning: str, kinds: str = NAMES) -> list[str]:
    """A member of text, whole numbers or truth values, shape (n,) or (n, 1), as text.

    Args:
        meaning: what the names are, such as `labels`, for the message.
        kinds: NumPy's letters for the types that it may have.
    Raises:
        ArrayError: as `read_array`; or another shape or type.
    """
    values = read_array(path, name)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    kind = meaning.capitalize()
    if values.ndim != 1:
        raise ArrayError(f"{name!r} has shape {values.shape}. {kind} are one text or number a row, shape (n,).")
    if values.dtype.kind not in kinds:
        marks = "lists as text, shape (n,), or marks 0 and 1, shape (n, labels)"
        allowed = "numbers" if "f" in kinds else "text or whole numbers" if "i" in kinds else marks
        raise ArrayError(f"{name!r} holds values of type {values.dtype}. {kind} are {allowed}.")
    try:
        names = [value.decode() if isinstance(value, bytes) else str(value) for value in values.tolist()]
        "".join(names).encode()  # half a surrogate pair would break whatever writes it down later
    except ValueError as error:
        raise ArrayError(f"{name!r} holds text that is no valid Unicode.") from error
    return names


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except ArrayError:
        raise
    except Exception as error:  # zipfile meets hostile bytes and raises nearly anything
        raise ArrayError(f"is no .npz that can be read: {_reason(error)}.") from error


def _content(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """A member whose claims are checked."""
    try:
        with archive.open(f"{name}.npy") as file:
            values: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except MemoryError as error:
        size = archive.getinfo(f"{name}.npy").file_size / 2**30
        raise ArrayError(f"{name!r} needs {size:,.1f} GiB, more memory than there is.") from error
    except Exception as error:  # decompressors meet hostile bytes and raise nearly anything
        raise ArrayError(f"{name!r} cannot be read: {_reason(error)}.") from error
    return values


def _header(archive: zipfile.ZipFile, name: str, file_bytes: int) -> ArrayHeader:
    """What a member that has one value or more a row claims, and holds."""
    header = _claims(archive, name, file_bytes)
    if not header.shape:
        raise ArrayError(f"{name!r} is a single value, not one a row.")
    if 0 in header.shape[1:] or header.dtype.itemsize == 0:
        raise ArrayError(f"{name!r} has rows of nothing. Save it with numpy.savez.")
    return header


def _claims(archive: zipfile.ZipFile, name: str, file_bytes: int) -> ArrayHeader:
    """What a member claims, after checking that it holds that."""
    try:
        entry = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise ArrayError(f"there is no array {name!r} in it.") from None
    if entry.flag_bits & _ENCRYPTED:
        raise ArrayError(f"{name!r} is encrypted. Save it with numpy.savez.")
    if entry.compress_type not in _METHODS:
        raise ArrayError(f"{name!r} is packed in a way that numpy does not use. Save it with numpy.savez_compressed.")
    growth = _DEFLATE if entry.compress_type == zipfile.ZIP_DEFLATED else 1
    if entry.header_offset + entry.compress_size > file_bytes or entry.file_size > growth * entry.compress_size:
        raise ArrayError(f"{name!r} claims {entry.file_size:,} bytes, more than the file can hold. Is it cut off?")
    try:
        with archive.open(entry) as file:
            version = np.lib.format.read_magic(file)
            if version not in ((1, 0), (2, 0)):
                raise ArrayError(f"{name!r} is a table of named fields. Save plain numbers or text.")
            short, long = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
            shape, _, dtype = (short if version == (1, 0) else long)(file)
            held = entry.file_size - file.tell()
    except ArrayError:
        raise
    except Exception as error:
        raise ArrayError(f"{name!r} cannot be read: {_reason(error)}.") from error
    if dtype.hasobject:
        words = f"{name!r} holds Python objects, which are never loaded. NumPy keeps rows of unequal length as such."
        raise ArrayError(f"{words} Cut or pad them to one length and save plain numbers or text.")
    if min(shape, default=0) < 0 or math.prod(shape) > _MOST_VALUES:
        raise ArrayError(f"{name!r} has an impossible shape. Save it with numpy.savez.")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != held:
        raise ArrayError(
            f"{name!r} claims {claimed:,} bytes (shape {tuple(shape)}, {dtype}) where the file has {held:,}. "
            "Is it cut off?"
        )
    return ArrayHeader(tuple(int(length) for length in shape), dtype)


def _reason(error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (" ".join(words.split())[:200] or type(error).__name__).rstrip(".")
