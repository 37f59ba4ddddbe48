"""A folder with a language network is a backbone for texts: its tokenizer with it, batches as short as they may be."""

from pathlib import Path

import numpy as np
import pytest
from text_toys import PADDED_WITH_0, PADDED_WITH_LAST, WIDTH, toy_text_network, toy_texts

from autotl.backbones import divide, text_package
from autotl.backbones.form import Form, of_images
from autotl.backbones.network import Network, network_of
from autotl.backbones.spec import BackboneSpec
from autotl.backbones.text_network import is_hugging_face_folder, load_text_network, why_it_cannot_ship
from autotl.data.texts import texts_of
from autotl.errors import TaskError
from autotl.features import FeatureStore
from autotl.features.extractor import Extractor


@pytest.fixture(scope="module")
def minilm() -> Path:
    missing = text_package.why_text_package_not_at_hand("all_minilm_l6_v2")
    if missing:
        pytest.skip(missing)
    return text_package.text_package_folder("all_minilm_l6_v2")


def test_a_folder_is_told_by_its_two_files(tmp_path: Path) -> None:
    assert not is_hugging_face_folder(tmp_path)
    (tmp_path / "config.json").touch()
    assert not is_hugging_face_folder(tmp_path)
    (tmp_path / "model.safetensors").touch()
    assert is_hugging_face_folder(tmp_path)


def test_a_tokenizer_that_ships_in_a_graph_needs_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    layers, by_torch = BackboneSpec("package", "all_minilm_l6_v2"), BackboneSpec("hugging_face", "someone/mpnet")
    assert why_it_cannot_ship(layers) is None
    monkeypatch.setattr("autotl.backbones.text_network.keras_backend", lambda: "torch")
    assert "Search it without KERAS_BACKEND" in str(why_it_cannot_ship(layers))
    assert why_it_cannot_ship(by_torch) is None


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (of_images(96), "backbone mine reads texts, not images of 96 px"),
        (Form("signal", window=(64, 1)), "backbone mine reads texts, not windows of 64 samples and 1 channel"),
        (Form("table"), "backbone mine reads texts, not rows of this table"),
    ],
)
def test_other_examples_are_refused_before_anything_is_read(tmp_path: Path, form: Form, words: str) -> None:
    with pytest.raises(TaskError) as caught:
        load_text_network(tmp_path / "nowhere", "mine", form)
    assert words in str(caught.value)


@pytest.mark.parametrize("length", [2, 513])
def test_a_length_without_positions_names_those_there_are(minilm: Path, length: int) -> None:
    with pytest.raises(TaskError, match=f"a sequence length of {length} is not possible. Allowed: 3 to 512"):
        load_text_network(minilm, "all_minilm_l6_v2", Form("text", sequence_length=length))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_the_real_network_is_read_and_pooled_as_the_form_says(minilm: Path, pooling: str) -> None:
    form = Form("text", sequence_length=32, pooling=pooling)
    loaded = load_text_network(minilm, "all_minilm_l6_v2", form)
    network = network_of(loaded, BackboneSpec("package", "all_minilm_l6_v2"), form=form, tap="last")
    tokens = network.reading(texts_of(["a fine film", "bad"], ["0", "1"]), np.arange(2))
    hidden, features = np.asarray(loaded.model(tokens)), np.asarray(network.whole(tokens))
    assert features.shape == (2, 384)
    words = (tokens != 0)[:, :, None]
    expected = hidden[:, 0] if pooling == "cls" else (hidden * words).sum(axis=1) / words.sum(axis=1)
    np.testing.assert_allclose(features, expected, atol=1e-5)


@pytest.mark.parametrize("wordpiece", [PADDED_WITH_0, PADDED_WITH_LAST], ids=["padding 0", "padding last"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("unfrozen", [0, 1, 3, 5, "all"])
def test_stored_activations_are_those_of_full_padding_whatever_the_cut(tmp_path, wordpiece, pooling, unfrozen) -> None:
    """Batches are computed without the padding that all of them share, then stored at the full length."""
    network: Network = toy_text_network(wordpiece, pooling=pooling)
    division = divide(network, unfrozen)
    way = Extractor(FeatureStore(tmp_path, limit_bytes=1 << 20)).prefix(division).from_start(None)
    for texts in (["the " * 60, "the " * 50], ["a", "the the a the the"], ["a", "the " * 60], toy_texts(6, longest=20)):
        inputs = texts_of(texts, [str(number) for number in range(len(texts))])
        tokens = network.reading(inputs, np.arange(len(texts)))
        assert tokens.shape == (len(texts), 48)
        [stored] = way([tokens])
        for tensor, crossing in zip(stored, division.crossing, strict=True):
            assert tensor.shape == (len(texts), *crossing.shape)
        expected = np.asarray(network.whole(tokens, training=False))
        assert expected.shape == (len(texts), WIDTH)
        np.testing.assert_allclose(np.asarray(division.suffix(stored, training=False)), expected, atol=1e-5)


def test_texts_are_computed_in_the_order_of_their_lengths(tmp_path) -> None:
    prefix = Extractor(FeatureStore(tmp_path, limit_bytes=1 << 20)).prefix(divide(toy_text_network(), 0))
    tokens = PADDED_WITH_0.encode(["a b c", "a", "a b c d e f", ""], 16)
    assert prefix.from_start(None).order([tokens]).tolist() == [3, 1, 0, 2]
