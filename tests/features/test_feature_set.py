"""Rows come from memory or from the disk alike, and reading a large set takes little memory."""

import mmap

import numpy as np
import psutil
import pytest

from autotl.features import FeatureSet, feature_set
from autotl.features.feature_set import BLOCK_ROWS


def on_disk(folder, rows: int, width: int) -> FeatureSet:
    """Blocks of rows in another order than the domain's; every value tells its row."""
    order = np.random.default_rng(0).permutation(rows)
    blocks = []
    for start in range(0, rows, BLOCK_ROWS):
        path = folder / f"{start}.npy"
        here = order[start : start + BLOCK_ROWS]
        np.save(path, np.broadcast_to(here[:, None], (len(here), width)).astype(np.float32))
        blocks.append([np.load(path, mmap_mode="r")])
    places = np.empty(rows, dtype=np.int64)
    places[order] = np.arange(rows)
    return FeatureSet(tuple(blocks), rows, places)


def test_a_row_is_the_domains_wherever_it_is_stored(tmp_path):
    features = on_disk(tmp_path, 3 * BLOCK_ROWS + 7, 4)
    rows = np.random.default_rng(1).integers(0, len(features), 500)
    for each in (features, features.resident()):
        np.testing.assert_array_equal(each.take(rows)[0][:, 0], rows)
        np.testing.assert_array_equal(each.tensor(0)[:, 3], np.arange(len(features)))
    assert features.resident() is not features


def test_rows_of_one_block_are_told(tmp_path):
    features = on_disk(tmp_path, 2 * BLOCK_ROWS, 1)
    blocks = features.block_of(np.arange(len(features)))
    assert np.bincount(blocks).tolist() == [BLOCK_ROWS, BLOCK_ROWS]
    stored = [set(block[0][:, 0].astype(int).tolist()) for block in features.blocks]
    assert all(row in stored[block] for row, block in enumerate(blocks.tolist()))


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="this system cannot let go of mapped pages")
def test_reading_a_large_set_takes_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_set, "MAPPED_BYTES", 8 << 20)
    features = on_disk(tmp_path, 40 * BLOCK_ROWS, 4_096)
    assert features.bytes == 160 << 20

    def mapped() -> int:
        return sum(each.rss for each in psutil.Process().memory_maps() if each.path.startswith(str(tmp_path)))

    most = 0
    for start in range(0, len(features), BLOCK_ROWS):
        taken = features.take(np.arange(start, start + BLOCK_ROWS))[0]
        np.testing.assert_array_equal(taken[:, 0], np.arange(start, start + BLOCK_ROWS))
        most = max(most, mapped())
    assert most <= 80 << 20, "a batch of random rows touches every block once, and they are let go of"
    features.release()
    assert mapped() == 0
