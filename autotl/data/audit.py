"""Trouble in the data, found before anything is trained. Quick checks open no example; the others read every one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from autotl.data.auditing.codes import CODES, MAX_BROKEN_SHARE, SOFTER, allowable_codes
from autotl.data.auditing.label_audit import LabelAudit
from autotl.data.auditing.label_names import near_names, told_alone, told_with_count, twins
from autotl.data.auditing.numbers import NUMBERS, continuous_findings
from autotl.data.auditing.sets import SETS
from autotl.data.examples import Finding
from autotl.data.listing import Survey, is_hidden, survey
from autotl.data.opening import unique_ids, without_folders
from autotl.errors import DataError, suggestion
from autotl.task import PRIVATE_METRIC, Task

NOUNS = {"image": "file", "text": "text", "table": "row", "signal": "window"}  # what an example of a modality is called
BROKEN = {"image": "broken_image", "text": "broken_text", "table": "broken_row", "signal": "broken_window"}
FEW_EXAMPLES = 10
IMBALANCE = 10.0  # largest class against smallest; above it the default metric is balanced
_SHOWN = 20


def check_quickly(task: Task) -> list[Finding]:
    """Everything that folders, tables and headers tell: missing paths and files, classes, labels, names."""
    return quick_findings(task, survey(task))


def unknown_codes(task: Task) -> list[str]:
    """A line for each code in `audit.allow` that there is not, or that nobody can allow."""
    return [
        f"{task.where(f'audit.allow[{index}]')}: {_why_not_allowed(code)}"
        for index, code in enumerate(task.audit.allow)
        if code not in allowable_codes()
    ]


def _why_not_allowed(code: str) -> str:
    if code in CODES:
        return f"{code!r} cannot be allowed, for nothing could go on. {CODES[code].advice}"
    return f"{code!r} is not known. {suggestion(code, allowable_codes())}"


def quick_findings(task: Task, listed: Survey) -> list[Finding]:
    """The same for a survey already made."""
    findings = [*listed.findings]
    for (domain, _), listings in listed.splits.items():
        for listing in listings:
            names: Sequence[str] = listing.strangers
            if is_hidden(task, domain):
                names = unique_ids(sorted(map(without_folders, names)))
            findings += _strangers(listing.where, names, listed.modality)
    if not any(finding.severity == "error" for finding in findings):
        findings += LABEL_AUDITS[task.problem].findings(task, listed)
    return [softened(task, finding) for finding in findings]


def softened(task: Task, finding: Finding) -> Finding:
    """The finding a degree milder where the user allows its code; what is milder already stays as it is."""
    gravest = CODES[finding.code].severity
    if finding.code not in task.audit.allow or finding.severity != gravest or gravest == "info":
        return finding
    words = f"{finding.message} Allowed by audit.allow."
    return replace(finding, severity=SOFTER[finding.severity], message=words)


def raise_errors(findings: Iterable[Finding]) -> None:
    """Stops at findings that nobody allowed, all of them at once.

    Raises:
        DataError: there are some.
    """
    errors = [finding.message for finding in findings if finding.severity == "error"]
    if errors:
        raise DataError(errors)


def classes_of(task: Task, listed: Survey) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """What the columns of an answer are called, in their order, and what was found while agreeing on them."""
    return LABEL_AUDITS[task.problem].names(task, listed)


def metric_of(task: Task, counts: Mapping[str, int]) -> str:
    """What a task is measured by.

    Args:
        counts: examples per class, as far as the search may know them; empty where there are no classes.
    """
    if task.metric is None and task.privacy is not None:
        return PRIVATE_METRIC  # counts of protected examples choose nothing
    return task.metric or LABEL_AUDITS[task.problem].suggested_metric(counts)


def _classes_of(task: Task, listed: Survey) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The classes of the task in their order, and what was found while agreeing on them.

    They come from known labels only: of a target without labels not even the names of its folders are read.
    """
    target = task.data.target
    if listed.exported is not None:
        return listed.exported.classes, tuple(_misfits_of_words(task, listed.exported.classes))
    by_domain: dict[str, Counter[str]] = {}
    for domain in listed.domains:
        counts = listed.counts(domain)
        if counts and not (domain == "target" and target.labels == "none"):
            by_domain[domain] = _without_rare(task, counts)
    by_domain |= {name: Counter(dict.fromkeys(file.classes, 1)) for name, file in listed.statistics}
    names = {domain: set(counts) for domain, counts in by_domain.items()}
    if not names:
        return (), ()
    shared, union = set.intersection(*names.values()), set.union(*names.values())
    findings: list[Finding] = []
    if isinstance(task.classes, tuple):
        chosen = set(task.classes) & union
        findings += [
            Finding(
                "unknown_class",
                "error",
                f"{task.where(f'classes[{index}]')}: {name!r} is no class of the data. {suggestion(name, union)}",
            )
            for index, name in enumerate(task.classes)
            if name not in union
        ]
    else:
        chosen = shared if task.classes == "shared" else union
    if shared != union and not isinstance(task.classes, tuple):
        differing = "; ".join(
            f"{domain} lacks {', '.join(map(repr, sorted(union - have)[:5]))}"
            for domain, have in names.items()
            if union - have
        )
        where = task.where("classes" if task.classes else "data")
        if task.classes is None:
            words = f"the domains' classes differ: {differing}. Write 'classes: shared' or 'classes: union'."
            findings.append(Finding("class_mismatch", "error", f"{where}: {words}"))
        else:
            words = f"the domains' classes differ: {differing}. Their {len(chosen)} {task.classes} classes are used."
            findings.append(Finding("class_mismatch", "info", f"{where}: {words}"))
    if len(chosen) < 2:
        seen = f"found only {next(iter(chosen))!r}" if chosen else "found none"
        where = task.where("data.target.train" if "target" in names else "data.source")
        findings.append(Finding("one_class", "error", f"{where}: needs ≥ 2 classes, {seen}."))
    classes = sorted(chosen)
    findings += _misfits_of_words(task, classes)
    if len(chosen) == 2:
        classes.sort(key=lambda name: name == task.positive)
    return tuple(classes), tuple(findings)


