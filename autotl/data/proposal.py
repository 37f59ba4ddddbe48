"""A first task for data that nobody has described yet: everything looked at, every choice with its reason.

What can be told is proposed, what would stop a search is settled where settling it is safe, and the rest is asked.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from autotl.data import audit
from autotl.data.auditing.codes import MAX_BROKEN_SHARE
from autotl.data.auditing.duplicates import duplicate_findings, group_leaks
from autotl.data.draft import Draft
from autotl.data.examples import Finding
from autotl.data.first_look import Asked, describe_data
from autotl.data.joining import join_inputs
from autotl.data.layout import lay_out
from autotl.data.leaking_columns import leak_findings
from autotl.data.listing import Survey, survey
from autotl.data.opening import Examples, Opened, open_all
from autotl.data.records import Records
from autotl.data.schema import Schema
from autotl.data.schema_fitting import fit_schema
from autotl.data.splits import Integers
from autotl.data.summary import known_counts, notes
from autotl.errors import DataError
from autotl.task import PROBLEMS, Task
from autotl.task.problem import CLASSIFICATION
from autotl.task.template import Line

OPENED_UP_TO = 20_000  # files; more are left to `validate --full`
SKIPPED_SHARE = 0.1  # broken examples above it are a question, not a detail
REPEATED_IN_TEST = 0.01  # of the test's examples, seen in training too: no figure changes by more
IMBALANCED = 3.0  # largest class against smallest: accuracy begins to flatter

Place = tuple[str, str]  # (domain, split)


@dataclass(frozen=True)
class Proposal:
    """A task that could be written.

    Attributes:
        lines: of the task file.
        sentences: what was found, for a person.
        questions: what a search would stop at until a person has decided.
        is_opened: whether every example was read on the way.
    """

    modality: str
    lines: tuple[Line, ...]
    sentences: tuple[str, ...]
    questions: tuple[str, ...]
    is_opened: bool


def propose(data: Sequence[Path], *, folder: Path, source: Sequence[Path] = (), asked: Asked | None = None) -> Proposal:
    """Looks at the data and says what a task could say of them.

    Args:
        data: a folder, table or array, or several; what of it is training, validation or test is told from names.
        folder: where the task file will stand; paths are written relative to it.
        source: labelled domains that help, one a path.
    Raises:
        DataError: something cannot be told, or no search could use the data; says what to name or to repair.
    """
    asked = asked or Asked()
    domains = [lay_out(data), *(lay_out([path]) for path in source)]
    draft = Draft(folder)
    draft.put_paths(data[0], domains, source)
    modality = describe_data(draft, domains, asked)
    listed = _settled(draft)
    is_opened = (
        sum(len(one) for listings in listed.splits.values() for one in listings if one.inputs is None) <= OPENED_UP_TO
    )
    if is_opened:
        _look_inside(draft, listed)
    else:
        draft.say("There are too many files to open all of them now: `autotl validate --full` does.")
    _weigh_classes(draft, listed)
    draft.put_defaults(modality, listed.rows("target", "train"))
    _tell_splits(draft, listed)
    return Proposal(modality, tuple(draft.lines.values()), tuple(draft.sentences), tuple(draft.questions), is_opened)


def _tell_splits(draft: Draft, listed: Survey) -> None:
    """What is validation and what is test, in words and beside the keys."""
    for split in ("validation", "test"):
        listings = listed.splits.get(("target", split), ())
        rows = sum(map(len, listings))
        if not listings:
            continue
        where = f"{listings[0].array!r} of the .npz" if listings[0].array is not None else listings[0].given
        draft.say(f"{split.capitalize()}: {rows:,} examples, {where}.")
        key = f"data.target.{split}"
        if draft.lines[key].is_proposed:
            draft.lines[key] = replace(draft.lines[key], comment=f"left out: the {rows:,} examples in {where}")
    draft.say(*notes(draft.task(), listed))
    labels, groups = listed.labels("target", "train"), [one.groups for one in listed.splits["target", "train"]]
    if listed.modality == "signal" and labels is not None and all(names is not None for names in groups):
        records = Counter(
            label for label, _ in set(zip(labels, (name for names in groups for name in names or ()), strict=True))
        )
        lone = sorted(name for name in records if records[name] < 2)
        if lone:
            words = f"Windows of {', '.join(map(repr, lone[:5]))} come from one record only"
            draft.say(f"{words}: they cannot be both trained on and scored. Record more, or divide it.")


# Settling what would stop a search ------------------------------------------------------------------------------------


def _settled(draft: Draft) -> Survey:
    """A listing without an error: what stopped one is settled where that is safe.

    Raises:
        DataError: what is left.
    """
    met: dict[str, None] = {}  # settling one may lead to another: then both are told
    while True:
        task = draft.task()
        listed = survey(task)
        findings = audit.quick_findings(task, listed)
        errors = [finding for finding in findings if finding.severity == "error"]
        if not errors:
            _offer_merges(draft, findings)
            return listed
        met |= dict.fromkeys(finding.message for finding in errors)
        before = dict(draft.lines)
        for finding in errors:
            SETTLED_BY.get(finding.code, _leave)(draft, listed, finding)
        if draft.lines == before:
            raise DataError(list(met))


def _leave(draft: Draft, listed: Survey, finding: Finding) -> None:
    """Nothing can be done about it here."""


def _merge(draft: Draft, listed: Survey, finding: Finding) -> None:
    counts: Counter[str] = sum((listed.counts(domain) for domain in listed.domains), Counter())
    best = max(finding.examples, key=lambda name: (counts[name], name))
    merged = {name: best for name in sorted(finding.examples) if name != best}
    had = draft.lines["audit.merge"].value if "audit.merge" in draft.lines else {}
    comment = "they differ only in case, spaces or encoding; if they are not the same: allow: [label_twins]"
    draft.put("audit.merge", {**had, **merged}, comment)
    draft.say(
        f"Classes taken for one, differing only in how they are written: {best!r}, {', '.join(map(repr, merged))}."
    )


def _drop_rare(draft: Draft, listed: Survey, finding: Finding) -> None:  # noqa: ARG001
    draft.put("audit.rare", "drop", "classes with a single example are left out: nothing could check them")
    draft.say(f"The class {finding.examples[0]!r} has a single example and is left out.")


def _share_classes(draft: Draft, listed: Survey, finding: Finding) -> None:  # noqa: ARG001
    domains = {name: set(listed.counts(name)) for name in listed.domains if listed.counts(name)}
    if len(domains) < 2 or "classes" in draft.lines or len(set.intersection(*domains.values())) < 2:
        return
    kept = set.intersection(*domains.values())
    others = sorted(set.union(*domains.values()) - kept)
    draft.put("classes", "shared", f"not every domain has {', '.join(others[:5])}: left out. union keeps them")
    draft.say(f"Classes that not every domain has are left out: {', '.join(map(repr, others[:5]))}.")


def _learn_numbers(draft: Draft, listed: Survey, finding: Finding) -> None:  # noqa: ARG001
    draft.put(
        "problem", "regression", "the labels are numbers that hardly repeat; if they name classes: classification"
    )
    draft.say("The labels are numbers that hardly repeat: learnt as numbers, not as classes.")


SETTLED_BY: dict[str, Callable[[Draft, Survey, Finding], None]] = {  # code of a finding → what makes it go away
    "label_twins": _merge,
    "rare_class": _drop_rare,
    "class_mismatch": _share_classes,
    "continuous_labels": _learn_numbers,
}


def _offer_merges(draft: Draft, findings: Sequence[Finding]) -> None:
    near = {finding.examples[0]: finding.examples[1] for finding in findings if finding.code == "near_names"}
    if near:
        draft.offer("audit.merge", near, "is this a typo? Then take the sign away")
        draft.say(*(f"The class {rare!r} may be a typo of {name!r}." for rare, name in near.items()))


# What only the examples tell ------------------------------------------------------------------------------------------


def _look_inside(draft: Draft, listed: Survey) -> None:
    """Opens every example: broken ones, columns that give the label away, copies in the test."""
    task = draft.task()
    opened = open_all(task, listed)
    _allow_broken(draft, listed, opened)
    given: dict[Place, Examples] = {(domain, split): part for (domain, split), part in opened.splits.items()}
    if listed.modality == "table":
        given = _without_leaks(draft, task, listed, given)
    groups = {place: examples.groups for place, examples in given.items()}
    for finding in group_leaks({place: names for place, names in groups.items() if names is not None}):
        _set_group_aside(draft, finding)
    _look_for_copies(draft, given)


def _allow_broken(draft: Draft, listed: Survey, opened: Opened) -> None:
    share = len(opened.broken) / max(1, opened.examples)
    if MAX_BROKEN_SHARE < share <= SKIPPED_SHARE:
        noun, code = audit.NOUNS[listed.modality], audit.BROKEN[listed.modality]
        draft.add("audit.allow", code, f"{len(opened.broken):,} of {opened.examples:,} {noun}s are broken and skipped")
        first = opened.broken[0]
        words = f"{len(opened.broken):,} of {opened.examples:,} {noun}s ({share:.1%}) are broken and will be skipped"
        draft.say(f"{words}, such as {first.name}: the {noun} {first.reason}.")


def _without_leaks(draft: Draft, task: Task, listed: Survey, given: Mapping[Place, Examples]) -> dict[Place, Examples]:
    """The rows as a model would see them, without identifiers and the columns that give the label away."""
    training = [examples for (_, split), examples in given.items() if split == "train"]
    records = cast(Records, join_inputs([examples.inputs for examples in training]))
    index = {name: number for number, name in enumerate(audit.classes_of(task, listed)[0])}
    labels = np.array(
        [index.get(name, -1) for examples in training for name in examples.labels or ("",) * len(examples)]
    )
    gone: dict[str, str] = {}
    while True:
        fitted = fit_schema(records, np.arange(len(records)), where="data")
        for name in fitted.left_out:
            begins = f"data: column {name!r}: "
            why = next(
                (f.message for f in fitted.findings if f.code == "identifier" and f.message.startswith(begins)), None
            )
            if why is not None:
                gone[name] = why.removeprefix(begins).partition(". It was left out")[0]
        leaks = dict(_leaks(records, fitted.schema, labels))
        gone |= leaks
        if not leaks:
            break
        records = records.without(leaks)  # two equal columns leak both, and only the first is in the schema
    for name, why in gone.items():
        if name:  # a column without a name cannot be named; an identifier is left out all the same
            draft.add("data.columns.drop", name, why)
    identifiers = [name for name in gone if "identifier" in gone[name]]
    telling = [name for name in gone if name not in identifiers]
    if identifiers:
        draft.say(f"Not learnt from, being identifiers: {', '.join(map(repr, identifiers))}.")
    if telling:
        words = f"Not learnt from, for they give the label away: {', '.join(map(repr, telling))}."
        draft.say(f"{words} Take those out of `drop` that are known when predicting, and allow: [leak].")
    left_out = {*gone, *fitted.left_out}
    return {
        place: Examples(cast(Records, examples.inputs).without(left_out), examples.labels, examples.groups)
        for place, examples in given.items()
    }


def _leaks(records: Records, schema: Schema, labels: Integers) -> Iterator[tuple[str, str]]:
    """Columns that give the label away, and how."""
    for finding in leak_findings(records, schema, labels, where="data"):
        for column in schema.columns:
            begins = f"data: column {column.name!r} "
            if finding.message.startswith(begins):
                reason = finding.message.removeprefix(begins)
                yield column.name, reason.partition(". If it is not known when predicting")[0]


def _set_group_aside(draft: Draft, finding: Finding) -> None:
    """A group on both sides of a given split: the split was made by other rules than the group's."""
    line = draft.lines.get("data.columns.group")
    if line is not None and line.is_proposed:
        return  # another pair of splits told it already
    if line is None:  # records of a signal are groups without being asked for
        draft.offer("audit.allow", ["leak"], "accepts records that stand in training and in test")
        draft.questions.append(finding.message)
        return
    draft.lines["data.columns.group"] = Line(
        line.key,
        line.value,
        "some stand in train and in test, which a search refuses: divide by it first",
        is_proposed=True,
    )
    draft.sentences = [words for words in draft.sentences if not words.startswith("Grouped by")]
    draft.say(f"Not grouped by {line.value!r}: {len(finding.examples)} or more stand on both sides of the given split.")


