"""What is asked of `export` wrongly is told before any network is loaded."""

import subprocess
import sys

import pytest
from bundles import describe, make_bundle
from pretend_runs import pretend_run

from autotl import api
from autotl.api import exporting
from autotl.errors import EnvironmentProblemError, StorageError, UsageError
from autotl.production.bundle import MODEL
from autotl.production.reference import Reference
from autotl.production.registry import Registry


@pytest.fixture
def run(tmp_path):
    """A run that nobody trained, with a bundle that holds no network."""
    path = pretend_run(tmp_path / "runs" / "a", wrong=(40,)).path
    make_bundle(path / "winner")
    return path


def refused(tmp_path, model, kind=UsageError, **asked):
    with pytest.raises(kind) as caught:
        api.export(model, **{"format": "onnx", "out": tmp_path / "out", **asked})
    assert not (tmp_path / "out").exists()
    return str(caught.value)


def test_an_unknown_format_is_told_with_those_there_are(run, tmp_path):
    words = refused(tmp_path, run, format="onyx")
    assert "'onyx' is not known. Allowed: litert, native, onnx, openvino, saved_model. Did you mean 'onnx'?" in words


def test_eight_bits_are_for_litert(run, tmp_path):
    assert "is for --format litert, not for onnx" in refused(tmp_path, run, quantize="int8")
    assert "'int4' is not known. Allowed: int8" in refused(tmp_path, run, format="litert", quantize="int4")


def test_a_package_that_is_not_installed_is_told_with_the_line_that_brings_it(run, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "find_spec", lambda name: None if name == "tf2onnx" else object())
    words = refused(tmp_path, run, EnvironmentProblemError)
    assert words == "--format onnx needs tf2onnx, not installed here: pip install 'autotl[onnx]'"
    assert EnvironmentProblemError.exit_code == 7


def test_an_alias_that_is_not_there_is_told_with_those_that_are(run, tmp_path):
    api.promote(run, alias="production", reason="good")
    words = refused(tmp_path, "kitchen@prod")
    assert "kitchen has no alias 'prod'. Allowed: production." in words


def test_a_promoted_file_that_was_changed_is_named(run, tmp_path):
    version = api.promote(run, alias="production", reason="good").version
    path = version.bundle_folder / MODEL
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b" ")
    assert str(path) in refused(tmp_path, "kitchen@production", StorageError)


def test_a_bundle_of_a_newer_version_is_refused(run, tmp_path):
    describe(run / "winner", format=2, versions={"autotl": "9.0"})
    words = refused(tmp_path, run, StorageError)
    assert "its format is 2, by autotl 9.0; this version reads format 1" in words


def test_a_run_stands_for_its_winner_and_one_without_says_so(run, tmp_path):
    assert api.open_model(run).path == run / "winner"
    assert exporting.run_of(run) == exporting.run_of(run / "winner") == run
    bare = pretend_run(tmp_path / "runs" / "bare", wrong=(40,)).path
    assert "has shipped no winner" in refused(tmp_path, bare)


def test_a_promoted_model_knows_its_run_as_long_as_that_lies_there(run, tmp_path):
    api.promote(run, alias="production", reason="good")
    assert exporting.run_of("kitchen@production") == run.resolve()
    run.rename(tmp_path / "moved")
    assert exporting.run_of("kitchen:1") is None
    assert Registry().find(Reference("kitchen", version=1)).number == 1


def test_what_is_no_model_is_told_without_tensorflow(tmp_path):
    script = (
        "import sys\nfrom autotl import api\nfrom autotl.errors import AutotlError\n"
        "try:\n    api.export('.', format='onnx', out='out')\n"
        "except AutotlError as error:\n    print(error.exit_code, 'tensorflow' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ran.stdout.split() == ["2", "False"]
