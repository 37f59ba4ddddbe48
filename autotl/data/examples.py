"""What the search may see of the data: inputs, known labels, folds, and a sealed test.

Labels that the task declares unknown are not in these values at all, so no room to the right can read them by mistake.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from autotl.data.exported import ExportedSource
from autotl.data.statistics_file import StatisticsSource
from autotl.task.problem import CLASSIFICATION, Problem

Rows = NDArray[np.int64]
ScoreKind = Literal["validation", "cross_validation", "label_free"]
UNKNOWN = -1  # the class index of an example whose label the search does not know
Labels = NDArray[Any]  # (n,) class indices or numbers; (n, labels) marks 0 and 1 of several labels each


def is_known(labels: Labels) -> NDArray[np.bool_]:
    """(n,) whether the search knows the label of each example, whatever a label is."""
    of_each = labels.reshape(len(labels), -1)[:, 0] if labels.size else np.empty(0)
    return ~np.isnan(of_each) if labels.dtype.kind == "f" else of_each != UNKNOWN


def unknown_labels(count: int, *, like: Labels) -> Labels:
    """Labels of so many examples of which the search knows none, of the same kind as others."""
    return np.full((count, *like.shape[1:]), np.nan if like.dtype.kind == "f" else UNKNOWN, dtype=like.dtype)


def class_labels(labels: Labels) -> NDArray[np.int64]:
    """(n,) class indices of examples; UNKNOWN throughout where a label is no class."""
    is_class = labels.ndim == 1 and labels.dtype.kind == "i"
    return labels if is_class else np.full(len(labels), UNKNOWN, dtype=np.int64)


@dataclass(frozen=True)
class View:
    """One stored random view of an example; `number` 0 is the plain image whatever the policy."""

    policy: str  # a key of `augmentation.POLICIES`
    number: int


PLAIN = View(policy="none", number=0)


class Inputs(Protocol):
    """Examples of one domain without labels, in a fixed order. How they are read is a matter of their modality."""

    @property
    def ids(self) -> tuple[str, ...]:
        """A name per example, unique in the domain: relative path, or `row 17`. Says nothing of a hidden label."""
        ...

    @property
    def digests(self) -> tuple[str, ...]:
        """xxh3-128 of each example's content (file bytes, array or table row, text), hexadecimal: the store's keys."""
        ...

    def __len__(self) -> int: ...

    def take(self, rows: Rows) -> Self:
        """These rows only, in this order."""
        ...

    def renamed(self, ids: Sequence[str]) -> Self:
        """The same examples under other ids."""
        ...


@dataclass(frozen=True)
class Fold:
    """Rows to train on and rows to score on; they share no row, no content (of any domain) and no group."""

    train: Rows
    validation: Rows


@dataclass(frozen=True)
class Finding:
    """Something the audit noticed. `error` findings stop a search, the others are shown."""

    code: str  # stable, e.g. "broken_image"
    severity: Literal["error", "warning", "info"]
    message: str  # where, what was seen, what to do
    examples: tuple[str, ...] = ()  # up to 20 ids


class SealedTest:
    """Test inputs, and labels that only `open_labels` gives out, to `production.evaluation.predict_and_open` alone."""

    def __init__(
        self,
        inputs: Inputs,
        labels: NDArray[np.int64],
        fingerprint: str,
        protocol: str,
        unknown_classes: tuple[str, ...] = (),
        groups: NDArray[np.int64] | None = None,
    ) -> None:
        self.inputs = inputs
        self.fingerprint = fingerprint  # digest of inputs and labels: uses are counted under it
        self.protocol = protocol  # "given", "share" or "labels_of_train" (transductive)
        self._labels = labels
        self.groups = groups  # (n,) or None: intervals are drawn over whole groups
        self._unknown_classes = unknown_classes

    def with_inputs(self, inputs: Inputs) -> "SealedTest":
        """The same test on the same examples, read in another way."""
        return SealedTest(inputs, self._labels, self.fingerprint, self.protocol, self._unknown_classes, self.groups)

    def open_labels(self) -> NDArray[np.int64]:
        """Class index per test example, shape (n,); UNKNOWN for a class that no source has, never predicted rightly."""
        return self._labels

    def open_unknown_classes(self) -> tuple[str, ...]:
        """Classes of an unlabelled target that no source has: only opening the test can show them."""
        return self._unknown_classes


def _no_rows() -> Rows:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Companion:
    """Another task that is learnt beside this one: its labelled examples, but for those that this task is tested on.

    Attributes:
        labels: (n,) class index among its own classes.
        groups: (n,) or None, as `TaskData.groups`.
    """

    name: str
    classes: tuple[str, ...]
    inputs: Inputs
    labels: NDArray[np.int64]
    groups: NDArray[np.int64] | None = None

    def take(self, rows: Rows) -> "Companion":
        """These rows only."""
        groups = None if self.groups is None else self.groups[rows]
        return replace(self, inputs=self.inputs.take(rows), labels=self.labels[rows], groups=groups)

    def rows_without(self, digests: Collection[str]) -> Rows:
        """Its rows that are no copy of these contents, nor in a group with one.

        An example that a model is scored on would otherwise have been seen in training, under its other label.
        """
        copies = np.isin(np.array(self.inputs.digests), np.array(list(digests), dtype=np.str_))
        tainted = copies if self.groups is None else np.isin(self.groups, self.groups[copies])
        return np.flatnonzero(~tainted)


@dataclass(frozen=True)
class TaskData:
    """All a search reads. Rows count through the domains' inputs one after the other, target first."""

    modality: str
    # what the columns of an answer are called. The classes exactly as written in the data; of two, the positive one
    # stands last. Of a regression one name, the label column's
    classes: tuple[str, ...]
    domains: tuple[str, ...]  # "target" first, then the sources' names
    inputs: tuple[Inputs, ...]  # one per domain; no test input is among them
    # (n,) class index, UNKNOWN where the search does not know it; numbers of a regression, not-a-number likewise
    labels: Labels
    groups: NDArray[np.int64] | None  # (n,) or None: examples of one group never stand on both sides of a fold
    folds: tuple[Fold, ...]  # one fold: hold-out; several: cross-validation of heads
    suffix_folds: tuple[Fold, ...]  # the same, or fewer, for plans that train backbone layers
    score_kind: ScoreKind
    target_rows: Rows  # target inputs on which agreement and label-free scores are computed; never test inputs
    setting: str  # "inductive", "transductive" or "cross-domain"
    test: SealedTest | None
    findings: tuple[Finding, ...] = ()
    summary: Mapping[str, object] = field(default_factory=dict)  # plain JSON values, shown in the report
    problem: Problem = CLASSIFICATION
    metric: str = "accuracy"  # the task's own, or what its classes' counts suggest
    adaptation_rows: Rows = field(default_factory=_no_rows)  # unlabelled target inputs that a method may train on
    source_validation: Rows = field(default_factory=_no_rows)  # labelled source rows in no fold's train: for guards
    exported: ExportedSource | None = None  # a source that is a model without examples, and no domain of its own
    companions: tuple[Companion, ...] = ()  # tasks that plans may learn together with this one
    statistics: tuple[StatisticsSource, ...] = ()  # sources of which only sums are here; no domains of their own

    @property
    def source_is_elsewhere(self) -> bool:
        """Whether what is known of the source is a model or sums, and none of its examples is here."""
        return self.exported is not None or bool(self.statistics)

    @property
    def has_few_labels(self) -> bool:
        """Whether a few target labels are known beside a labelled source: then label-free scores have a say, too."""
        is_partly_labelled = self.score_kind == "cross_validation" and len(self.adaptation_rows) > 0
        return is_partly_labelled and len(self.source_validation) > 0

    @property
    def is_judged_without_labels(self) -> bool:
        """Whether label-free scores of its trials are asked for."""
        return self.score_kind == "label_free" or self.has_few_labels

    @property
    def domain_of(self) -> NDArray[np.int64]:
        """(n,) index into `domains` for each row."""
        return np.repeat(np.arange(len(self.domains)), [len(inputs) for inputs in self.inputs])
