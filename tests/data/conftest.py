"""Tiny data sets, written anew for each test."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autotl.task import Task, task_from_mapping

WriteImages = Callable[..., Path]
MakeTask = Callable[..., Task]


@pytest.fixture
def write_images(tmp_path: Path) -> WriteImages:
    """Class folders with so many different PNG files each."""

    def write(folder: str, counts: Mapping[str, int], *, seed: int = 0, side: int = 6) -> Path:
        draws = np.random.default_rng(seed)
        for name, count in counts.items():
            (tmp_path / folder / name).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = draws.integers(0, 256, (side, side, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / folder / name / f"{number:04}.png")
        return tmp_path / folder

    return write


@pytest.fixture
def write_array(tmp_path: Path) -> Callable[..., str]:
    """An `.npz` of so many different images and their labels."""

    def write(name: str, labels: Any, *, seed: int = 0, **more: Any) -> str:
        pixels = np.random.default_rng(seed).integers(0, 256, (len(labels), 5, 5), dtype=np.uint8)
        np.savez(tmp_path / name, x=pixels, y=labels, **more)
        return name

    return write


@pytest.fixture
def make_task(tmp_path: Path) -> MakeTask:
    """A task whose paths are relative to the test's folder; `target` may be a path alone."""

    def make(target: str | Mapping[str, Any], source: Any = None, columns: Any = None, **keys: Any) -> Task:
        data: dict[str, Any] = {"target": {"train": target} if isinstance(target, str) else dict(target)}
        data |= {} if source is None else {"source": source}
        data |= {} if columns is None else {"columns": columns}
        return task_from_mapping({"data": data, **keys}, folder=tmp_path)

    return make
