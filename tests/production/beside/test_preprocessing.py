"""The files that travel with an export read raw examples as autotl does, down to odd ones, and import none of it."""

import ast
import importlib.util
import json
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from nasty_texts import NASTY, tiny_vocabulary
from odd_examples import cells_of_every_column, every_column, expected_numbers, odd_images

from autotl.backbones.tokenizer import WordPiece
from autotl.data import content
from autotl.data.images import decode_image

BESIDE = Path(str(resources.files("autotl.production.beside")))
FILES = [path for path in sorted(BESIDE.rglob("*.py")) if path.name != "__init__.py"]
MAY_IMPORT = {
    *sys.stdlib_module_names,
    *("numpy", "PIL", "content", "signal_features", "preprocess", "runtime"),
    *("tensorflow", "tensorflow_text", "ai_edge_litert", "onnxruntime", "openvino", "keras", "keras_hub", "lightgbm"),
}


def beside(name, place=None):
    """A file of these as a module, lying where an export would have it."""
    path = BESIDE / f"{name}.py"
    if place is not None:
        (place / path.name).write_bytes(path.read_bytes())
        path = place / path.name
    spec = importlib.util.spec_from_file_location(f"beside_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_of_autotl_is_imported(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.split(".")[0])
    assert names <= MAY_IMPORT


@pytest.mark.parametrize("crop", ["none", "content"])
def test_images_are_read_to_the_bit(crop, monkeypatch):
    monkeypatch.setitem(sys.modules, "content", content)
    examples = odd_images()
    read = beside("pixels").preprocess(list(examples.values()), {"image_size": 48, "crop": crop})
    assert (read.dtype, read.shape) == (np.uint8, (len(examples), 48, 48, 3))
    for name, pixels in zip(examples, read, strict=True):
        np.testing.assert_array_equal(pixels, decode_image(examples[name], 48, crop=crop), err_msg=name)


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("length", [3, 16, 64])
def test_texts_become_the_same_tokens(tmp_path, lowercase, length):
    wordpiece = WordPiece(tiny_vocabulary(), lowercase=lowercase, strip_accents=lowercase)
    described = {**wordpiece.as_dict(), "sequence_length": length}
    (tmp_path / "tokenizer.json").write_text(json.dumps(described))
    read = beside("tokens", tmp_path).preprocess(NASTY, {"sequence_length": length})
    expected = wordpiece.encode(NASTY, length)
    assert read.dtype == expected.dtype
    for text, row, wanted in zip(NASTY, read, expected, strict=True):
        np.testing.assert_array_equal(row, wanted, err_msg=repr(text[:80]))


def test_cells_become_the_same_numbers():
    columns = cells_of_every_column()
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    read = beside("columns").preprocess(rows, {"schema": every_column().as_dict()})
    np.testing.assert_array_equal(read, expected_numbers())
    assert np.isfinite(read).any(axis=0).all()
