"""A safetensors file must have what its header declares."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from autotl.backbones.safe_weights import check_safetensors
from autotl.errors import TaskError


def header(tensors: Any, *, data: bytes = b"") -> bytes:
    content = json.dumps(tensors).encode()
    return len(content).to_bytes(8, "little") + content + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        (2**60).to_bytes(8, "little") + b"{}",
        header([]),
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, data=bytes(4)),
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, data=bytes(12)),
        header({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 8]}}, data=bytes(8)),
        header({"a": {"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]}}, data=bytes(8)),
        header({"a": {"dtype": "object", "shape": [1], "data_offsets": [0, 8]}}, data=bytes(8)),
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, data=bytes(8)),
    ],
)
def test_a_safetensors_file_must_have_what_it_declares(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(TaskError, match="model.safetensors: not a readable safetensors file"):
        check_safetensors(path)


def test_a_sound_safetensors_file_tells_how_many_numbers_it_holds(tmp_path: Path) -> None:
    save_file({"a": np.zeros((2, 3), np.float32), "b": np.zeros(4, np.int64)}, tmp_path / "model.safetensors")
    assert check_safetensors(tmp_path / "model.safetensors") == 10