def _misfits_of_words(task: Task, classes: Sequence[str]) -> Iterator[Finding]:
    """What the task says of classes and does not fit those that there are."""
    if task.positive is not None and task.positive not in classes:
        hint = suggestion(task.positive, classes)
        message = f"{task.where('positive')}: {task.positive!r} is no class of the data. {hint}"
        yield Finding("unknown_positive", "error", message)
    elif task.positive is not None and len(classes) > 2:
        message = f"{task.where('positive')}: needs two classes, found {len(classes)}. Leave it out."
        yield Finding("unknown_positive", "error", message)
    if task.metric == "f1" and len(classes) > 2:
        message = f"{task.where('metric')}: 'f1' is for two classes, found {len(classes)}. Write macro_f1."
        yield Finding("metric_classes", "error", message)


def suggested_metric(counts: Mapping[str, int]) -> str:
    """What a task without a metric is measured by: accuracy, unless one class drowns another."""
    return "balanced_accuracy" if counts and max(counts.values()) > IMBALANCE * min(counts.values()) else "accuracy"


def broken_findings(task: Task, modality: str, broken: Mapping[str, str], total: int) -> list[Finding]:
    """Examples that cannot be used, name → why: a warning up to 1 % of all, above that an error."""
    if not broken:
        return []
    noun, code = NOUNS[modality], BROKEN[modality]
    listed = [f"{name}: the {noun} {why}" for name, why in broken.items()]
    share = len(broken) / total
    examples = tuple(listed[:_SHOWN])
    if share <= MAX_BROKEN_SHARE:
        words = (
            f"{len(broken):,} of {total:,} {noun}s ({share:.2%}) are broken and were skipped: {'; '.join(listed[:3])}."
        )
        return [Finding(code, "warning", words, examples)]
    words = (
        f"{len(broken):,} of {total:,} {noun}s ({share:.1%}) are broken, up to {MAX_BROKEN_SHARE:.0%} are skipped: "
        f"{'; '.join(listed[:5])}. Repair or remove them, or write 'audit: {{allow: [{code}]}}' to skip them all."
    )
    return [softened(task, Finding(code, "error", words, examples))]


