"""Stores of several machines: each block is computed once in all, and fetched once for each that lacks it."""

import shutil
import threading

import numpy as np
import pytest
from numbered import Doubling, Early, Late, Numbers

from autotl.features import SharedFeatureStore, extract
from autotl.features.feature_set import BLOCK_ROWS
from autotl.features.shared import LEASE_SECONDS, BlockRegister, stored_keys

ROWS = 4 * BLOCK_ROWS
PLENTY = 1 << 30


class Machines:
    """Machines that reach each other directly; one may be lost, or lose its blocks."""

    def __init__(self, tmp_path) -> None:
        self.tmp_path = tmp_path
        self.lost = set()
        self.clock = 0.0
        self.register = BlockRegister(lambda: frozenset(self.lost), lambda: self.clock)
        self.stores = {}

    def store(self, name):
        """A process's store on a machine."""
        store = SharedFeatureStore(self.tmp_path / name, limit_bytes=PLENTY, neighbours=Reached(self, name))
        self.stores.setdefault(name, store)
        self.register.announce(stored_keys(store.folder), name)
        return store


class Reached:
    """The others, as one of them reaches them."""

    def __init__(self, machines, name) -> None:
        self.machines, self.name = machines, name
        self.fetched = 0

    def claim(self, key):
        return self.machines.register.claim(key, self.name)

    def release(self, key):
        self.machines.register.release(key, self.name)

    def announce(self, key):
        self.machines.register.announce([key], self.name)

    def has(self, key):
        return bool(self.machines.register.holders(key, self.name))

    def fetch(self, key):
        for holder in self.machines.register.holders(key, self.name):
            found = super(SharedFeatureStore, self.machines.stores[holder]).find(key)
            if found is not None:
                self.fetched += 1
                return [np.array(tensor) for tensor in found]
            self.machines.register.forget(key, holder)
        return None


@pytest.fixture
def machines(tmp_path):
    return Machines(tmp_path)


def same(first, second):
    rows = np.arange(ROWS)
    return all(np.array_equal(ours, theirs) for ours, theirs in zip(first.take(rows), second.take(rows), strict=True))


def test_what_one_machine_has_computed_the_others_fetch(machines):
    one, two = machines.store("a"), machines.store("b")
    prefix, idle = Doubling(), Doubling()
    computed = extract(one, prefix, Numbers(ROWS))
    fetched = extract(two, idle, Numbers(ROWS))
    assert (prefix.images, idle.images) == (ROWS, 0)
    assert (one.computed_blocks, two.computed_blocks, two.fetched_blocks) == (4, 0, 4)
    assert same(computed, fetched)


def test_a_second_worker_of_a_machine_fetches_nothing_again(machines):
    extract(machines.store("a"), Doubling(), Numbers(ROWS))
    extract(machines.store("b"), Doubling(), Numbers(ROWS))
    again = machines.store("b")
    extract(again, Doubling(), Numbers(ROWS))
    assert (again.fetched_blocks, again.computed_blocks) == (0, 0)


def test_machines_that_begin_together_divide_the_blocks_between_them(machines):
    prefixes = [Doubling(seconds_per_batch=0.02) for _ in range(3)]
    stores = [machines.store(name) for name in "abc"]
    found = {}

    def work(index):
        found[index] = extract(stores[index], prefixes[index], Numbers(ROWS))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(prefix.images for prefix in prefixes) == ROWS, "no block was computed twice"
    assert all(store.computed_blocks + store.fetched_blocks == 4 for store in stores)
    assert same(found[0], found[1])
    assert same(found[1], found[2])


def test_a_deeper_cut_goes_on_from_what_another_machine_has(machines):
    extract(machines.store("a"), Early(), Numbers(ROWS))
    late = Late()
    extract(machines.store("b"), late, Numbers(ROWS))
    assert late.images == 0


def test_what_a_machine_has_lost_is_computed_again(machines):
    one = machines.store("a")
    extract(one, Doubling(), Numbers(ROWS))
    shutil.rmtree(one.folder)
    prefix = Doubling()
    extract(machines.store("b"), prefix, Numbers(ROWS))
    assert prefix.images == ROWS


def test_what_a_lost_machine_had_is_computed_again(machines):
    extract(machines.store("a"), Doubling(), Numbers(ROWS))
    machines.lost.add("a")
    prefix = Doubling()
    extract(machines.store("b"), prefix, Numbers(ROWS))
    assert prefix.images == ROWS


def test_a_claim_of_a_lost_machine_holds_nobody_up(machines):
    assert machines.register.claim("block", "a")
    assert not machines.register.claim("block", "b")
    machines.lost.add("a")
    assert machines.register.claim("block", "b")


def test_a_claim_of_a_worker_that_died_is_void_after_a_while_and_at_once_on_its_own_machine(machines):
    assert machines.register.claim("block", "a")
    assert machines.register.claim("block", "a"), "its colleague has the block's lock, so it is gone"
    machines.clock += LEASE_SECONDS - 1
    assert not machines.register.claim("block", "b")
    machines.clock += 2
    assert machines.register.claim("block", "b")


def test_blocks_of_an_earlier_search_are_known_from_the_start(machines, tmp_path):
    extract(machines.store("a"), Doubling(), Numbers(ROWS))
    later = Machines(tmp_path)
    later.store("a")
    idle = Doubling()
    extract(later.store("c"), idle, Numbers(ROWS))
    assert idle.images == 0
