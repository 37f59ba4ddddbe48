"""What a workshop trains, whatever it is made of: one plan's model on the bench."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Fold, Inputs, Rows
from autotl.trial.outcome import Size

Arrays = list[NDArray[Any]]
Probabilities = NDArray[np.float32]  # (n, classes)
Features = NDArray[np.float32]  # (n, d)


def without_check() -> None:
    """A `check` that never stops: there is all the time in the world."""


class Trained(Protocol):
    """A model that a trial trained."""

    def predict(self, rows: Rows) -> tuple[Probabilities, Features]:
        """What it says of rows of the task's data, and the features it says it by."""
        ...

    def classifier_weights(self) -> NDArray[np.float32] | None:
        """(d, classes), by which a linear last layer reads the features; None where there is none."""
        ...

    def weights(self) -> Arrays:
        """What tells the trained model from an untrained one; a trial keeps it."""
        ...

    def size(self) -> Size:
        """What the model costs to run."""
        ...


@runtime_checkable
class Mixes(Protocol):
    """A model whose inputs can be mixed."""

    def predict_mixed(self, rows: Rows, partners: Rows, share: float) -> Probabilities:
        """What it says of mixtures, `share` of each target row and the rest of its partner."""
        ...


@runtime_checkable
class ExpectsOfSource(Protocol):
    """A model that can tell from sums how it does on a source whose examples are not here."""

    def expected_confusion(self) -> NDArray[np.float64]:
        """(classes, classes) counts, a row per true class."""
        ...


class Learner(Trained, Protocol):
    """One plan's model, valid until the next plan is put on the bench.

    Folds take turns on it: `state` is taken after a fold's epoch and put back before its next one.
    """

    def start(self, fold: Fold, *, fold_number: int) -> None:
        """Puts it where a fresh model of the plan would start on this fold."""
        ...

    def resume(self, fold: Fold, *, fold_number: int, epochs: int, state: Arrays) -> None:
        """Puts it where the model of another process was after some epochs on this fold."""
        ...

    def train_epoch(self, fold: Fold, *, fold_number: int, epoch: int, check: Callable[[], None]) -> float:
        """Trains on the fold's training rows once and returns the mean loss; `check` may raise to stop."""
        ...

    def predict_inputs(self, inputs: Inputs) -> Probabilities:
        """What it says of inputs outside the task's pools, such as the test set."""
        ...

    def look_at(self, inputs: Inputs) -> tuple[Probabilities, Features]:
        """The same with the features it says it by."""
        ...

    def state(self) -> Arrays:
        """Everything that training changes."""
        ...

    def load_state(self, state: Arrays) -> None:
        """Continues from a state that `state` returned."""
        ...

    def load_weights(self, weights: Arrays) -> None:
        """Makes this the trained model that `weights` was taken from."""
        ...
