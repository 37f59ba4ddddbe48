"""The model of tasks that are learnt together: a head each on one trainable part, their losses weighed.

The last layer's outputs lie task by task, this task's own first; its rows for one task are that task's head.
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from autotl.adaptation.method import Part
from autotl.data.examples import UNKNOWN
from autotl.trial.losses import NO_WEIGHT
from autotl.trial.model import Structure, TransferModel

FAR_BELOW = -1e9  # the logit of a class of another task: its probability is 0


class SharedModel(TransferModel):
    """A `TransferModel` whose labels count through the classes of all tasks, each task's after those before it.

    With `uncertainty` every task has a trainable logarithm of a variance, which starts at 0: then all weigh alike.
    """

    rate_of_networks = 10.0  # a head takes a few hundred steps, in which the variances would hardly move at its rate

    def __init__(self, suffix: keras.Model, structure: Structure, *, seed: int) -> None:
        super().__init__(suffix, structure, seed=seed)
        tasks = (structure.classes, *structure.companions)
        self.task_of = np.repeat(np.arange(len(tasks)), tasks).astype("int32")
        self.log_variances = (
            self.add_weight(shape=(len(tasks),), initializer="zeros", name="log_variances")
            if structure.weighing == "uncertainty"
            else None
        )

    def part_of(self) -> dict[Part, list[Any]]:
        """See `TransferModel`; variances only help to train."""
        found = super().part_of()
        return found if self.log_variances is None else {**found, "networks": [self.log_variances]}

    def _supervised(self, logits: Any, y: Any, sample_weight: Any) -> Any:
        """The mean over known labels of all tasks, each weighted by its class."""
        losses = losses_of_tasks(
            logits, y, self.task_of, label_smoothing=self.label_smoothing, log_variances=self.log_variances
        )
        weight = ops.cast(ops.not_equal(y, UNKNOWN), "float32") * ops.take(self.class_weights, ops.maximum(y, 0))
        if sample_weight is not None:
            weight = weight * ops.cast(sample_weight, "float32")
        return ops.sum(weight * losses) / ops.maximum(ops.sum(weight), NO_WEIGHT)


def losses_of_tasks(logits: Any, y: Any, task_of: Any, *, label_smoothing: Any = 0.0, log_variances: Any = None) -> Any:
    """Cross-entropy of each example among the classes of its own task.

    With variances an example of task t counts exp(-s) times its cross-entropy plus s / 2, where s is the logarithm of
    t's variance: a task whose labels are noisy weighs less, and no variance grows for nothing.

    Args:
        logits: (n, outputs), of all tasks' classes.
        y: (n,) index among the outputs; a negative one counts as the first, its caller leaves it out.
        task_of: (outputs,) task of each.
        label_smoothing: share of the label that goes to all classes of the task alike.
        log_variances: (tasks,), or None: all tasks weigh alike.
    Returns:
        (n,).
    Paper: Kendall, Gal & Cipolla, "Multi-task learning using uncertainty to weigh losses", CVPR 2018
    (arXiv:1705.07115), eq. 7 to 10.
    """
    label = ops.maximum(y, 0)
    task = ops.take(task_of, label)
    is_own = ops.equal(ops.expand_dims(task_of, 0), ops.expand_dims(task, -1))
    log_probabilities = ops.log_softmax(ops.where(is_own, logits, FAR_BELOW), axis=-1)
    of_label = ops.take_along_axis(log_probabilities, ops.expand_dims(label, -1), axis=-1)[:, 0]
    own = ops.cast(is_own, logits.dtype)
    mean = ops.sum(ops.where(is_own, log_probabilities, 0.0), axis=-1) / ops.sum(own, axis=-1)
    losses = -((1.0 - label_smoothing) * of_label + label_smoothing * mean)
    if log_variances is None:
        return losses
    of_task = ops.take(log_variances, task)
    return ops.exp(-of_task) * losses + of_task / 2
