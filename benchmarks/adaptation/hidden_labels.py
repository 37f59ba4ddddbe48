"""What only a benchmark may do: hold the labels that a search never saw against what its trials said."""

from collections.abc import Iterable, Mapping

import numpy as np

from autotl.data import TaskData
from autotl.trial.outcome import Outputs

LabelOf = Mapping[str, int]  # id of a target example -> index of its class, UNKNOWN for a class that no source has


def labels_of_target(data: TaskData) -> LabelOf:
    """The hidden label of every target example, by the id under which trials know it.

    Under `test: {labels_of: train}` the sealed test holds the target's own examples, in an order and under ids that
    tell nothing; both follow from content and seed, so that loading the task once more gives those of the search.

    Raises:
        ValueError: the task's test is another one.
    """
    if data.test is None or data.test.protocol != "labels_of_train":
        raise ValueError("only under 'test: {labels_of: train}' are the target's own labels sealed away.")
    return dict(zip(data.test.inputs.ids, data.test.open_labels().tolist(), strict=True))


def accuracy_on_target(outputs: Outputs, label_of: LabelOf) -> float:
    """Share of the target examples that a trial named rightly."""
    labels = np.array([label_of[name] for name in outputs.target_ids.tolist()], dtype=np.int64)
    return float((outputs.target.argmax(axis=1) == labels).mean())


def oracle(pool: Iterable[Outputs], label_of: LabelOf) -> float:
    """The best accuracy among trials: what a choice that saw the labels would have reached."""
    return max(accuracy_on_target(outputs, label_of) for outputs in pool)
