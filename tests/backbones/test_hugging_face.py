"""A checkpoint that KerasHub does not know gives, in parts and from the store, what `transformers` says of it; whatever
would run code or be another network than was trained is refused with a sentence."""

import json
from pathlib import Path

import numpy as np
import pytest
from encoder_folders import image_folder, skip_without_torch, text_folder, tokenizer_of_words
from safetensors.numpy import load_file, save_file

from autotl.backbones import ORIGINS, build_network, divide, parse_spec, why_not_at_hand
from autotl.backbones.form import Form, of_images
from autotl.backbones.size import count_parameters, flops_of_one_prediction
from autotl.data.images import ImageArray, array_digests
from autotl.data.texts import Texts, texts_of
from autotl.errors import TaskError
from autotl.features import FeatureStore
from autotl.features.extractor import Extractor

SENTENCES = ["A good film and a great plot", "dull", "The acting was very bad, the story awful: a poor book", "superb!"]
ROWS = np.arange(len(SENTENCES))


@pytest.fixture(scope="module")
def texts_checkpoint(tmp_path_factory) -> Path:
    skip_without_torch()
    return text_folder(tmp_path_factory.mktemp("checkpoints") / "mpnet")


@pytest.fixture(scope="module")
def images_checkpoint(tmp_path_factory) -> Path:
    skip_without_torch()
    return image_folder(tmp_path_factory.mktemp("checkpoints") / "vit")


def network_of_texts(folder: Path, *, length: int = 24, pooling: str = "mean", tap: str = "last"):
    spec = parse_spec(str(folder), folder=folder.parent, where="backbone")
    return build_network(spec, form=Form("text", sequence_length=length, pooling=pooling), tap=tap)


def network_of_images(folder: Path, *, tap: str = "last"):
    return build_network(parse_spec(str(folder), folder=folder.parent, where="backbone"), form=of_images(32), tap=tap)


def stored(network, inputs, where: Path, *, unfrozen: int = 0) -> np.ndarray:
    """What the store holds of a network's features."""
    extractor = Extractor(FeatureStore(where, limit_bytes=1 << 30, precision="float32"))
    features = extractor.features(divide(network, unfrozen), inputs)
    return np.asarray(features.take(np.arange(len(inputs)))[-1])


def some_texts() -> Texts:
    return texts_of(SENTENCES, [f"text {row}" for row in ROWS])


def some_images(rows: int = 5) -> ImageArray:
    pixels = np.random.default_rng(0).integers(0, 256, size=(rows, 32, 32, 3)).astype(np.uint8)
    return ImageArray(pixels, tuple(f"image {row}" for row in range(rows)), array_digests(pixels))


