"""A form names, in words and shapes, how a network is to take its examples."""

import subprocess
import sys

import numpy as np
import pytest

from autotl.backbones.form import Form, of_images, shape_taken
from autotl.data.records import records_from_table
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table


def a_schema():
    cells = {"speed": ["1", "2.5", "3"], "grade": ["L", "M", "L"]}
    return fit_schema(records_from_table(Table(cells, range(2, 5)), tuple(cells)), np.arange(3), where="data").schema


@pytest.mark.parametrize(
    ("form", "words", "shape"),
    [
        (of_images(96), "images of 96 px", (96, 96, 3)),
        (Form("table", schema=a_schema()), "rows of this table", (3,)),
        (Form("signal", window=(64, 1)), "windows of 64 samples and 1 channel", (64, 1)),
        (Form("signal", window=(64, 2)), "windows of 64 samples and 2 channels", (64, 2)),
        (Form("signal", image_size=96, window=(64, 2)), "windows of 64 samples and 2 channels", (96, 96, 3)),
    ],
)
def test_words_and_shapes(form, words, shape):
    assert form.words == words
    assert shape_taken(form) == shape


def test_a_text_has_words_too():
    assert Form("text", sequence_length=128).words == "texts of 128 tokens"


def test_equal_forms_are_one_key():
    """Networks are kept by their form."""
    one, other = (Form("table", schema=a_schema()) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other, Form("table"), Form("signal", window=(3, 1)), of_images(32), of_images(48)}) == 5
    assert of_images(32) != of_images(32, crop="content")


def test_importing_it_imports_no_keras():
    program = "import sys, autotl.backbones.form, autotl.backbones.reading; print('keras' in sys.modules)"
    seen = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "False"
