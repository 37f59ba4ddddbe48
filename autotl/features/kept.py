"""What was used lately stays in memory, so many at most."""

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values by their keys; to read one is to use it, and the one unused for longest goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[K, V] = {}  # the one unused for longest first

    def __contains__(self, key: K) -> bool:
        return key in self._held

    def __iter__(self) -> Iterator[K]:
        return iter(self._held)

    def __getitem__(self, key: K) -> V:
        value = self._held.pop(key)
        self._held[key] = value
        return value

    def __setitem__(self, key: K, value: V) -> None:
        self._held.pop(key, None)
        self.make_room()
        self._held[key] = value

    def make_room(self) -> list[V]:
        """Lets go of those that one more has no place beside, and returns them."""
        over = list(self._held)[: max(0, len(self._held) + 1 - self._most)]
        return [self._held.pop(key) for key in over]

    def drop(self, is_gone: Callable[[V], bool]) -> None:
        """Lets go of all values of which something holds."""
        self._held = {key: value for key, value in self._held.items() if not is_gone(value)}

    def values(self) -> Iterator[V]:
        """All that are kept; this uses none."""
        return iter(self._held.values())
