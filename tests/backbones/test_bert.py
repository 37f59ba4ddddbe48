"""The graph is the published network: to 1e-4 of its own embeddings, cut anywhere, saved and loaded again."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np
import pytest
from nasty_texts import tiny_vocabulary
from safetensors.numpy import save_file

from autotl.backbones import BackboneSpec, Network, bert, divide, text_package
from autotl.backbones.bert import Bert, bert_from_folder, pooled, text_preset_folder
from autotl.backbones.form import Form
from autotl.backbones.network import network_of
from autotl.backbones.origin import Loaded
from autotl.backbones.reading import TokenReading
from autotl.backbones.token_layer import token_ids
from autotl.backbones.tokenizer import WordPiece, read_wordpiece
from autotl.errors import EnvironmentProblemError, TaskError

REFERENCE = Path(__file__).with_name("minilm_reference.json")
TINY: dict[str, Any] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 8,
    "intermediate_size": 12,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 10,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": 20,
}
IDS = np.array([[2, 5, 6, 7, 3], [2, 9, 3, 0, 0]], dtype=np.int32)


@pytest.fixture(scope="module")
def minilm() -> Path:
    missing = text_package.why_text_package_not_at_hand("all_minilm_l6_v2")
    if missing:
        pytest.skip(missing)
    return text_package.text_package_folder("all_minilm_l6_v2")


@pytest.fixture(scope="module")
def minilm_16(minilm: Path) -> Network:
    return text_network(bert_from_folder(minilm, padding_id=0), length=16)


def tiny_weights(config: dict[str, Any]) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    width, inner = config["hidden_size"], config["intermediate_size"]
    shapes = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], width),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], width),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
        "pooler.dense.weight": (width, width),
        "pooler.dense.bias": (width,),
    }
    dense = {"attention.self.query": (width, width), "attention.self.key": (width, width)}
    dense |= {"attention.self.value": (width, width), "attention.output.dense": (width, width)}
    dense |= {"intermediate.dense": (inner, width), "output.dense": (width, inner)}
    for layer in range(config["num_hidden_layers"]):
        for name, shape in dense.items():
            shapes[f"encoder.layer.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{name}.bias"] = shape[:1]
        for norm in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{layer}.{norm}.weight"] = shapes[f"encoder.layer.{layer}.{norm}.bias"] = (width,)
    return {name: draw.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}


def tiny_folder(folder: Path, **changes: Any) -> Path:
    config = {**TINY, **changes}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tiny_weights({**TINY, "type_vocab_size": config["type_vocab_size"]}), folder / "model.safetensors")
    return folder


def bert_by_numpy(ids: np.ndarray, config: dict[str, Any], gelu: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The oracle: Devlin et al. (arXiv:1810.04805) written out for one token sequence at a time."""
    weights = tiny_weights(config)

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        deviation = np.sqrt(x.var(axis=-1, keepdims=True) + config["layer_norm_eps"])
        return (x - x.mean(axis=-1, keepdims=True)) / deviation * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def heads(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), config["num_attention_heads"], -1).transpose(1, 0, 2)

    def one(row: np.ndarray) -> np.ndarray:
        x = weights["embeddings.word_embeddings.weight"][row]
        x = x + weights["embeddings.position_embeddings.weight"][: len(row)]
        x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(config["num_hidden_layers"]):
            at = f"encoder.layer.{layer}."
            query, key, value = (heads(dense(x, f"{at}attention.self.{part}")) for part in ("query", "key", "value"))
            scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
            scores = np.where(row == 0, -np.inf, scores)
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            seen = (scores / scores.sum(axis=-1, keepdims=True)) @ value
            seen = seen.transpose(1, 0, 2).reshape(len(row), -1)
            x = norm(dense(seen, f"{at}attention.output.dense") + x, f"{at}attention.output.LayerNorm")
            x = norm(dense(gelu(dense(x, f"{at}intermediate.dense")), f"{at}output.dense") + x, f"{at}output.LayerNorm")
        return x

    return np.stack([one(row) for row in ids])


