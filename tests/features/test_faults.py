"""Whatever happens to a process or a disk while activations are stored: no wrong result, no deadlock, a clear word."""

import errno
import json
import logging
import multiprocessing
import os
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from numbered import Doubling, Early, Late, Numbers

from autotl.errors import StorageError
from autotl.features import FeatureStore, extract
from autotl.features import extraction as extraction_room
from autotl.features import store as store_room
from autotl.features.feature_set import BLOCK_ROWS

ROWS = 6 * BLOCK_ROWS
SPAWNED = multiprocessing.get_context("spawn")


def right(features, rows: int = ROWS) -> None:
    """Every row is the one that it should be."""
    doubled, first = features.take(np.arange(rows))
    np.testing.assert_array_equal(first, np.arange(rows) % 251)
    np.testing.assert_array_equal(doubled[:, 0], 2.0 * (np.arange(rows) % 251))


def _extract_slowly(folder: Path, computed: "multiprocessing.Queue[int]", seconds: float, limit_bytes: int) -> None:
    store, prefix = FeatureStore(folder, limit_bytes=limit_bytes), Doubling(seconds_per_batch=seconds)
    right(extract(store, prefix, Numbers(ROWS)))
    computed.put(prefix.images)


def processes(folder: Path, *, seconds: float, limits: list[int]):
    computed = SPAWNED.Queue()
    started = [SPAWNED.Process(target=_extract_slowly, args=(folder, computed, seconds, each)) for each in limits]
    for process in started:
        process.start()
    return started, computed


def test_two_processes_on_an_empty_store_divide_its_blocks_between_them(tmp_path):
    started, computed = processes(tmp_path, seconds=0.02, limits=[1 << 30] * 2)
    images = [computed.get(timeout=60) for _ in started]
    for process in started:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert sum(images) == ROWS, "each block was computed once"
    assert min(images) > 0, "both took a share"


def _extract_one_of_two_cuts(folder: Path, kind: type[Doubling], computed: "multiprocessing.Queue[int]") -> None:
    prefix = kind()
    prefix._seconds = 0.02
    right(extract(FeatureStore(folder, limit_bytes=1 << 30), prefix, Numbers(ROWS)))
    computed.put(prefix.images)


def test_two_processes_that_want_different_cuts_do_not_both_start_from_the_images(tmp_path):
    computed = SPAWNED.Queue()
    kinds = (Early, Late)
    started = [SPAWNED.Process(target=_extract_one_of_two_cuts, args=(tmp_path, kind, computed)) for kind in kinds]
    for process in started:
        process.start()
    images = [computed.get(timeout=60) for _ in started]
    for process in started:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert sum(images) == ROWS


def test_a_process_killed_while_it_computes_a_block_leaves_it_to_the_others(tmp_path):
    [killed], _ = processes(tmp_path, seconds=600, limits=[1 << 30])
    locks = tmp_path / "locks"
    deadline = time.monotonic() + 60
    while len(list(locks.glob("*.lock")) if locks.exists() else []) < 2:  # one being computed, one being read
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert killed.pid is not None
    os.kill(killed.pid, signal.SIGKILL)
    killed.join(timeout=60)
    prefix = Doubling()
    right(extract(FeatureStore(tmp_path, limit_bytes=1 << 30), prefix, Numbers(ROWS)))
    assert prefix.images == ROWS


def test_a_process_that_waits_for_a_killed_one_takes_its_block_over(tmp_path):
    [killed], _ = processes(tmp_path, seconds=600, limits=[1 << 30])
    locks = tmp_path / "locks"
    deadline = time.monotonic() + 60
    while len(list(locks.glob("*.lock")) if locks.exists() else []) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert killed.pid is not None
    asked = []

    def kill_after_a_while() -> None:
        asked.append(None)
        if len(asked) == ROWS // BLOCK_ROWS + 3:  # every block was looked at, and two are being waited for
            os.kill(killed.pid, signal.SIGKILL)

    right(extract(FeatureStore(tmp_path, limit_bytes=1 << 30), Doubling(), Numbers(ROWS), on_block=kill_after_a_while))
    killed.join(timeout=60)
    assert killed.exitcode == -signal.SIGKILL


def test_a_half_written_block_of_a_killed_process_is_never_read_and_swept_away(tmp_path):
    store = FeatureStore(tmp_path, limit_bytes=1 << 30)
    extract(store, Doubling(), Numbers(BLOCK_ROWS))
    [sidecar] = tmp_path.glob("??/*/block.json")
    whole = sidecar.parent
    whole.rename(whole.with_name(f".{whole.name}.12345"))
    prefix = Doubling()
    right(extract(FeatureStore(tmp_path, limit_bytes=1 << 30), prefix, Numbers(BLOCK_ROWS)), BLOCK_ROWS)
    assert prefix.images == BLOCK_ROWS
    assert [path.name for path in whole.parent.iterdir()] == [whole.name]


