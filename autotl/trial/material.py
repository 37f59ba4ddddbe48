"""The stored activations of all domains, addressed by the rows of the task's data."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Rows
from autotl.features import FeatureSet
from autotl.trial.trainer import Arrays, Batch

PREDICTION_BATCH = 256
BATCHES_SORTED_TOGETHER = 16


class Material:
    """Crossing tensors of every example, plain and in its stored random views.

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
        self.beside: NDArray[np.float32] | None = None  # (n, joined): what joins the features of every row
        self._starts = np.cumsum([0, *(len(features) for features in views[0])])

    def take(self, rows: Rows, view_of: NDArray[np.int64] | None = None) -> Arrays:
        """The tensors of these rows in this order, in the views asked for (plain when None), and what joins them."""
        tensors = self._crossing(rows, view_of)
        return tensors if self.beside is None else [*tensors, self.beside[rows]]

    def _crossing(self, rows: Rows, view_of: NDArray[np.int64] | None) -> Arrays:
        views = np.zeros(len(rows), dtype=np.int64) if view_of is None else view_of
        domains = np.searchsorted(self._starts, rows, side="right") - 1
        pairs = sorted(set(zip(views.tolist(), domains.tolist(), strict=True)))
        if len(pairs) == 1:
            view, domain = pairs[0]
            return self._views[view][domain].take(rows - self._starts[domain])
        parts, places = [], []
        for view, domain in pairs:
            here = np.flatnonzero((views == view) & (domains == domain))
            parts.append(self._views[view][domain].take(rows[here] - self._starts[domain]))
            places.append(here)
        order = np.argsort(np.concatenate(places))
        return [np.concatenate(tensors)[order] for tensors in zip(*parts, strict=True)]

    def training_batches(self, rows: Rows, *, batch_size: int, draws: np.random.Generator) -> Iterator[Batch]:
        """One epoch: every row once, shuffled, each in one of its views drawn at random.

        Sequences come in batches of about one length, so that little padding is computed; which batch comes when, and
        who is in it among those of a length, is still chance.
        """
        shuffled = draws.permutation(rows)
        if self._lengths is not None:
            shuffled = _by_length(shuffled, self._lengths[shuffled], batch_size, draws)
        views = draws.integers(0, len(self._views), size=len(rows))
        for start in range(0, len(rows), batch_size):
            batch = shuffled[start : start + batch_size]
            yield self.take(batch, views[start : start + batch_size]), self._labels[batch]

    def prediction_batches(self, rows: Rows) -> Iterator[Arrays]:
        """The rows in their order, plain."""
        for start in range(0, len(rows), PREDICTION_BATCH):
            yield self.take(rows[start : start + PREDICTION_BATCH])


def _lengths(features: Sequence[FeatureSet], tokens_at: int, padding_id: int) -> NDArray[np.int64]:
    """(n,) tokens of every row that are no padding."""
    return np.concatenate(
        [(block[tokens_at] != padding_id).sum(axis=1) for each in features for block in each.blocks], dtype=np.int64
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
