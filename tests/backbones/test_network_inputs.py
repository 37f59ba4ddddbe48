"""Whatever does not fit a network is told by both shapes; what fits is fed as the network takes it."""

from pathlib import Path

import keras
import numpy as np
import pytest

from autotl.backbones import ORIGINS, BackboneSpec, build_network, divide
from autotl.backbones.form import Form, of_images
from autotl.backbones.spectrogram import spectrogram_image
from autotl.data.records import records_from_table
from autotl.data.schema_fitting import fit_schema
from autotl.data.tables import Table
from autotl.errors import TaskError

CELLS = {"speed": ["1", "2.5", "", "4"], "grade": ["L", "M", "NA", "L"], "load": ["3", "1", "2", "0.5"]}
RECORDS = records_from_table(Table(CELLS, range(2, 6)), tuple(CELLS))
SCHEMA = fit_schema(RECORDS, np.arange(4), where="data").schema
TABLE = Form("table", schema=SCHEMA)
SIGNAL = Form("signal", image_size=32, window=(64, 2))
TEXT = Form("text", sequence_length=16)


def saved(folder: Path, *shape: int | None, ending: str = ".keras", inputs: int = 1) -> BackboneSpec:
    """A network of one's own: hidden layers and a classifier."""
    keras.utils.set_random_seed(0)
    taken = [keras.Input(shape) for _ in range(inputs)]
    joined = keras.layers.Concatenate()(taken) if inputs > 1 else taken[0]
    hidden = keras.layers.Dense(4, activation="relu", name="hidden")(joined)
    flat = keras.layers.GlobalAveragePooling1D()(hidden) if len(shape) == 2 else hidden
    path = folder / f"own{ending}"
    keras.Model(taken, keras.layers.Dense(2, activation="softmax", name="classes")(flat)).save(path)
    return BackboneSpec("saved", str(path))


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("shape", "form", "words"),
    [
        ((6,), TABLE, "takes an input of shape (6,); rows of this table have shape (5,)"),
        ((5, 1), TABLE, "takes an input of shape (5, 1); rows of this table have shape (5,)"),
        ((64, 1), SIGNAL, "takes an input of shape (64, 1); windows of 64 samples and 2 channels have shape (64, 2)"),
        ((128, 2), SIGNAL, "takes an input of shape (128, 2); windows of 64 samples and 2 channels"),
        ((128,), SIGNAL, "takes an input of shape (128,); windows of 64 samples and 2 channels have shape (64, 2)"),
        ((16,), TEXT, "reads no texts; name a language network such as all_minilm_l6_v2"),
    ],
)
def test_an_input_that_does_not_fit_names_both_shapes(tmp_path, ending, shape, form, words):
    spec = saved(tmp_path, *shape, ending=ending)
    with pytest.raises(TaskError) as caught:
        build_network(spec, form=form)
    assert words in str(caught.value)
    assert f"own{ending}" in str(caught.value)


def test_several_inputs_are_named_all(tmp_path):
    with pytest.raises(
        TaskError, match=r"takes an input of shape \(5,\), \(5,\); rows of this table have shape \(5,\)"
    ):
        build_network(saved(tmp_path, 5, inputs=2), form=TABLE)


@pytest.mark.parametrize("name", ["small_cnn", "MobileNetV2"])
@pytest.mark.parametrize(("form", "words"), [(TABLE, "rows of this table"), (TEXT, "texts of 16 tokens")])
def test_a_network_of_images_takes_neither_rows_nor_texts(name, form, words):
    spec = BackboneSpec("scratch", name) if name == "small_cnn" else BackboneSpec("application", name)
    with pytest.raises(TaskError) as caught:
        build_network(spec, form=form)
    assert str(caught.value) == f"backbone {spec.label} cannot take {words}: it reads images."


def test_rows_reach_a_saved_network_as_wide_columns(tmp_path):
    spec = saved(tmp_path, 5)
    network = build_network(spec, form=TABLE)
    assert network.example_shape == (3,)
    assert [layer.name for layer in network.layers] == ["hidden"], "its classifier is left behind"
    records = RECORDS.with_schema(SCHEMA)
    read = network.reading(records, np.arange(4))
    features = np.asarray(network.whole(read, training=False))
    own = keras.saving.load_model(spec.name)
    expected = keras.Model(own.inputs, own.get_layer("hidden").output)([SCHEMA.wide(read)])
    np.testing.assert_allclose(features, np.asarray(expected), atol=1e-6)


def test_windows_reach_a_saved_network_as_they_are(tmp_path):
    spec = saved(tmp_path, 64, 2)
    network = build_network(spec, form=SIGNAL)
    windows = np.random.default_rng(0).normal(size=(3, 64, 2)).astype(np.float32)
    own = keras.saving.load_model(spec.name)
    expected = keras.Model(own.inputs, own.get_layer("classes").input)([windows])
    np.testing.assert_allclose(np.asarray(network.whole(windows)), np.asarray(expected), atol=1e-6)


def test_a_saved_network_of_any_length_takes_windows_of_this_one(tmp_path):
    network = build_network(saved(tmp_path, None, 2), form=SIGNAL)
    assert network.example_shape == (64, 2)


def test_windows_reach_a_network_of_images_as_pictures():
    network = build_network(BackboneSpec("scratch", "small_cnn"), form=SIGNAL, seed=1)
    assert network.whole.inputs[0].shape == (None, 64, 2)
    windows = np.random.default_rng(0).normal(size=(3, 64, 2)).astype(np.float32)
    inputs = keras.Input((64, 2))
    pictures = np.asarray(keras.Model(inputs, spectrogram_image(inputs, size=32))(windows))
    loaded = ORIGINS["scratch"].load(network.spec, form=of_images(32), seed=1)
    floats = keras.Input((32, 32, 3))
    expected = loaded.model(keras.Model(floats, loaded.scaling.apply(floats))(pictures), training=False)
    pooled = np.asarray(expected).mean(axis=(1, 2)) if len(expected.shape) == 4 else np.asarray(expected)
    np.testing.assert_allclose(np.asarray(network.whole(windows, training=False)), pooled, atol=1e-4)


@pytest.mark.parametrize(("form", "shape"), [(TABLE, (5,)), (SIGNAL, (64, 2))])
def test_digest_and_cut_know_the_form(tmp_path, form, shape):
    spec = saved(tmp_path, *shape)
    network = build_network(spec, form=form)
    assert build_network(spec, form=form).digest == network.digest
    if form is TABLE:
        fewer = fit_schema(RECORDS, np.array([0, 1, 3, 3]), where="data").schema
        with pytest.raises(TaskError, match=r"rows of this table have shape \(4,\)"):
            build_network(spec, form=Form("table", schema=fewer))
    division = divide(network, "all")
    assert division.position == 0
    assert division.crossing[0].shape == network.example_shape
    examples = np.random.default_rng(0).normal(size=(2, *network.example_shape)).astype(np.float32)
    np.testing.assert_allclose(
        np.asarray(division.suffix([examples])), np.asarray(network.whole(examples)), rtol=1e-6, atol=1e-6
    )


def test_an_unknown_tap_of_a_network_for_rows_lists_its_layers(tmp_path):
    with pytest.raises(TaskError, match=r"tap 'hiden' is not known .* on rows of this table\. .*Did you mean 'hidden'"):
        build_network(saved(tmp_path, 5), form=TABLE, tap="hiden")
