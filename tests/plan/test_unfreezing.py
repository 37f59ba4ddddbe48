"""A network on PyTorch is searched frozen where Keras computes by anything else, and that is said, not passed over."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from autotl.errors import TaskError
from autotl.plan import Plan
from autotl.plan.baselines import baselines
from autotl.plan.fields import parse_plan
from autotl.plan.space import parse_space
from autotl.plan.unfreezing import left_frozen, trainable_networks


@pytest.fixture
def folder(tmp_path) -> Path:
    """A checkpoint by its looks; nothing here loads it."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "config.json").write_text(json.dumps({"model_type": "vit"}))
    save_file({}, tmp_path / "net" / "model.safetensors")
    return tmp_path


@pytest.fixture(params=["tensorflow", "torch"])
def backend(request, monkeypatch) -> str:
    monkeypatch.setattr("autotl.backbones.hugging_face.keras_backend", lambda: request.param)
    return request.param


def a_space(folder: Path, **entries):
    written = {"backbone": "net", "image_size": 32, "unfrozen_layers": {"choice": [0, 2]}, **entries}
    return parse_space(written, where=lambda path: path, folder=folder)


class _FirstOption:
    """Draws the last of every list and the low end of every range."""

    def suggest_categorical(self, name, choices):
        return list(choices)[-1]

    def suggest_float(self, name, low, high, *, log=False):
        return low

    def suggest_int(self, name, low, high, *, log=False):
        return low


def test_plans_are_drawn_with_frozen_layers_where_they_must_be(folder, backend):
    plan = a_space(folder).suggest(_FirstOption(), seed=0)
    assert plan.unfrozen_layers == (2 if backend == "torch" else 0)


def test_a_plan_of_another_networks_search_is_frozen_too(folder, backend):
    (network,) = a_space(folder).values("backbone")
    assert Plan(network, unfrozen_layers="all").canonical().unfrozen_layers == ("all" if backend == "torch" else 0)


def test_what_is_left_out_is_said(folder, backend):
    said = list(left_frozen(a_space(folder)))
    assert len(said) == (0 if backend == "torch" else 1)
    assert all("stays frozen" in sentence and "KERAS_BACKEND=torch" in sentence for sentence in said)
    assert list(left_frozen(a_space(folder, unfrozen_layers=0))) == []


def test_fine_tuning_every_layer_is_a_baseline_where_there_is_a_network_to_tune(folder, backend):
    names = [each.name for each in baselines(a_space(folder), setting="inductive", wanted="auto")]
    assert ("full_finetune" in names) == (backend == "torch")
    both = a_space(folder, backbone={"choice": ["net", "MobileNetV2"]})
    assert "full_finetune" in [each.name for each in baselines(both, setting="inductive", wanted="auto")]
    assert np.isin("MobileNetV2", [spec.name for spec in trainable_networks(both)])


def test_a_plan_written_by_hand_that_cannot_be_trained_is_refused(folder, monkeypatch):
    monkeypatch.setattr("autotl.backbones.hugging_face.keras_backend", lambda: "tensorflow")
    with pytest.raises(TaskError, match=r"unfrozen_layers: 1 is not possible with '.*net'.*KERAS_BACKEND=torch"):
        parse_plan({"backbone": "net", "unfrozen_layers": 1}, where="plan", folder=folder)


class TestDefaultsOfOurs:
    """What a space leaves to us suits the network that it names."""

    def a_space_of_defaults(self, folder: Path, modality: str, **entries):
        written = {"backbone": "net", **entries}
        return parse_space(written, where=lambda path: path, folder=folder, modality=modality, defaults=list(entries))

    def test_taps_that_it_does_not_have_are_left_out(self, folder):
        pyramid = self.a_space_of_defaults(folder, "image", tap={"choice": ["last", "P4"]})
        assert pyramid.values("tap") == ["last"]
        (folder / "net" / "config.json").write_text(json.dumps({"model_type": "mpnet", "num_hidden_layers": 3}))
        blocks = self.a_space_of_defaults(folder, "text", tap={"choice": ["E2", "E4", "last"]})
        assert blocks.values("tap") == ["E2", "last"]

    @pytest.mark.parametrize(
        ("settings", "size"),
        [
            ({"size": {"height": 224, "width": 224}}, 224),
            ({"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}}, 224),
            ({"size": 384}, 384),
        ],
    )
    def test_images_have_the_size_that_it_was_made_for(self, folder, settings, size):
        (folder / "net" / "preprocessor_config.json").write_text(json.dumps(settings))
        space = self.a_space_of_defaults(folder, "image", image_size={"choice": [96, 128]})
        assert space.values("image_size") == [size]

    def test_a_size_of_the_users_own_stays(self, folder):
        (folder / "net" / "preprocessor_config.json").write_text(json.dumps({"size": 384}))
        assert a_space(folder).values("image_size") == [32]

    def test_cuts_deeper_than_it_is_are_left_out(self, folder, monkeypatch):
        monkeypatch.setattr("autotl.backbones.hugging_face.keras_backend", lambda: "torch")
        (folder / "net" / "config.json").write_text(json.dumps({"model_type": "vit", "num_hidden_layers": 12}))
        space = self.a_space_of_defaults(folder, "image", unfrozen_layers={"choice": [0, 4, 12, 24]})
        assert space.values("unfrozen_layers") == [0, 4, 12]
