"""The test set's one reader. Every use of a test set is counted under its fingerprint, across runs."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from autotl.data import Inputs, SealedTest
from autotl.errors import StorageError
from autotl.plan import Plan
from autotl.production.home import home_folder
from autotl.run.folder import write_whole
from autotl.trial.workshop import Workshop

USES = "test_uses.json"

Predicted = TypeVar("Predicted")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TestResult:  # not a test: what one found
    """Figures on the test set: one per model, never used to choose between them."""

    figures: dict[str, dict[str, Any]]  # model name -> {value, low, high}
    probabilities: dict[str, NDArray[np.float32]]  # model name -> (n, classes)
    labels: NDArray[np.int64]
    uses: int  # of this test set on this machine, this one included
    protocol: str
    strangers: tuple[str, ...]  # classes of its examples that no model can name


def evaluate_on_test(
    models: Mapping[str, tuple[Plan, list[NDArray[Any]]]],
    test: SealedTest,
    workshop: Workshop,
    *,
    thresholds: Mapping[str, Sequence[float] | None] | None = None,
) -> TestResult:
    """Scores each model on the test labels.

    Args:
        models: name -> plan and trained weights.
        thresholds: name -> from which probability on the model says each label; none where an example has one label.
    """

    def say(inputs: Inputs) -> dict[str, NDArray[np.float32]]:
        return {
            name: workshop.trained(plan, weights).predict_inputs(inputs) for name, (plan, weights) in models.items()
        }

    opened = predict_and_open(test, say)
    figures = {
        name: workshop.scorer.on_test(opened.labels, predicted, test.groups, thresholds=(thresholds or {}).get(name))
        for name, predicted in opened.predicted.items()
    }
    return TestResult(figures, opened.predicted, opened.labels, opened.uses, test.protocol, opened.strangers)


@dataclass(frozen=True)
class Counted:
    """How many test examples a model was right on, with noise where they are protected."""

    right: int
    rows: int
    uses: int  # of this test set on this machine, this one included
    protocol: str


def count_on_test(
    predict: Callable[[Inputs], NDArray[np.float32]], test: SealedTest, *, noise: Callable[[], int]
) -> Counted:
    """One count of right answers on the test labels; nothing else of them leaves this function.

    Args:
        predict: probabilities (n, classes) of inputs.
        noise: what is added to the count.
    """
    opened = predict_and_open(test, predict)
    right = int(np.count_nonzero(opened.predicted.argmax(axis=1) == opened.labels)) + noise()
    return Counted(right, len(opened.labels), opened.uses, test.protocol)


@dataclass(frozen=True)
class Opened(Generic[Predicted]):
    """A test that was opened.

    Attributes:
        predicted: before that, of its inputs.
        uses: of this test set on this machine, this one included.
        strangers: classes of its examples that no model can name.
    """

    predicted: Predicted
    labels: NDArray[np.int64]
    uses: int
    strangers: tuple[str, ...]


def predict_and_open(test: SealedTest, predict: Callable[[Inputs], Predicted]) -> Opened[Predicted]:
    """Counts the use, has the test inputs predicted, and only then opens the labels: there is no other way to them."""
    uses = count_use(test.fingerprint)
    predicted = predict(test.inputs)
    return Opened(predicted, test.open_labels(), uses, test.open_unknown_classes())


def count_use(fingerprint: str) -> int:
    """Adds one to the uses of a test set and returns how many there have been, as far as this machine knows."""
    path = home_folder() / USES
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            uses = _read_uses(path)
            uses[fingerprint] = int(uses.get(fingerprint, 0)) + 1
            write_whole(path, json.dumps(uses, indent=1).encode())
            return int(uses[fingerprint])
    except (OSError, StorageError) as error:
        _log.warning("this use of the test set could not be counted in %s: %s", path, error)
        return 1


def _read_uses(path: Path) -> dict[str, int]:
    try:
        uses: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        _log.warning("%s could not be read and was put aside as %s: counting starts anew", path, aside.name)
        return {}
    return uses
