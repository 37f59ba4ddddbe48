"""A model on PyTorch says what its trial said, as it is and from its bundle, alone and joined by words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from encoder_folders import image_folder, skip_without_torch, text_folder
from moods import moods
from pretend import a_task, a_workshop

from autotl.backbones import parse_spec
from autotl.backbones.reading import PixelReading, StringReading
from autotl.errors import StorageError
from autotl.plan import Plan
from autotl.production.bundle import open_bundle, write_bundle
from autotl.production.encoder_serving import EncoderServing
from autotl.production.serving_model import serving_model

ROWS = 90


@pytest.fixture
def texts(tmp_path):
    """A workshop on sentences, the backbone that reads them, and the raw sentences."""
    skip_without_torch()
    text_folder(tmp_path / "mpnet", hidden_size=32)
    inputs, labels = moods(ROWS, seed=0)
    data = replace(a_task(rows=ROWS), modality="text", classes=("good", "bad"), inputs=(inputs,), labels=labels)
    spec = parse_spec(str(tmp_path / "mpnet"), folder=tmp_path, where="backbone")
    return a_workshop(tmp_path, data), spec, np.array(inputs.texts, dtype=object)


def trained(workshop, spec, **values):
    of_texts = {"image_size": None, "crop": None, "augmentation": None, "sequence_length": 16, "pooling": "mean"}
    own = of_texts if workshop.data.modality == "text" else {"image_size": 32}
    plan = Plan(spec, **{**own, "epochs": 4, "learning_rate": 2e-2, "batch_size": 16, "seed": 7, **values})
    return workshop.fit(plan, workshop.data.folds[0])


def bundled(model: EncoderServing, folder: Path, modality: str):
    described = {"classes": ["good", "bad"], "modality": modality, "temperature": 1.0}
    return write_bundle(folder, model, description=described, metrics={}, card="", evidence={})


@pytest.mark.parametrize("values", [{}, {"join": "bag_of_words", "tap": "E2"}, {"pooling": "cls", "tap": "E1"}])
def test_a_text_model_says_what_its_trial_said(texts, tmp_path, values):
    workshop, spec, raw = texts
    learner = trained(workshop, spec, **values)
    rows = workshop.data.folds[0].validation
    expected = learner.predict(rows)[0]
    model = serving_model(learner, StringReading(), temperature=1.0)
    assert isinstance(model, EncoderServing)
    np.testing.assert_allclose(model.predict(raw[rows]), expected, atol=1e-5)
    opened = bundled(model, tmp_path / "bundle", "text").load_model()
    said, features = opened.predict_with_features(raw[rows])
    np.testing.assert_allclose(said, expected, atol=1e-5)
    assert features.shape == (len(rows), 32)


def test_an_image_model_says_what_its_trial_said(tmp_path):
    skip_without_torch()
    image_folder(tmp_path / "vit")
    workshop = a_workshop(tmp_path)
    spec = parse_spec(str(tmp_path / "vit"), folder=tmp_path, where="backbone")
    learner = trained(workshop, spec, tap="E2")
    rows = workshop.data.folds[0].validation
    model = serving_model(learner, PixelReading(32), temperature=1.0)
    opened = bundled(model, tmp_path / "bundle", "image").load_model()
    pixels = model.reading(workshop.data.inputs[0], rows)
    np.testing.assert_allclose(opened.predict(pixels), learner.predict(rows)[0], atol=1e-5)


def test_a_bundle_whose_description_does_not_fit_its_network_is_refused(texts, tmp_path):
    workshop, spec, _ = texts
    bundled(serving_model(trained(workshop, spec), StringReading(), temperature=1.0), tmp_path / "bundle", "text")
    path = tmp_path / "bundle" / "bundle.json"
    whole = path.read_text()
    for seen, put in (('"tap": "last"', '"tap": "E9"'), ('"sequence_length": 16', '"sequence_length": 4000')):
        path.write_text(whole.replace(seen, put))
        with pytest.raises(StorageError, match=r"does not fit the head|sequence length of 4000 is not possible"):
            open_bundle(tmp_path / "bundle").load_model()
    path.write_text(whole.replace('"tap": "last",', ""))
    with pytest.raises(StorageError, match="makes no sense"):
        open_bundle(tmp_path / "bundle").load_model()
