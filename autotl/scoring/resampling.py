"""What a bootstrap draws: examples, class by class, or whole groups. Every draw is a weight for each example."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.metrics import Labels, Weights

Groups = NDArray[np.int64]  # group index of each example, shape (n,)

FEWEST_GROUPS = 10
OVER_WINDOWS = "over windows, not machines"
NUMBERS_AT_ONCE = 250_000  # of a block of weights: 2 MB, which a processor's cache holds
MOST_LEAVE_OUTS = 400


@dataclass(frozen=True)
class Units:
    """What is drawn with replacement, in strata that keep their sizes.

    Attributes:
        of_example: the unit that each example belongs to, shape (n,); units are numbered stratum by stratum.
        sizes: units in each stratum.
        note: what a reader must know about intervals over these units.
    """

    of_example: NDArray[np.int64]
    sizes: NDArray[np.int64]
    note: str | None = None

    @classmethod
    def of(cls, labels: Labels, groups: Groups | None) -> "Units":
        """Groups where there are at least ten (fewer tell too little about the next one), else examples by class.

        Of several labels each all examples are one stratum: how often a label is borne must vary, too, and measured
        intervals were too narrow where it did not. So they are of numbers.
        """
        distinct = 0 if groups is None else len(np.unique(groups))
        if groups is not None and FEWEST_GROUPS <= distinct < len(labels):
            return cls(np.unique(groups, return_inverse=True)[1].reshape(-1), np.array([distinct]))
        strata = np.zeros(len(labels), dtype=np.int64) if labels.ndim == 2 or labels.dtype.kind == "f" else labels
        order = np.argsort(strata, kind="stable")
        place = np.empty(len(labels), dtype=np.int64)
        place[order] = np.arange(len(labels))
        sizes = np.unique(strata, return_counts=True)[1]
        return cls(place, sizes, OVER_WINDOWS if 0 < distinct < FEWEST_GROUPS else None)

    @property
    def are_examples(self) -> bool:
        """Whether each example is drawn for itself."""
        return len(self.of_example) == int(self.sizes.sum())

    def bootstrap(self, *, seed: int, draws: int) -> Iterator[Weights]:
        """Blocks of weights whose spread is that of fresh examples.

        From a stratum of m units m - 1 are drawn and each counts m / (m - 1) times: drawing m would understate the
        variance by (m - 1) / m, which small classes feel (Rao & Wu, JASA 1988). A unit alone in its stratum stays.
        """
        drawn = np.maximum(self.sizes - 1, 1)
        scale = np.repeat(self.sizes / drawn, self.sizes)
        for counts in self._counts(drawn, seed=seed, draws=draws):
            yield (counts * scale)[:, self.of_example]

    def bags(self, *, seed: int, draws: int) -> Iterator[Weights]:
        """Blocks of plain bootstrap counts: 0 where an example was left out (about 37 % of them)."""
        for counts in self._counts(self.sizes, seed=seed, draws=draws):
            yield counts[:, self.of_example].astype(np.float64)

    def leave_outs(self) -> Iterator[tuple[int, Weights]]:
        """Per stratum blocks of weights that each leave out one part of it, the rest of it making up for the loss.

        A part is one unit, or several where there are more than 400: the skewness they show is the same.
        """
        part_size = -(-int(self.sizes.sum()) // MOST_LEAVE_OUTS)
        starts = np.concatenate([[0], np.cumsum(self.sizes)])
        rows_at_once = max(NUMBERS_AT_ONCE // len(self.of_example), 1)
        for stratum, size in enumerate(self.sizes.tolist()):
            parts = -(-size // part_size)
            if parts < 2:
                continue
            part_of_unit = np.arange(size) % parts
            for first in range(0, parts, rows_at_once):
                left_out = part_of_unit == np.arange(first, min(first + rows_at_once, parts))[:, None]
                weights = np.ones((len(left_out), int(self.sizes.sum())))
                kept = size - left_out.sum(axis=1, keepdims=True)
                weights[:, starts[stratum] : starts[stratum + 1]] = np.where(left_out, 0.0, size / kept)
                yield stratum, weights[:, self.of_example]

    def _counts(self, drawn: NDArray[np.int64], *, seed: int, draws: int) -> Iterator[NDArray[np.int64]]:
        generator = np.random.default_rng(seed)
        units = int(self.sizes.sum())
        starts = np.repeat(np.cumsum(self.sizes) - self.sizes, drawn)
        sizes = np.repeat(self.sizes, drawn)
        rows_at_once = max(NUMBERS_AT_ONCE // len(self.of_example), 1)
        for first in range(0, draws, rows_at_once):
            rows = min(rows_at_once, draws - first)
            picks = starts + (generator.random((rows, len(starts))) * sizes).astype(np.int64)
            picks += units * np.arange(rows)[:, None]
            yield np.bincount(picks.reshape(-1), minlength=rows * units).reshape(rows, units)
