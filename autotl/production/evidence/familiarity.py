"""How many inputs are unlike everything that the winner was trained on, split by split."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Inputs, Rows, TaskData
from autotl.scoring.unlike import FEWEST_ROWS, STANDING_OUT, Familiar, in_units_of, on_the_sphere
from autotl.trial.classical_learner import ClassicalLearner
from autotl.trial.learner import Learner
from autotl.trial.reference import columns_of, features_of_windows, of_rows

MOST_ROWS = 2_000  # of a split; more say the same

Features = NDArray[np.floating]


@dataclass(frozen=True)
class Space:
    """Where distances are measured.

    Attributes:
        words: what the features are, for a sentence.
        of_rows: of rows of the task's data.
        of_inputs: of inputs outside it.
        alike: training features, features → the latter made comparable.
    """

    words: str
    of_rows: Callable[[Rows], Features]
    of_inputs: Callable[[Inputs], Features]
    alike: Callable[[Features, Features], NDArray[np.float64]]


@dataclass(frozen=True)
class Group:
    """Inputs of one split, none of which the model learnt from.

    Attributes:
        right: whether the model reads each of them right, shape (n,); None without labels.
    """

    split: str
    features: Features
    right: NDArray[np.bool_] | None


def space_of(learner: Learner, data: TaskData) -> Space | None:
    """The features that a network's head reads; of trees what they are given. None for a bag of words: there is no
    distance between texts in which rare words would not drown everything else."""
    if not isinstance(learner, ClassicalLearner):
        return Space(
            "the features that its head reads",
            lambda rows: learner.predict(rows)[1],
            lambda inputs: learner.look_at(inputs)[1],
            lambda _, features: on_the_sphere(features),
        )
    readings = {
        "table": ("the table's columns", columns_of),
        "signal": ("classical features of the windows", features_of_windows),
    }
    if data.modality not in readings:
        return None
    words, read = readings[data.modality]
    return Space(
        words,
        lambda rows: of_rows(data, rows, read),
        lambda inputs: read(inputs, np.arange(len(inputs))),
        in_units_of,
    )


def familiarity(space: Space, training: Features, groups: Sequence[Group]) -> dict[str, Any] | None:
    """The share of each split beyond the distance that 5 % of the training examples exceed.

    Args:
        training: features of examples that the model learnt from.
    Returns:
        Plain JSON values: `features` in words, `training` (how many examples), `neighbours`, `expected` (the share of
        training examples beyond), and `splits` as `Familiar.judge` tells them; None with too few training examples.
    """
    if len(training) < FEWEST_ROWS:
        return None
    familiar = Familiar.of(space.alike(training, training))
    return {
        "features": space.words,
        "training": len(training),
        "neighbours": familiar.neighbours,
        "expected": STANDING_OUT,
        "splits": [
            {"split": group.split, **familiar.judge(space.alike(training, group.features), group.right)}
            for group in groups
            if len(group.features)
        ],
    }