def _look_for_copies(draft: Draft, given: Mapping[Place, Examples]) -> None:
    digests = {place: examples.inputs.digests for place, examples in given.items()}
    names = {place: examples.inputs.ids for place, examples in given.items()}
    stopping = [found for found in duplicate_findings(digests, names) if found.severity == "error"]
    if not stopping:
        return
    shares = []
    for held_out in (place for place in digests if place[1] != "train"):
        elsewhere = {digest for place, others in digests.items() if place != held_out for digest in others}
        shares.append(sum(digest in elsewhere for digest in digests[held_out]) / len(digests[held_out]))
    if max(shares, default=1.0) <= REPEATED_IN_TEST:
        draft.add(
            "audit.allow", "leak", f"{max(shares):.1%} of the held-out examples are in training, too: no figure changes"
        )
        draft.say(f"{max(shares):.1%} of the held-out examples are in training, too: few enough to allow.")
        return
    words = f"{max(shares):.0%} of the held-out examples are in training, too: remove them, or take this sign away"
    draft.offer("audit.allow", ["leak"], words)
    draft.questions += [found.message for found in stopping]


# Classes and metric ---------------------------------------------------------------------------------------------------


def _weigh_classes(draft: Draft, listed: Survey) -> None:
    """Metric and positive class, from how often each class occurs."""
    problem = PROBLEMS[draft.task().problem]
    if problem is not CLASSIFICATION:
        draft.put("metric", problem.default_metric, f"or {', '.join(problem.metrics[1:])}")
        draft.say(f"{listed.rows('target', 'train'):,} examples to learn from. Metric: {problem.default_metric}.")
        return
    counts = known_counts(draft.task(), listed)
    shown = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(5))
    rest = ", …" if len(counts) > 5 else ""
    draft.say(f"{listed.rows('target', 'train'):,} examples to learn from, {len(counts)} classes: {shown}{rest}.")
    ratio = max(counts.values()) / min(counts.values())
    rare = min(sorted(counts), key=lambda name: counts[name])
    share = counts[rare] / counts.total()
    if len(counts) == 2 and ratio > IMBALANCED:
        draft.put("positive", rare, "the rarer class")
        metric = "average_precision" if ratio > audit.IMBALANCE else "roc_auc"
        draft.put("metric", metric, f"{share:.1%} of the rows are {rare!r}: accuracy would flatter")
    elif len(counts) == 2:
        draft.offer("positive", sorted(counts)[-1])
        draft.put("metric", "accuracy", "the classes are about equally frequent")
    elif ratio > IMBALANCED:
        draft.put("metric", "balanced_accuracy", f"the classes differ {ratio:.0f}-fold in size: each counts alike")
    else:
        draft.put("metric", "accuracy", "the classes are about equally frequent")
    metric = draft.lines["metric"].value
    draft.say(f"Metric: {metric}{f', positive class {rare!r}' if len(counts) == 2 and ratio > IMBALANCED else ''}.")
