"""Nothing frozen is computed twice: not by another cut, another run, or a task that orders the same examples anew."""

import keras
import numpy as np
import pytest
from pretend import a_plan, images

from autotl.backbones.cut import divide
from autotl.backbones.form import of_images
from autotl.backbones.network import build_network
from autotl.backbones.places import Places
from autotl.features import FeatureStore
from autotl.features.engine import KerasEngine
from autotl.features.extractor import Extractor

ROWS = 40


@pytest.fixture(scope="module")
def network():
    plan = a_plan()
    return build_network(plan.backbone, form=of_images(plan.image_size), seed=0)


@pytest.fixture
def computed(monkeypatch):
    """(first layer's input shape, rows) of every batch that Keras computes."""
    batches = []
    call = KerasEngine.__call__

    def noting(self, tensors):
        batches.append((tuple(tensors[0].shape[1:]), len(tensors[0])))
        return call(self, tensors)

    monkeypatch.setattr(KerasEngine, "__call__", noting)
    return batches


@pytest.fixture
def reads(monkeypatch):
    """Rows read of images, in the order of reading."""
    rows = []
    read = type(images(1, seed=0)[0]).read

    def noting(self, asked, **keywords):
        rows.extend(asked.tolist())
        return read(self, asked, **keywords)

    monkeypatch.setattr(type(images(1, seed=0)[0]), "read", noting)
    return rows


def an_extractor(folder) -> Extractor:
    return Extractor(FeatureStore(folder, limit_bytes=1 << 30))


@pytest.fixture
def everything_is_worth_it(monkeypatch):
    """The pretend network is too small for reading to be cheaper than computing."""
    monkeypatch.setattr("autotl.features.extractor.FLOPS_PER_BYTE", 0)


def test_a_deeper_cut_goes_on_from_a_stored_shallower_one(tmp_path, network, computed, reads, everything_is_worth_it):
    inputs, _ = images(ROWS, seed=0)
    shallow, deep = divide(network, 6), divide(network, 0)
    assert shallow.position < deep.position
    an_extractor(tmp_path / "shared").features(shallow, inputs)
    assert sorted(reads) == list(range(ROWS))
    reads.clear()
    computed.clear()
    continued = an_extractor(tmp_path / "shared").features(deep, inputs)  # another run: nothing of the first is at hand
    assert reads == []
    assert {shape for shape, _ in computed} == {shallow.crossing[0].shape}
    from_images = an_extractor(tmp_path / "alone").features(deep, inputs)
    rows = np.arange(ROWS)
    np.testing.assert_array_equal(continued.take(rows)[0], from_images.take(rows)[0])


def test_a_stored_cut_that_is_dearer_to_read_than_to_compute_is_passed_over(tmp_path, network, reads, monkeypatch):
    monkeypatch.setattr("autotl.features.extractor.FLOPS_PER_BYTE", 1e9)
    inputs, _ = images(ROWS, seed=0)
    extractor = an_extractor(tmp_path)
    extractor.features(divide(network, 6), inputs)
    reads.clear()
    extractor.features(divide(network, 0), inputs)
    assert sorted(reads) == list(range(ROWS))


def test_stored_examples_are_not_decoded_again(tmp_path, network, reads):
    inputs, _ = images(ROWS, seed=0)
    extractor = an_extractor(tmp_path)
    extractor.features(divide(network, "all"), inputs)
    reads.clear()
    extractor.features(divide(network, 0), inputs)
    assert reads == []


def test_one_pass_gives_every_cut_that_will_be_asked_for(tmp_path, network, computed, reads):
    inputs, _ = images(ROWS, seed=0)
    extractor = an_extractor(tmp_path / "one")
    deep, middle, shallow = (divide(network, unfrozen) for unfrozen in (0, 3, 6))
    extractor.features(deep, inputs, later_cuts=[middle.position, shallow.position])
    assert sorted(reads) == list(range(ROWS))
    assert sum(rows for _, rows in computed) == ROWS
    later = [extractor.features(division, inputs) for division in (middle, shallow)]
    assert len(reads) == ROWS, "nothing was read again"
    assert sum(rows for _, rows in computed) == ROWS, "nothing was computed again"
    rows = np.arange(ROWS)
    for division, found in zip((middle, shallow), later, strict=True):
        alone = an_extractor(tmp_path / division.place).features(division, inputs)
        for one, other in zip(found.take(rows), alone.take(rows), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_later_cut_that_would_fill_the_store_is_not_kept_before_it_is_asked_for(tmp_path, network):
    inputs, _ = images(ROWS, seed=0)
    deep, shallow = divide(network, 0), divide(network, 6)
    needed = ROWS * shallow.bytes_per_example
    extractor = Extractor(FeatureStore(tmp_path, limit_bytes=8 * needed))
    extractor.features(deep, inputs, later_cuts=[shallow.position])
    assert extractor.store.bytes_used() < needed


def test_a_task_that_holds_the_same_examples_in_another_order_computes_nothing(tmp_path, network, reads):
    inputs, _ = images(600, seed=0)
    order = np.random.default_rng(1).permutation(600)
    division = divide(network, 0)
    first = an_extractor(tmp_path).features(division, inputs)
    reads.clear()
    second = an_extractor(tmp_path).features(division, inputs.take(order))
    assert reads == []
    np.testing.assert_array_equal(second.take(np.arange(600))[0], first.take(order)[0])


def test_every_way_between_two_places_is_the_network(network):
    places = Places(network)
    pixels = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), dtype=np.uint8)
    wanted = keras.ops.convert_to_numpy(network.whole(pixels, training=False))
    middle = places.last // 2
    crossing = places.way(0, [middle])(pixels, training=False)
    *on_the_way, features = keras.tree.flatten(places.way(middle, [middle + 1, places.last])(crossing, training=False))
    assert len(on_the_way) == len(places.crossing(middle + 1))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(features), wanted)
    assert places.flops_before[0] == 0
    assert places.flops_before == sorted(places.flops_before)


def test_how_far_it_is_is_told_after_each_block(tmp_path, network):
    inputs, _ = images(600, seed=0)
    told = list(an_extractor(tmp_path).extraction(divide(network, 0), inputs))
    assert [progress.rows_done for progress in told] == [256, 512, 600]
    assert {progress.rows for progress in told} == {600}
    assert told[0].seconds_left > 0
    assert told[-1].seconds_left == 0
