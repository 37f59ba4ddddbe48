"""A set of activations is the same however it is asked for, and asking twice computes nothing."""

import numpy as np
import pytest

from autotl.data.examples import PLAIN, View
from autotl.features import FeatureStore, extract
from autotl.features.extraction import BLOCK_ROWS, block_key


class Numbers:
    """Inputs whose pixels tell their row."""

    def __init__(self, rows: int) -> None:
        self.ids = tuple(f"row {row}" for row in range(rows))
        self.digests = tuple(f"{row:032x}" for row in range(rows))

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows, *, size, view=PLAIN):
        return np.broadcast_to(((rows + view.number) % 251)[:, None, None, None], (len(rows), size, size, 3)).astype(
            np.uint8
        )


class Doubling:
    """A prefix of two crossing tensors that counts the images it saw."""

    digest = "doubling"

    def __init__(self) -> None:
        self.images = 0

    def read(self, inputs, rows, view):
        return inputs.read(rows, size=2, view=view)

    def order(self, examples):
        return np.arange(len(examples))[::-1]  # any order gives the same blocks

    def __call__(self, pixels):
        self.images += len(pixels)
        return [2.0 * pixels.mean(axis=(1, 2)).astype(np.float32), pixels[:, 0, 0, 0].astype(np.int32)]


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

    def stop_at_the_second() -> None:
        asked.append(None)
        if len(asked) == 2:
            raise SpentError

    with pytest.raises(SpentError):
        extract(store, Doubling(), Numbers(3 * BLOCK_ROWS), on_block=stop_at_the_second)
    assert store.computed_blocks == 1
