"""Divides the examples of a task: training and validation without leaks, folds to choose a plan by, a sealed test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xxhash

from autotl.data.examples import Finding, Fold, Inputs, Labels, Rows, ScoreKind, SealedTest
from autotl.data.joining import join_inputs
from autotl.data.known_labels import known_labels
from autotl.data.labels import LABELS
from autotl.data.listing import SplitName, Survey, sources_of_examples
from autotl.data.opening import Examples, unique_ids
from autotl.data.private_split import dealt_by_content
from autotl.data.splits import HEAD_FOLDS, SUFFIX_FOLDS, Integers, cross_validation, deal, joint_groups
from autotl.data.summary import share_of_test
from autotl.errors import DataError
from autotl.task import PROBLEMS, LabelsOf, PerClass, Source, Task, is_protected
from autotl.task.values import share_of

HELD_OUT_FROM_ROWS = 200  # fewer unlabelled validation inputs say too little to hold them out
TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class Divided:
    """The examples of all domains, the target's first, and what each of them is for. Rows count over all domains.

    Attributes:
        splits: training and validation rows of each domain.
        findings: what was noticed while dividing.
        others: as `TaskData` names them.
    """

    inputs: tuple[Inputs, ...]
    labels: Labels
    groups: Integers | None
    folds: tuple[Fold, ...]
    suffix_folds: tuple[Fold, ...]
    score_kind: ScoreKind
    target_rows: Rows
    adaptation_rows: Rows
    source_validation: Rows
    test: SealedTest | None
    splits: Mapping[str, Mapping[str, Rows]]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Domain:
    """A domain after splitting. Rows count within the domain."""

    name: str
    examples: Examples
    train: Rows
    validation: Rows
    validation_is_given: bool
    labels: Labels  # unknown throughout where the search may not see them


def divide(
    task: Task, listed: Survey, classes: tuple[str, ...], given: Mapping[tuple[str, SplitName], Examples]
) -> Divided:
    """Splits and folds of everything that was opened.

    Raises:
        DataError: a share of unlabelled examples is to be the test.
    """
    target, test = _divide_target(task, listed, classes, given)
    sources = [(name, source) for name, (_, source) in sources_of_examples(task).items()]
    domains = [target, *(_divide_source(task, classes, given, name, source) for name, source in sources)]
    starts = np.cumsum([0, *(len(domain.examples) for domain in domains)])
    splits = {
        domain.name: {"train": domain.train + start, "validation": domain.validation + start}
        for domain, start in zip(domains, starts, strict=False)
    }
    source_validation = _joined([splits[name]["validation"] for name, _ in sources])
    labels = np.concatenate([domain.labels for domain in domains])
    few = _labelled_few(task, target, classes)
    if len(few):
        labels[few] = [classes.index((target.examples.labels or ())[row]) for row in few.tolist()]
    source_train = _SourceTraining.of(domains, starts)
    folds, suffix_folds, kind = _folds(task, target, few, labels, source_train, source_validation)
    target_rows, adaptation_rows = _label_free_rows(task, target, few, folds)
    return Divided(
        inputs=tuple(domain.examples.inputs for domain in domains),
        labels=labels,
        groups=_group_numbers(domains),
        folds=folds,
        suffix_folds=suffix_folds,
        score_kind=kind,
        target_rows=target_rows,
        adaptation_rows=adaptation_rows,
        source_validation=source_validation,
        test=test,
        splits=splits,
        findings=tuple(_few_drawn(task, few, labels, classes)),
    )


@dataclass(frozen=True)
class _SourceTraining:
    """The labelled source rows that join the training part of every fold."""

    rows: Rows
    domain_of: Integers  # of every row of every domain
    content: Integers  # equal for copies and near copies
    groups: Integers  # equal within a domain for rows of one group or one content

    @classmethod
    def of(cls, domains: Sequence[_Domain], starts: Integers) -> "_SourceTraining":
        content = [name for domain in domains for name in domain.examples.content]
        together = [joint_groups(domain.examples.groups, domain.examples.content) for domain in domains]
        placed = list(zip(domains, starts, strict=False))
        return cls(
            _joined([domain.train + start for domain, start in placed[1:]]),
            np.repeat(np.arange(len(domains)), [len(domain.examples) for domain in domains]),
            joint_groups(content),
            np.concatenate([groups + start for groups, start in zip(together, starts, strict=False)]),
        )

    def beside(self, validation: Rows) -> Rows:
        """Those rows whose group holds no copy of a validation example of another domain.

        A labelled copy in the training part would give the answer away. Within a domain the splits themselves keep
        copies together, or the user allowed them to stand on both sides.
        """
        copies = np.zeros(len(self.content), dtype=np.bool_)
        for domain in np.unique(self.domain_of[self.rows]).tolist():
            scored = validation[self.domain_of[validation] != domain]
            copies |= (self.domain_of == domain) & np.isin(self.content, self.content[scored])
        tainted = np.isin(self.groups, self.groups[copies])
        return self.rows[~tainted[self.rows]]


def _divide_target(
    task: Task,
    listed: Survey,
    classes: tuple[str, ...],
    given: Mapping[tuple[str, SplitName], Examples],
) -> tuple[_Domain, SealedTest | None]:
    """The target's training and validation examples, and its test sealed away."""
    wanted = task.data.target
    train = given["target", "train"]
    validation, test = given.get(("target", "validation")), given.get(("target", "test"))
    validation_share = share_of(wanted.validation) if validation is None else 0.0
    tested = share_of_test(task, listed, len(train))
    if tested and train.labels is None:
        words = "a share of unlabelled examples cannot be a test. Name a labelled path, or write 'test: none'."
        raise DataError(f"{task.where('data.target.test')}: {words}")
    labels = known_labels(task, "target", train, classes)
    bins = _deal(task, "target", train, labels, [1 - validation_share - tested, validation_share, tested])
    source_content = {
        digest for (domain, _), examples in given.items() if domain != "target" for digest in examples.content
    }
    copies = np.array([digest in source_content for digest in train.content], dtype=np.bool_)
    groups = joint_groups(train.groups, train.content)
    # a labelled copy in a source would give the answer away; its whole group moves, to stay on one side
    moved = np.isin(groups, groups[copies & (bins == TEST)]) if task.privacy is None else copies & (bins == TEST)
    if task.privacy is None or is_protected(task, "target"):  # of a protected example nothing else may depend
        bins[moved] = TRAIN
    sealed: SealedTest | None = None
    if test is not None:
        sealed = _seal(task, test, classes, protocol="given")
    elif isinstance(wanted.test, LabelsOf):
        sealed = _seal(task, train, classes, protocol="labels_of_train")
    elif tested:
        sealed = _seal(task, train.take(np.flatnonzero(bins == TEST)), classes, protocol="share")
    kept = np.flatnonzero(bins != TEST)
    return _with_validation("target", train.take(kept), bins[kept], labels[kept], validation, task, classes), sealed


