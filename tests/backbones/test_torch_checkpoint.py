"""A checkpoint gives its numbers and nothing else: no digest, no reading; no function but four is ever looked up."""

import collections
import hashlib
import io
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autotl.backbones.torch_checkpoint import MAGIC_NUMBER, PROTOCOL_VERSION, read_checkpoint
from autotl.errors import EnvironmentProblemError

KERNEL = np.arange(24, dtype="<f4").reshape(2, 3, 4)
COUNTER = np.array([7], dtype="<i8")


class Global:
    """Pickles as a bare reference to `module.name`, as PyTorch's classes do."""

    def __init__(self, module: str, name: str) -> None:
        self.reference = (module, name)


class Call:
    """Pickles as a call of a global."""

    def __init__(self, function: Global, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class StorageReference(tuple):
    """Pickles as a persistent id."""


class Pickler(pickle._Pickler):  # the Python one, whose output can be steered
    def persistent_id(self, obj: Any) -> Any:
        return tuple(obj) if isinstance(obj, StorageReference) else None

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            module, name = obj.reference
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def pickled(value: Any) -> bytes:
    stream = io.BytesIO()
    Pickler(stream, protocol=2).dump(value)
    return stream.getvalue()


def tensor(key: str, kind: str, count: int, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> Call:
    storage = StorageReference(("storage", Global("torch", kind), key, "cpu", count, None))
    empty: collections.OrderedDict[str, Any] = collections.OrderedDict()
    return Call(Global("torch._utils", "_rebuild_tensor_v2"), storage, offset, shape, strides, False, empty)


def checkpoint(state: dict[str, Any], *, keys: list[str], storages: list[np.ndarray]) -> bytes:
    system = {"protocol_version": PROTOCOL_VERSION, "little_endian": True, "type_sizes": {"int": 4}}
    parts = [pickled(value) for value in (MAGIC_NUMBER, PROTOCOL_VERSION, system, state, keys)]
    for numbers in storages:
        parts.append(struct.pack("<q", numbers.size) + numbers.tobytes())
    return b"".join(parts)


def good_checkpoint(**replaced: Any) -> bytes:
    state = {
        "kernel": tensor("10", "FloatStorage", 24, (2, 3, 4), (12, 4, 1)),
        "transposed": tensor("10", "FloatStorage", 24, (4, 3), (1, 4), offset=12),
        "counter": tensor("11", "LongStorage", 1, (), ()),
    }
    return checkpoint(state | replaced, keys=["10", "11"], storages=[KERNEL, COUNTER])


def read(content: bytes, tmp_path: Path, sha256: str | None = None) -> dict[str, Any]:
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    return read_checkpoint(path, sha256=sha256 or hashlib.sha256(content).hexdigest())


def test_tensors_come_back_with_shapes_strides_and_offsets(tmp_path: Path) -> None:
    tensors = read(good_checkpoint(), tmp_path)
    np.testing.assert_array_equal(tensors["kernel"], KERNEL)
    np.testing.assert_array_equal(tensors["transposed"], KERNEL[1].T)
    assert tensors["counter"] == 7
    assert tensors["kernel"].dtype == np.float32


def test_a_planted_call_is_refused_and_not_made(tmp_path: Path) -> None:
    witness = tmp_path / "was_here"
    for module, name in ((os.name, "system"), ("os", "system"), ("builtins", "eval"), ("torch._utils", "_rebuild")):
        planted = Call(Global(module, name), f"touch {witness}")
        with pytest.raises(EnvironmentProblemError, match="has no use for"):
            read(good_checkpoint(planted=planted), tmp_path)
    assert not witness.exists()


def test_a_planted_call_in_any_of_the_other_pickles_is_refused(tmp_path: Path) -> None:
    witness = tmp_path / "was_here"
    bomb = pickled(Call(Global("os", "system"), f"touch {witness}"))
    tail = good_checkpoint()[len(pickled(MAGIC_NUMBER)) :]
    for content in (bomb + tail, pickled(MAGIC_NUMBER) + bomb + tail):
        with pytest.raises(EnvironmentProblemError, match=r"os\.system"):
            read(content, tmp_path)
    assert not witness.exists()


def test_the_digest_is_checked_before_anything_is_interpreted(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match="SHA-256"):
        read(b"not even a pickle", tmp_path, sha256="0" * 64)


@pytest.mark.parametrize("cut_off", [1, 5, 9, 100, 300])
def test_a_truncated_file_is_refused(cut_off: int, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match="not a checkpoint autotl reads"):
        read(good_checkpoint()[:-cut_off], tmp_path)


@pytest.mark.parametrize(
    "bad",
    [
        tensor("10", "FloatStorage", 24, (5, 5), (5, 1)),  # more elements than stored
        tensor("10", "FloatStorage", 24, (2, 3), (20, 1), offset=3),  # reaches beyond the end
        tensor("10", "FloatStorage", 24, (2, 3), (-3, 1)),
        tensor("10", "FloatStorage", 24, (2, 3), (3, 1), offset=-1),
        tensor("10", "FloatStorage", 24, (2, 3), (1,)),
        tensor("12", "FloatStorage", 24, (2,), (1,)),  # a storage the file does not list
        tensor("11", "FloatStorage", 2**40, (1,), (1,)),  # announces another size than is there
        "not a tensor",
    ],
)
def test_tensors_outside_their_storage_are_refused(bad: Any, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match="not a checkpoint autotl reads"):
        read(good_checkpoint(bad=bad), tmp_path)


def test_trailing_bytes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match="goes on after"):
        read(good_checkpoint() + b"\0", tmp_path)
