"""Stores of several machines: a block that one of them has is fetched from there, once for each that lacks it.

Who computes a block that nobody has is settled by one register, beside the search; among the processes of one machine
by the block's file lock, as ever. Where neither register nor neighbour answers, a machine computes what it lacks.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from autotl.backbones import cache_folder
from autotl.features.store import SIDECAR, Claim, FeatureStore, Tensors

LEASE_SECONDS = 60.0  # in which a block is computed, or its claim is void: a worker may have died


class Neighbours(Protocol):
    """The stores of the other machines, as one of them sees them."""

    def claim(self, key: str) -> bool:
        """Whether this machine may compute a block: nobody else has it, or computes it."""
        ...

    def release(self, key: str) -> None:
        """Lets others have the claim."""
        ...

    def announce(self, key: str) -> None:
        """This machine has the block."""
        ...

    def has(self, key: str) -> bool:
        """Whether another machine does."""
        ...

    def fetch(self, key: str) -> Tensors | None:
        """The block from a machine that has it; None where none does."""
        ...


class BlockRegister:
    """Which machine holds which block, and which computes one.

    Args:
        lost: ids of machines that are gone.
        now: the time in seconds.
    """

    def __init__(
        self, lost: Callable[[], frozenset[str]] = frozenset, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._lost = lost
        self._now = now
        self._holders: dict[str, list[str]] = {}
        self._claims: dict[str, tuple[str, float]] = {}  # by key: the machine, and until when

    def claim(self, key: str, machine: str) -> bool:
        """Whether it may compute the block. A machine may take over its own claim: it has the block's lock, so whoever
        had that before is gone."""
        if self.holders(key, machine):
            return False
        claimant, until = self._claims.get(key, (machine, 0.0))
        if claimant != machine and self._now() < until and claimant not in self._lost():
            return False
        self._claims[key] = machine, self._now() + LEASE_SECONDS
        return True

    def release(self, key: str, machine: str) -> None:
        """Gives a claim back."""
        if self._claims.get(key, ("", 0.0))[0] == machine:
            del self._claims[key]

    def announce(self, keys: Sequence[str], machine: str) -> None:
        """The machine has these blocks."""
        for key in keys:
            holders = self._holders.setdefault(key, [])
            if machine not in holders:
                holders.append(machine)

    def forget(self, key: str, machine: str) -> None:
        """It has it no more."""
        holders = self._holders.get(key, [])
        if machine in holders:
            holders.remove(machine)

    def holders(self, key: str, machine: str) -> list[str]:
        """Other machines that have the block."""
        others = [each for each in self._holders.get(key, ()) if each != machine]
        lost = self._lost() if others else frozenset()
        return [each for each in others if each not in lost]


@dataclass(frozen=True)
class _SharedClaim(Claim):
    """The right to compute a block, which no process of any machine has meanwhile."""

    _neighbours: Neighbours

    def release(self) -> None:
        """Lets others have it."""
        self._neighbours.release(self.key)
        super().release()


@dataclass
class SharedFeatureStore(FeatureStore):
    """The store of one of several machines.

    Attributes:
        fetched_blocks: from other machines, by this process.
    """

    neighbours: Neighbours = field(kw_only=True)
    fetched_blocks: int = field(default=0, init=False)

    def find(self, key: str) -> Tensors | None:
        """The block where this machine has it, or fetches it."""
        found = super().find(key)
        return self._fetched(key) if found is None else found

    def is_stored(self, key: str) -> bool:
        """Whether any machine has it."""
        return super().is_stored(key) or self.neighbours.has(key)

    def claim(self, key: str) -> Claim | None:
        """The right to compute a block; None where it is somewhere, or somebody computes it."""
        claim = super().claim(key)
        if claim is None:
            return None
        if self.neighbours.claim(key):
            return _SharedClaim(key, claim._lock, self.neighbours)
        claim.release()
        return None

    def keep(self, claim: Claim, tensors: Sequence[NDArray[Any]]) -> Tensors:
        """Stores what was computed, and tells the others."""
        kept = super().keep(claim, tensors)
        self.neighbours.announce(claim.key)
        return kept

    def _fetched(self, key: str) -> Tensors | None:
        """One process of the machine fetches it; the others wait as if it computed it."""
        claim = super().claim(key)
        if claim is None:
            return None
        try:
            found = super().find(key)
            if found is not None:
                return found
            tensors = self.neighbours.fetch(key)
            if tensors is None:
                return None
            kept = super().keep(claim, tensors)
        finally:
            claim.release()
        self.computed_blocks -= 1
        self.fetched_blocks += 1
        self.neighbours.announce(key)
        return kept


def features_folder() -> Path:
    """Where this machine keeps its blocks."""
    return cache_folder() / "features" / "float32"


def stored_keys(folder: Path) -> list[str]:
    """Of all blocks in a store's folder."""
    return [sidecar.parent.name for sidecar in folder.glob(f"??/*/{SIDECAR}")]
