"""The model that a server holds: loaded, traced and warmed up before the first request."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.backbones.reading import ColumnReading, PixelReading, Reading, SampleReading
from autotl.data.examples import Inputs
from autotl.production.bundle import ENCODER, MODEL, NATIVE, Bundle
from autotl.production.serving.refusal import RefusalError

BATCH = 32  # examples that are computed together; between two batches a request may find that its time is up
WARM_UP = 3

Predict = Callable[[NDArray[Any]], NDArray[np.float32]]  # a batch as the reading gives it -> (n, classes)


@dataclass(frozen=True, eq=False)
class Served:
    """A bundle ready to answer.

    Attributes:
        name, version: in the registry; of a bundle that nobody promoted its task's name, and None.
        asked_for: what the user wrote, such as `kitchen@production`.
    """

    bundle: Bundle
    name: str
    version: int | None
    asked_for: str
    predict_batch: Predict
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def reading(self) -> Reading:
        """Gives the model's input for raw examples."""
        return self.bundle.reading

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the probabilities."""
        return self.bundle.classes

    def predict(self, inputs: Inputs, check: Callable[[], None]) -> NDArray[np.float32]:
        """Probabilities (n, classes) of every example.

        One thread at a time is with the model, while others decode.

        Args:
            check: may raise to stop, between batches.
        Raises:
            DataError: an example cannot be read.
            RefusalError: the model says nothing finite of an example.
        """
        said = []
        for start in range(0, len(inputs), BATCH):
            check()
            batch = self.reading(inputs, np.arange(start, min(start + BATCH, len(inputs))))
            with self._turn:
                said.append(self.predict_batch(batch))
        probabilities = np.concatenate(said)
        wrong = np.flatnonzero(~np.isfinite(probabilities).all(axis=1)).tolist()
        if wrong:
            mistakes = [f"{inputs.ids[row]}: the model gives no finite answer." for row in wrong]
            raise RefusalError(422, "Values are so large that the model cannot compute with them.", mistakes=mistakes)
        return probabilities


def served(bundle: Bundle, *, name: str, version: int | None, asked_for: str) -> Served:
    """Loads a bundle's model and has it predict a few times, so that no request waits for compiling.

    Raises:
        StorageError: its files cannot be read.
    """
    from autotl.production.serving.frozen_graph import frozen
    from autotl.production.serving_model import KerasServing

    model, example = bundle.load_model(), blank_example(bundle.reading)
    predict = frozen(model, example) if isinstance(model, KerasServing) else model.predict
    for _ in range(WARM_UP):
        predict(example)
    return Served(bundle, name, version, asked_for, predict)


def blank_example(reading: Reading) -> NDArray[Any]:
    """A batch of one as the reading would give it."""
    if isinstance(reading, PixelReading | ColumnReading | SampleReading):
        return np.ones((1, *(size or 1 for size in reading.shape)), dtype=reading.dtype)
    return np.array(["warm up"], dtype=object)


def digest_of_model(bundle: Bundle) -> str:
    """SHA-256 of what predicts: of model.keras, or of what `sha256sum native/*` prints, of an encoder on PyTorch
    `sha256sum encoder/* model.keras`."""
    files = bundle.description["files"]
    if not bundle.is_native and not bundle.has_encoder:
        return str(files[MODEL])
    of_model = (MODEL, *(name for name in files if name.startswith((f"{NATIVE}/", f"{ENCODER}/"))))
    lines = [f"{digest}  {name}\n" for name, digest in sorted(files.items()) if name in of_model]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
