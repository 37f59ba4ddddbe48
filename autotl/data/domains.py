"""From a task to all that a search may read: domains, leak-free splits, folds and a sealed test.

Of a target without labels the search gets a flat shuffled list: its order, ids and splits come from content and seed,
so that permuting the hidden labels changes nothing but the sealed test.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import xxhash

from autotl.data import audit
from autotl.data.auditing.described import can_be_described, properties_of
from autotl.data.auditing.duplicates import Place, conflict_findings, duplicate_findings, group_leaks
from autotl.data.auditing.margins import margin_findings
from autotl.data.auditing.near_duplicates import alike_images, alike_texts, near_duplicate_findings
from autotl.data.auditing.shortcut_tests import SHORTCUT_TESTS
from autotl.data.auditing.shortcuts import balanced_sample
from autotl.data.companions import with_companions
from autotl.data.content import filled_shares
from autotl.data.examples import UNKNOWN, Finding, Fold, Inputs, Labels, Rows, ScoreKind, SealedTest, TaskData
from autotl.data.exported import ExportedSource
from autotl.data.images import Images
from autotl.data.joining import join_inputs
from autotl.data.labels import LABELS
from autotl.data.listing import SplitName, Survey, is_hidden, sources_of_examples, survey
from autotl.data.looks import Looks, gathered
from autotl.data.opening import Broken, Examples, Opened, open_all, unique_ids, without_folders
from autotl.data.private_split import dealt_by_content, refuse_loose_delta
from autotl.data.records import Records
from autotl.data.setting import setting_of
from autotl.data.splits import HEAD_FOLDS, SUFFIX_FOLDS, Integers, cross_validation, deal, joint_groups
from autotl.data.statistics_file import StatisticsSource
from autotl.data.summary import known_counts, share_of_test, summarise
from autotl.data.table_fitting import as_read_by, bound, fitted_on, schema_of, without_useless_columns
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.errors import DataError, TaskError
from autotl.task import (
    PROBLEMS,
    LabelsOf,
    PerClass,
    Source,
    Task,
    companions_of,
    is_protected,
    refused_privately,
)
from autotl.task.model import share_of

HELD_OUT_FROM_ROWS = 200  # fewer unlabelled validation inputs say too little to hold them out
LOOKED_AT, LOOKED_AT_PIXELS = 100, 64  # images of a domain, and pixels a side, by which margins are told
TRAIN, VALIDATION, TEST = 0, 1, 2

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Domain:
    """A domain after splitting. Rows count within the domain."""

    name: str
    examples: Examples
    train: Rows
    validation: Rows
    validation_is_given: bool
    labels: Labels  # unknown throughout where the search may not see them


def load_data(task: Task) -> TaskData:
    """Reads and audits everything the task names, and divides it; likewise the tasks that are learnt together with it.

    Raises:
        TaskError: the task asks for something that cannot run yet.
        DataError: the data cannot be used as it is; all that was found, a line each.
    """
    data = _load_alone(task)
    return with_companions(data, {each.name: load_data(each) for each in companions_of(task)}, task)


def _load_alone(task: Task) -> TaskData:
    refused = [*refused_privately(task, None), *audit.unknown_codes(task)]
    if refused:
        raise TaskError(refused)
    listed = survey(task)
    refused = refused_privately(task, listed.modality)
    if refused:
        raise TaskError(refused)
    findings = audit.quick_findings(task, listed)
    audit.raise_errors(findings)
    classes, _ = audit.classes_of(task, listed)
    opened = open_all(task, listed)
    as_found = dict(zip(unique_ids([file.name for file in opened.broken]), _reasons(opened.broken), strict=True))
    audit.raise_errors(
        audit.broken_findings(task, listed.modality, as_found, opened.examples)
    )  # with folders, for the user to act on
    audit.raise_errors(_nothing_left(listed, opened))
    broken = _as_stored(task, opened.broken)
    findings += audit.broken_findings(task, listed.modality, broken, opened.examples)
    for name, reason in broken.items():
        _log.info("left out: %s: the %s %s", name, audit.NOUNS[listed.modality], reason)
    findings += [audit.softened(task, found) for found in opened.findings]
    given = {place: _usable(task, place, examples, classes) for place, examples in opened.splits.items()}
    if listed.modality == "table":
        if listed.exported is None:
            given, noticed = without_useless_columns(task, given, classes)
        else:
            given, noticed = as_read_by(task, given, schema_of(listed.exported))
        findings += noticed
        audit.raise_errors(findings)
    looks = gathered(opened.looks)
    alike = _alike(listed.modality, given, looks)
    given = {place: replace(examples, alike=alike) for place, examples in given.items()}
    audit.raise_errors(_content_findings(task, given))  # with file names, for the user to act on
    given = {place: _shuffled_where_hidden(task, place, examples) for place, examples in given.items()}
    findings += _content_findings(task, given)  # kept: a hidden folder name must not slip in
    findings += _margin_findings(task, listed, given)
    findings += [audit.softened(task, found) for found in _shortcuts(task, listed, classes, given, looks)]
    return _divided(task, listed, classes, given, tuple(findings), broken, opened.sizes)


def _nothing_left(listed: Survey, opened: Opened) -> Iterator[Finding]:
    """Splits of which every example is broken: to skip them all may be allowed, to go on without any is not."""
    for place, examples in opened.splits.items():
        if not len(examples):
            total, first = listed.rows(*place), listed.splits[place][0]
            words = f"none of {total:,} {audit.NOUNS[listed.modality]}s of {' '.join(place)} can be used."
            yield Finding(audit.BROKEN[listed.modality], "error", f"{first.where}: {words}")


def _reasons(broken: Sequence[Broken]) -> list[str]:
    return [file.reason for file in broken]


def _as_stored(task: Task, broken: Sequence[Broken]) -> dict[str, str]:
    """Why each file is left out, by a name that tells no hidden label; nor does the order of the names."""
    hidden = [replace(file, name=without_folders(file.name)) for file in broken if is_hidden(task, file.domain)]
    hidden.sort(key=lambda file: (file.name, file.reason))
    files = [*hidden, *(file for file in broken if not is_hidden(task, file.domain))]
    return dict(zip(unique_ids([file.name for file in files]), _reasons(files), strict=True))


def _usable(task: Task, place: tuple[str, SplitName], examples: Examples, classes: tuple[str, ...]) -> Examples:
    """Without the rows of classes that the task leaves out; where labels are hidden nothing is left out."""
    if examples.labels is None or is_hidden(task, place[0]):
        return examples
    return examples.take(LABELS[task.problem].usable(examples.labels, classes))


def _shuffled_where_hidden(task: Task, place: tuple[str, SplitName], examples: Examples) -> Examples:
    """A target whose labels are unknown becomes a flat list: ordered by content, shuffled by seed, named by number."""
    domain, split = place
    if not is_hidden(task, domain):
        return examples
    groups = examples.groups or ("",) * len(examples)
    by_content = sorted(range(len(examples)), key=lambda row: (examples.inputs.digests[row], groups[row]))
    shuffled = _draws(task, domain, f"order of {split}").permutation(np.array(by_content, dtype=np.int64))
    examples = examples.take(shuffled)
    return replace(examples, inputs=examples.inputs.renamed([f"{split} {row}" for row in range(len(examples))]))


def _content_findings(task: Task, given: Mapping[tuple[str, SplitName], Examples]) -> list[Finding]:
    digests: dict[Place, Sequence[str]] = {place: examples.inputs.digests for place, examples in given.items()}
    names: dict[Place, Sequence[str]] = {place: examples.inputs.ids for place, examples in given.items()}
    findings = duplicate_findings(digests, names)
    for examples in list(given.values())[:1]:  # what is alike is known of all places together
        findings += near_duplicate_findings(digests, names, examples.alike)
    findings += group_leaks(
        {place: examples.groups for place, examples in given.items() if examples.groups is not None}
    )
    for (domain, split), examples in given.items():
        if examples.labels is not None and split != "test" and not is_hidden(task, domain):
            inputs = examples.inputs
            findings += conflict_findings(f"{domain} {split}", inputs.digests, examples.labels, inputs.ids)
    return [audit.softened(task, finding) for finding in findings]


def _alike(modality: str, given: Mapping[tuple[str, SplitName], Examples], looks: Looks) -> dict[str, str]:
    """What near copies share, by digest, over all domains and splits."""
    if modality == "image":
        return alike_images(looks)
    every = [examples.inputs for examples in given.values()]
    texts = [inputs for inputs in every if isinstance(inputs, Texts)]
    return alike_texts({digest: text for one in texts for digest, text in zip(one.digests, one.texts, strict=True)})


def _margin_findings(task: Task, listed: Survey, given: Mapping[tuple[str, SplitName], Examples]) -> Iterator[Finding]:
    """Margins that differ between domains, by a sample of each; nothing where the task has its own say on them."""
    is_decided = isinstance(task.search_space, Mapping) and "crop" in task.search_space
    if listed.modality != "image" or len(listed.domains) < 2 or is_decided:
        return
    filled = {}
    for (domain, split), examples in given.items():
        if split == "train":
            drawn = _draws(task, domain, "margins").permutation(len(examples))[:LOOKED_AT]
            pixels = cast(Images, examples.inputs).read(drawn, size=LOOKED_AT_PIXELS)
            filled[domain] = filled_shares(pixels)
    yield from margin_findings(task, filled)


def _shortcuts(
    task: Task, listed: Survey, classes: tuple[str, ...], given: Mapping[tuple[str, SplitName], Examples], looks: Looks
) -> Iterator[Finding]:
    """The shortcut test of every domain whose labels the search may know, on the rows that it learns from."""
    for (domain, split), examples in given.items():
        if split == "train":
            test, labels = SHORTCUT_TESTS[task.problem], _labels(task, domain, examples, classes)
            strata = np.where(can_be_described(examples.inputs, looks), test.strata(labels), UNKNOWN)
            drawn = balanced_sample(strata, _draws(task, domain, "shortcuts"))
            if not len(drawn):
                continue
            groups = None if examples.groups is None else joint_groups(examples.groups)[drawn]
            where = listed.splits[domain, split][0].where
            for properties in properties_of(examples.inputs.take(drawn), strata[drawn], looks):
                yield from test.findings(properties, labels[drawn], groups, classes=classes, where=where)


def _divided(
    task: Task,
    listed: Survey,
    classes: tuple[str, ...],
    given: Mapping[tuple[str, SplitName], Examples],
    findings: tuple[Finding, ...],
    broken: Mapping[str, str],
    sizes: Sequence[tuple[int, int]],
) -> TaskData:
    source_content = {
        digest for (domain, _), examples in given.items() if domain != "target" for digest in examples.content
    }
    target, test = _divide_target(task, listed, classes, given, source_content)
    sources = [(name, source) for name, (_, source) in sources_of_examples(task).items()]
    domains = [target, *(_divide_source(task, classes, given, name, source) for name, source in sources)]
    starts = np.cumsum([0, *(len(domain.examples) for domain in domains)])
    source_train = _SourceTraining.of(domains, starts)
    source_validation = _joined(
        [domain.validation + start for domain, start in zip(domains[1:], starts[1:], strict=False)]
    )
    labels = np.concatenate([domain.labels for domain in domains])
    few = _labelled_few(task, target, classes)
    if len(few):
        labels[few] = [classes.index((target.examples.labels or ())[row]) for row in few.tolist()]
    folds, suffix_folds, kind = _folds(task, target, few, labels, source_train, source_validation)
    target_rows, adaptation_rows = _label_free_rows(task, target, few, folds)
    inputs: Sequence[Inputs] = [domain.examples.inputs for domain in domains]
    if listed.modality == "table":
        records = cast(Sequence[Records], inputs)
        if listed.exported is None:
            schema = fitted_on(records, folds, adaptation_rows, where=task.where("data"))
        else:
            schema = schema_of(listed.exported)
        inputs, test = bound(records, test, schema)
    data = TaskData(
        modality=listed.modality,
        classes=classes,
        domains=listed.domains,
        inputs=tuple(inputs),
        labels=labels,
        groups=_group_numbers(domains),
        folds=folds,
        suffix_folds=suffix_folds,
        score_kind=kind,
        target_rows=target_rows,
        setting=setting_of(task),
        test=test,
        findings=(*findings, *_few_drawn(task, few, labels, classes)),
        problem=PROBLEMS[task.problem],
        metric=audit.metric_of(task, known_counts(task, listed)),
        adaptation_rows=adaptation_rows,
        source_validation=source_validation,
        exported=listed.exported,
        statistics=tuple(StatisticsSource.of(name, file, classes) for name, file in listed.statistics),
    )
    if listed.statistics:
        _check_statistics(task, data)
    elif listed.exported is None:
        _check_folds(task, data)
    else:
        _check_windows(task, listed.exported, data)
    splits = {
        domain.name: {"train": domain.train + start, "validation": domain.validation + start}
        for domain, start in zip(domains, starts, strict=False)
    }
    refuse_loose_delta(task, _examples(data))
    summary = summarise(task, listed, data, splits=splits, sizes=sizes, broken=broken)
    return replace(data, summary=summary)


def _examples(data: TaskData) -> dict[str, int]:
    """How many each domain has, the test's among them."""
    counts = {name: len(inputs) for name, inputs in zip(data.domains, data.inputs, strict=True)}
    return counts | {"target": counts["target"] + (0 if data.test is None else len(data.test.inputs))}


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
    source_content: set[str],
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
    labels = _labels(task, "target", train, classes)
    bins = _deal(task, "target", train, labels, [1 - validation_share - tested, validation_share, tested])
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
    labels = _labels(task, name, train, classes)
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
    labels = np.concatenate([labels, _labels(task, name, validation, classes)])
    return _Domain(name, both, np.arange(count), np.arange(count, len(both)), True, labels)