def _divide_source(
    task: Task,
    classes: tuple[str, ...],
    given: Mapping[tuple[str, SplitName], Examples],
    name: str,
    source: Source,
) -> _Domain:
    train, validation = given[name, "train"], given.get((name, "validation"))
    share = share_of(source.validation) if validation is None else 0.0
    labels = known_labels(task, name, train, classes)
    bins = _deal(task, name, train, labels, [1 - share, share])
    return _with_validation(name, train, bins, labels, validation, task, classes)


def _with_validation(
    name: str,
    train: Examples,
    bins: Integers,
    labels: Labels,
    validation: Examples | None,
    task: Task,
    classes: tuple[str, ...],
) -> _Domain:
    """The domain of these examples, followed by those of a validation path."""
    if validation is None:
        return _Domain(name, train, np.flatnonzero(bins == TRAIN), np.flatnonzero(bins == VALIDATION), False, labels)
    count = len(train)
    inputs = join_inputs([train.inputs, validation.inputs])
    both = Examples(
        inputs.renamed(unique_ids(inputs.ids)),
        (*train.labels, *validation.labels) if train.labels is not None and validation.labels is not None else None,
        (*(train.groups or ("",) * count), *(validation.groups or ("",) * len(validation)))
        if train.groups or validation.groups
        else None,
        train.alike,
    )
    labels = np.concatenate([labels, known_labels(task, name, validation, classes)])
    return _Domain(name, both, np.arange(count), np.arange(count, len(both)), True, labels)


def _deal(task: Task, domain: str, examples: Examples, labels: Labels, shares: Sequence[float]) -> Integers:
    if is_protected(task, domain):
        return dealt_by_content(examples.groups or examples.inputs.digests, shares, seed=task.seed)
    groups = joint_groups(examples.groups, examples.content)
    return deal(LABELS[task.problem].strata(labels), groups, shares, draws_of(task, domain, "shares"))


def _seal(task: Task, examples: Examples, classes: tuple[str, ...], *, protocol: str) -> SealedTest:
    names, kind = examples.labels or (), LABELS[task.problem]
    pairs = sorted(f"{digest} {name}" for digest, name in zip(examples.inputs.digests, names, strict=True))
    return SealedTest(
        examples.inputs,
        kind.read(names, classes),
        fingerprint=xxhash.xxh3_128_hexdigest("\n".join(pairs).encode()),
        protocol=protocol,
        unknown_classes=tuple(sorted({names[row] for row in kind.unnamed(names, classes).tolist()})),
        groups=None if examples.groups is None else joint_groups(examples.groups),
    )