def test_two_processes_that_evict_at_once_read_nothing_wrong(tmp_path):
    one_block = BLOCK_ROWS * (3 * 4 + 4) + 1_000
    for _ in range(2):
        started, computed = processes(tmp_path, seconds=0.002, limits=[one_block * 2] * 2)
        images = [computed.get(timeout=60) for _ in started]
        for process in started:
            process.join(timeout=60)
            assert process.exitcode == 0
        assert sum(images) >= ROWS - 2 * BLOCK_ROWS
    assert FeatureStore(tmp_path, limit_bytes=0).bytes_used() <= 4 * one_block


def fill_disk(monkeypatch) -> None:
    def fail(path, tensor):
        path.write_bytes(b"cut short")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_room, "_save", fail)


def test_where_the_disk_is_full_activations_are_held_in_memory_and_it_is_said(tmp_path, monkeypatch, caplog):
    fill_disk(monkeypatch)
    with caplog.at_level(logging.WARNING):
        right(extract(FeatureStore(tmp_path, limit_bytes=1 << 30), Doubling(), Numbers(ROWS)))
    assert caplog.text.count("could not take a block") == 1
    assert "AUTOTL_CACHE_DIR" in caplog.text
    assert "held in memory" in caplog.text
    assert not list(tmp_path.glob("??/*")), "nothing half written stays"


def test_where_the_disk_is_full_and_memory_would_not_do_the_error_says_so(tmp_path, monkeypatch):
    fill_disk(monkeypatch)
    monkeypatch.setattr(extraction_room, "HELD_BYTES", 2 * BLOCK_ROWS * 16)
    store = FeatureStore(tmp_path, limit_bytes=1 << 30)
    with pytest.raises(StorageError, match=r"could not take a block.*No space left.*AUTOTL_CACHE_DIR") as raised:
        extract(store, Doubling(), Numbers(ROWS))
    assert raised.value.exit_code == 8
    assert all(store.claim(lock.stem) is not None for lock in (tmp_path / "locks").iterdir()), "nothing stays locked"


def test_older_blocks_make_room_on_a_full_disk(tmp_path, monkeypatch, caplog):
    store = FeatureStore(tmp_path, limit_bytes=1 << 30)
    extract(store, Doubling(), Numbers(ROWS))
    old = store.bytes_used()
    save, failed = store_room._save, []

    def full_until_something_went(path, tensor):
        if store.bytes_used() >= old:
            failed.append(path)
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(path, tensor)

    monkeypatch.setattr(store_room, "_save", full_until_something_went)
    prefix = Doubling("another network")
    with caplog.at_level(logging.WARNING):
        right(extract(store, prefix, Numbers(BLOCK_ROWS)), BLOCK_ROWS)
    assert len(failed) == 1
    assert "given up" in caplog.text
    assert store.computed_blocks == ROWS // BLOCK_ROWS + 1


def _extract_under_a_file_limit(folder: Path, said: "multiprocessing.Queue[str]") -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))  # a real write that is cut short
    try:
        right(extract(FeatureStore(folder, limit_bytes=1 << 30), Doubling(), Numbers(BLOCK_ROWS)), BLOCK_ROWS)
        said.put("right")
    except StorageError as error:
        said.put(str(error))


def test_a_write_that_the_system_cuts_short_is_noticed(tmp_path):
    said = SPAWNED.Queue()
    process = SPAWNED.Process(target=_extract_under_a_file_limit, args=(tmp_path, said))
    process.start()
    assert said.get(timeout=60) == "right"
    process.join(timeout=60)
    assert not list(tmp_path.glob("??/*"))


def test_blocks_of_another_version_are_not_read_and_it_is_said_once(tmp_path, caplog):
    extract(FeatureStore(tmp_path, limit_bytes=1 << 30), Doubling(), Numbers(ROWS))
    for sidecar in tmp_path.glob("??/*/block.json"):
        content = json.loads(sidecar.read_text())
        sidecar.write_text(json.dumps({**content, "format": 0, "tensors": "as they were then"}))
    prefix = Doubling()
    with caplog.at_level(logging.WARNING):
        right(extract(FeatureStore(tmp_path, limit_bytes=1 << 30), prefix, Numbers(ROWS)))
    assert prefix.images == ROWS
    assert caplog.text.count("another version") == 1
    assert "damaged" not in caplog.text