def _labels(task: Task, domain: str, examples: Examples, classes: tuple[str, ...]) -> Labels:
    """A label per row, unknown throughout where the search may not see them."""
    kind = LABELS[task.problem]
    if examples.labels is None or is_hidden(task, domain):
        return kind.unknown(len(examples), classes)
    return kind.read(examples.labels, classes)


def _deal(task: Task, domain: str, examples: Examples, labels: Labels, shares: Sequence[float]) -> Integers:
    if is_protected(task, domain):
        return dealt_by_content(examples.groups or examples.inputs.digests, shares, seed=task.seed)
    groups = joint_groups(examples.groups, examples.content)
    return deal(LABELS[task.problem].strata(labels), groups, shares, _draws(task, domain, "shares"))


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
    shuffled = _draws(task, "target", "labelled few").permutation(target.train).tolist()
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
        draws = _draws(task, "target", f"{count} folds")
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


def _check_folds(task: Task, data: TaskData) -> None:
    """Refuses a division that leaves nothing to train on or nothing to score on."""
    where, kind = task.where("data"), LABELS[task.problem]
    lost = kind.never_seen(data.labels, data.classes)
    if lost:
        words = f"the {kind.noun} {lost[0]!r} has no usable example whose label is known."
        raise DataError(f"{where}: {words} Give it more, or remove it.")
    for fold in (*data.folds, *data.suffix_folds):
        if len(fold.validation) == 0:
            words = "no example is left to choose a model by. Give more examples, more groups or a larger validation."
            raise DataError(f"{where}: {words}")
        complaint = kind.nothing_to_learn(data.labels[fold.train], data.classes)
        if complaint is not None:
            raise DataError(f"{where}: {complaint}")