def _labelled_few(task: Task, target: _Domain, classes: tuple[str, ...]) -> Rows:
    """Target training rows whose labels are known under `{per_class: n}`: drawn once, from the seed alone."""
    wanted = task.data.target.labels
    if not isinstance(wanted, PerClass):
        return np.empty(0, dtype=np.int64)
    names = target.examples.labels or ()
    drawn: list[int] = []
    shuffled = draws_of(task, "target", "labelled few").permutation(target.train).tolist()
    for name in classes:
        drawn += [row for row in shuffled if names[row] == name][: wanted.per_class]
    return np.array(sorted(drawn), dtype=np.int64)


def _few_drawn(task: Task, few: Rows, labels: Integers, classes: tuple[str, ...]) -> Iterator[Finding]:
    wanted = task.data.target.labels
    if isinstance(wanted, PerClass):
        counts = np.bincount(labels[few], minlength=len(classes))
        for name, count in zip(classes, counts.tolist(), strict=True):
            if count < wanted.per_class:
                words = (
                    f"the target's training part has {count} examples of {name!r}, {wanted.per_class} were asked for."
                )
                yield Finding("few_examples", "warning", f"{task.where('data.target.labels')}: {words}", (name,))


def _folds(
    task: Task,
    target: _Domain,
    few: Rows,
    labels: Integers,
    source_train: _SourceTraining,
    source_validation: Rows,
) -> tuple[tuple[Fold, ...], tuple[Fold, ...], ScoreKind]:
    """Folds for heads, folds for suffixes, and the kind of score they give."""
    wanted, kind = task.data.target.labels, LABELS[task.problem]
    if wanted == "none":
        folds = (Fold(source_train.beside(source_validation), source_validation),)
        # without a committee of label-free scores the source's held-out labels choose
        return folds, folds, "label_free" if PROBLEMS[task.problem].has_committee else "validation"
    if wanted == "all":
        known = np.sort(np.concatenate([target.train, target.validation]))
        is_held_out = target.validation_is_given or task.privacy is not None
        if is_held_out or not kind.is_few(labels[target.validation], labels[known]):
            training = np.concatenate([target.train, source_train.beside(target.validation)])
            folds = (Fold(training, target.validation),)
            return folds, folds, "validation"
    else:
        known = few
    groups = joint_groups(target.examples.groups, target.examples.content)[known]

    def cross(count: int) -> tuple[Fold, ...]:
        draws = draws_of(task, "target", f"{count} folds")
        return tuple(
            Fold(np.concatenate([fold.train, source_train.beside(fold.validation)]), fold.validation)
            for fold in cross_validation(known, kind.strata(labels[known]), groups, folds=count, draws=draws)
        )

    most = HEAD_FOLDS if wanted == "all" else min(HEAD_FOLDS, max(2, wanted.per_class))
    return cross(most), cross(min(most, SUFFIX_FOLDS)), "cross_validation"


def _label_free_rows(task: Task, target: _Domain, few: Rows, folds: Sequence[Fold]) -> tuple[Rows, Rows]:
    """Target inputs to score without labels, and target inputs that may be adapted to."""
    if task.data.target.labels == "all":
        rows = np.unique(np.concatenate([fold.validation for fold in folds]))
        return rows, np.empty(0, dtype=np.int64)
    unlabelled = np.setdiff1d(target.train, few)
    if len(target.validation) >= HELD_OUT_FROM_ROWS:
        return target.validation, unlabelled
    rows = np.union1d(unlabelled, target.validation)
    return rows, rows


def _group_numbers(domains: Sequence[_Domain]) -> Integers | None:
    """A number per row, equal for rows of one group of one domain; None where the task names no groups."""
    if all(domain.examples.groups is None for domain in domains):
        return None
    names: list[tuple[str, str]] = []
    for domain in domains:
        groups = domain.examples.groups or ("",) * len(domain.examples)
        names += [(domain.name, group or f"row {row} alone") for row, group in enumerate(groups)]
    numbers: dict[tuple[str, str], int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def draws_of(task: Task, domain: str, purpose: str) -> np.random.Generator:
    """Random draws of their own for each purpose, from the task's seed alone."""
    return np.random.default_rng([task.seed, xxhash.xxh32_intdigest(f"{domain}: {purpose}".encode())])


def _joined(parts: Sequence[Rows]) -> Rows:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])