def exact_gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def gelu_by_tanh(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def text_network(loaded: Bert, *, length: int, kind: bert.Pooling = "mean") -> Network:
    wordpiece = WordPiece(tiny_vocabulary(), lowercase=True, strip_accents=True)
    origin = Loaded(
        loaded.model,
        reading=TokenReading(wordpiece, length),
        pool=lambda sequence, token_ids: pooled(sequence, token_ids, kind, padding_id=loaded.padding_id),
    )
    spec = BackboneSpec("package", "all_minilm_l6_v2")
    return network_of(origin, spec, form=Form("text", sequence_length=length, pooling=kind), tap="last")


def test_embeddings_equal_those_of_the_published_network(minilm: Path) -> None:
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    wordpiece = read_wordpiece(minilm)
    ids = wordpiece.encode(reference["texts"], reference["length"])
    assert ids.tolist() == reference["token_ids"]
    loaded = bert_from_folder(minilm, padding_id=wordpiece.padding_id)
    poolings = [pooled(loaded.sequence, loaded.model.input, kind, padding_id=0) for kind in bert.POOLINGS]
    mean, first = (np.asarray(value) for value in keras.Model(loaded.model.input, poolings)(ids))
    normalised = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(normalised[:, :48], reference["mean_normalised"], atol=1e-4)
    np.testing.assert_allclose(first[:, :16], reference["cls"], atol=1e-4)


@pytest.mark.parametrize(
    ("activation", "formula"), [("gelu", exact_gelu), ("gelu_new", gelu_by_tanh), ("gelu_pytorch_tanh", gelu_by_tanh)]
)
def test_each_checkpoint_gets_the_gelu_it_was_trained_with(tmp_path: Path, activation: str, formula: Any) -> None:
    loaded = bert_from_folder(tiny_folder(tmp_path, hidden_act=activation), padding_id=0)
    hidden = np.asarray(loaded.model(IDS))
    np.testing.assert_allclose(hidden, bert_by_numpy(IDS, TINY, formula), atol=2e-5)
    other = gelu_by_tanh if formula is exact_gelu else exact_gelu
    assert np.abs(hidden - bert_by_numpy(IDS, TINY, other)).max() > 1e-4


def test_the_epsilon_of_the_checkpoint_is_used(tmp_path: Path) -> None:
    loaded = bert_from_folder(tiny_folder(tmp_path, layer_norm_eps=0.1), padding_id=0)
    expected = bert_by_numpy(IDS, {**TINY, "layer_norm_eps": 0.1}, exact_gelu)
    np.testing.assert_allclose(np.asarray(loaded.model(IDS)), expected, atol=2e-5)


@pytest.mark.parametrize("type_vocab_size", [1, 4])
def test_any_number_of_segments(tmp_path: Path, type_vocab_size: int) -> None:
    loaded = bert_from_folder(tiny_folder(tmp_path, type_vocab_size=type_vocab_size), padding_id=0)
    expected = bert_by_numpy(IDS, {**TINY, "type_vocab_size": type_vocab_size}, exact_gelu)
    np.testing.assert_allclose(np.asarray(loaded.model(IDS)), expected, atol=2e-5)


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta"])
def test_a_roberta_gets_its_segment_vector_too(tmp_path: Path, kind: str) -> None:
    folder = tiny_folder(
        tmp_path, model_type=kind, max_position_embeddings=12, type_vocab_size=1, hidden_dropout_prob=0
    )
    config = {**TINY, "type_vocab_size": 1}
    weights = tiny_weights(config)
    position = "embeddings.position_embeddings.weight"
    weights[position] = np.pad(weights[position], ((2, 0), (0, 0)))  # the first two of its positions are never used
    save_file({f"roberta.{name}": array for name, array in weights.items()}, folder / "model.safetensors")
    loaded = bert_from_folder(folder, padding_id=0)
    assert loaded.max_positions == 10
    np.testing.assert_allclose(np.asarray(loaded.model(IDS)), bert_by_numpy(IDS, config, exact_gelu), atol=2e-5)


def test_padding_changes_nothing(tmp_path: Path) -> None:
    loaded = bert_from_folder(tiny_folder(tmp_path), padding_id=0)
    model = keras.Model(loaded.model.input, pooled(loaded.sequence, loaded.model.input, "mean", padding_id=0))
    short = np.asarray(model(IDS[1:, :3]))
    np.testing.assert_allclose(np.asarray(model(np.pad(IDS[1:, :3], ((0, 0), (0, 6))))), short, atol=1e-6)


def test_pooling_is_the_mean_of_what_is_no_padding_or_the_first_token() -> None:
    sequence, token_ids = keras.Input((3, 2)), keras.Input((3,), dtype="int32")
    poolings = [pooled(sequence, token_ids, kind, padding_id=1) for kind in bert.POOLINGS]
    model = keras.Model([sequence, token_ids], poolings)
    hidden = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    mean, first = model([hidden, np.array([[0, 7, 1], [1, 1, 1]])])
    assert np.asarray(mean).tolist() == [[1.0, 2.0], [0.0, 0.0]]
    assert np.asarray(first).tolist() == [[0.0, 1.0], [0.0, 0.0]], "a row of padding only has nothing to say"


def test_dropout_is_never_active(tmp_path: Path) -> None:
    model = bert_from_folder(tiny_folder(tmp_path), padding_id=0).model
    np.testing.assert_array_equal(np.asarray(model(IDS, training=True)), np.asarray(model(IDS, training=False)))


def test_a_saved_network_loads_in_safe_mode_with_identical_outputs(tmp_path: Path) -> None:
    for activation in ("gelu", "gelu_new"):
        loaded = bert_from_folder(tiny_folder(tmp_path, hidden_act=activation), padding_id=0)
        model = keras.Model(loaded.model.input, pooled(loaded.sequence, loaded.model.input, "mean", padding_id=0))
        model.save(tmp_path / "saved.keras")
        again = keras.saving.load_model(tmp_path / "saved.keras", safe_mode=True)
        np.testing.assert_array_equal(np.asarray(again(IDS)), np.asarray(model(IDS)))


def test_one_saved_model_goes_from_strings_to_vectors(tmp_path: Path) -> None:
    vocabulary = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", *(f"##{letter}" for letter in "abcdefg"))
    wordpiece = WordPiece(vocabulary, lowercase=True, strip_accents=True)
    loaded = bert_from_folder(tiny_folder(tmp_path), padding_id=wordpiece.padding_id)
    texts = keras.Input((), dtype="string")
    ids = token_ids(texts, wordpiece, 8)
    model = keras.Model(texts, pooled(loaded.model(ids), ids, "mean", padding_id=0))
    model.save(tmp_path / "whole.keras")
    again = keras.saving.load_model(tmp_path / "whole.keras", safe_mode=True)
    sentences = ["The cat sat.", "", "thé café"]
    by_ids = keras.Model(loaded.model.input, pooled(loaded.sequence, loaded.model.input, "mean", padding_id=0))
    expected = by_ids.predict(wordpiece.encode(sentences, 8), verbose=0)
    np.testing.assert_array_equal(again.predict(np.array(sentences, dtype=object), verbose=0), expected)


@pytest.mark.parametrize("unfrozen_layers", [0, 1, 2, 3, 5, 8, 9, 13, 48, "all"])
def test_no_difference_for_a_cut_between_or_inside_encoders(minilm_16: Network, unfrozen_layers: int | str) -> None:
    ids = np.zeros((4, 16), dtype=np.int32)
    for row, count in zip(ids, (3, 7, 12, 16), strict=True):
        row[:count] = np.random.default_rng(count).integers(1_000, 20_000, count)
    division = divide(minilm_16, unfrozen_layers)
    crossing = division.prefix(ids, training=False)
    suffix = np.asarray(division.suffix(crossing, training=False))
    np.testing.assert_array_equal(suffix, np.asarray(minilm_16.whole(ids, training=False)))


def test_a_cut_inside_an_encoder_stores_hidden_states_and_the_mask(minilm_16: Network) -> None:
    assert len(minilm_16.layers) == 4 + 6 * 8  # embeddings and their norm; an encoder's six projections and two norms
    inside = divide(minilm_16, 3)
    assert inside.place == "transformer_layer_5_attention_norm"
    crossing = {(tensor.shape, tensor.dtype) for tensor in inside.crossing}
    assert crossing == {((16, 384), "float32"), ((16,), "int32")}  # the mask is behind it, but for the pooling's
    parts = ("inner", "outer", "outer_norm")
    assert [layer.name for layer in inside.unfrozen] == [f"transformer_layer_5_{part}" for part in parts]
    between = divide(minilm_16, 8)
    assert between.place == "transformer_layer_4_outer_norm"


def test_digests_are_the_same_whenever_it_is_loaded(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    first, second = (text_network(bert_from_folder(folder, padding_id=0), length=5) for _ in range(2))
    assert first.digest == second.digest
    assert first.digest != text_network(bert_from_folder(folder, padding_id=1), length=5).digest


@pytest.mark.parametrize(
    "backbone",
    [
        lambda: keras_hub.models.BertBackbone(20, 2, 2, 8, 12, max_sequence_length=10),
        lambda: keras_hub.models.DistilBertBackbone(20, 2, 2, 8, 12, max_sequence_length=10),
        lambda: keras_hub.models.RobertaBackbone(20, 2, 2, 8, 12, max_sequence_length=10),
        lambda: keras_hub.models.XLMRobertaBackbone(20, 2, 2, 8, 12, max_sequence_length=10),
        lambda: keras_hub.models.AlbertBackbone(20, 2, 2, 6, 8, 12, max_sequence_length=10),
    ],
    ids=["bert", "distilbert", "roberta", "xlm_roberta", "albert"],
)
def test_a_preset_gives_what_its_own_backbone_gives(tmp_path: Path, backbone: Callable[[], keras.Model]) -> None:
    original = backbone()
    original.save_to_preset(str(tmp_path))
    loaded = bert_from_folder(tmp_path, padding_id=0)
    inputs = {"token_ids": IDS, "padding_mask": (IDS != 0).astype(np.int32), "segment_ids": np.zeros_like(IDS)}
    expected = original({tensor.name: inputs[tensor.name] for tensor in original.inputs}, training=False)
    expected = expected["sequence_output"] if isinstance(expected, dict) else expected
    np.testing.assert_allclose(np.asarray(loaded.model(IDS)), np.asarray(expected), atol=1e-6)


def test_a_network_that_is_not_like_bert_is_refused(tmp_path: Path) -> None:
    keras_hub.models.FNetBackbone(20, 2, 8, 12, max_sequence_length=10).save_to_preset(str(tmp_path))
    with pytest.raises(TaskError, match="a FNetBackbone takes segment_ids, token_ids. A language network like BERT"):
        bert_from_folder(tmp_path, padding_id=0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"model_type": "brt"},
            "model_type 'brt' is not known. Allowed: bert, distilbert, roberta, xlm-roberta. Did you",
        ),
        ({"hidden_act": "gleu"}, "activation 'gleu' is not known. Allowed: gelu, gelu_new"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key' is not 'absolute'"),
        ({"is_decoder": True}, "it is a decoder"),
        ({"vocab_size": 10**15}, "config.json describes 8,000,"),
        ({"hidden_size": "8"}, "config.json: hidden_size must be a whole number above 0, not '8'"),
        ({"vocab_size": 12}, "KerasHub cannot load it"),
    ],
)
def test_a_checkpoint_that_would_be_another_network_is_refused(tmp_path: Path, changes: Any, words: str) -> None:
    with pytest.raises(TaskError) as caught:
        bert_from_folder(tiny_folder(tmp_path, **changes), padding_id=0)
    assert words in str(caught.value)


