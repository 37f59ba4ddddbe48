"""Trouble in the data, found before anything is trained. Quick checks open no example; the others read every one."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from unicodedata import normalize

from autotl.data.examples import Finding
from autotl.data.listing import Survey, is_hidden, survey
from autotl.data.opening import unique_ids, without_folders
from autotl.errors import DataError, suggestion
from autotl.task import Task

NOUNS = {"image": "file", "text": "text", "table": "row", "signal": "window"}  # what an example of a modality is called
BROKEN = {"image": "broken_image", "text": "broken_text", "table": "broken_row", "signal": "broken_window"}
# codes that `audit: {allow: […]}` may name
ALLOWABLE = ("broken_image", "broken_text", "broken_window", "identifier", "label_twins", "leak")
MAX_BROKEN_SHARE = 0.01
FEW_EXAMPLES = 10
IMBALANCE = 10.0  # largest class against smallest; above it the default metric is balanced
RARE_SHARE = 0.05  # a name this rare beside a near one is likely a typo
MARGINS_DIFFER = 0.15  # of a side: content that fills more or less of it than in the target shows other margins
_SHOWN = 20

Place = tuple[str, str]  # where an example stands: (domain, split)


def check_quickly(task: Task) -> list[Finding]:
    """Everything that folders, tables and headers tell: missing paths and files, classes, labels, names."""
    return quick_findings(task, survey(task))


def unknown_codes(task: Task) -> list[str]:
    """A line for each code in `audit.allow` that there is not."""
    return [
        f"{task.where(f'audit.allow[{index}]')}: {code!r} is not known. {suggestion(code, ALLOWABLE)}"
        for index, code in enumerate(task.audit.allow)
        if code not in ALLOWABLE
    ]


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
        findings += _class_findings(task, listed)
    return [softened(task, finding) for finding in findings]


def softened(task: Task, finding: Finding) -> Finding:
    """The finding as a warning where the user allows its code."""
    if finding.severity == "error" and finding.code in task.audit.allow:
        return Finding(finding.code, "warning", f"{finding.message} Allowed by audit.allow.", finding.examples)
    return finding


def raise_errors(findings: Iterable[Finding]) -> None:
    """Stops at findings that nobody allowed, all of them at once.

    Raises:
        DataError: there are some.
    """
    errors = [finding.message for finding in findings if finding.severity == "error"]
    if errors:
        raise DataError(errors)


def classes_of(task: Task, listed: Survey) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
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


def duplicate_findings(
    task: Task, digests: Mapping[Place, Sequence[str]], names: Mapping[Place, Sequence[str]]
) -> list[Finding]:
    """Examples with equal content: several times in a domain (shown) and on both sides of a given split (an error).

    Args:
        digests, names: per place, in the same order. Splits that we draw ourselves are not places: they are drawn
            so that equal examples stay together.
    """
    findings: list[Finding] = []
    first_at: dict[Place, dict[str, str]] = {}
    for place, content in digests.items():
        first_at[place] = {}
        again: list[str] = []
        for digest, name in zip(content, names[place], strict=True):
            if digest in first_at[place]:
                again.append(f"{name} = {first_at[place][digest]}")
            first_at[place].setdefault(digest, name)
        if again:
            words = f"{' '.join(place)}: examples that repeat another one: {len(again):,}, such as {again[0]}."
            findings.append(
                Finding("duplicate", "warning", f"{words} They stay on one side of every split.", tuple(again[:_SHOWN]))
            )
    places = list(first_at)
    for index, one in enumerate(places):
        for other in places[index + 1 :]:
            findings += _shared_content(task, one, other, first_at[one], first_at[other])
    return findings


def _shared_content(
    task: Task, one: Place, other: Place, here: Mapping[str, str], there: Mapping[str, str]
) -> Iterator[Finding]:
    both = [f"{here[digest]} = {there[digest]}" for digest in here if digest in there]
    if not both:
        return
    words = f"examples both in {' '.join(one)} and in {' '.join(other)}: {len(both):,}, such as {both[0]}."
    if one[0] != other[0] and "test" not in (one[1], other[1]):
        words += " Where one of a pair is scored on, the other is left out of training."
        yield Finding("duplicate", "warning", words, tuple(both[:_SHOWN]))
        return
    hint = "Remove them from one side, or write 'audit: {allow: [leak]}'."
    yield softened(task, Finding("leak", "error", f"{words} {hint}", tuple(both[:_SHOWN])))


def group_leaks(task: Task, groups: Mapping[Place, Sequence[str]]) -> list[Finding]:
    """Groups of one domain that stand on both sides of a given split."""
    findings: list[Finding] = []
    places = list(groups)
    for index, one in enumerate(places):
        for other in places[index + 1 :]:
            both = sorted((set(groups[one]) & set(groups[other])) - {""})
            if both and one[0] == other[0]:
                words = f"groups both in {' '.join(one)} and in {' '.join(other)}: {len(both):,}, such as {both[0]!r}"
                hint = "Divide by group, or write 'audit: {allow: [leak]}'."
                findings.append(softened(task, Finding("leak", "error", f"{words}. {hint}", tuple(both[:_SHOWN]))))
    return findings


def conflict_findings(domain: str, digests: Sequence[str], labels: Sequence[str], ids: Sequence[str]) -> list[Finding]:
    """Equal content under different labels, among labels that the search may see."""
    seen: dict[str, tuple[str, str]] = {}
    conflicts: list[str] = []
    for digest, label, name in zip(digests, labels, ids, strict=True):
        known, first = seen.setdefault(digest, (label, name))
        if known != label:
            conflicts.append(f"{name} is {label!r}, {first} is {known!r}")
    if not conflicts:
        return []
    words = f"{domain}: equal examples under different labels: {len(conflicts):,}, such as {conflicts[0]}. Check them."
    return [Finding("label_conflict", "warning", words, tuple(conflicts[:_SHOWN]))]


def margin_findings(task: Task, filled: Mapping[str, tuple[float, float]]) -> Iterator[Finding]:
    """Advice where the content of a source's images fills another share of their sides than the target's does.

    Args:
        filled: domain -> mean share of width and of height.
    """
    differing = [
        domain
        for domain, shares in filled.items()
        if max(abs(one - other) for one, other in zip(shares, filled["target"], strict=True)) > MARGINS_DIFFER
    ]
    if differing:
        seen = "; ".join(f"{domain}: {filled[domain][0]:.0%} x {filled[domain][1]:.0%}" for domain in filled)
        words = f"images differ in their margins. The content fills so much of width x height: {seen}."
        hint = "crop: content in the search space looks at the content alone."
        yield Finding("margins_differ", "info", f"{task.where('data')}: {words} {hint}", tuple(differing))


def _strangers(where: str, names: Sequence[str], kind: str) -> Iterator[Finding]:
    if names:
        words = f"files left alone, being no {kind}s in a class folder: {len(names):,}"
        yield Finding("other_files", "info", f"{where}: {words}, such as {names[0]!r}.", tuple(names[:_SHOWN]))


def _class_findings(task: Task, listed: Survey) -> Iterator[Finding]:
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
            told = _name_alone if is_hidden(task, domain) else _name_and_count
            yield from _twins(domain, where, counts, told)
            yield from _near_names(domain, where, counts, told)
            yield from _small_classes(task, domain, where, counts)
    classes, findings = classes_of(task, listed)
    yield from findings
    yield from _test_classes(task, listed, classes)


Told = Callable[[str, Counter[str]], str]  # how a class is written in a finding


def _name_and_count(name: str, counts: Counter[str]) -> str:
    return f"{name!r} ({counts[name]:,})"


def _name_alone(name: str, counts: Counter[str]) -> str:  # noqa: ARG001 - how often a hidden label occurs is not told
    return repr(name)


def _twins(domain: str, where: str, counts: Counter[str], told: Told) -> Iterator[Finding]:
    alike: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        alike[" ".join(normalize("NFKC", name).casefold().split())].append(name)
    for names in alike.values():
        if len(names) > 1:
            best = max(names, key=lambda name: (counts[name], name))
            others = sorted(name for name in names if name != best)
            merge = ", ".join(f"{_quoted(name)}: {_quoted(best)}" for name in others)
            seen = " and ".join(told(name, counts) for name in [best, *others])
            words = f"the classes {seen} of {domain} differ only in case, spaces or encoding."
            hint = f"If they are one, paste 'audit: {{merge: {{{merge}}}}}'; if not, 'audit: {{allow: [label_twins]}}'."
            yield Finding("label_twins", "error", f"{where}: {words} {hint}", tuple(names))


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=not name.isprintable())


def _near_names(domain: str, where: str, counts: Counter[str], told: Told) -> Iterator[Finding]:
    common = [name for name in counts if len(name) >= 4]
    for rare in common:
        for name in common:
            if counts[rare] <= RARE_SHARE * counts[name] and _is_one_edit(rare, name):
                words = f"the class {told(rare, counts)} of {domain} may be a typo of {told(name, counts)}."
                hint = f"If so, paste 'audit: {{merge: {{{_quoted(rare)}: {_quoted(name)}}}}}'."
                yield Finding("near_names", "warning", f"{where}: {words} {hint}", (rare, name))


def _is_one_edit(one: str, other: str) -> bool:
    """Whether one letter was added, left out, changed or swapped with its neighbour; digits are never typos."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    if any(letter.isdigit() for letter in (a[:1] + b[:1])):
        return False
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


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
