"""OpenVINO computes what Keras computes, or Keras does."""

import logging
import subprocess
import sys

import keras
import numpy as np
import pytest
from pretend import images
from text_toys import toy_text_network, toy_texts

from autotl.backbones import BackboneSpec
from autotl.backbones.cut import divide
from autotl.backbones.form import of_images
from autotl.backbones.network import build_network
from autotl.data.texts import texts_of
from autotl.errors import EnvironmentProblemError
from autotl.features import FeatureStore, check_precision, precision
from autotl.features import openvino as engine_room
from autotl.features.engine import UnfitEngineError, engine_name
from autotl.features.extractor import Extractor
from autotl.features.openvino import OpenVinoEngine

pytestmark = [
    pytest.mark.skipif(not precision.openvino_is_installed(), reason="the extra [openvino] is not installed"),
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="networks are converted from TensorFlow"),
]
ROWS = 24


@pytest.fixture(scope="module")
def mobile():
    return build_network(BackboneSpec("application", "MobileNetV2"), form=of_images(64))


def stored(folder, network, unfrozen=0, inputs=None, **settings):
    inputs = images(ROWS, seed=0)[0] if inputs is None else inputs
    extractor = Extractor(FeatureStore(folder, limit_bytes=1 << 30), **settings)
    return extractor.features(divide(network, unfrozen), inputs).take(np.arange(len(inputs))), extractor


def by_keras(network, unfrozen=0):
    pixels = network.reading(images(ROWS, seed=0)[0], np.arange(ROWS))
    return np.asarray(divide(network, unfrozen).prefix(pixels, training=False))


