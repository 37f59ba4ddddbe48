"""Exported sources without Keras: a file whose network is only a few bytes, and ways to spoil it."""

import json
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

WIDTH = 4
CLASSES = ("blue", "green", "red")
STATISTICS: dict[str, Any] = {"count": 60, "mean": [0.0] * WIDTH, "deviation": [1.0] * WIDTH}


def description(**changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "task": "colours",
        "modality": "image",
        "classes": list(CLASSES),
        "class_counts": [30, 20, 10],
        "preprocessing": {"reads": "pixels", "image_size": 32},
        "image_size": 32,
        "sequence_length": None,
        "hidden_units": None,
        "feature_width": WIDTH,
        "layers": 13,
        "temperature": 1.5,
        "metric": "accuracy",
        "scores": {"accuracy": 0.9},
        "plan": {"backbone": "small_cnn"},
        "versions": {"autotl": "0.1.0"},
        **changes,
    }


def write_file(
    path: Path,
    *,
    members: dict[str, bytes] | None = None,
    statistics: dict[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """An exported source that passes every check which needs no Keras.

    Args:
        members: take the place of what would be there, after the digests are known; None leaves a member out.
        changes: of the description.
    """
    contents = {"network.keras": b"no network", "statistics.json": json.dumps(statistics or STATISTICS).encode()}
    digests = {name: sha256(content).hexdigest() for name, content in contents.items()}
    described = {**description(), "files": digests, **changes}
    contents = {"source.json": json.dumps(described).encode(), **contents, **(members or {})}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path
