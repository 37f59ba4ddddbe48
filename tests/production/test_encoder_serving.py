"""A model on PyTorch says what its trial said, as it is and from its bundle, alone and joined by words."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from encoder_folders import image_folder, skip_without_torch, text_folder
from moods import moods
from pretend import a_task, a_task_of_numbers, a_task_of_sets, a_workshop
from small_bundles import INTERVAL

from autotl.backbones import parse_spec
from autotl.backbones.reading import PixelReading, StringReading
from autotl.data.examples import TaskData
from autotl.errors import StorageError
from autotl.plan import Plan
from autotl.production.bundle import open_bundle, write_bundle
from autotl.production.encoder_serving import EncoderServing
from autotl.production.serving_model import serving_model, serving_private_head
from autotl.task.problem import MULTILABEL, REGRESSION
from autotl.trial.private.bench import PrivateBench
from autotl.trial.private.head import Training, train_head
from autotl.trial.private.noise import SecretDraws

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
    return workshop.trained(plan, workshop.fit(plan, workshop.data.folds[0]).weights())


def bundled(model: EncoderServing, folder: Path, modality: str, **values):
    described = {"classes": ["good", "bad"], "modality": modality, "temperature": 1.0, **values}
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


def of_numbers(data: TaskData) -> TaskData:
    """How many stars the same sentences give, of a hundred."""
    stars = np.where(data.labels == 0, 80.0, 30.0) + np.random.default_rng(1).uniform(-5.0, 5.0, len(data.labels))
    return replace(data, labels=stars, classes=("stars",), problem=REGRESSION, metric="rmse")


def of_sets(data: TaskData) -> TaskData:
    """The same moods as labels; every third example bears none, as far as is known."""
    sets = np.eye(2, dtype=np.int64)[data.labels]
    sets[::3] = 0
    return replace(data, labels=sets, problem=MULTILABEL, metric="average_precision")


KINDS: dict[str, tuple[Callable[[TaskData], TaskData], dict]] = {
    "regression": (of_numbers, {"classes": ["stars"], "problem": "regression", "interval": INTERVAL}),
    "multilabel": (of_sets, {"problem": "multilabel", "thresholds": [0.5, 0.4]}),
}


@pytest.mark.parametrize("values", [{}, {"join": "bag_of_words", "tap": "E2"}])
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_model_of_numbers_or_of_sets_says_what_its_trial_said(texts, tmp_path, kind, values):
    of_kind, description = KINDS[kind]
    workshop, spec, raw = texts
    data = of_kind(workshop.data)
    workshop = a_workshop(tmp_path, data, metric=data.metric)
    learner = trained(workshop, spec, epochs=12, **values)
    rows = data.folds[0].validation
    expected = learner.predict(rows)[0]
    model = serving_model(learner, StringReading(), temperature=1.0)
    opened = bundled(model, tmp_path / "bundle", "text", **description).load_model()
    np.testing.assert_allclose(opened.predict(raw[rows]), expected, rtol=1e-5, atol=1e-5)
    other_way = expected[np.argsort(data.labels[rows].reshape(len(rows), -1)[:, 0]), 0]
    assert other_way[-5:].mean() > other_way[:5].mean(), "it has learnt something"


@pytest.mark.parametrize("task", [a_task_of_numbers, a_task_of_sets])
def test_an_image_model_of_numbers_or_of_sets_says_what_its_trial_said(tmp_path, task):
    skip_without_torch()
    image_folder(tmp_path / "vit")
    data = task()
    workshop = a_workshop(tmp_path, data, metric=data.metric)
    learner = trained(workshop, parse_spec(str(tmp_path / "vit"), folder=tmp_path, where="backbone"), tap="E2")
    rows = data.folds[0].validation
    model = serving_model(learner, PixelReading(32), temperature=1.0)
    description = {"classes": list(data.classes), "problem": data.problem.name}
    opened = bundled(model, tmp_path / "bundle", "image", **description).load_model()
    pixels = model.reading(data.inputs[0], rows)
    np.testing.assert_allclose(opened.predict(pixels), learner.predict(rows)[0], rtol=1e-5, atol=1e-5)


def test_a_private_head_says_from_its_bundle_what_it_said(texts, tmp_path):
    workshop, spec, raw = texts
    plan = Plan(spec, image_size=None, crop=None, augmentation=None, sequence_length=16, pooling="mean")
    bench, fold = PrivateBench(workshop), workshop.data.folds[0]
    learnt = bench.labelled(plan, fold.train)
    noise = SecretDraws(b"a key of thirty-two bytes or more")
    head = train_head(learnt, Training.on(len(learnt), noise_multiplier=0.5), noise, classes=2)
    expected = head.predict(bench.features(plan, fold.validation))
    model = serving_private_head(bench.network(plan), head)
    opened = bundled(model, tmp_path / "bundle", "text").load_model()
    np.testing.assert_allclose(opened.predict(raw[fold.validation]), expected, atol=1e-4)
    fresh = bench.features_of(plan, workshop.data.inputs[0].take(np.arange(20)))
    np.testing.assert_allclose(fresh, bench.features(plan, np.arange(20)), atol=1e-5)


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
