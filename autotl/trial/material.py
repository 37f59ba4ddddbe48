"""The stored activations of all domains, addressed by the rows of the task's data."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Rows
from autotl.features import FeatureSet
from autotl.trial.trainer import Arrays, Batch

PREDICTION_BATCH = 256


class Material:
    """Crossing tensors of every example, plain and in its stored random views.

    Args:
        views: per view number (0 is plain) the feature sets of the domains, in the order of the task's domains.
        labels: (n,) class index of every row.
    """

    def __init__(self, views: Sequence[Sequence[FeatureSet]], labels: NDArray[np.int64]) -> None:
        self._views = views
        self._labels = labels
        self._starts = np.cumsum([0, *(len(features) for features in views[0])])

    def take(self, rows: Rows, view_of: NDArray[np.int64] | None = None) -> Arrays:
        """The tensors of these rows in this order, each in the view asked for (plain when None)."""
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
        """One epoch: every row once, shuffled, each in one of its views drawn at random."""
        shuffled = draws.permutation(rows)
        views = draws.integers(0, len(self._views), size=len(rows))
        for start in range(0, len(rows), batch_size):
            batch = shuffled[start : start + batch_size]
            yield self.take(batch, views[start : start + batch_size]), self._labels[batch]

    def prediction_batches(self, rows: Rows) -> Iterator[Arrays]:
        """The rows in their order, plain."""
        for start in range(0, len(rows), PREDICTION_BATCH):
            yield self.take(rows[start : start + PREDICTION_BATCH])
