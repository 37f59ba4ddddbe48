"""One column of a table as it was written, before anything is read from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Rows


@dataclass(frozen=True, eq=False)
class Cells:
    """One column as written: every different text once, and which of them each row holds."""

    texts: tuple[str, ...]
    codes: NDArray[np.int32]  # (n,) index into `texts`

    def __len__(self) -> int:
        return len(self.codes)

    def counts(self) -> NDArray[np.int64]:
        """Rows per text."""
        return np.bincount(self.codes, minlength=len(self.texts))

    def take(self, rows: Rows) -> "Cells":
        """These rows only; texts that none of them holds are let go."""
        kept, codes = np.unique(self.codes[rows], return_inverse=True)
        return Cells(tuple(self.texts[index] for index in kept.tolist()), codes.astype(np.int32))


def cells_of(column: Sequence[str]) -> Cells:
    """A column of a table, each different text once."""
    index: dict[str, int] = {}
    codes = np.fromiter((index.setdefault(text, len(index)) for text in column), dtype=np.int32, count=len(column))
    return Cells(tuple(index), codes)


def joined_cells(several: Sequence[Cells]) -> Cells:
    """One after the other."""
    index: dict[str, int] = {}
    codes = []
    for cells in several:
        new = np.array([index.setdefault(text, len(index)) for text in cells.texts], dtype=np.int32)
        codes.append(new[cells.codes])
    return Cells(tuple(index), np.concatenate(codes))


def shortened(text: str) -> str:
    """A cell, short enough for a message."""
    return text if len(text) <= 40 else f"{text[:39]}…"
