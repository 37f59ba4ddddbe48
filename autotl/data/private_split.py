"""How protected examples are divided: each by itself, so that one more or less moves no other."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Rows, TaskData
from autotl.errors import TaskError
from autotl.task import Task, is_protected


def dealt_by_content(names: Sequence[str], shares: Sequence[float], *, seed: int) -> NDArray[np.int64]:
    """Bin per row, (n,), by a hash of its own name alone: shares are met on average, and equal names stay together.

    Args:
        names: what tells an example apart, or whose group stays together.
        shares: one per bin, adding up to 1.
    """
    ends = np.cumsum(shares)[:-1]
    return np.searchsorted(ends, [_between_0_and_1(name, seed) for name in names], side="right").astype(np.int64)


def _between_0_and_1(name: str, seed: int) -> float:
    digest = hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


@dataclass(frozen=True)
class ProtectedRows:
    """Rows of a task's data by who may look at them: protected ones at a price, public ones freely.

    Labels of `public` rows are known; both public parts are empty where the other domain has no labels, or there is
    none.
    """

    train: Rows
    validation: Rows
    public_train: Rows
    public_validation: Rows

    @classmethod
    def of(cls, task: Task, data: TaskData) -> "ProtectedRows":
        """Of a task under a privacy budget."""
        protected = np.array([is_protected(task, name) for name in data.domains])[data.domain_of]
        of_target = data.domain_of == 0
        scored = np.zeros(len(data.labels), dtype=np.bool_)
        scored[data.source_validation] = True
        if task.data.target.labels == "all":
            scored[data.folds[0].validation] = True
        labelled = data.labels >= 0
        learnt = labelled & ~scored
        if task.data.target.labels != "all":
            learnt &= ~of_target
        parts = [learnt & protected, scored & protected, learnt & ~protected, scored & ~protected]
        return cls(*(np.flatnonzero(part) for part in parts))

    @property
    def all(self) -> Rows:
        """Every protected row."""
        return np.sort(np.concatenate([self.train, self.validation]))


def protected_count(task: Task, rows: Mapping[str, int]) -> int:
    """How many examples are protected, of so many in each domain."""
    return sum(count for domain, count in rows.items() if is_protected(task, domain))


def refuse_loose_delta(task: Task, rows: Mapping[str, int]) -> None:
    """Raises a TaskError where delta would allow to give whole examples away.

    Args:
        rows: examples in each domain.
    """
    examples = protected_count(task, rows)
    if task.privacy is None or task.privacy.delta < 1 / max(examples, 1):
        return
    usual = 10.0 ** -math.ceil(math.log10(10 * examples))
    raise TaskError(
        f"{task.where('privacy.delta')}: {task.privacy.delta:g} is not below one in {examples:,}, the number of "
        f"protected examples: it would allow to publish one of them whole. Write {usual:g} or less."
    )
