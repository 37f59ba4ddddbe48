"""What every classical model offers, whatever its examples are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.metrics import LEAST_PROBABILITY
from autotl.trial.outcome import Size

Labels = NDArray[np.int64]  # class index of each example, shape (n,)
Probabilities = NDArray[np.float32]  # shape (n, classes), rows add up to 1


class ClassicalModel(Protocol):
    """A fitted model. It is kept as plain arrays or as native files, never as a pickle."""

    @property
    def classes(self) -> int:
        """How many classes it tells apart, those without a training example included."""
        ...

    @classmethod
    def fit(
        cls,
        examples: Any,
        labels: Labels,
        *,
        classes: int,
        class_weights: NDArray[np.float32],
        seed: int,
        threads: int,
        check: Callable[[], None],
    ) -> Self:
        """Trains on all the examples given; every choice inside is made on them alone.

        Args:
            examples: n texts, a table (n, columns) or windows (n, samples, channels); each model says which.
            labels: (n,) class index below `classes`; a class may have no example.
            class_weights: (classes,) how much an example of each class counts.
            seed: the same seed gives the same model, to the bit, for the same number of threads.
            check: called now and then; what it raises ends the training.
        Raises:
            ValueError: no examples, or examples of another shape than the model's.
        """
        ...

    def predict(self, examples: Any) -> Probabilities:
        """Probabilities (n, classes); none is below about 1e-7, so that their logarithm is finite."""
        ...

    def arrays(self) -> list[NDArray[Any]]:
        """All that is needed to predict again, as numbers; text is an array of bytes (uint8)."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Sequence[NDArray[Any]], classes: int) -> Self:
        """The model that `arrays` was called on.

        Raises:
            StorageError: they are not such arrays.
        """
        ...

    def native_files(self) -> dict[str, bytes]:
        """The same as files that other programs can read, by name."""
        ...

    @classmethod
    def from_native_files(cls, files: Mapping[str, bytes]) -> Self:
        """The model of these files, each checked before it is used.

        Raises:
            StorageError: a file is missing, too large, or not of the kind that `native_files` writes.
        """
        ...

    def size(self) -> Size:
        """Parameters, megabytes as shipped, and rough FLOPs of one prediction."""
        ...


def classes_present(labels: Labels) -> Labels:
    """The classes that have a training example, ascending.

    Raises:
        ValueError: there is no example at all.
    """
    if not len(labels):
        raise ValueError("a model needs at least one training example.")
    return np.unique(labels)


def over_all_classes(probabilities: NDArray[np.floating], present: Labels, classes: int) -> Probabilities:
    """Probabilities (n, present) as probabilities (n, classes): what has no column, or nearly none, gets the least."""
    spread = np.full((len(probabilities), classes), LEAST_PROBABILITY)
    if not len(probabilities):
        return spread.astype(np.float32)
    spread[:, present] = np.maximum(probabilities, LEAST_PROBABILITY)
    return (spread / spread.sum(axis=1, keepdims=True)).astype(np.float32)
