"""Reading PyTorch's legacy checkpoint (before version 1.6) without PyTorch and without running what it asks for.

Such a file is five pickles in a row (magic number, protocol, system facts, state dictionary, storage keys), then each
storage as a 64-bit count and its raw little-endian numbers. A pickle may name any Python function to be called on
loading; here four harmless names are known, each replaced by a stand-in of ours, and everything else is refused.
"""

import hashlib
import io
import math
import pickle
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import DTypeLike, NDArray

from autotl.errors import EnvironmentProblemError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
LARGEST_FILE = 500 * 2**20


@dataclass(frozen=True)
class _StorageType:
    """Stand-in for a PyTorch storage class."""

    dtype: DTypeLike


@dataclass(frozen=True)
class _Storage:
    """A run of numbers in the file, named by its key."""

    key: str
    dtype: DTypeLike
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage, in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _StateDictionary(dict[str, Any]):
    """Stand-in for OrderedDict; the attributes PyTorch hangs on it (`_metadata`) are dropped."""

    def __setstate__(self, state: object) -> None:
        pass


def _rebuild_tensor(
    storage: object, offset: object, shape: object, strides: object, *_gradient_and_hooks: object
) -> _Tensor:
    """Stand-in for `torch._utils._rebuild_tensor_v2`: notes what is asked for and computes nothing."""
    if not isinstance(storage, _Storage) or not isinstance(offset, int):
        raise pickle.UnpicklingError("a tensor without a storage")
    return _Tensor(storage, offset, _whole_numbers(shape), _whole_numbers(strides))


_KNOWN_NAMES: Mapping[tuple[str, str], Callable[..., object] | _StorageType] = {
    ("collections", "OrderedDict"): _StateDictionary,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): _StorageType("<f4"),
    ("torch", "LongStorage"): _StorageType("<i8"),
}


class _RestrictedUnpickler(pickle.Unpickler):
    """Knows four names. A pickle that asks for any other is refused before anything is called."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN_NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which a weights file has no use for") from None

    def persistent_load(self, pid: Any) -> _Storage:
        if not (isinstance(pid, tuple) and len(pid) == 6 and pid[0] == "storage" and isinstance(pid[1], _StorageType)):
            raise pickle.UnpicklingError("an unknown kind of storage")
        _, kind, key, _, count, view = pid
        if not isinstance(key, str) or not isinstance(count, int) or count < 0 or view is not None:
            raise pickle.UnpicklingError("a malformed storage")
        return _Storage(key, kind.dtype, count)


def read_checkpoint(path: Path, *, sha256: str) -> dict[str, NDArray[Any]]:
    """The tensors of a legacy PyTorch checkpoint, by name.

    Args:
        path: the file.
        sha256: digest it must have, hexadecimal; checked before anything in it is interpreted.
    Raises:
        EnvironmentProblemError: wrong digest, truncated or malformed file, or a pickle that asks for more than numbers.
    """
    if path.stat().st_size > LARGEST_FILE:
        _refuse(path, f"it has more than {LARGEST_FILE} bytes")
    content = path.read_bytes()
    seen = hashlib.sha256(content).hexdigest()
    if seen != sha256:
        _refuse(path, f"its SHA-256 is {seen}, expected {sha256}")
    try:
        return _parse(content)
    # Anything may come out of a hostile pickle, a missing method of a stand-in as well as a short read.
    except Exception as cause:
        raise EnvironmentProblemError(
            f"{path}: not a checkpoint autotl reads: {cause}. Install the package that brought it anew."
        ) from cause


def _refuse(path: Path, reason: str) -> NoReturn:
    raise EnvironmentProblemError(f"{path}: {reason}. Install the package that brought it anew.")


def _parse(content: bytes) -> dict[str, NDArray[Any]]:
    stream = io.BytesIO(content)
    magic, protocol, system = (_RestrictedUnpickler(stream).load() for _ in range(3))
    if magic != MAGIC_NUMBER or protocol != PROTOCOL_VERSION:
        raise ValueError("magic number or protocol differ from PyTorch's legacy format")
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("its numbers are not little-endian")
    state = _RestrictedUnpickler(stream).load()
    keys = _RestrictedUnpickler(stream).load()
    if not isinstance(state, dict) or not all(isinstance(tensor, _Tensor) for tensor in state.values()):
        raise ValueError("it does not hold a dictionary of tensors")
    storages = {tensor.storage.key: tensor.storage for tensor in state.values()}
    if not isinstance(keys, list) or sorted(keys) != sorted(storages):
        raise ValueError("its list of storages does not match its tensors")
    numbers: dict[str, NDArray[Any]] = {}
    for key in keys:
        numbers[key] = _read_storage(stream, storages[key])
    if stream.read(1):
        raise ValueError("it goes on after its last storage")
    return {str(name): _view(tensor, numbers[tensor.storage.key]) for name, tensor in state.items()}


def _read_storage(stream: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    header = stream.read(8)
    if len(header) != 8 or struct.unpack("<q", header)[0] != storage.count:
        raise ValueError(f"storage {storage.key} is cut short or of another size than announced")
    dtype = np.dtype(storage.dtype)
    raw = stream.read(storage.count * dtype.itemsize)
    if len(raw) != storage.count * dtype.itemsize:
        raise ValueError(f"storage {storage.key} is cut short")
    return np.frombuffer(raw, dtype=dtype)


def _view(tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[Any]:
    """A copy of a tensor's elements, after checking that all of them lie in its storage."""
    elements = math.prod(tensor.shape)
    if len(tensor.shape) != len(tensor.strides) or tensor.offset < 0 or elements > numbers.size:
        raise ValueError("a tensor larger than its storage")
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if elements and last >= numbers.size:
        raise ValueError("a tensor that reaches beyond its storage")
    byte_strides = tuple(stride * numbers.itemsize for stride in tensor.strides)
    view = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, byte_strides, writeable=False)
    return np.array(view)


def _whole_numbers(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(isinstance(value, int) and value >= 0 for value in values):
        raise pickle.UnpicklingError("a malformed shape")
    return values
