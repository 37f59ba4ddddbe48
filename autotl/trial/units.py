"""Numbers to learn, in units in which every head starts alike: their mean is 0 and their deviation 1.

They are fitted on the rows that a model trains on. A trained head is kept with them folded into its weights, so that
whoever loads it, and every exported model, says numbers in the unit of the task without knowing of this.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Labels, is_known

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Unit:
    """What numbers are told in: `mean + scale * told`."""

    mean: float = 0.0
    scale: float = 1.0

    def told(self, labels: Labels) -> Labels:
        """Labels of any shape in this unit; unknown ones stay unknown."""
        return labels if self == TASKS_OWN else (labels - self.mean) / self.scale

    def untold(self, answers: Numbers) -> Numbers:
        """What a model says in this unit, in the task's own."""
        return answers if self == TASKS_OWN else (answers * self.scale + self.mean).astype(np.float32)

    def folded(self, kernel: Numbers, bias: Numbers, *, joined: int) -> tuple[Numbers, Numbers]:
        """A last layer, (d + joined, outputs) and (outputs,), that answers in the task's own unit.

        Args:
            joined: rows at the kernel's end that read numbers, in this unit before and in the task's own afterwards.
        """
        if self == TASKS_OWN:
            return kernel, bias
        own, of_numbers = kernel[: len(kernel) - joined], kernel[len(kernel) - joined :]
        offset = self.mean * (1.0 - of_numbers.sum(axis=0))
        folded = np.concatenate([own * self.scale, of_numbers])
        return folded.astype(np.float32), (bias * self.scale + offset).astype(np.float32)

    def as_array(self) -> NDArray[np.float64]:
        """(2,), for a checkpoint."""
        return np.array([self.mean, self.scale])

    @classmethod
    def from_array(cls, array: NDArray[np.float64]) -> "Unit":
        """What `as_array` wrote."""
        return cls(float(array[0]), float(array[1]))


TASKS_OWN = Unit()


def of_classes(labels: Labels) -> Unit:  # noqa: ARG001 - one interface: class indices have no unit
    """Labels stay as they are."""
    return TASKS_OWN


def of_numbers(labels: Labels) -> Unit:
    """The unit of these numbers; those that are unknown play no part."""
    known = labels[is_known(labels)]
    deviation = float(known.std()) if len(known) else 0.0
    return Unit(float(known.mean()), deviation) if deviation > 0 else Unit(float(known.mean()) if len(known) else 0.0)
