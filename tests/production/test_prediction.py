"""Predictions as a table that is safe to open."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from autotl.backbones.reading import PixelReading
from autotl.errors import DataError
from autotl.production import prediction
from autotl.production.bundle import Bundle
from autotl.production.prediction import Predictions


def predictions(*ids, classes=("daisy", "tulip")):
    rows = np.tile(np.array([0.25, 0.75], dtype=np.float32), (len(ids), 1))
    return Predictions(ids=ids, classes=classes, probabilities=rows)


def cells(predicted):
    return list(csv.reader(io.StringIO(predicted.as_csv())))


def test_a_row_holds_input_label_and_every_probability():
    assert cells(predictions("a.png")) == [
        ["input", "label", "probability", "p_daisy", "p_tulip"],
        ["a.png", "tulip", "0.750000", "0.250000", "0.750000"],
    ]


def test_the_label_is_the_most_probable_class_as_written_in_the_data():
    predicted = Predictions(("a", "b"), ("007", "NA"), np.array([[0.6, 0.4], [0.1, 0.9]], dtype=np.float32))
    assert predicted.labels == ["007", "NA"]


@pytest.mark.parametrize("name", ["=1+1.png", "+a.png", "-a.png", "@SUM(A1).png", "\ta.png"])
def test_a_file_name_like_a_formula_is_made_harmless(name):
    assert cells(predictions(name))[1][0] == f"'{name}"


@pytest.mark.parametrize(
    "name", ["a=b.png", "folder/-1.png", "Blüte 🌷.png", 'a,"b".png', "line\nbreak.png", "re\rturn.png"]
)
def test_every_other_file_name_comes_back_as_it_is(name):
    assert cells(predictions(name))[1][0] == name


def test_a_class_with_a_comma_stays_one_column():
    table = cells(predictions("a.png", classes=("daisy, white", "tulip")))
    assert table[0][3:] == ["p_daisy, white", "p_tulip"]
    assert len(table[1]) == 5


def test_the_table_is_written_as_utf_8(tmp_path):
    predictions("Blüte.png").write(tmp_path / "out" / "predictions.csv")
    written = (tmp_path / "out" / "predictions.csv").read_bytes().decode()
    assert written == predictions("Blüte.png").as_csv()


class Undecided:
    """A model that finds both classes of everything equally likely."""

    reading = PixelReading(8)

    def predict(self, examples):
        return np.full((len(examples), 2), 0.5, dtype=np.float32)


def test_a_table_is_read_as_the_bundle_says_the_models_own_was_written(tmp_path, monkeypatch):
    for name in ("café.png", "other.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    (tmp_path / "list.csv").write_bytes("photo,path\ncafé.png,other.png\n".encode("latin-1"))
    monkeypatch.setattr(Bundle, "load_model", lambda bundle: Undecided())
    reading = PixelReading(8)
    known = Bundle(tmp_path, ("a", "b"), reading, {"schema": {"input": "photo", "encoding": "latin-1"}})
    assert prediction.predict(known, tmp_path / "list.csv").ids == ("café.png",)
    before = Bundle(tmp_path, ("a", "b"), reading, {})  # a bundle of the first version has no schema
    with pytest.raises(DataError, match="byte 0xe9 is not utf-8. Save the table as utf-8"):
        prediction.predict(before, tmp_path / "list.csv")


@pytest.mark.parametrize("between", ["\n", "\r\n", "\0"])
def test_images_are_given_as_a_path_a_line(tmp_path, monkeypatch, between):
    names = [str(tmp_path / name) for name in ("one.png", "two words.png", "café.png")]
    for name in names:
        Image.new("RGB", (4, 4)).save(name)
    monkeypatch.setattr(Bundle, "load_model", lambda bundle: Undecided())
    bundle = Bundle(tmp_path, ("a", "b"), PixelReading(8), {})
    given = between.join([*names, "gone.png", ""]).encode()
    predicted = prediction.predict_given(bundle, given, where="standard input")
    assert list(predicted.ids) == names
    assert predicted.skipped == ("gone.png: the file is not there",)


def test_a_dash_means_standard_input(monkeypatch, capsys):
    import sys

    from autotl import api
    from autotl.cli.app import run

    asked = []

    def predict_given(model, content):
        asked.append((model, content))
        return predictions("row 0")

    monkeypatch.setattr(api, "predict_given", predict_given)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text\nhello\n")))
    assert run(["predict", "kitchen@production", "-"]) == 0
    assert asked == [("kitchen@production", b"text\nhello\n")]
    assert capsys.readouterr().out.splitlines()[1].startswith("row 0,tulip,")
