"""Several labels per example by models of two classes, one a label: is it borne or not?

Each label may have trees as many as it needs, and a label that is hard to tell does not disturb the others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from autotl.errors import StorageError
from autotl.trial.classical.boosted_trees import BoostedTrees
from autotl.trial.classical.model import Labels, Probabilities
from autotl.trial.classical.random_forest import RandomForest
from autotl.trial.outcome import Size

NO_AND_YES = 2  # the classes of a member
DIGITS = 4  # of a label's number in the names of its files


@dataclass(frozen=True)
class OneVsRest:
    """A fitted model.

    Attributes:
        kind: of the members.
        arrays_each: how many arrays a member is kept as.
        members: one a label, in their order.
    """

    kind: ClassVar[Any]  # a class of two classes, as `ClassicalModel`
    arrays_each: ClassVar[int]

    members: tuple[Any, ...]

    @property
    def classes(self) -> int:
        """How many labels it tells of."""
        return len(self.members)

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
        **settings: Any,
    ) -> Self:
        """Trains a model a label.

        Args:
            labels: (n, labels) 1 where an example bears the label, else 0.
            class_weights: (labels,) how much an example that bears the label counts, beside one that does not.
            settings: what the members take beside these.
        """
        members = []
        for index in range(classes):
            members.append(
                cls.kind.fit(
                    examples,
                    labels[:, index],
                    classes=NO_AND_YES,
                    class_weights=np.array([1.0, class_weights[index]], dtype=np.float32),
                    seed=seed + index,
                    threads=threads,
                    check=check,
                    **settings,
                )
            )
        return cls(tuple(members))

    def predict(self, examples: Any) -> Probabilities:
        """Probabilities (n, labels), each of its label alone: rows do not add up to 1."""
        return np.stack([member.predict(examples)[:, 1] for member in self.members], axis=1)

    def arrays(self) -> list[NDArray[Any]]:
        """Those of each member, one after the other."""
        return [array for member in self.members for array in member.arrays()]

    @classmethod
    def from_arrays(cls, arrays: Sequence[NDArray[Any]], classes: int) -> Self:
        """The model that `arrays` was called on.

        Raises:
            StorageError: they are not such arrays.
        """
        if len(arrays) != classes * cls.arrays_each:
            wanted = classes * cls.arrays_each
            raise StorageError(f"a model of {classes} labels is kept as {wanted} arrays; there are {len(arrays)}.")
        parts = [arrays[start : start + cls.arrays_each] for start in range(0, len(arrays), cls.arrays_each)]
        return cls(tuple(cls.kind.from_arrays(part, NO_AND_YES) for part in parts))

    def native_files(self) -> dict[str, bytes]:
        """Those of each member, the number of its label before their names."""
        return {
            f"{index:0{DIGITS}d}.{name}": content
            for index, member in enumerate(self.members)
            for name, content in member.native_files().items()
        }

    @classmethod
    def from_native_files(cls, files: Mapping[str, bytes]) -> Self:
        """The model of these files.

        Raises:
            StorageError: a file is missing or not what `native_files` writes.
        """
        of_label: dict[str, dict[str, bytes]] = {}
        for name, content in files.items():
            number, _, rest = name.partition(".")
            of_label.setdefault(number, {})[rest] = content
        expected = [f"{index:0{DIGITS}d}" for index in range(len(of_label))]
        if not of_label or sorted(of_label) != expected:
            raise StorageError(
                f"a model a label is kept as files 0000.…, 0001.…; these are {', '.join(sorted(files))}."
            )
        members = tuple(cls.kind.from_native_files(of_label[number]) for number in expected)
        if any(member.classes != NO_AND_YES for member in members):
            raise StorageError("a model of a label should tell two classes apart, no and yes.")
        return cls(members)

    def size(self) -> Size:
        """Of all members together."""
        sizes = [member.size() for member in self.members]
        return Size(
            params=sum(size.params for size in sizes),
            model_mb=sum(size.model_mb for size in sizes),
            flops=sum(size.flops for size in sizes),
        )


class BoostedTreesPerLabel(OneVsRest):
    """Boosted trees for each label of a table's rows."""

    kind, arrays_each = BoostedTrees, 2


class RandomForestPerLabel(OneVsRest):
    """A random forest for each label of signal windows."""

    kind, arrays_each = RandomForest, 2
