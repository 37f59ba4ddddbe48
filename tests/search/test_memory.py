"""A worker that holds too much ends itself before the system picks a victim, and only then."""

import psutil
import pytest

from autotl.search.memory import LEAST_LEFT, MB, Memory, MemoryGuard, held_by, memory_here

SYSTEM = psutil.virtual_memory().total


@pytest.fixture
def guards():
    """Makes guards that look when they are told to."""
    made = []

    def make(share, available, said):
        total = 1000 * MB
        guard = MemoryGuard(share, said.append, look=lambda: Memory(total, int(available.pop(0) * total)))
        guard.stop()
        made.append(guard)
        return guard

    yield make
    for guard in made:
        guard.stop()


def test_a_worker_over_its_share_goes_when_memory_is_short(guards):
    said = []
    guards(1.0, [LEAST_LEFT / 2, LEAST_LEFT / 2], said).check()
    assert len(said) == 1
    assert "out of memory: the worker held" in said[0]
    assert "15 MB were left" in said[0]


def test_a_worker_over_its_share_stays_while_there_is_memory(guards):
    said = []
    guards(1.0, [0.5], said).check()
    assert said == []


def test_a_worker_stays_where_another_has_gone_in_the_meantime(guards):
    said = []
    guards(1.0, [LEAST_LEFT / 2, 0.5], said).check()
    assert said == []


def test_a_worker_within_its_share_stays_however_short_memory_is(guards):
    said = []
    guards(1e15, [], said).check()  # it does not even look
    assert said == []


def test_the_peak_is_of_the_time_since_it_was_asked_for(guards):
    guard = guards(1e15, [], [])
    before = guard.peak_since_last_asked()
    block = bytearray(64 * MB)
    guard.check()
    del block
    assert guard.peak_since_last_asked() >= before + 60 * MB
    assert guard.peak_since_last_asked() < before + 60 * MB


def test_what_is_mapped_from_files_does_not_count(tmp_path):
    import numpy as np

    before = held_by(psutil.Process())
    np.ones(16 * MB, dtype=np.float32).tofile(tmp_path / "block")
    mapped = np.memmap(tmp_path / "block", dtype=np.float32, mode="r")
    assert mapped.sum() == 16 * MB
    assert held_by(psutil.Process()) < before + 32 * MB


class TestControlGroups:
    def test_without_one_the_system_counts(self, tmp_path):
        assert memory_here(tmp_path).total == SYSTEM

    def test_version_two_limits_what_there_is_and_its_cache_can_be_had_back(self, tmp_path):
        (tmp_path / "memory.max").write_text(f"{100 * MB}\n")
        (tmp_path / "memory.current").write_text(f"{90 * MB}\n")
        (tmp_path / "memory.stat").write_text(f"anon {60 * MB}\ninactive_file {30 * MB}\n")
        assert memory_here(tmp_path) == Memory(100 * MB, 40 * MB)

    def test_version_one_does_too(self, tmp_path):
        folder = tmp_path / "memory"
        folder.mkdir()
        (folder / "memory.limit_in_bytes").write_text(f"{100 * MB}")
        (folder / "memory.usage_in_bytes").write_text(f"{90 * MB}")
        (folder / "memory.stat").write_text(f"total_inactive_file {10 * MB}\n")
        assert memory_here(tmp_path) == Memory(100 * MB, 20 * MB)

    @pytest.mark.parametrize("limit", ["max", str(1 << 62)])
    def test_one_without_a_limit_changes_nothing(self, tmp_path, limit):
        (tmp_path / "memory.max").write_text(limit)
        assert memory_here(tmp_path).total == SYSTEM
