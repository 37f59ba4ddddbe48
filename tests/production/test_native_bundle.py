"""A bundle of another library's files: every one of them is vouched for, and nothing else is ever opened."""

import hashlib
import json
import shutil

import numpy as np
import pytest
from pretend_rows import MAKERS, a_task_of_rows

from autotl.backbones import BackboneSpec
from autotl.backbones.classical import CLASSICAL
from autotl.backbones.form import Form
from autotl.backbones.reading import own_reading
from autotl.errors import StorageError
from autotl.plan import Plan
from autotl.production.bundle import DESCRIPTION, NATIVE, open_bundle, write_bundle
from autotl.production.serving_model import NativeServing, serving_model
from autotl.trial.classical_learner import ClassicalLearner
from autotl.trial.scorer import Scorer

TEMPERATURE = 1.7
NAMES = {"table": "boosted_trees", "signal": "random_forest"}


def served(modality):
    """A trained model as it ships, and its task's data."""
    data = a_task_of_rows(modality)
    plan = Plan(BackboneSpec(CLASSICAL, NAMES[modality])).canonical()
    learner = ClassicalLearner(plan, data, Scorer("accuracy"))
    learner.start(data.folds[0], fold_number=0)
    learner.train_epoch(data.folds[0], fold_number=0, epoch=0, check=lambda: None)
    first = data.inputs[0]
    form = Form("table", schema=first.schema) if modality == "table" else Form("signal", window=first.shape)
    return serving_model(learner, own_reading(form), temperature=TEMPERATURE), data


def write(folder, model, modality):
    description = {"classes": ["calm", "loud", "odd"], "modality": modality, "temperature": TEMPERATURE}
    return write_bundle(folder, model, description=description, metrics={}, card="# card\n", evidence={})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """modality -> (folder of a bundle, model, data)."""
    found = {}
    for modality in NAMES:
        model, data = served(modality)
        folder = tmp_path_factory.mktemp(modality) / "winner"
        write(folder, model, modality)
        found[modality] = folder, model, data
    return found


@pytest.fixture(params=list(NAMES))
def modality(request):
    return request.param


@pytest.fixture
def folder(made, modality, tmp_path):
    """A copy of a bundle, to be spoilt."""
    return shutil.copytree(made[modality][0], tmp_path / "copy")


def described(folder, **changes):
    description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    (folder / DESCRIPTION).write_text(json.dumps(description | changes))
    return description


def native_files(folder):
    return sorted((folder / NATIVE).iterdir())


def test_a_reloaded_model_says_the_same_to_the_bit(made, modality):
    folder, model, data = made[modality]
    bundle = open_bundle(folder)
    assert (bundle.is_native, bundle.modality, bundle.description[NATIVE]) == (True, modality, NAMES[modality])
    assert bundle.reading == model.reading
    loaded = bundle.load_model()
    assert isinstance(loaded, NativeServing)
    examples = bundle.reading(data.inputs[1], np.arange(90))
    np.testing.assert_array_equal(loaded.predict(examples), model.predict(examples))
    assert not list(folder.glob("*.keras"))