def _strangers(where: str, names: Sequence[str], kind: str) -> Iterator[Finding]:
    if names:
        words = f"files left alone, being no {kind}s in a class folder: {len(names):,}"
        yield Finding("other_files", "info", f"{where}: {words}, such as {names[0]!r}.", tuple(names[:_SHOWN]))


def _class_findings(task: Task, listed: Survey) -> Iterator[Finding]:
    rather_numbers = list(continuous_findings(task, listed))
    if any(softened(task, finding).severity == "error" for finding in rather_numbers):
        yield from rather_numbers  # a line for each of a thousand "classes" would hide it
        return
    yield from rather_numbers
    for domain in listed.domains:
        if domain == "target" and task.data.target.labels == "none":
            continue  # its class folders are read as one flat list
        listings = [*listed.splits.get((domain, "train"), ()), *listed.splits.get((domain, "validation"), ())]
        counts = listed.counts(domain)
        for listing in listings:
            for name in listing.empty_classes:
                if name not in counts:
                    words = f"{listing.where}: the class folder {name!r} holds no {listed.modality} and was dropped."
                    yield Finding("empty_class", "warning", words)
        if counts:
            where = listings[0].where
            told = told_alone if is_hidden(task, domain) else told_with_count
            yield from twins(domain, where, counts, told)
            yield from near_names(domain, where, counts, told)
            yield from _small_classes(task, domain, where, counts)
    classes, findings = classes_of(task, listed)
    yield from findings
    yield from _test_classes(task, listed, classes)


def _small_classes(task: Task, domain: str, where: str, counts: Counter[str]) -> Iterator[Finding]:
    per_class = getattr(task.data.target.labels, "per_class", None) if is_hidden(task, domain) else None
    for name, count in sorted(counts.items()):
        if count == 1 and len(counts) > 1:
            words = f"the class {name!r} of {domain} has a single example, too few to train on and to check."
            if task.audit.rare == "drop":
                yield Finding("rare_class", "warning", f"{where}: {words} It was dropped.", (name,))
            else:
                hint = "Add examples, or write 'audit: {rare: drop}'."
                yield Finding("rare_class", "error", f"{where}: {words} {hint}", (name,))
        elif per_class is None and count < FEW_EXAMPLES:
            words = f"the class {name!r} of {domain} has only {count} examples. Its figures will be uncertain."
            yield Finding("few_examples", "warning", f"{where}: {words}", (name,))


def _without_rare(task: Task, counts: Counter[str]) -> Counter[str]:
    if task.audit.rare != "drop":
        return counts
    return Counter({name: count for name, count in counts.items() if count > 1})


def _test_classes(task: Task, listed: Survey, classes: tuple[str, ...]) -> Iterator[Finding]:
    labels = listed.labels("target", "test")
    if labels is None or is_hidden(task, "target"):
        return  # of an unlabelled target only the opened test may show its classes
    dropped = set(listed.counts("target")) - set(classes)
    unknown = sorted(set(labels) - set(classes) - dropped)
    if unknown:
        where = listed.splits["target", "test"][0].where
        words = f"holds the classes {', '.join(map(repr, unknown[:5]))}, which train does not."
        yield Finding("class_mismatch", "error", f"{where}: {words} Remove them, or add examples to train.")


# What is asked of labels before any example is opened, by the problem.
LABEL_AUDITS: dict[str, LabelAudit] = {
    "classification": LabelAudit(_classes_of, _class_findings, suggested_metric),
    "multilabel": SETS,
    "regression": NUMBERS,
}
