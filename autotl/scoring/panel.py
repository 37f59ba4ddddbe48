"""What all trials of a search say of the same target inputs: a committee compares trials with each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.components import Features, are_numbers, on_axes, principal_axes
from autotl.scoring.metrics import Labels, OfDraws, Probabilities, predicted_labels

NEIGHBOURS_EACH = 10

Places = NDArray[np.int64]  # (m, k): the rows nearest to each row


@dataclass(frozen=True, eq=False)
class Panel:
    """Some trials and their predictions.

    Attributes:
        probabilities: of each trial, shape (m, classes); of the same inputs in the same order.
        nearest: the neighbours of each input; of one model's features for all trials, so that no trial is judged in a
            space that its own training shaped. None where they are not known.
    """

    probabilities: Sequence[Probabilities]
    nearest: Places | None

    @cached_property
    def said(self) -> Sequence[Labels]:
        """The class that each trial names, shape (m,)."""
        return [predicted_labels(each) for each in self.probabilities]

    @property
    def rows(self) -> int:
        """Inputs that are compared."""
        return len(self.probabilities[0])

    @property
    def classes(self) -> int:
        """That a trial can name."""
        return int(self.probabilities[0].shape[1])


@dataclass(frozen=True)
class PanelScore:
    """A figure of merit of a trial among others; more is better.

    Attributes:
        of_draws: a panel → for each of its trials the score in weighted resamples of the inputs.
        blind_to: when it is wrong, in words for a report.
        spoken: a short name for people.
    """

    name: str
    of_draws: Callable[[Panel], Sequence[OfDraws]]
    blind_to: str
    paper: str
    spoken: str

    def __call__(self, panel: Panel) -> list[float]:
        """Of each trial, by all inputs."""
        every = np.ones((1, panel.rows))
        return [float(of_draws(every)[0]) for of_draws in self.of_draws(panel)]


def nearest_rows(features: Features) -> Places | None:
    """The ten nearest others of each sampled row (`components.sampled`), by the cosine of their principal components.

    Args:
        features: shape (m, d).
    Returns:
        Places among the sampled rows, shape (rows, 10), or fewer columns where there are fewer others; None where
        there is nothing to compare: fewer than two rows, no column, or features that are no numbers.
    """
    if len(features) < 2 or not features.shape[1] or not are_numbers(features):
        return None
    from sklearn.neighbors import NearestNeighbors

    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    directions = features / np.maximum(lengths, 1e-12)
    points = on_axes(directions, principal_axes(directions))
    neighbours = NearestNeighbors(n_neighbors=min(NEIGHBOURS_EACH, len(points) - 1)).fit(points)
    return np.asarray(neighbours.kneighbors(return_distance=False), dtype=np.int64)  # none is its own neighbour
