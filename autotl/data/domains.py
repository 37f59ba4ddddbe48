"""From a task to all that a search may read: domains, leak-free splits, folds and a sealed test.

Of a target without labels the search gets a flat shuffled list: its order, ids and splits come from content and seed,
so that permuting the hidden labels changes nothing but the sealed test.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from autotl.data import audit
from autotl.data.auditing.described import can_be_described, properties_of
from autotl.data.auditing.duplicates import Place, conflict_findings, duplicate_findings, group_leaks
from autotl.data.auditing.margins import margin_findings
from autotl.data.auditing.near_duplicates import alike_images, alike_texts, near_duplicate_findings
from autotl.data.auditing.shortcut_tests import SHORTCUT_TESTS
from autotl.data.auditing.shortcuts import balanced_sample
from autotl.data.companions import with_companions
from autotl.data.content import filled_shares
from autotl.data.dividing import Divided, divide, draws_of
from autotl.data.examples import UNKNOWN, Finding, Inputs, TaskData
from autotl.data.exported import ExportedSource
from autotl.data.images import Images
from autotl.data.known_labels import known_labels
from autotl.data.labels import LABELS
from autotl.data.listing import SplitName, Survey, is_hidden, survey
from autotl.data.looks import Looks, gathered
from autotl.data.opening import Broken, Examples, Opened, open_all, unique_ids, without_folders
from autotl.data.private_split import refuse_loose_delta
from autotl.data.records import Records
from autotl.data.setting import setting_of
from autotl.data.splits import joint_groups
from autotl.data.statistics_file import StatisticsSource
from autotl.data.summary import known_counts, summarise
from autotl.data.table_fitting import as_read_by, bound, fitted_on, schema_of, without_useless_columns
from autotl.data.texts import Texts
from autotl.data.windows import Windows
from autotl.errors import DataError, TaskError
from autotl.task import PROBLEMS, Task, companions_of, refused_privately

LOOKED_AT, LOOKED_AT_PIXELS = 100, 64  # images of a domain, and pixels a side, by which margins are told

_log = logging.getLogger(__name__)


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
    if task.privacy is not None:  # near copies hang together through third ones: only equal ones stay together here
        given = {place: replace(examples, alike={}) for place, examples in given.items()}
    divided = divide(task, listed, classes, given)
    data = _assembled(task, listed, classes, divided, (*findings, *divided.findings))
    if listed.statistics:
        _check_statistics(task, data)
    elif listed.exported is None:
        _check_folds(task, data)
    else:
        _check_windows(task, listed.exported, data)
    refuse_loose_delta(task, _examples(data))
    summary = summarise(task, listed, data, splits=divided.splits, sizes=opened.sizes, broken=broken)
    return replace(data, summary=summary)


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
    shuffled = draws_of(task, domain, f"order of {split}").permutation(np.array(by_content, dtype=np.int64))
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
            drawn = draws_of(task, domain, "margins").permutation(len(examples))[:LOOKED_AT]
            pixels = cast(Images, examples.inputs).read(drawn, size=LOOKED_AT_PIXELS)
            filled[domain] = filled_shares(pixels)
    yield from margin_findings(task, filled)


def _shortcuts(
    task: Task, listed: Survey, classes: tuple[str, ...], given: Mapping[tuple[str, SplitName], Examples], looks: Looks
) -> Iterator[Finding]:
    """The shortcut test of every domain whose labels the search may know, on the rows that it learns from."""
    for (domain, split), examples in given.items():
        if split == "train":
            test, labels = SHORTCUT_TESTS[task.problem], known_labels(task, domain, examples, classes)
            strata = np.where(can_be_described(examples.inputs, looks), test.strata(labels), UNKNOWN)
            drawn = balanced_sample(strata, draws_of(task, domain, "shortcuts"))
            if not len(drawn):
                continue
            groups = None if examples.groups is None else joint_groups(examples.groups)[drawn]
            where = listed.splits[domain, split][0].where
            for properties in properties_of(examples.inputs.take(drawn), strata[drawn], looks):
                yield from test.findings(properties, labels[drawn], groups, classes=classes, where=where)


def _assembled(
    task: Task, listed: Survey, classes: tuple[str, ...], divided: Divided, findings: tuple[Finding, ...]
) -> TaskData:
    """What a search reads, a table by the schema of its training rows or of the model that reads it."""
    inputs: Sequence[Inputs] = divided.inputs
    test = divided.test
    if listed.modality == "table":
        records = cast(Sequence[Records], inputs)
        if listed.exported is None:
            schema = fitted_on(records, divided.folds, divided.adaptation_rows, where=task.where("data"))
        else:
            schema = schema_of(listed.exported)
        inputs, test = bound(records, test, schema)
    return TaskData(
        modality=listed.modality,
        classes=classes,
        domains=listed.domains,
        inputs=tuple(inputs),
        labels=divided.labels,
        groups=divided.groups,
        folds=divided.folds,
        suffix_folds=divided.suffix_folds,
        score_kind=divided.score_kind,
        target_rows=divided.target_rows,
        setting=setting_of(task),
        test=test,
        findings=findings,
        problem=PROBLEMS[task.problem],
        metric=audit.metric_of(task, known_counts(task, listed)),
        adaptation_rows=divided.adaptation_rows,
        source_validation=divided.source_validation,
        exported=listed.exported,
        statistics=tuple(StatisticsSource.of(name, file, classes) for name, file in listed.statistics),
    )


def _examples(data: TaskData) -> dict[str, int]:
    """How many each domain has, the test's among them."""
    counts = {name: len(inputs) for name, inputs in zip(data.domains, data.inputs, strict=True)}
    return counts | {"target": counts["target"] + (0 if data.test is None else len(data.test.inputs))}


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