def _check_statistics(task: Task, data: TaskData) -> None:
    """Refuses statistics that the target cannot be brought together with, and a target with nothing to score on."""
    where = task.where("data")
    wanted, first = data.statistics[0].file.features.reading.get("window"), data.inputs[0]
    if isinstance(first, Windows) and wanted is not None and tuple(wanted) != first.shape:
        words = (
            f"the statistics are of windows of {tuple(wanted)} samples and channels, the target's have {first.shape}."
        )
        raise DataError(f"{where}: {words}")
    for source in data.statistics:
        others = sorted(set(source.file.classes) - set(data.classes))
        if others:
            words = (
                f"the statistics of {source.name!r} tell of {', '.join(map(repr, others[:5]))}, too, and nothing takes "
                "a class out of sums again. Write 'classes: union', or ask the house for statistics without it."
            )
            raise DataError(f"{where}: {words}")
    if data.score_kind != "label_free" and any(len(fold.validation) == 0 for fold in data.folds):
        words = "no example is left to choose a model by. Give more examples, more groups or a larger validation."
        raise DataError(f"{where}: {words}")


def _check_windows(task: Task, exported: ExportedSource, data: TaskData) -> None:
    """Refuses windows that an exported model cannot take."""
    wanted, first = exported.description.preprocessing.get("window"), data.inputs[0]
    if isinstance(first, Windows) and wanted is not None and list(first.shape) != wanted:
        made_for, seen = (f"{samples} samples and {channels} channels" for samples, channels in (wanted, first.shape))
        words = f"the exported source reads windows of {made_for}, the target's have {seen}."
        raise DataError(f"{task.where('data.target.train')}: {words}")


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


def _draws(task: Task, domain: str, purpose: str) -> np.random.Generator:
    """Random draws of their own for each purpose, from the task's seed alone."""
    return np.random.default_rng([task.seed, xxhash.xxh32_intdigest(f"{domain}: {purpose}".encode())])


def _joined(parts: Sequence[Rows]) -> Rows:
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])
