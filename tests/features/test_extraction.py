"""A set of activations is the same however it is asked for, and asking twice computes nothing."""

import numpy as np
import pytest
from numbered import Doubling, Numbers

from autotl.data.examples import PLAIN, View
from autotl.features import FeatureStore, extract
from autotl.features.extraction import block_key
from autotl.features.feature_set import BLOCK_ROWS


@pytest.fixture
def store(tmp_path):
    return FeatureStore(tmp_path, limit_bytes=1 << 30, precision="float32")


def test_rows_come_back_in_the_order_asked_for_across_blocks(store):
    inputs = Numbers(2 * BLOCK_ROWS + 10)
    features = extract(store, Doubling(), inputs)
    rows = np.array([BLOCK_ROWS + 3, 0, 2 * BLOCK_ROWS + 9, 0, BLOCK_ROWS - 1])
    doubled, first = features.take(rows)
    np.testing.assert_array_equal(first, rows % 251)
    np.testing.assert_array_equal(doubled[:, 0], 2.0 * (rows % 251))
    np.testing.assert_array_equal(features.resident().take(rows)[0], doubled)


def test_a_second_extraction_computes_nothing(store):
    inputs = Numbers(BLOCK_ROWS + 1)
    first, second = Doubling(), Doubling()
    extract(store, first, inputs)
    extract(store, second, inputs)
    assert first.images == BLOCK_ROWS + 1
    assert second.images == 0


def test_a_view_has_blocks_of_its_own(store):
    inputs = Numbers(20)
    plain = extract(store, Doubling(), inputs).take(np.arange(20))[1]
    moved = extract(store, Doubling(), inputs, view=View("crop", 1)).take(np.arange(20))[1]
    np.testing.assert_array_equal(moved, plain + 1)


def test_a_block_is_named_by_network_contents_order_and_view():
    digests = ["aa", "bb"]
    key = block_key("net", digests, PLAIN)
    assert key == block_key("net", digests, View("crop_flip", 0)), "view 0 is plain whatever the policy"
    others = [
        block_key("other", digests, PLAIN),
        block_key("net", digests[::-1], PLAIN),
        block_key("net", digests[:1], PLAIN),
        block_key("net", digests, View("crop", 1)),
        block_key("net", digests, View("crop_flip", 1)),
        block_key("net", digests, View("crop", 2)),
    ]
    assert len({key, *others}) == 7


def test_a_budget_may_stop_the_extraction_between_blocks(store):
    class SpentError(Exception):
        pass

    asked = []

    def stop_at_the_third() -> None:
        asked.append(None)
        if len(asked) == 3:
            raise SpentError

    inputs = Numbers(3 * BLOCK_ROWS)
    with pytest.raises(SpentError):
        extract(store, Doubling(), inputs, on_block=stop_at_the_third)
    assert store.computed_blocks == 1
    assert all(store.claim(lock.stem) is not None for lock in (store.folder / "locks").iterdir()), (
        "nothing stays locked"
    )
