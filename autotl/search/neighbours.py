"""The feature stores of a cluster's machines, joined by Ray: a register beside the search, a caretaker on each."""

import contextlib
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autotl.features import FeatureStore, default_limit_bytes
from autotl.features.shared import BlockRegister, features_folder, stored_keys
from autotl.features.store import Tensors
from autotl.run import trial_files
from autotl.search.nodes import Node, this_node
from autotl.search.returning import hung_files

SECONDS_TO_FETCH = 120.0  # a block; then it is computed
SECONDS_TO_LEAVE = 5.0
HANDS = 4  # blocks that a caretaker reads at once

_log = logging.getLogger(__name__)


class Caretaker:
    """What a machine does for the others: gives them blocks of its store, and the last words of workers that its
    watchdogs ended; an actor on that machine.

    Args:
        search: the name by which a search's files are told from another's.
    """

    def __init__(self, search: str) -> None:
        self._hung = hung_files(search)
        folder = features_folder()
        self._store = FeatureStore(folder, limit_bytes=default_limit_bytes(folder))

    def keys(self) -> list[str]:
        """Of what is there from earlier searches."""
        return stored_keys(self._store.folder)

    def read(self, key: str) -> Tensors | None:
        """A block, checked."""
        tensors = self._store.find(key)
        return None if tensors is None else [np.asarray(tensor) for tensor in tensors]

    def last_words(self, trials: Sequence[int]) -> dict[int, str]:
        """Of those trials whose worker hung, once."""
        taken = {number: trial_files.take_last_word(self._hung / str(number)) for number in trials}
        return {number: last.words for number, last in taken.items() if last is not None}

    def leave(self) -> None:
        """Takes away what it kept for the search."""
        shutil.rmtree(self._hung, ignore_errors=True)


class RayNeighbours:
    """The other machines' stores. What does not answer is as if it were not there.

    Args:
        register: the handle of a `BlockRegister` that is an actor.
        caretakers: the handles of each node's, by their ids.
    """

    def __init__(self, register: Any, caretakers: Mapping[str, Any]) -> None:
        self._register = register
        self._caretakers = dict(caretakers)
        self._node: str | None = None
        self._complained = False

    def claim(self, key: str) -> bool:
        """Asks the register."""
        return bool(self._asked(self._register.claim.remote(key, self._here()), otherwise=True))

    def release(self, key: str) -> None:
        """Tells the register."""
        self._register.release.remote(key, self._here())

    def announce(self, key: str) -> None:
        """Tells the register, before the claim is released."""
        self._asked(self._register.announce.remote([key], self._here()), otherwise=None)

    def has(self, key: str) -> bool:
        """Asks the register."""
        return bool(self._holders(key))

    def fetch(self, key: str) -> Tensors | None:
        """Through Ray's object store."""
        for node in self._holders(key):
            there = self._caretakers.get(node)
            tensors = None if there is None else self._asked(there.read.remote(key), otherwise=None)
            if tensors is not None:
                return list(tensors)
            self._register.forget.remote(key, node)
        return None

    def bring_last_words(self, node: str | None, trials: Sequence[int], *, to: Path) -> None:
        """What watchdogs have left on these trials, into their folders in `to`; None where nobody knows which node."""
        there = [self._caretakers[node]] if node in self._caretakers else list(self._caretakers.values())
        for caretaker in there:
            for number, words in self._asked(caretaker.last_words.remote(trials), otherwise={}).items():
                trial_files.write_hung(to / str(number), words)

    def _holders(self, key: str) -> list[str]:
        return list(self._asked(self._register.holders.remote(key, self._here()), otherwise=[]))

    def _here(self) -> str:
        if self._node is None:
            self._node = this_node()
        return self._node

    def _asked(self, question: Any, *, otherwise: Any) -> Any:
        import ray

        try:
            return ray.get(question, timeout=SECONDS_TO_FETCH)
        except ray.exceptions.RayError as error:
            if not self._complained:
                self._complained = True
                _log.warning("another machine's features are out of reach, and computed here: %s", error)
            return otherwise


@contextlib.contextmanager
def neighbours_on(nodes: Sequence[Node], search: str) -> Iterator[RayNeighbours]:
    """A register and a caretaker on each of these nodes, for as long as the context lasts."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from autotl.search.cluster import lost_nodes

    here = NodeAffinitySchedulingStrategy(this_node(), soft=False)
    light = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": 2}
    register = ray.remote(BlockRegister).options(**light, scheduling_strategy=here).remote(lost_nodes)
    caretaker_of = ray.remote(Caretaker).options
    places = {node.id: NodeAffinitySchedulingStrategy(node.id, soft=False) for node in nodes}
    caretakers = {
        node: caretaker_of(**light, max_concurrency=HANDS, scheduling_strategy=place).remote(search)
        for node, place in places.items()
    }
    for node, caretaker in caretakers.items():
        with contextlib.suppress(ray.exceptions.RayError):  # a node that was lost meanwhile
            register.announce.remote(ray.get(caretaker.keys.remote(), timeout=SECONDS_TO_FETCH), node)
    try:
        yield RayNeighbours(register, caretakers)
    finally:
        leaving = [caretaker.leave.remote() for caretaker in caretakers.values()]
        with contextlib.suppress(Exception):  # the cluster may be gone
            ray.wait(leaving, num_returns=len(leaving), timeout=SECONDS_TO_LEAVE)
        for actor in (register, *caretakers.values()):
            with contextlib.suppress(Exception):
                ray.kill(actor)
