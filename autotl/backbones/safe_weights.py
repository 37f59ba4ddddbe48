"""Weights in safetensors files, whose header is held against the file before anything else reads it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotl.errors import TaskError

INDEX = "model.safetensors.index.json"
WEIGHTS = "model.safetensors"
HEADER_BYTES = 100 * 2**20  # safetensors' own limit
SAFE_TYPES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def safetensors_files(folder: Path) -> list[Path]:
    """The files of weights in a Hugging Face folder. Raises `TaskError` where there is none, or an index is wrong."""
    index = folder / INDEX
    names = [WEIGHTS]
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, AttributeError, TypeError) as cause:
            raise TaskError(f"{index}: not an index of safetensors files ({cause}).") from cause
    for name in names:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise TaskError(f"{index}: {name!r} is no safetensors file in this folder.")
        if not (folder / name).is_file():
            hint = "Weights are read from safetensors only, never from pickles such as pytorch_model.bin."
            raise TaskError(f"{folder}: there is no {name}. {hint}")
    return [folder / name for name in names]


def check_safetensors(path: Path) -> int:
    """How many numbers a safetensors file holds, after checking that what it declares is what it has.

    Raises:
        TaskError: not such a file, or sizes that do not fit it.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
            if not 2 <= header_bytes <= min(HEADER_BYTES, size - 8):
                raise ValueError(f"its header declares {header_bytes} bytes")
            tensors = json.loads(file.read(header_bytes))
        tensors.pop("__metadata__", None)
        return _checked_elements(tensors, size - 8 - header_bytes)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as cause:
        raise TaskError(f"{path}: not a readable safetensors file ({cause}).") from cause


def _checked_elements(tensors: Mapping[str, Mapping[str, Any]], data_bytes: int) -> int:
    elements, end = 0, 0
    for name, tensor in sorted(tensors.items(), key=lambda entry: entry[1]["data_offsets"]):
        first, last = tensor["data_offsets"]
        count = 1
        for side in tensor["shape"]:
            if not isinstance(side, int) or side < 0:
                raise ValueError(f"{name} has the shape {tensor['shape']}")
            count *= side
        if first != end or last - first != count * SAFE_TYPES[tensor["dtype"]]:
            raise ValueError(f"{name} declares bytes {first} to {last} for the shape {tensor['shape']}")
        elements, end = elements + count, last
    if end != data_bytes:
        raise ValueError(f"its tensors declare {end} bytes, it has {data_bytes}")
    return elements
