"""A bundle is opened only where every file is the one that was written; Keras is not needed to say so."""

import hashlib
import json

import pytest
from bundles import describe, make_bundle

from autotl.errors import StorageError, UsageError
from autotl.production.bundle import CARD, DESCRIPTION, METRICS, MODEL, open_bundle


def test_a_whole_bundle_opens_with_what_its_description_says(tmp_path):
    bundle = open_bundle(make_bundle(tmp_path))
    assert bundle.classes == ("daisy", "tulip")
    assert bundle.reading.shape == (96, 96, 3)
    assert bundle.modality == "image"
    assert bundle.description["temperature"] == 1.5


def test_a_folder_without_a_description_is_no_bundle(tmp_path):
    with pytest.raises(UsageError, match=r"no model bundle: there is no bundle\.json in it\.$"):
        open_bundle(tmp_path)


def test_a_missing_folder_is_no_bundle(tmp_path):
    with pytest.raises(UsageError, match="is no model bundle"):
        open_bundle(tmp_path / "nowhere")


def test_a_run_folder_leads_to_its_winner(tmp_path):
    winner = make_bundle(tmp_path / "winner")
    with pytest.raises(UsageError) as error:
        open_bundle(tmp_path)
    assert str(error.value).endswith(f"Did you mean {winner}?")


@pytest.mark.parametrize("name", [MODEL, METRICS, CARD])
def test_a_file_that_was_changed_is_found_by_its_digest(tmp_path, name):
    make_bundle(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # as long as before
    with pytest.raises(StorageError, match=f"{name} is missing or not the file that was written"):
        open_bundle(tmp_path)


@pytest.mark.parametrize("name", [MODEL, METRICS, CARD])
def test_a_file_that_is_gone_is_named(tmp_path, name):
    (make_bundle(tmp_path) / name).unlink()
    with pytest.raises(StorageError, match=f"{name} is missing"):
        open_bundle(tmp_path)


def test_a_description_cannot_leave_the_model_unchecked(tmp_path):
    make_bundle(tmp_path, files={})
    with pytest.raises(StorageError, match=rf"{MODEL}"):
        open_bundle(tmp_path)


def test_a_description_cannot_name_files_outside_the_bundle(tmp_path):
    outside = tmp_path / "secret"
    outside.write_text("secret")
    folder = make_bundle(tmp_path / "bundle")
    files = json.loads((folder / DESCRIPTION).read_text())["files"]
    describe(folder, files=files | {"../secret": hashlib.sha256(outside.read_bytes()).hexdigest()})
    with pytest.raises(StorageError, match="secret is missing or not the file"):
        open_bundle(folder)


def test_a_model_that_is_no_archive_is_refused(tmp_path):
    make_bundle(tmp_path)
    (tmp_path / MODEL).write_bytes(b"\x80\x04N.")
    with pytest.raises(StorageError, match="is no Keras model file"):
        open_bundle(describe(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="cut off"),
        pytest.param("[]", id="a list"),
        pytest.param('{"format": 1, "files": {}}', id="without classes"),
        pytest.param(
            '{"format": 1, "files": {}, "classes": ["a"], "preprocessing": {"reads": "pixels", "image_size": "large"}}',
            id="size in words",
        ),
        pytest.param(
            '{"format": 1, "files": {}, "classes": ["a"], "preprocessing": 96}', id="preprocessing is a number"
        ),
        pytest.param(
            '{"format": 1, "files": [], "classes": ["a"], "preprocessing": {"reads": "pixels", "image_size": 96}}',
            id="files are a list",
        ),
    ],
)
def test_a_description_that_makes_no_sense_is_a_storage_error_that_names_it(tmp_path, text):
    (make_bundle(tmp_path) / DESCRIPTION).write_text(text)
    with pytest.raises(StorageError, match=r"bundle\.json cannot be read"):
        open_bundle(tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2, "versions": {"autotl": "9.1"}}, r"its format is 2, by autotl 9\.1; this version reads format 1"),
        ({"format": 0}, "its format is 0, by another autotl"),
        ({"format": "1"}, "its format is 1, by another autotl"),
    ],
)
def test_a_bundle_of_another_format_is_refused_before_anything_in_it_is_believed(tmp_path, changes, words):
    with pytest.raises(StorageError, match=words):
        open_bundle(make_bundle(tmp_path, preprocessing="not known yet", **changes))
