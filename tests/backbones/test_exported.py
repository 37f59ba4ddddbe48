"""The network of an exported source: it says what the trained model said, and comes with its head."""

import numpy as np
import pytest
from exported_files import write_file
from pretend_exported import an_exported_source

from autotl.backbones import ORIGINS, build_network, divide, layer_count, parse_spec
from autotl.backbones.exported import spec_of
from autotl.backbones.form import Form, of_images
from autotl.backbones.spec import BackboneSpec
from autotl.data.exported import read_exported
from autotl.errors import TaskError


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return an_exported_source(tmp_path_factory.mktemp("source"))


def read(value, folder):
    return parse_spec(value, folder=folder, where="plan.backbone")


def test_a_plan_names_the_file_and_its_digest(exported):
    spec = read({"exported": exported.path.name}, exported.path.parent)
    assert spec == spec_of(exported)
    assert spec.has_head
    assert spec.as_plan_value() == {"exported": str(exported.path), "digest": exported.digest}
    assert read(spec.as_plan_value(), exported.path.parent / "elsewhere") == spec
    assert not BackboneSpec("scratch", "small_cnn").has_head


def test_another_file_in_its_place_is_noticed(tmp_path):
    path = write_file(tmp_path / "a.zip")
    value = spec_of(read_exported(path)).as_plan_value()
    write_file(path, temperature=9.0)
    with pytest.raises(TaskError, match="is another file than the one with digest"):
        read(value, tmp_path)


@pytest.mark.parametrize("content", [None, b"nothing"])
def test_no_file_and_a_wrong_one_are_told(tmp_path, content):
    if content is not None:
        (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(TaskError, match=r"plan\.backbone\.exported: .*(there is nothing at|is no exported source)"):
        read({"exported": "a.zip"}, tmp_path)


def test_it_says_how_many_layers_it_has_without_keras(exported):
    assert layer_count(spec_of(exported)) == len(build_network(spec_of(exported), form=of_images(32)).layers)
    assert layer_count(spec_of(exported), "P4") is None


def test_it_comes_with_reading_features_and_head(exported):
    network = build_network(spec_of(exported), form=of_images(32))
    assert network.example_shape == (32, 32, 3)
    assert network.reading.dtype == "uint8"
    assert len(network.layers) == exported.description.layers
    ((kernel, bias),) = network.head
    assert kernel.shape == (network.feature_width, 3)
    assert bias.shape == (3,)


def test_it_can_be_cut_and_says_the_same(exported):
    network = build_network(spec_of(exported), form=of_images(32))
    examples = np.random.default_rng(0).integers(0, 255, size=(4, 32, 32, 3)).astype(np.uint8)
    whole = network.whole.predict_on_batch(examples)
    for layers in (0, 3, "all"):
        division = divide(network, layers)
        crossing = division.prefix.predict_on_batch(examples)
        np.testing.assert_allclose(division.suffix.predict_on_batch(crossing), whole, rtol=1e-5, atol=1e-6)


def test_examples_of_another_kind_are_refused(exported):
    with pytest.raises(TaskError, match=r"is a model of images, not of windows"):
        build_network(spec_of(exported), form=Form("signal", window=(64, 1)))


def test_a_network_that_is_none_is_refused_under_the_name_of_its_file(tmp_path):
    spec = spec_of(read_exported(write_file(tmp_path / "a.zip")))
    with pytest.raises(TaskError, match=r"a\.zip: network\.keras: not a readable \.keras file"):
        ORIGINS["exported"].load(spec, form=of_images(32), seed=0)


def test_a_description_of_another_network_is_refused(exported, tmp_path):
    from hashlib import sha256

    network = exported.member("network.keras")
    files = {**exported.description.files, "network.keras": sha256(network).hexdigest()}
    files["statistics.json"] = sha256(exported.member("statistics.json")).hexdigest()
    members = {"network.keras": network, "statistics.json": exported.member("statistics.json")}
    width = exported.description.feature_width
    path = write_file(tmp_path / "a.zip", members=members, files=files, feature_width=width, hidden_units=16)
    with pytest.raises(TaskError, match="its network is not the one that its description tells of"):
        ORIGINS["exported"].load(spec_of(read_exported(path)), form=of_images(32), seed=0)
