"""Blocks are computed once, checked when opened, and never half there."""

import logging
import time
from pathlib import Path

import numpy as np
import pytest

from autotl.errors import StorageError
from autotl.features import FeatureStore
from autotl.features.store import narrowed

KEY = "ab" * 16


def a_store(folder: Path, *, limit_bytes: int = 1 << 30) -> FeatureStore:
    return FeatureStore(folder, limit_bytes=limit_bytes, precision="float32")


def a_block(seed: int = 0, rows: int = 16) -> list[np.ndarray]:
    draws = np.random.default_rng(seed)
    return [draws.normal(size=(rows, 8)).astype(np.float32), draws.integers(0, 9, size=(rows, 3))]


def block(store: FeatureStore, key: str, compute) -> list[np.ndarray]:
    """As an extraction does it, of one block."""
    found = store.find(key)
    if found is not None:
        return found
    claim = store.claim(key)
    assert claim is not None
    try:
        return store.keep(claim, compute())
    finally:
        claim.release()


def must_not_compute() -> list[np.ndarray]:
    raise AssertionError("a stored block was computed again")


def test_a_stored_block_is_read_back_bit_for_bit_and_not_computed_again(tmp_path):
    written = block(a_store(tmp_path), KEY, a_block)
    again = block(a_store(tmp_path), KEY, must_not_compute)
    for tensor, expected in zip(again, a_block(), strict=True):
        np.testing.assert_array_equal(tensor, expected)
    assert isinstance(written[0], np.memmap)


def test_every_single_byte_flip_in_data_or_sidecar_is_noticed_and_the_block_rebuilt(tmp_path, caplog):
    block(a_store(tmp_path), KEY, a_block)
    files = sorted((tmp_path / KEY[:2] / KEY).iterdir())
    assert len(files) == 3
    draws = np.random.default_rng(0)
    for _ in range(200):
        file = files[draws.integers(len(files))]
        content = bytearray(file.read_bytes())
        content[draws.integers(len(content))] ^= 1 << draws.integers(8)
        file.write_bytes(content)
        store = a_store(tmp_path)
        with caplog.at_level(logging.WARNING):
            rebuilt = block(store, KEY, a_block)
        assert store.computed_blocks == 1, f"a flipped byte in {file.name} went unseen"
        np.testing.assert_array_equal(rebuilt[0], a_block()[0])
    assert "damaged" in caplog.text


@pytest.mark.parametrize("name", ["0.npy", "block.json"])
def test_a_truncated_or_missing_file_is_rebuilt(tmp_path, name):
    block(a_store(tmp_path), KEY, a_block)
    file = tmp_path / KEY[:2] / KEY / name
    file.write_bytes(file.read_bytes()[:10])
    np.testing.assert_array_equal(block(a_store(tmp_path), KEY, a_block)[0], a_block()[0])
    file.unlink()
    np.testing.assert_array_equal(block(a_store(tmp_path), KEY, a_block)[0], a_block()[0])


def test_the_least_recently_used_block_goes_first_and_open_maps_survive(tmp_path):
    keys = [f"{number:032x}" for number in range(3)]
    one_block = sum(tensor.nbytes for tensor in a_block(rows=1000)) + 2000
    store = a_store(tmp_path, limit_bytes=2 * one_block + 1000)
    opened = block(store, keys[0], lambda: a_block(rows=1000))
    time.sleep(0.02)
    block(store, keys[1], lambda: a_block(rows=1000))
    time.sleep(0.02)
    block(store, keys[0], must_not_compute)  # used again, so the other one is the oldest now
    time.sleep(0.02)
    block(store, keys[2], lambda: a_block(rows=1000))
    assert store.find(keys[1]) is None
    assert store.find(keys[0]) is not None
    assert store.bytes_used() <= store.limit_bytes
    np.testing.assert_array_equal(opened[0], a_block(rows=1000)[0])


def test_float16_is_used_only_where_it_loses_next_to_nothing():
    small = np.linspace(-3, 3, 1000, dtype=np.float32)
    assert narrowed(small, "float16").dtype == np.float16
    assert narrowed(small, "float32").dtype == np.float32
    assert narrowed(small * 2e4, "float16").dtype == np.float32, "past the range of float16"
    assert narrowed(np.array([np.nan, 1.0], dtype=np.float32), "float16").dtype == np.float32
    assert narrowed(np.arange(5), "float16").dtype == np.arange(5).dtype, "ids and masks are never narrowed"
    error = np.abs(narrowed(small, "float16").astype(np.float32) - small).max()
    assert error <= 2e-3 * 3


def test_a_store_that_cannot_be_written_says_where(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(StorageError, match="feature store"):
        a_store(blocked / "store")