def relative(seen, wanted) -> float:
    return float(np.abs(seen - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("unfrozen", [0, 12])
def test_float32_is_equal_to_keras(tmp_path, mobile, unfrozen):
    [features], extractor = stored(tmp_path, mobile, unfrozen)
    assert extractor.prefix(divide(mobile, unfrozen)).engine == "openvino-f32"
    assert relative(features, by_keras(mobile, unfrozen)) <= 1e-4


def test_a_deeper_cut_goes_on_from_a_shallower_one(tmp_path, mobile):
    stored(tmp_path, mobile, 12)
    [features], _ = stored(tmp_path, mobile, 0)
    assert relative(features, by_keras(mobile)) <= 1e-4


@pytest.mark.parametrize("cuts", [2, 7, 13])
def test_all_cuts_of_one_pass_come_in_their_order(cuts):
    examples = keras.Input((4,))
    model = keras.Model(examples, [keras.layers.Dense(width)(examples) for width in range(1, cuts + 1)])
    numbers = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    widths = [output.shape[1] for output in OpenVinoEngine(model, "float32")([numbers])]
    assert widths == list(range(1, cuts + 1))  # seven are Identity_7 to Identity_13, which letters order otherwise


def test_another_engine_has_blocks_of_its_own(tmp_path, mobile):
    extractors = [Extractor(FeatureStore(tmp_path, limit_bytes=1 << 30), kind) for kind in ("float32", "bfloat16")]
    left_to_keras = Extractor(FeatureStore(tmp_path, limit_bytes=1 << 30))
    left_to_keras.leave_to_keras(mobile)
    division = divide(mobile, 0)
    assert len({extractor.prefix(division).digest for extractor in [*extractors, left_to_keras]}) == 3


def test_a_network_that_comes_out_differently_is_left_to_keras_and_it_is_said(tmp_path, mobile, monkeypatch, caplog):
    infer = OpenVinoEngine._infer
    monkeypatch.setattr(OpenVinoEngine, "_infer", lambda self, tensors: [1.001 * each for each in infer(self, tensors)])
    with caplog.at_level(logging.WARNING):
        [features], extractor = stored(tmp_path, mobile)
    assert "is computed by Keras: OpenVINO in float32 computes something else" in caplog.text
    assert relative(features, by_keras(mobile)) <= 1e-6
    assert extractor.prefix(divide(mobile, 0)).engine == engine_name()


def test_a_network_that_cannot_be_converted_is_left_to_keras_and_it_is_said(tmp_path, mobile, monkeypatch, caplog):
    def refuse(*_):
        raise RuntimeError("no such operation\nsecond line")

    monkeypatch.setattr(precision.import_openvino(), "convert_model", refuse)
    with caplog.at_level(logging.WARNING):
        [features], _ = stored(tmp_path, mobile)
    assert "computed by Keras: OpenVINO cannot convert it (no such operation)" in caplog.text
    assert relative(features, by_keras(mobile)) <= 1e-6


def test_small_networks_are_not_worth_converting(tmp_path):
    network = build_network(BackboneSpec("scratch", "small_cnn"), form=of_images(32))
    assert stored(tmp_path, network)[1].prefix(divide(network, 0)).engine == engine_name()


def test_no_call_touches_its_callers_array_or_what_an_earlier_one_gave(mobile):
    engine = OpenVinoEngine(divide(mobile, 0).prefix, "float32")
    draws = np.random.default_rng(0)
    batches = [draws.integers(0, 256, (16, 64, 64, 3), dtype=np.uint8) for _ in range(3)]
    before = [batch.copy() for batch in batches]
    results = [engine([batch])[0] for batch in batches]
    kept = [result.copy() for result in results]
    again = [engine([batch])[0] for batch in reversed(batches)][::-1]
    for batch, untouched in zip(batches, before, strict=True):
        np.testing.assert_array_equal(batch, untouched)
    for result, copy, second in zip(results, kept, again, strict=True):
        np.testing.assert_array_equal(result, copy)
        np.testing.assert_array_equal(result, second)


@pytest.mark.parametrize("unfrozen", [0, 3])
def test_texts_of_several_lengths_are_left_to_keras(tmp_path, unfrozen, monkeypatch):
    monkeypatch.setattr("autotl.features.extractor.FEWEST_PARAMETERS", 0)
    network = toy_text_network()
    inputs = texts_of(toy_texts(30), [str(number) for number in range(30)])
    crossing, extractor = stored(tmp_path, network, unfrozen, inputs=inputs)
    division = divide(network, unfrozen)
    assert extractor.prefix(division).engine == engine_name()
    with pytest.raises(UnfitEngineError, match="no fixed length"):
        OpenVinoEngine(network.whole, "float32")([])
    wanted = np.asarray(network.whole(network.reading(inputs, np.arange(30)), training=False))
    np.testing.assert_allclose(np.asarray(division.suffix(crossing, training=False)), wanted, atol=1e-4)


def test_numbers_that_are_not_finite_are_never_stored(tmp_path, mobile, monkeypatch):
    infer = OpenVinoEngine._infer
    calls = []

    def broken_from_the_second_batch_on(self, tensors):
        calls.append(1)
        return [result * (np.nan if len(calls) > 2 else 1.0) for result in infer(self, tensors)]

    monkeypatch.setattr(OpenVinoEngine, "_infer", broken_from_the_second_batch_on)
    [features], extractor = stored(tmp_path, mobile)
    assert len(calls) > 2
    assert extractor.prefix(divide(mobile, 0)).engine == engine_name()
    assert relative(features, by_keras(mobile)) <= 1e-4


def test_bfloat16_is_close_to_keras_and_no_closer(tmp_path, mobile):
    try:
        check_precision("bfloat16", where="a test")
    except EnvironmentProblemError as missing:
        pytest.skip(str(missing))
    [features], extractor = stored(tmp_path, mobile, precision="bfloat16")
    assert extractor.prefix(divide(mobile, 0)).engine == "openvino-bf16"
    assert 1e-4 < relative(features, by_keras(mobile)) < 0.2


SENDS_NOTHING = """
import socket, sys
def refuse(*_):
    raise SystemExit("something was to be sent")
socket.socket.connect = socket.getaddrinfo = refuse
import keras, numpy as np
from autotl.features.openvino import OpenVinoEngine
entry = keras.Input((4,))
OpenVinoEngine(keras.Model(entry, keras.layers.Dense(3)(entry)), "float32")([np.ones((2, 4), np.float32)])
assert "openvino" in sys.modules
assert sys.modules["openvino_telemetry"] is None
"""


def test_its_telemetry_is_never_loaded():
    """OpenVINO's own package would report each import and conversion to its makers."""
    done = subprocess.run([sys.executable, "-c", SENDS_NOTHING], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class WithoutInstructions:
    def get_property(self, *_):
        return ["FP32", "INT8"]


def test_bfloat16_where_the_cpu_has_no_instructions_for_it_is_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr(precision, "openvino_core", WithoutInstructions)
    with pytest.raises(EnvironmentProblemError, match=r"task\.yaml:3:1: .*AVX512_BF16.* Write float32"):
        check_precision("bfloat16", where="task.yaml:3:1: resources.precision")
    check_precision("float32", where="nowhere")


def test_bfloat16_without_the_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(precision, "openvino_is_installed", lambda: False)
    with pytest.raises(EnvironmentProblemError, match=r"pip install 'autotl\[openvino\]'"):
        check_precision("bfloat16", where="here")


def test_a_worker_computes_with_as_many_threads_as_it_has_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert engine_room._threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert engine_room._threads() >= 1