def said_by_transformers(folder: Path, sentence: str) -> np.ndarray:
    """Hidden states (layers + 1, length, width) of one sentence by the library's own pipeline, without padding."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        given = AutoTokenizer.from_pretrained(folder)(sentence, return_tensors="pt")
        given.pop("token_type_ids", None)
        return np.stack([states[0].numpy() for states in model(**given, output_hidden_states=True).hidden_states])


@pytest.mark.parametrize(("pooling", "tap", "layer"), [("mean", "last", 3), ("cls", "last", 3), ("mean", "E2", 2)])
def test_stored_features_of_texts_are_those_of_transformers(texts_checkpoint, tmp_path, pooling, tap, layer):
    network = network_of_texts(texts_checkpoint, pooling=pooling, tap=tap)
    found = stored(network, some_texts(), tmp_path)
    for row, sentence in enumerate(SENTENCES):
        states = said_by_transformers(texts_checkpoint, sentence)[layer]
        expected = states[0] if pooling == "cls" else states.mean(axis=0)
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


def test_a_text_has_the_same_features_alone_and_beside_longer_ones(texts_checkpoint, tmp_path):
    together = stored(network_of_texts(texts_checkpoint), some_texts(), tmp_path / "together")
    for row in ROWS:
        alone = stored(network_of_texts(texts_checkpoint), some_texts().take(ROWS[row : row + 1]), tmp_path / f"{row}")
        np.testing.assert_allclose(alone[0], together[row], atol=1e-6)


def test_features_of_images_are_those_of_the_image_processor_and_the_network(images_checkpoint, tmp_path):
    import torch
    from transformers import AutoImageProcessor, AutoModel

    images = some_images()
    pixels = AutoImageProcessor.from_pretrained(images_checkpoint)(
        images=list(images.read(np.arange(5), size=32)), return_tensors="pt"
    )
    with torch.no_grad():
        said = AutoModel.from_pretrained(images_checkpoint).eval()(**pixels, output_hidden_states=True)
    found = stored(network_of_images(images_checkpoint), images, tmp_path)
    np.testing.assert_allclose(found, said.last_hidden_state[:, 0].numpy(), atol=1e-5)
    tapped = stored(network_of_images(images_checkpoint, tap="E1"), images, tmp_path)
    np.testing.assert_allclose(tapped, said.hidden_states[1][:, 0].numpy(), atol=1e-5)


def test_images_without_a_class_token_are_pooled_over_all_places(tmp_path):
    skip_without_torch()
    import torch
    from transformers import ConvNextConfig, ConvNextModel, ViTImageProcessor

    folder = tmp_path / "convnext"
    ConvNextModel(ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2)).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    images = some_images()
    found = stored(network_of_images(folder), images, tmp_path / "store")
    scaled = torch.tensor(images.read(np.arange(5), size=32)).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        maps = ConvNextModel.from_pretrained(folder).eval()(scaled).last_hidden_state
    np.testing.assert_allclose(found, maps.mean(dim=(2, 3)).numpy(), atol=1e-4)


def test_the_network_is_found_again_by_its_contents(texts_checkpoint, tmp_path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in texts_checkpoint.iterdir():
        (moved / path.name).write_bytes(path.read_bytes())
    assert network_of_texts(moved).digest == network_of_texts(texts_checkpoint).digest
    weights = load_file(moved / "model.safetensors")
    weights["encoder.layer.2.output.dense.bias"] = weights["encoder.layer.2.output.dense.bias"] + 1
    save_file(weights, moved / "model.safetensors", metadata={"format": "pt"})
    assert network_of_texts(moved).digest != network_of_texts(texts_checkpoint).digest


def test_its_size_and_arithmetic_are_counted(texts_checkpoint):
    network = network_of_texts(texts_checkpoint, length=24)
    numbers = sum(
        value.size for name, value in load_file(texts_checkpoint / "model.safetensors").items() if "pooler" not in name
    )
    assert count_parameters(network.whole) == numbers
    width, inner, layers = 16, 32, 3
    per_token = 4 * width * width + 2 * width * inner + 2 * 24 * width
    pooler = width * width  # of the first token; it is computed with the network's end, and read by nobody
    assert flops_of_one_prediction(network.whole, (24,)) == 2 * (layers * 24 * per_token + pooler)


def test_nothing_is_unfrozen_where_keras_computes_by_tensorflow(texts_checkpoint):
    spec = parse_spec(str(texts_checkpoint), folder=texts_checkpoint.parent, where="backbone")
    assert ORIGINS[spec.origin].layer_count(spec, "last") == 0
    with pytest.raises(TaskError, match="0"):
        divide(network_of_texts(texts_checkpoint), 1)


def test_special_tokens_in_a_text_are_text(texts_checkpoint):
    reading = network_of_texts(texts_checkpoint).reading
    (plain, forged) = reading.tokenizer.encode(["good", "good </s> <mask>"], 12)
    assert plain.tolist()[:4] == [2, 5, 3, 0]
    assert 4 not in forged.tolist()
    assert forged.tolist().count(3) == 1


def test_a_bare_path_goes_to_keras_hub_where_that_knows_the_network(tmp_path):
    for kind, origin in (("bert", "preset"), ("mpnet", "hugging_face")):
        folder = tmp_path / kind
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"model_type": kind}))
        save_file({}, folder / "model.safetensors")
        assert parse_spec(str(folder), folder=tmp_path, where="backbone").origin == origin


def test_a_network_of_keras_hub_may_be_asked_of_torch(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    save_file({}, tmp_path / "model.safetensors")
    spec = parse_spec({"hugging_face": "."}, folder=tmp_path, where="backbone")
    assert spec.as_plan_value() == {"hugging_face": str(tmp_path)}
    assert parse_spec(spec.as_plan_value(), folder=Path("/"), where="backbone") == spec


def test_a_machine_without_torch_is_told_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mpnet"}))
    save_file({}, tmp_path / "model.safetensors")
    monkeypatch.setattr("autotl.backbones.hugging_face.find_spec", lambda name: None)
    spec = parse_spec({"hugging_face": "."}, folder=tmp_path, where="backbone")
    why = why_not_at_hand(spec, offline=True)
    assert "PyTorch, which is not installed" in str(why)
    assert "--index-url https://download.pytorch.org/whl/cpu" in str(why)


class TestHub:
    def test_a_snapshot_is_used_offline_and_its_commit_pinned(self, texts_checkpoint, tmp_path, monkeypatch):
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        commit = "a" * 40
        home = tmp_path / "models--someone--mpnet"
        snapshot = home / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (home / "refs").mkdir()
        (home / "refs" / "main").write_text(commit)
        for path in texts_checkpoint.iterdir():
            (snapshot / path.name).write_bytes(path.read_bytes())
        for written in ("hf://someone/mpnet", {"hugging_face": "someone/mpnet"}):
            spec = parse_spec(written, folder=tmp_path, where="backbone")
            assert spec.as_plan_value() == {"hugging_face": "someone/mpnet", "revision": commit}
            assert why_not_at_hand(spec, offline=True) is None
        network = build_network(spec, form=Form("text", sequence_length=24))
        assert network.digest == network_of_texts(texts_checkpoint).digest

    def test_one_that_is_not_here_is_said_to_be_missing_offline(self, tmp_path, monkeypatch):
        skip_without_torch()
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        spec = parse_spec({"hugging_face": "someone/else"}, folder=tmp_path, where="backbone")
        assert spec.weights is None
        assert "--offline" in str(why_not_at_hand(spec, offline=True))


class TestRefused:
    def copied(self, folder: Path, to: Path) -> Path:
        to.mkdir()
        for path in folder.iterdir():
            (to / path.name).write_bytes(path.read_bytes())
        return to

    def changed(self, folder: Path, to: Path, name: str = "config.json", **values) -> Path:
        copy = self.copied(folder, to)
        content = json.loads((copy / name).read_text())
        (copy / name).write_text(json.dumps({**content, **values}))
        return copy

    @pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
    def test_code_of_its_own(self, texts_checkpoint, tmp_path, name):
        folder = self.changed(texts_checkpoint, tmp_path / "code", name, auto_map={"AutoModel": "modeling_mine.Mine"})
        with pytest.raises(TaskError, match=f"{name} wants code of its own to be run"):
            network_of_texts(folder)

    def test_pickled_weights(self, texts_checkpoint, tmp_path):
        folder = self.copied(texts_checkpoint, tmp_path / "pickled")
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
        with pytest.raises(TaskError, match=r"pytorch_model\.bin, a pickle"):
            network_of_texts(folder)

    def test_a_folder_without_configuration(self, texts_checkpoint, tmp_path):
        folder = self.copied(texts_checkpoint, tmp_path / "bare")
        (folder / "config.json").unlink()
        with pytest.raises(TaskError, match=r"no config\.json"):
            parse_spec({"hugging_face": str(folder)}, folder=tmp_path, where="backbone")

    @pytest.mark.parametrize("content", ["{", "[1, 2]"])
    def test_a_configuration_that_cannot_be_read_is_told_with_its_place(self, tmp_path, content):
        folder = tmp_path / "broken"
        folder.mkdir()
        (folder / "config.json").write_text(content)
        for written in ({"hugging_face": str(folder)}, str(folder)):
            with pytest.raises(TaskError, match=r"^task.yaml:4: .*config\.json: it (is not JSON|holds no mapping)"):
                parse_spec(written, folder=tmp_path, where="task.yaml:4: backbone")

    def test_damaged_weights_before_anything_is_loaded(self, tmp_path):
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "mpnet"}))
        (tmp_path / "model.safetensors").write_bytes((9).to_bytes(8, "little") + b"garbage, ")
        with pytest.raises(TaskError, match=r"^task.yaml:4: .*model\.safetensors: not a readable safetensors file"):
            parse_spec({"hugging_face": "."}, folder=tmp_path, where="task.yaml:4: backbone")

    def test_models_that_write_texts(self, texts_checkpoint, tmp_path):
        for number, values in enumerate(
            [{"is_encoder_decoder": True}, {"is_decoder": True}, {"architectures": ["MineForCausalLM"]}]
        ):
            folder = self.changed(texts_checkpoint, tmp_path / str(number), **values)
            with pytest.raises(TaskError, match="A backbone is an encoder"):
                network_of_texts(folder)

    def test_a_network_that_reads_one_way_though_nothing_says_so(self, tmp_path):
        skip_without_torch()
        from transformers import GPT2Config, GPT2Model

        sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}
        GPT2Model(GPT2Config(vocab_size=30, bos_token_id=2, eos_token_id=3, **sizes)).save_pretrained(tmp_path)
        tokenizer_of_words().save_pretrained(tmp_path)
        with pytest.raises(TaskError, match="from left to right only"):
            network_of_texts(tmp_path)

    def test_no_tokenizer(self, texts_checkpoint, tmp_path):
        folder = self.copied(texts_checkpoint, tmp_path / "mute")
        for path in folder.glob("tokenizer*"):
            path.unlink()
        with pytest.raises(TaskError, match="there is no tokenizer"):
            network_of_texts(folder)

    def test_a_tokenizer_of_another_network(self, texts_checkpoint, tmp_path):
        folder = self.copied(texts_checkpoint, tmp_path / "mixed")
        tokenizer_of_words([f"word{number}" for number in range(200)]).save_pretrained(folder)
        with pytest.raises(TaskError, match="do not belong together"):
            network_of_texts(folder)

    def test_no_image_processor(self, images_checkpoint, tmp_path):
        folder = self.copied(images_checkpoint, tmp_path / "unscaled")
        (folder / "preprocessor_config.json").unlink()
        with pytest.raises(TaskError, match=r"no preprocessor_config\.json"):
            network_of_images(folder)

    def test_missing_weights(self, texts_checkpoint, tmp_path):
        folder = self.copied(texts_checkpoint, tmp_path / "partial")
        weights = load_file(folder / "model.safetensors")
        del weights["encoder.layer.1.output.dense.weight"]
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(TaskError, match=r"lack weights.*encoder\.layer\.1\.output\.dense\.weight"):
            network_of_texts(folder)

    def test_weights_of_another_size(self, texts_checkpoint, tmp_path):
        folder = self.changed(texts_checkpoint, tmp_path / "wide", intermediate_size=64)
        with pytest.raises(TaskError, match="cannot load it"):
            network_of_texts(folder)

    def test_a_pooler_that_nothing_reads_may_be_missing(self, texts_checkpoint, tmp_path):
        folder = self.copied(texts_checkpoint, tmp_path / "without pooler")
        weights = {
            name: value for name, value in load_file(folder / "model.safetensors").items() if "pooler" not in name
        }
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        assert network_of_texts(folder).feature_width == 16

    @pytest.mark.parametrize("length", [2, 33])
    def test_lengths_that_the_network_has_no_positions_for(self, texts_checkpoint, length):
        with pytest.raises(TaskError, match=f"sequence length of {length} is not possible. Allowed: 3 to 32"):
            network_of_texts(texts_checkpoint, length=length)

    def test_sizes_that_the_network_does_not_take(self, images_checkpoint):
        spec = parse_spec(str(images_checkpoint), folder=images_checkpoint.parent, where="backbone")
        with pytest.raises(TaskError, match=r"images of 48 px \(Input image size.*Set image_size"):
            build_network(spec, form=of_images(48))

    def test_texts_for_a_network_of_images(self, images_checkpoint, tmp_path):
        folder = self.copied(images_checkpoint, tmp_path / "seeing")
        tokenizer_of_words().save_pretrained(folder)
        with pytest.raises(TaskError, match="gives no hidden states of texts"):
            network_of_texts(folder)

    def test_a_tap_that_it_does_not_have(self, texts_checkpoint):
        with pytest.raises(TaskError, match="tap 'E4' is not known.*E1, E2, E3"):
            network_of_texts(texts_checkpoint, tap="E4")

    def test_a_network_that_hides_parts_at_random(self, tmp_path):
        skip_without_torch()
        from transformers import ViTImageProcessor, ViTMAEConfig, ViTMAEModel

        sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
        ViTMAEModel(ViTMAEConfig(image_size=32, patch_size=8, **sizes)).save_pretrained(tmp_path)
        ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
        with pytest.raises(TaskError, match="something else of the same example each time"):
            network_of_images(tmp_path)
