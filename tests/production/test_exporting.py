"""Every format says what its bundle says, from raw files, by the files that lie beside it; or it is not written."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from small_bundles import a_bundle

from autotl.errors import GateNotMetError, UsageError
from autotl.production import exporting
from autotl.production.exporting import RECORD, export_bundle
from autotl.production.formats import FORMATS
from autotl.production.formats.native import Native
from autotl.production.prediction import predict
from autotl.production.raw_examples import Chosen, write_raw
from autotl.production.told import form_of

KINDS = ("image", "text", "table", "signal", "words", "trees", "forest")
HELD = {
    "saved_model": ("image", "text", "table", "signal", "words"),
    "litert": ("image", "text", "table", "signal"),
    "onnx": ("image", "text", "table", "signal", "trees", "forest"),
    "openvino": ("image", "text", "table", "signal"),
    "native": KINDS,
}
PAIRS = [(name, kind) for name, kinds in HELD.items() for kind in kinds]
QUICK = {  # format, kind and whether on real examples; the others are slow only because there are so many
    ("saved_model", "image", True),
    ("saved_model", "words", False),
    ("litert", "table", False),
    ("onnx", "text", True),
    ("onnx", "trees", False),
    ("openvino", "image", True),
    ("native", "forest", True),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """kind -> (bundle, task), made when it is first asked for."""
    found = {}

    def make(kind):
        if kind not in found:
            with pytest.MonkeyPatch.context() as monkeypatch:
                found[kind] = a_bundle(kind, tmp_path_factory.mktemp(kind) / "winner", monkeypatch)
        return found[kind]

    return make


def exported(made, kind, name, out, *, quantized=False, real=True):
    bundle, data = made(kind)
    first = data.inputs[0]
    chosen = Chosen(first, data.labels[: len(first)], "of the task") if real else None
    return export_bundle(bundle, out, format=name, chosen=chosen, quantized=quantized, origin={"name": kind})


def test_the_table_of_formats_is_tested_whole():
    assert set(HELD) == set(FORMATS)


CASES = [(name, kind, real) for name, kind in PAIRS for real in (True, False)]


@pytest.mark.parametrize(
    ("name", "kind", "real"), [pytest.param(*case, marks=[] if case in QUICK else [pytest.mark.slow]) for case in CASES]
)
def test_a_format_says_what_the_bundle_says(made, tmp_path, name, kind, real):
    done = exported(made, kind, name, tmp_path / "out", real=real)
    assert done.parity.difference <= 1e-4
    assert done.parity.agreement == 1.0
    assert (done.parity.figure is not None) == real
    if real:
        before, after = done.parity.figure
        assert before == after
        assert before > 0.4, "a model that has learnt nothing would prove nothing"


OTHER_ANSWERS = [
    (name, f"{asked} {kind}", real)
    for asked in ("number", "set")
    for name, kinds in HELD.items()
    for kind in ("image", "words", "trees", "forest")
    if kind in kinds
    for real in (True, False)
]
QUICK_ANSWERS = {
    ("saved_model", "number image", True),
    ("onnx", "number image", True),
    ("onnx", "number trees", True),
    ("native", "number trees", False),
    ("native", "number forest", True),
    ("onnx", "set trees", True),
}


@pytest.mark.parametrize(
    ("name", "kind", "real"),
    [pytest.param(*case, marks=[] if case in QUICK_ANSWERS else [pytest.mark.slow]) for case in OTHER_ANSWERS],
)
def test_numbers_and_sets_survive_every_format(made, tmp_path, name, kind, real):
    done = exported(made, kind, name, tmp_path / "out", real=real)
    assert done.parity.difference <= 1e-4
    assert done.parity.agreement == pytest.approx(1.0, abs=1e-6)
    assert (done.parity.figure is not None) == real
    if real:
        before, after = done.parity.figure
        assert after == pytest.approx(before, rel=1e-4)
        assert before < 8.0 if kind.startswith("number") else before > 0.5, "the numbers spread by 8.2"


@pytest.mark.parametrize(("name", "kind"), [("onnx", "number trees"), ("onnx", "set trees")])
def test_numbers_and_sets_are_told_as_predict_tells_them(made, tmp_path, name, kind):
    exported(made, kind, name, tmp_path / "out")
    bundle, data = made(kind)
    raw = write_raw(data.inputs[0], np.arange(20), tmp_path / "raw", {})
    header, *rows = run_alone(tmp_path / "out", raw)
    expected = predict(bundle, raw)
    form = form_of(bundle.description)
    assert header == ["input", *form.header(bundle.classes)]
    told = list(form.rows(bundle.classes, expected.probabilities))
    words = len(header) - (len(bundle.classes) if kind.startswith("set") else 3) - 1  # of columns before the numbers
    assert [row[1 : 1 + words] for row in rows] == [row[:words] for row in told]
    numbers = [[[float(cell) for cell in row[words:]] for row in table] for table in ([row[1:] for row in rows], told)]
    np.testing.assert_allclose(numbers[0], numbers[1], rtol=2e-6, atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in HELD for kind in KINDS if kind not in HELD[name]])
def test_a_format_that_cannot_hold_a_model_says_which_can(made, tmp_path, name, kind):
    with pytest.raises(UsageError, match="Offered for it: --format") as caught:
        exported(made, kind, name, tmp_path / "out")
    offered = str(caught.value).rpartition("--format ")[2].rstrip(".").split(", ")
    assert set(offered) == {other for other in HELD if kind in HELD[other]}
    assert list(tmp_path.iterdir()) == []


def test_a_format_that_fails_while_it_writes_says_which_others_there_are(made, tmp_path, monkeypatch):
    def write(*_):
        raise UsageError("ONNX cannot hold this model: no such operation.")

    monkeypatch.setattr(type(FORMATS["onnx"]), "write", write)
    with pytest.raises(UsageError, match=r"no such operation\. Offered for it: --format native\.$"):
        exported(made, "trees", "onnx", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_record_vouches_for_every_file_and_tells_every_figure(made, tmp_path):
    done = exported(made, "trees", "onnx", tmp_path / "out")
    record = json.loads((tmp_path / "out" / RECORD).read_text())
    assert record == json.loads(json.dumps(done.record))
    files = {path.name: path for path in (tmp_path / "out").iterdir() if path.name != RECORD}
    assert record["files"] == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    assert set(files) == {"model.onnx", "predict.py", "preprocess.py", "preprocess.json", "runtime.py"}
    assert (record["format"], record["quantized"]) == ("onnx", None)
    assert (record["parity"]["examples"], record["parity"]["of"]) == (150, "of the task")
    assert record["parity"]["max_difference"] == done.parity.difference
    assert record["size_mb"]["export"] == round(files["model.onnx"].stat().st_size / 1e6, 3)
    for which in ("bundle", "export"):
        assert 0 < record["latency_ms"][which]["p50"] <= record["latency_ms"][which]["p95"]
    assert record["versions"]["export"]["onnxruntime"]


@pytest.mark.parametrize("kind", ["trees", "forest"])
def test_what_lies_beside_a_model_predicts_without_autotl(made, tmp_path, kind):
    exported(made, kind, "onnx", tmp_path / "out")
    bundle, data = made(kind)
    raw = write_raw(data.inputs[0], np.arange(20), tmp_path / "raw", {})
    header, *rows = run_alone(tmp_path / "out", raw)
    expected = predict(bundle, raw)
    assert header == ["input", "label", "probability", *(f"p_{name}" for name in bundle.classes)]
    assert [row[0] for row in rows] == list(expected.ids)
    assert [row[1] for row in rows] == expected.labels
    np.testing.assert_allclose([[float(cell) for cell in row[3:]] for row in rows], expected.probabilities, atol=2e-6)


def run_alone(folder, raw):
    """What an export's own command prints of files, by rows, in a process that has no autotl."""
    script = (
        "import runpy, sys\n"
        f"sys.argv, folder = ['predict.py', {str(raw)!r}], {str(folder)!r}\n"
        "sys.path.insert(0, folder)\n"
        "runpy.run_path(folder + '/predict.py', run_name='__main__')\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('autotl', 'tensorflow', 'keras')]\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=folder.parent, env=environment, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return [line.split(",") for line in ran.stdout.splitlines()]


class _Lying(Native):
    """Trees with another temperature than theirs."""

    def write(self, model, folder):
        return {"temperature": 1.02 * super().write(model, folder)["temperature"]}


def test_an_export_that_says_something_else_is_refused_and_leaves_nothing(made, tmp_path, monkeypatch):
    monkeypatch.setitem(exporting.FORMATS, "native", _Lying())
    (tmp_path / "out").mkdir()
    told = r"differ by up to 0\.00\d+ of a probability \(allowed: 0\.0001\), most on row \d+"
    with pytest.raises(GateNotMetError, match=told) as caught:
        exported(made, "trees", "native", tmp_path / "out")
    assert "100.0% of the labels agree (required: 99.5%) over 150 examples" in str(caught.value)
    assert "Nothing was exported" in str(caught.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    assert list((tmp_path / "out").iterdir()) == []


def test_eight_bits_are_told_and_not_refused(made, tmp_path):
    whole = exported(made, "image", "litert", tmp_path / "whole")
    small = exported(made, "image", "litert", tmp_path / "small", quantized=True)
    assert small.record["quantized"] == "int8"
    assert small.record["size_mb"]["export"] < 0.5 * whole.record["size_mb"]["export"]
    assert small.parity.difference > whole.parity.difference
    assert small.parity.agreement > 0.8
    assert small.record["parity"]["accuracy"]["examples"] == 120
    assert json.loads((tmp_path / "small" / "preprocess.json").read_text())["quantized"] == "int8"


@pytest.mark.slow
def test_a_language_network_survives_eight_bits(made, tmp_path):
    small = exported(made, "text", "litert", tmp_path / "small", quantized=True)
    assert small.parity.agreement > 0.95
    assert small.parity.difference < 0.05


def test_a_folder_that_holds_something_is_not_written_to(made, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").touch()
    with pytest.raises(UsageError, match="is not empty"):
        exported(made, "words", "native", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]