def test_the_temperature_cools_and_changes_no_decision(made, modality):
    _, model, data = made[modality]
    examples = model.reading(data.inputs[0], np.arange(60))
    raw, said = model.model.predict(examples), model.predict(examples)
    powers = raw.astype(float) ** (1 / TEMPERATURE)
    np.testing.assert_allclose(said, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_array_equal(said.argmax(axis=1), raw.argmax(axis=1))


def test_every_native_file_is_vouched_for(folder):
    files = json.loads((folder / DESCRIPTION).read_text())["files"]
    for path in native_files(folder):
        assert files[f"{NATIVE}/{path.name}"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_changed_native_file_is_refused(folder):
    for path in native_files(folder):
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(StorageError, match=f"{path.name} is missing or not the file that was written"):
            open_bundle(folder)
        path.write_bytes(content)
    open_bundle(folder)


def test_a_missing_native_file_is_refused(folder):
    native_files(folder)[0].unlink()
    with pytest.raises(StorageError, match="is missing or not the file that was written"):
        open_bundle(folder)


@pytest.mark.parametrize("name", ["extra.txt", ".hidden", "model.pkl"])
def test_an_added_native_file_is_refused(folder, name):
    (folder / NATIVE / name).write_bytes(b"cos\nsystem\n")
    with pytest.raises(StorageError, match=f"{name} is missing or not the file that was written"):
        open_bundle(folder)


def test_an_added_folder_or_link_is_refused(folder, tmp_path):
    (folder / NATIVE / "inner").mkdir()
    with pytest.raises(StorageError, match="inner is missing or not the file"):
        open_bundle(folder)
    (folder / NATIVE / "inner").rmdir()
    (tmp_path / "outside.txt").write_text("outside")
    (folder / NATIVE / "link.txt").symlink_to(tmp_path / "outside.txt")
    with pytest.raises(StorageError, match=r"link.txt is missing or not the file"):
        open_bundle(folder)


@pytest.mark.parametrize(
    "name",
    ["../secret", "native/../../secret", "native/../secret", "/secret", "native//secret", "native/native/secret"],
)
def test_no_name_leads_out_of_the_bundle(folder, tmp_path, name):
    (tmp_path / "secret").write_text("secret")
    (folder / "secret").write_text("secret")
    (folder / NATIVE / "native").mkdir()
    (folder / NATIVE / "native" / "secret").write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    given = f"{tmp_path}/secret" if name == "/secret" else name
    files = json.loads((folder / DESCRIPTION).read_text())["files"]
    described(folder, files=files | {given: digest})
    with pytest.raises(StorageError, match="is missing or not the file that was written"):
        open_bundle(folder)


@pytest.mark.parametrize("name", ["native/..", "native/", "native", "..", ".", "", "native/."])
def test_a_name_that_is_a_folder_is_refused(folder, name):
    files = json.loads((folder / DESCRIPTION).read_text())["files"]
    described(folder, files=files | {name: "0" * 64})
    with pytest.raises(StorageError, match="is missing or not the file that was written"):
        open_bundle(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"native": "neural_oracle"},
        {"native": ["boosted_trees"]},
        {"native": None},
        {"native": {"a": 1}},
        {"native": "bag_of_words"},
        {"temperature": None},
        {"temperature": "warm"},
        {"temperature": 0},
        {"temperature": -1.0},
        {"classes": ["calm", "loud"]},
        {"classes": ["calm", "loud", "odd", "more"]},
        {"preprocessing": None},
        {"files": None},
        {"files": {"native/model.json": 5}},
    ],
    ids=lambda changes: json.dumps(changes)[:40],
)
def test_a_description_that_lies_is_a_storage_error_before_any_prediction(folder, changes):
    described(folder, **changes)
    with pytest.raises(StorageError):
        open_bundle(folder).load_model()


def test_a_description_without_temperature_is_a_storage_error(folder):
    description = json.loads((folder / DESCRIPTION).read_text())
    del description["temperature"]
    (folder / DESCRIPTION).write_text(json.dumps(description))
    with pytest.raises(StorageError, match="temperature"):
        open_bundle(folder).load_model()


def test_a_native_bundle_cannot_pass_for_one_of_keras(folder):
    description = json.loads((folder / DESCRIPTION).read_text())
    del description[NATIVE]
    (folder / DESCRIPTION).write_text(json.dumps(description))
    with pytest.raises(StorageError, match=r"model\.keras is missing"):
        open_bundle(folder)


def test_new_inputs_of_one_example_and_of_many_are_alike(made, modality):
    _, model, data = made[modality]
    new = MAKERS[modality](20, seed=5)
    new = new.with_schema(data.inputs[0].schema) if modality == "table" else new
    whole = model.predict(model.reading(new, np.arange(20)))
    one = model.predict(model.reading(new, np.array([7])))
    np.testing.assert_allclose(one, whole[7:8], atol=1e-6)
