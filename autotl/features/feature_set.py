"""Activations of a whole domain, read by the rows asked for: from memory where they are few, else from the disk."""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Rows
from autotl.features.store import Tensors

BLOCK_ROWS = 256
RESIDENT_BYTES = 64 << 20  # a set smaller than this is read into memory once instead of gathered from the maps
MAPPED_BYTES = 256 << 20  # of a larger set, what may be in memory at a time


@dataclass(eq=False)
class FeatureSet:
    """Activations of a whole domain.

    Args:
        blocks: tensors of `block_rows` rows each, the last one of what is left.
        rows: of all blocks together.
        places: (rows,) where in the blocks each row of the domain stands; None where they are in the domain's order.
    """

    blocks: tuple[Tensors, ...]
    rows: int
    places: NDArray[np.int64] | None = None
    block_rows: int = BLOCK_ROWS
    _read: set[int] = field(default_factory=set, init=False, repr=False)  # blocks with pages in memory
    _read_bytes: int = field(default=0, init=False, repr=False)

    def __len__(self) -> int:
        return self.rows

    def take(self, rows: Rows) -> Tensors:
        """The tensors of these rows, in this order, as float32 (or their own integer type)."""
        return [self._taken(rows, index) for index in range(len(self.blocks[0]))]

    def tensor(self, index: int) -> NDArray[Any]:
        """One of the tensors for every row, in the domain's order."""
        return self._taken(np.arange(self.rows), index)

    def block_of(self, rows: Rows) -> NDArray[np.int64]:
        """(len(rows),) index of the block that each of these rows stands in: rows of a block are cheap to read."""
        return (rows if self.places is None else self.places[rows]) // self.block_rows

    @property
    def bytes(self) -> int:
        """Stored size."""
        return sum(_bytes_of(block) for block in self.blocks)

    @property
    def is_resident(self) -> bool:
        """Whether all of it is in memory, so that rows may be read in any order."""
        return self.bytes <= RESIDENT_BYTES

    def resident(self) -> "FeatureSet":
        """The same set, in memory and in the domain's order where it is small enough for that."""
        if not self.is_resident:
            return self
        whole = [self.tensor(index) for index in range(len(self.blocks[0]))] if self.blocks else []
        return FeatureSet((whole,), self.rows, block_rows=max(self.rows, 1))

    def release(self) -> None:
        """Lets go of the memory that reading has taken; the pages come back from the file when they are read again."""
        for block in self._read:
            for tensor in self.blocks[block]:
                mapped = getattr(tensor, "_mmap", None)
                if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
                    mapped.madvise(mmap.MADV_DONTNEED)
        self._read.clear()
        self._read_bytes = 0

    def _taken(self, rows: Rows, index: int) -> NDArray[Any]:
        first = self.blocks[0][index]
        wide = np.float32 if np.issubdtype(first.dtype, np.floating) else first.dtype
        if len(self.blocks) == 1 and self.places is None:
            return np.asarray(first[rows], dtype=wide)
        block_of, row_in_block = np.divmod(rows if self.places is None else self.places[rows], self.block_rows)
        result = np.empty((len(rows), *first.shape[1:]), dtype=wide)
        for block in np.unique(block_of).tolist():
            here = block_of == block
            result[here] = self.blocks[block][index][row_in_block[here]]
            self._note(block)
        return result

    def _note(self, block: int) -> None:
        if block not in self._read:
            self._read.add(block)
            self._read_bytes += _bytes_of(self.blocks[block])
            if self._read_bytes > MAPPED_BYTES:
                self.release()


def _bytes_of(block: Sequence[NDArray[Any]]) -> int:
    return sum(tensor.nbytes for tensor in block)
