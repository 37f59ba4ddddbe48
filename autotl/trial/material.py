"""The stored activations of all domains, addressed by the rows of the task's data."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Rows
from autotl.features import FeatureSet
from autotl.trial.trainer import Arrays, Batch

PREDICTION_BATCH = 256
BATCHES_SORTED_TOGETHER = 16
WINDOW_BYTES = 128 << 20  # of stored blocks that are shuffled together where a set is not in memory
FEWEST_BLOCKS_TOGETHER = 8


class Material:
    """Crossing tensors of every example, plain and in its stored random views.

    Attributes:
        beside: (n, joined), what joins the features of every row; None where nothing does.
        tells_domains: whether the index of each example's domain goes with its tensors.

    Args:
        views: per view number (0 is plain) the feature sets of the domains, in the order of the task's domains.
        labels: (n,) class index of every row.
        tokens_at: which of the tensors holds the token ids of sequences, where some cross the cut.
        padding_id: what stands behind the tokens of a sequence.
    """

    def __init__(
        self,
        views: Sequence[Sequence[FeatureSet]],
        labels: NDArray[np.int64],
        *,
        tokens_at: int | None = None,
        padding_id: int = 0,
    ) -> None:
        self._views = views
        self._labels = labels
        self._lengths = None if tokens_at is None else _lengths(views[0], tokens_at, padding_id)
        self.beside: NDArray[np.float32] | None = None
        self.tells_domains = False
        self._starts = np.cumsum([0, *(len(features) for features in views[0])])

    def take(self, rows: Rows, view_of: NDArray[np.int64] | None = None) -> Arrays:
        """What the model takes of these rows in this order, in the views asked for (plain when None)."""
        tensors = self._crossing(rows, view_of)
        tensors += [] if self.beside is None else [self.beside[rows]]
        return [*tensors, self._domains_of(rows).astype(np.int32)] if self.tells_domains else tensors

    def whole(self) -> NDArray[np.float32]:
        """(views * n, d), where features are all that crosses the cut: every row plain, then in each random view."""
        blocks = [block[0] for view in self._views for features in view for block in features.blocks]
        return np.concatenate(blocks).astype(np.float32, copy=False)

    def mixed(self, rows: Rows, partners: Rows, share: float) -> Arrays | None:
        """`share` of each row and the rest of its partner, in one; None where something crosses that cannot be mixed.

        Rows and partners are of one domain.
        """
        ones, others = self.take(rows), self.take(partners)
        numbers = len(ones) - self.tells_domains
        if not all(np.issubdtype(tensor.dtype, np.floating) for tensor in ones[:numbers]):
            return None
        both = [share * one + (1 - share) * other for one, other in zip(ones, others, strict=True)]
        return [*(tensor.astype(np.float32) for tensor in both[:numbers]), *ones[numbers:]]

    def _crossing(self, rows: Rows, view_of: NDArray[np.int64] | None) -> Arrays:
        views = np.zeros(len(rows), dtype=np.int64) if view_of is None else view_of
        domains = self._domains_of(rows)
        pairs = sorted(set(zip(views.tolist(), domains.tolist(), strict=True)))
        if len(pairs) == 1:
            view, domain = pairs[0]
            return list(self._views[view][domain].take(rows - self._starts[domain]))
        parts, places = [], []
        for view, domain in pairs:
            here = np.flatnonzero((views == view) & (domains == domain))
            parts.append(self._views[view][domain].take(rows[here] - self._starts[domain]))
            places.append(here)
        order = np.argsort(np.concatenate(places))
        return [np.concatenate(tensors)[order] for tensors in zip(*parts, strict=True)]

    def training_batches(
        self,
        rows: Rows,
        *,
        batch_size: int,
        draws: np.random.Generator,
        labels: NDArray[np.int64] | None = None,
        weights: NDArray[np.float32] | None = None,
    ) -> Iterator[Batch]:
        """One epoch: every row once, shuffled, each in one of its views drawn at random.

        Sequences come in batches of about one length, so that little padding is computed; which batch comes when, and
        who is in it among those of a length, is still chance.

        Args:
            labels, weights: (n,) of every row of the task's data; the known labels, and none, where they are None.
        """
        told = self._labels if labels is None else labels
        for batch, views in self.dealt(rows, batch_size, draws):
            yield Batch(self.take(batch, views), told[batch], None if weights is None else weights[batch])

    def paired_batches(
        self,
        source: Rows,
        target: Rows,
        *,
        batch_size: int,
        draws: np.random.Generator,
        pseudo_labels: NDArray[np.int64],
    ) -> Iterator[Batch]:
        """One epoch over the labelled rows; each batch is `batch_size` of them, then as many target rows.

        The side that ends too early starts again: every batch is full, however few rows there are.

        Args:
            pseudo_labels: (n,) of every row of the task's data, UNKNOWN where there is none.
        """
        halves = self._full(source, batch_size, draws)
        of_target = chain.from_iterable(self._full(target, batch_size, draws) for _ in iter(int, 1))
        for (ones, views), (others, other_views) in zip(halves, of_target, strict=False):
            rows = np.concatenate([ones, others])
            tensors = self.take(rows, np.concatenate([views, other_views]))
            yield Batch(tensors, np.concatenate([self._labels[ones], pseudo_labels[others]]))

    def _full(
        self, rows: Rows, batch_size: int, draws: np.random.Generator
    ) -> Iterator[tuple[Rows, NDArray[np.int64]]]:
        """One epoch in batches of equal size: the last one is filled with rows drawn at random."""
        for batch, views in self.dealt(rows, batch_size, draws):
            missing = batch_size - len(batch)
            if missing:
                batch = np.concatenate([batch, draws.choice(rows, size=missing)])
                views = np.concatenate([views, draws.integers(0, len(self._views), size=missing)])
            yield batch, views

    def dealt(
        self, rows: Rows, batch_size: int, draws: np.random.Generator
    ) -> Iterator[tuple[Rows, NDArray[np.int64]]]:
        """Shuffled rows and their views, batch by batch."""
        shuffled = self._shuffled(rows, draws)
        if self._lengths is not None:
            shuffled = _by_length(shuffled, self._lengths[shuffled], batch_size, draws)
        views = draws.integers(0, len(self._views), size=len(rows))
        for start in range(0, len(rows), batch_size):
            yield shuffled[start : start + batch_size], views[start : start + batch_size]

    def _shuffled(self, rows: Rows, draws: np.random.Generator) -> Rows:
        """All rows in any order where they are in memory. Else block after block, some of them shuffled together, so
        that the disk is read in stretches and little of it is in memory; each block is a random draw of its domain.
        """
        if all(features.is_resident for view in self._views for features in view):
            return draws.permutation(rows)
        domains, numbers = self._domains_of(rows), np.empty(len(rows), dtype=np.int64)
        first = 0
        for domain, features in enumerate(self._views[0]):
            here = domains == domain
            numbers[here] = first + features.block_of(rows[here] - self._starts[domain])
            first += len(features.blocks)
        together = max(FEWEST_BLOCKS_TOGETHER, WINDOW_BYTES * first // max(self._bytes(), 1))
        window_of = draws.permutation(first)[numbers] // together
        shuffled = draws.permutation(len(rows))
        return rows[shuffled[np.argsort(window_of[shuffled], kind="stable")]]

    def _bytes(self) -> int:
        return sum(features.bytes for view in self._views for features in view)

    def _domains_of(self, rows: Rows) -> NDArray[np.int64]:
        return np.searchsorted(self._starts, rows, side="right") - 1

    def prediction_batches(self, rows: Rows) -> Iterator[Arrays]:
        """The rows in their order, plain."""
        for start in range(0, len(rows), PREDICTION_BATCH):
            yield self.take(rows[start : start + PREDICTION_BATCH])


def _lengths(features: Sequence[FeatureSet], tokens_at: int, padding_id: int) -> NDArray[np.int64]:
    """(n,) tokens of every row that are no padding."""
    return np.concatenate(
        [(each.tensor(tokens_at) != padding_id).sum(axis=1) for each in features if len(each)], dtype=np.int64
    )


def _by_length(shuffled: Rows, lengths: NDArray[np.int64], batch_size: int, draws: np.random.Generator) -> Rows:
    """Shuffled rows, sorted by length within stretches of some batches, the full batches then shuffled again."""
    stretch = BATCHES_SORTED_TOGETHER * batch_size
    ordered = np.concatenate(
        [
            shuffled[start : start + stretch][np.argsort(lengths[start : start + stretch], kind="stable")]
            for start in range(0, len(shuffled), stretch)
        ]
        or [shuffled]
    )
    full = len(ordered) // batch_size
    batches = ordered[: full * batch_size].reshape(full, batch_size)[draws.permutation(full)]
    return np.concatenate([batches.reshape(-1), ordered[full * batch_size :]])