def test_lengths_beyond_the_positions_are_refused(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    assert bert_from_folder(folder, padding_id=0).max_positions == 10
    assert bert_from_folder(folder, padding_id=0, length=10).model.input.shape == (None, 10)
    for length in (2, 11):
        with pytest.raises(TaskError, match=f"a sequence length of {length} is not possible. Allowed: 3 to 10"):
            bert_from_folder(folder, padding_id=0, length=length)


def test_weights_come_from_safetensors_only(tmp_path: Path) -> None:
    folder = tiny_folder(tmp_path)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(TaskError, match="there is no model.safetensors. Weights are read from safetensors only"):
        bert_from_folder(folder, padding_id=0)
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../other.safetensors"}}')
    with pytest.raises(TaskError, match="'../other.safetensors' is no safetensors file in this folder"):
        bert_from_folder(folder, padding_id=0)
    with pytest.raises(TaskError, match="there is no config.json"):
        bert_from_folder(tmp_path / "nowhere", padding_id=0)


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(TaskError, match="hf://OWNER/NAME. Did you mean 'bert_base_en_uncased'"):
        text_preset_folder("bert_base_en_uncasd")


@pytest.mark.parametrize("name", ["bert_tiny_en_uncased", "hf://owner/name"])
def test_a_preset_out_of_reach_says_what_to_do(
    name: str, no_sockets: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOTL_OFFLINE", "1")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EnvironmentProblemError, match="Copy its folder here and give the path"):
        text_preset_folder(name)
