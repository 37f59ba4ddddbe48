"""A real model as a server holds it says what the bundle itself says; a thousand hostile requests do not break it."""

import keras
import numpy as np
import pytest
from fastapi.testclient import TestClient
from hostile import hostile_requests
from pretend_served import READINGS, encoded

from autotl.api.serving import _Named
from autotl.backbones.reading import reading_from
from autotl.production.bundle import open_bundle, write_bundle
from autotl.production.serving.application import PREDICT, make_application
from autotl.production.serving.frozen_graph import frozen
from autotl.production.serving.limits import Limits
from autotl.production.serving.served import blank_example, digest_of_model, served
from autotl.production.serving_model import KerasServing, compiled


def small_network(reading):
    """A network with a batch-norm and a head, its weights random."""
    keras.utils.set_random_seed(1)
    example = keras.Input(reading.shape, dtype=reading.dtype)
    seen = keras.layers.Conv2D(8, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(example))
    seen = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization()(seen))
    return compiled(keras.Model(example, keras.layers.Dense(2, activation="softmax")(seen)))


def text_network():
    """A network whose table of words no graph of constants can hold."""
    text = keras.Input((), dtype="string")
    words = keras.layers.TextVectorization(output_mode="multi_hot", vocabulary=["fine", "kettle"])(text)
    return compiled(keras.Model(text, keras.layers.Dense(2, activation="softmax")(words)))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    reading = reading_from(READINGS["image"])
    description = {"classes": ["daisy", "tulip"], "modality": "image", "temperature": 1.0, "task": "flowers"}
    folder = tmp_path_factory.mktemp("served") / "winner"
    model = KerasServing(small_network(reading), reading)
    return write_bundle(folder, model, description=description, metrics={}, card="# flowers", evidence={})


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_the_frozen_graph_says_what_keras_says_of_batches_of_any_size(bundle, rows):
    model = bundle.load_model()
    predict = frozen(model, blank_example(bundle.reading))
    batch = np.random.default_rng(rows).integers(0, 256, (rows, 8, 8, 3), dtype=np.uint8)
    np.testing.assert_allclose(predict(batch), model.predict(batch), atol=1e-6)
    if keras.backend.backend() == "tensorflow":
        assert predict != model.predict, "it was not frozen"


def test_a_graph_that_cannot_be_frozen_is_served_as_it_is():
    model = KerasServing(text_network(), reading_from(READINGS["text"]))
    predict = frozen(model, np.array(["x"], dtype=object))
    batch = np.array(["a fine kettle", ""], dtype=object)
    np.testing.assert_allclose(predict(batch), model.predict(batch), atol=1e-6)


def test_the_answer_is_what_the_bundle_predicts(bundle):
    held = served(bundle, name="flowers", version=None, asked_for="winner")
    client = TestClient(make_application(held, Limits()))
    content = encoded(colour=(30, 220, 10))
    said = client.post(PREDICT, content=content, headers={"content-type": "image/png"}).json()["predictions"][0]
    batch = np.full((1, 8, 8, 3), (30, 220, 10), dtype=np.uint8)
    expected = bundle.load_model().predict(batch)[0]
    assert list(said["probabilities"].values()) == pytest.approx(expected.tolist(), abs=1e-5)


def test_the_digest_is_that_of_the_model_s_file(bundle):
    assert digest_of_model(bundle) == open_bundle(bundle.path).description["files"]["model.keras"]


def test_a_thousand_hostile_requests_do_not_break_a_real_model(bundle):
    client = TestClient(make_application(_Named.of(bundle.path).load(), Limits()), raise_server_exceptions=False)
    for number, request in enumerate(hostile_requests(1_000, modality="image", seed=11)):
        answer = client.request(**request)
        assert answer.status_code < 500, (number, request, answer.text)
    assert client.post(PREDICT, content=encoded(), headers={"content-type": "image/png"}).status_code == 200
