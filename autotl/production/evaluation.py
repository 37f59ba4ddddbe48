"""The test set's one reader. Every use of a test set is counted under its fingerprint, across runs."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TestResult:  # not a test: what one found
    """Figures on the test set: one per model, never used to choose between them."""

    figures: dict[str, dict[str, Any]]  # model name -> {value, low, high}
    probabilities: dict[str, NDArray[np.float32]]  # model name -> (n, classes)
    labels: NDArray[np.int64]
    uses: int  # of this test set on this machine, this one included
    protocol: str


def evaluate_on_test(
    models: Mapping[str, tuple[Plan, list[NDArray[Any]]]],
    test: SealedTest,
    workshop: Workshop,
    *,
    thresholds: Mapping[str, Sequence[float] | None] | None = None,
) -> TestResult:
    """Opens the test labels and scores each model on them.

    Args:
        models: name -> plan and trained weights.
        thresholds: name -> from which probability on the model says each label; none where an example has one label.
    """
    uses = count_use(test.fingerprint)
    probabilities = {
        name: workshop.trained(plan, weights).predict_inputs(test.inputs) for name, (plan, weights) in models.items()
    }
    labels = test.open_labels()
    figures = {
        name: workshop.scorer.on_test(labels, predicted, test.groups, thresholds=(thresholds or {}).get(name))
        for name, predicted in probabilities.items()
    }
    return TestResult(figures, probabilities, labels, uses, test.protocol)


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
    """Opens the test labels for one count of right answers; nothing else of them leaves this function.

    Args:
        predict: probabilities (n, classes) of inputs.
        noise: what is added to the count.
    """
    uses = count_use(test.fingerprint)
    predicted = predict(test.inputs).argmax(axis=1)
    right = int(np.count_nonzero(predicted == test.open_labels())) + noise()
    return Counted(right, len(predicted), uses, test.protocol)


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
