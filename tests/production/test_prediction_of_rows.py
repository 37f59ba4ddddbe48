"""Texts, records and windows are predicted as raw files, read as the bundle says that its own data were written."""

import csv

import numpy as np
import pytest
from pretend_rows import CLASSES, MAKERS, MODELS, a_task_of_rows

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.form import Form
from autotl.backbones.reading import own_reading
from autotl.errors import DataError
from autotl.plan import Plan
from autotl.production.bundle import open_bundle, write_bundle
from autotl.production.prediction import predict, predict_given
from autotl.production.serving_model import serving_model
from autotl.trial.classical_learner import ClassicalLearner
from autotl.trial.scorer import Scorer

WRITTEN = {
    "text": {"input": "remark", "encoding": "utf-8"},
    "table": {"input": None, "encoding": "utf-8"},
    "signal": {"input": "force", "encoding": "utf-8", "time": "t", "unit": "run", "stride": 32, "channels": ["force"]},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """modality -> (bundle, learner, new inputs)."""
    found = {}
    for modality, name in MODELS.items():
        data = a_task_of_rows(modality)
        learner = ClassicalLearner(Plan(BackboneSpec(CLASSICAL, name)).canonical(), data, Scorer("accuracy"))
        learner.start(data.folds[0], fold_number=0)
        learner.train_epoch(data.folds[0], fold_number=0, epoch=0, check=lambda: None)
        first = data.inputs[0]
        form = {
            "text": lambda: Form("text"),
            "table": lambda first=first: Form("table", schema=first.schema),
            "signal": lambda first=first: Form("signal", window=first.shape),
        }[modality]()
        folder = tmp_path_factory.mktemp(modality) / "winner"
        description = {"classes": list(CLASSES), "modality": modality, "temperature": 1.0, "schema": WRITTEN[modality]}
        model = serving_model(learner, own_reading(form), temperature=1.0)
        write_bundle(folder, model, description=description, metrics={}, card="", evidence={})
        new = MAKERS[modality](80, seed=7)
        new = new.with_schema(first.schema) if modality == "table" else new
        found[modality] = open_bundle(folder), learner, new
    return found


def write_table(path, columns, encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def cells_of(records):
    return {name: [cells.texts[code] for code in cells.codes] for name, cells in records.cells.items()}


def raw_files(folder, modality, new):
    """The new inputs in every raw form that the modality is read from."""
    if modality == "text":
        (folder / "texts" / "any").mkdir(parents=True)
        for row, text in enumerate(new.texts):
            (folder / "texts" / "any" / f"{row:03}.txt").write_text(text, encoding="utf-8")
        return [write_table(folder / "t.csv", {"label": ["?"] * 80, "remark": new.texts}), folder / "texts"]
    if modality == "table":
        cells = cells_of(new)
        shuffled = {name: cells[name] for name in reversed(cells)}
        return [write_table(folder / "t.csv", cells), write_table(folder / "o.csv", {"id": [*range(80)], **shuffled})]
    windows = new.read(np.arange(80))
    np.savez(folder / "w.npz", force=windows, y=np.zeros(80))
    np.savez(folder / "x.npz", x=windows[:, :, 0])
    return [folder / "w.npz", folder / "x.npz"]


@pytest.mark.parametrize("modality", list(MODELS))
def test_raw_files_give_what_the_trained_model_says_of_them(made, modality, tmp_path):
    bundle, learner, new = made[modality]
    expected = learner.predict_inputs(new)
    for path in raw_files(tmp_path, modality, new):
        found = predict(bundle, path)
        assert found.classes == CLASSES
        assert len(found.ids) == len(set(found.ids)) == 80
        np.testing.assert_allclose(found.probabilities, expected, atol=2e-5)
        assert found.skipped == ()
        assert found.labels == [CLASSES[index] for index in expected.argmax(axis=1)]
        assert (np.array(found.labels) == np.array(CLASSES)[np.arange(80) % 3]).mean() > 0.6


@pytest.mark.parametrize("modality", list(MODELS))
def test_a_single_example_is_predicted_like_many(made, modality, tmp_path):
    bundle, _, new = made[modality]
    whole = predict(bundle, raw_files(tmp_path, modality, new)[0])
    (tmp_path / "one").mkdir()
    one = new.take(np.array([5]))
    if modality == "text":
        path = tmp_path / "one" / "one.txt"
        path.write_text(one.texts[0], encoding="utf-8")
    elif modality == "table":
        path = write_table(tmp_path / "one" / "one.csv", cells_of(one))
    else:
        path = tmp_path / "one" / "one.npz"
        np.savez(path, x=one.read(np.array([0])))
    np.testing.assert_allclose(predict(bundle, path).probabilities, whole.probabilities[5:6], atol=2e-5)


def test_a_long_table_is_cut_as_in_training(made, tmp_path):
    bundle, learner, new = made["signal"]
    samples = new.read(np.arange(4)).reshape(-1)
    columns = {
        "t": [f"{row / 100:.2f}" for row in range(256)],
        "label": ["?"] * 256,
        "force": [repr(value) for value in samples.tolist()],
        "run": ["r1"] * 256,
    }
    found = predict(bundle, write_table(tmp_path / "s.csv", columns))
    assert found.ids == tuple(f"r1 sample {start}" for start in range(0, 193, 32))
    np.testing.assert_allclose(found.probabilities[::2], learner.predict_inputs(new)[:4], atol=1e-5)


def test_what_cannot_be_predicted_is_left_out_and_told(made, tmp_path):
    bundle, _, new = made["text"]
    found = predict(bundle, write_table(tmp_path / "t.csv", {"remark": ["", new.texts[0], "\u200b"]}))
    assert (found.ids, found.skipped) == (("row 1",), ("row 0: the text is empty", "row 2: the text is empty"))
    bundle, _, new = made["signal"]
    windows = new.read(np.arange(3)).copy()
    windows[1, 4, 0] = np.nan
    np.savez(tmp_path / "w.npz", x=windows)
    found = predict(bundle, tmp_path / "w.npz")
    assert found.ids == ("row 0", "row 2")
    assert found.skipped[0].startswith("row 1: the window holds values that are no number")


def test_texts_that_are_odd_but_texts_are_predicted(made, tmp_path):
    texts = ["NA", "1e3", "😀", "word " * 20_000, "line\r\nbreak", "nothing known here", "\x00bang"]
    found = predict(made["text"][0], write_table(tmp_path / "t.csv", {"remark": texts}))
    assert len(found.ids) == 7
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    table = list(csv.reader(found.as_csv().splitlines()))
    assert len(table) == 8
    assert all(row[1] in CLASSES for row in table[1:])


@pytest.mark.parametrize(
    ("modality", "columns", "words"),
    [
        ("table", {"level": ["1"]}, "has no numeric column 'noise'"),
        ("table", {"level": ["high"], "noise": ["1"], "kind": ["x"]}, "line 2: 'level': 'high' does not fit"),
        ("text", {"other": ["a"]}, "no column is called one of: remark, text"),
        ("signal", {"pressure": ["1"] * 70}, "has no channel column 'force'"),
        ("signal", {"force": ["1"] * 10}, "no window of 64 samples fits"),
        ("signal", {"force": ["1", "x"] * 40}, "'x' is no number"),
    ],
)
def test_rows_that_do_not_fit_name_file_and_trouble(made, tmp_path, modality, columns, words):
    with pytest.raises(DataError) as caught:
        predict(made[modality][0], write_table(tmp_path / "new.csv", columns))
    assert words in str(caught.value)
    assert "new.csv" in str(caught.value)


@pytest.mark.parametrize("modality", list(MODELS))
def test_nothing_at_the_path_or_another_kind_of_file_is_a_data_error(made, tmp_path, modality):
    (tmp_path / "film.mp4").touch()
    (tmp_path / "empty").mkdir()
    for name in ("gone", "gone.csv", "gone.npz", "film.mp4", "empty"):
        with pytest.raises(DataError, match=name):
            predict(made[modality][0], tmp_path / name)


@pytest.mark.parametrize("modality", ["text", "table"])
def test_rows_that_are_given_are_predicted_as_from_a_file(made, tmp_path, modality):
    bundle, _, new = made[modality]
    path = raw_files(tmp_path, modality, new)[0]
    given, named = predict_given(bundle, path.read_bytes(), where="standard input"), predict(bundle, path)
    assert given.ids == named.ids
    np.testing.assert_array_equal(given.probabilities, named.probabilities)


def test_what_is_wrong_with_given_rows_names_where_they_come_from(made):
    for modality, content, words in (
        ("table", b"", "standard input: is empty"),
        ("table", b"level,noise,kind\nhigh,1,x\n", "standard input: line 2: 'level': 'high' does not fit"),
        ("text", b"other\na\n", "standard input: no column is called one of: remark, text"),
    ):
        with pytest.raises(DataError) as caught:
            predict_given(made[modality][0], content, where="standard input")
        assert words in str(caught.value)
