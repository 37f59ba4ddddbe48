"""The static table of costs says what building the networks would say, at the reference size and near it at others."""

import pytest

from autotl.backbones import BackboneSpec, build_network, count_parameters, flops_of_one_prediction
from autotl.backbones.form import of_images
from autotl.backbones.network_costs import NetworkCosts, known_network_costs
from benchmarks.backbone_tables import built_network_costs

SLOW = (("application", "MobileNetV2"), ("application", "VGG16"))
NAMES = [("scratch", "small_cnn"), *(pytest.param(*each, marks=pytest.mark.slow) for each in SLOW)]


@pytest.mark.parametrize(("origin", "name"), NAMES)
def test_the_table_agrees_with_the_built_network(origin, name):
    for tap, built in built_network_costs(name).items():
        told = known_network_costs(BackboneSpec(origin, name), tap=tap, image_size=224)
        assert told is not None
        assert (told.params, told.flops) == (built["params"], pytest.approx(built["mflops"] * 1e6))
        assert sorted(told.cuts) == [layers for layers, _, _ in built["cuts"]]


def test_arithmetic_grows_with_the_pixels():
    spec = BackboneSpec("application", "MobileNetV2")
    network = build_network(spec, form=of_images(96))
    told = known_network_costs(spec, image_size=96)
    assert told is not None
    assert told.params == count_parameters(network.whole)
    assert told.flops == pytest.approx(flops_of_one_prediction(network.whole, network.example_shape), rel=0.05)


def test_more_unfrozen_layers_are_more_to_train_and_between_the_tables_rows_lies_a_line():
    told = _lite0()
    flops = [told.at_cut(layers).flops for layers in (0, 1, 4, 6, 8, 10, 12, 24, 90, "all")]
    assert flops == sorted(flops)
    assert flops[0] == 0
    assert told.at_cut(6).flops == pytest.approx((told.at_cut(4).flops + told.at_cut(8).flops) / 2)
    assert told.at_cut("all").flops == told.at_cut(10_000).flops == told.flops


def test_what_is_pooled_does_not_grow_with_the_pixels_and_maps_do():
    small, large = _lite0(112), _lite0(224)
    assert small.at_cut(0).stored_bytes == large.at_cut(0).stored_bytes == 1_280 * 4
    assert large.at_cut(12).stored_bytes == pytest.approx(4 * small.at_cut(12).stored_bytes)


def test_texts_are_counted_by_tokens():
    short, long = (
        known_network_costs(BackboneSpec("package", "all_minilm_l6_v2"), sequence_length=length) for length in (64, 256)
    )
    assert short is not None
    assert long is not None
    assert long.flops == pytest.approx(4 * short.flops)


def test_a_network_that_autotl_does_not_build_itself_is_not_in_it():
    assert known_network_costs(BackboneSpec("saved", "small_cnn")) is None
    assert known_network_costs(BackboneSpec("scratch", "small_cnn"), tap="P9") is None


def _lite0(size=224) -> NetworkCosts:
    told = known_network_costs(BackboneSpec("package", "efficientnet_lite0"), image_size=size)
    assert told is not None
    return told
