"""What the models of a run were scored on: which examples, told by digests, with labels and groups, and no content.

Trials keep what they said (`trial_files`); only together with this file can it be scored again, by another metric or
beside the trial of another run. Labels of the test set are in it once the test has been opened, and never before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Labels, unknown_labels
from autotl.errors import StorageError
from autotl.run.folder import RunFolder
from autotl.run.trial_files import read_arrays, write_arrays

EXAMPLES = "examples.npz"


@dataclass(frozen=True)
class ScoredSplit:
    """The examples of one split, in the order in which models were asked.

    Attributes:
        digests: of each example's content, shape (n,).
        labels: class indices, shape (n,), UNKNOWN for a class that no model can name; or what a label else is.
    """

    digests: NDArray[np.str_]
    labels: Labels
    groups: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class ScoredExamples:
    """The examples of a run.

    Attributes:
        positive: index of the positive class.
        rows: of the task's data, one for each validation example; `Outputs.rows` count alike.
        validation: the source's examples where the target has no labels.
        test: None where it was not opened.
    """

    classes: tuple[str, ...]
    positive: int
    rows: NDArray[np.int64]
    validation: ScoredSplit
    test: ScoredSplit | None = None

    @property
    def labels_by_row(self) -> Labels:
        """Labels of the task's rows as far as models were scored on them; unknown elsewhere."""
        labels = self.validation.labels
        spread = unknown_labels(int(self.rows.max(initial=-1)) + 1, like=labels)
        spread[self.rows] = labels
        return spread

    @property
    def groups_by_row(self) -> NDArray[np.int64] | None:
        """Groups of the same rows; None where there are none."""
        return None if self.validation.groups is None else _spread(self.rows, self.validation.groups, 0)

    def validation_at(self, rows: NDArray[np.int64]) -> ScoredSplit:
        """The validation examples of some rows, in their order."""
        places = np.searchsorted(self.rows, rows)
        groups = self.validation.groups
        return ScoredSplit(
            self.validation.digests[places],
            self.validation.labels[places],
            None if groups is None else groups[places],
        )


def write_scored_examples(run: RunFolder, examples: ScoredExamples) -> None:
    """Writes them into the run folder."""
    arrays = {
        "classes": np.array(examples.classes, dtype=np.str_),
        "positive": np.array(examples.positive),
        "rows": examples.rows,
        **_as_arrays("validation", examples.validation),
        **({} if examples.test is None else _as_arrays("test", examples.test)),
    }
    write_arrays(run.path / EXAMPLES, arrays)


def read_scored_examples(run: RunFolder) -> ScoredExamples | None:
    """What `write_scored_examples` wrote; None for a run that has not come so far.

    Raises:
        StorageError: the file is damaged.
    """
    if not run.has(EXAMPLES):
        return None
    arrays = read_arrays(run.path / EXAMPLES)
    try:
        return ScoredExamples(
            tuple(arrays["classes"].tolist()),
            int(arrays["positive"]),
            arrays["rows"],
            _from_arrays("validation", arrays),
            _from_arrays("test", arrays) if "test_labels" in arrays else None,
        )
    except KeyError as error:
        raise StorageError(f"{run.path / EXAMPLES} cannot be read: it lacks {error}") from error


def split_of(digests: Sequence[str], labels: Labels, groups: NDArray[np.int64] | None) -> ScoredSplit:
    """A split from an input's digests."""
    return ScoredSplit(np.array(digests, dtype=np.str_), labels, groups)


def _as_arrays(name: str, split: ScoredSplit) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {f"{name}_digests": split.digests, f"{name}_labels": split.labels}
    return arrays if split.groups is None else arrays | {f"{name}_groups": split.groups}


def _from_arrays(name: str, arrays: dict[str, NDArray[Any]]) -> ScoredSplit:
    return ScoredSplit(arrays[f"{name}_digests"], arrays[f"{name}_labels"], arrays.get(f"{name}_groups"))


def _spread(rows: NDArray[np.int64], values: NDArray[np.int64], filling: int) -> NDArray[np.int64]:
    spread = np.full(int(rows.max(initial=-1)) + 1, filling, dtype=np.int64)
    spread[rows] = values
    return spread
