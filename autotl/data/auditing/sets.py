"""What listings tell of label sets: labels that too few bear, sets that are none, names written in two ways."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from autotl.data.auditing.label_audit import LabelAudit, learnt_from
from autotl.data.auditing.label_names import near_names, told_with_count, twins
from autotl.data.examples import Finding
from autotl.data.label_lists import names_in
from autotl.data.label_sets import borne
from autotl.data.listing import Survey, is_hidden
from autotl.errors import suggestion
from autotl.task import Task
from autotl.task.problem import MULTILABEL

WORDS_FOR_NONE = frozenset({"nan", "none", "null", "n/a", "#n/a", "nat"})
FEW_BEARERS = 10  # examples that bear a label; its figures are uncertain with fewer


def _names(task: Task, listed: Survey) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The labels in alphabetical order, from known label sets only: those that `classes` or the columns name, else all
    that some example bears. Where domains differ it takes a word of the user's, as for classes."""
    by_domain = {domain: borne(listed.counts(domain)) for domain in _known_domains(task, listed)}
    found: set[str] = set().union(*by_domain.values())
    shared = set.intersection(*(set(counts) for counts in by_domain.values())) if by_domain else set()
    findings: list[Finding] = []
    if isinstance(task.classes, tuple):
        chosen = set(task.classes)
        findings += _misses(task, found)
    else:
        chosen = shared if task.classes == "shared" else found | _written(task)
        findings += [] if shared == found else list(_mismatch(task, by_domain, found, chosen))
    if task.audit.rare == "drop":
        totals = {domain: listed.counts(domain).total() for domain in by_domain}
        chosen = {
            name for name in chosen if all(1 < counts[name] < totals[domain] for domain, counts in by_domain.items())
        }
    if len(chosen) < 2 and by_domain:
        seen = f"found only {next(iter(chosen))!r}" if chosen else "found none"
        words = f"several labels per example need ≥ 2 labels, {seen}. Of one label write 'problem: classification'."
        findings.append(Finding("one_class", "error", f"{task.where('data.target.train')}: {words}"))
    return tuple(sorted(chosen)), tuple(findings)


def _written(task: Task) -> set[str]:
    """The labels that the task itself names."""
    if isinstance(task.classes, tuple):
        return set(task.classes)
    return set(task.data.columns.labels) if len(task.data.columns.labels) > 1 else set()


def _misses(task: Task, found: set[str]) -> Iterator[Finding]:
    """Names in `classes` that no example bears, where such labels are not dropped."""
    assert isinstance(task.classes, tuple)
    for index, name in enumerate(task.classes):
        if name not in found and task.audit.rare != "drop":
            where, hint = task.where(f"classes[{index}]"), "Leave its name out, or write 'audit: {rare: drop}'."
            words = f"no example bears {name!r}. {suggestion(name, found)} {hint}"
            yield Finding("unknown_class", "error", f"{where}: {words}")


def _mismatch(
    task: Task, by_domain: Mapping[str, Counter[str]], found: set[str], chosen: set[str]
) -> Iterator[Finding]:
    differing = "; ".join(
        f"nobody of {domain} bears {', '.join(map(repr, sorted(found - set(counts))[:5]))}"
        for domain, counts in by_domain.items()
        if found - set(counts)
    )
    if task.classes is None:
        words = f"the domains' labels differ: {differing}. Write 'classes: shared' or 'classes: union'."
        yield Finding("class_mismatch", "error", f"{task.where('data')}: {words}")
    else:
        words = f"the domains' labels differ: {differing}. Their {len(chosen)} {task.classes} labels are used."
        yield Finding("class_mismatch", "info", f"{task.where('classes')}: {words}")


def _findings(task: Task, listed: Survey) -> Iterator[Finding]:
    names, findings = _names(task, listed)
    borne_somewhere = {name for domain in _known_domains(task, listed) for name in borne(listed.counts(domain))}
    nowhere = (set(names) | _written(task)) - borne_somewhere  # borne in one domain, it is a matter of `classes`
    nowhere -= set() if task.audit.rare == "drop" or not isinstance(task.classes, tuple) else set(task.classes)  # told
    for domain in _known_domains(task, listed):
        where, sets = learnt_from(listed, domain)[0].where, listed.counts(domain)
        counts = borne(listed.counts(domain))
        yield from twins(domain, where, counts, told_with_count, nouns="labels")
        yield from near_names(domain, where, counts, told_with_count, noun="label")
        yield from _rare_labels(task, domain, where, {name: counts[name] for name in {*counts, *nowhere}}, sets.total())
        for name in sorted(name for name in counts if name.lower() in WORDS_FOR_NONE):
            words = f"{counts[name]:,} examples of {domain} bear the label {name!r}, which reads like a missing value."
            hint = "Where it means that an example bears no label, leave the cell empty."
            yield Finding("word_for_none", "warning", f"{where}: {words} {hint}", (name,))
        if sets and all(len(names_in(text)) == 1 for text in sets):
            words = f"every example of {domain} bears exactly one label."
            hint = "If that is how it is, write 'problem: classification': its models know that labels exclude others."
            yield Finding("one_label_each", "warning", f"{where}: {words} {hint}")
    yield from findings
    yield from _test_labels(task, listed, names)


def _rare_labels(task: Task, domain: str, where: str, counts: Mapping[str, int], examples: int) -> Iterator[Finding]:
    for name, count in sorted(counts.items()):
        if count > 1 and count < examples:
            if count < FEW_BEARERS:
                words = f"only {count} examples of {domain} bear the label {name!r}. Its figures will be uncertain."
                yield Finding("few_examples", "warning", f"{where}: {words}", (name,))
            continue
        bearers = "no example bears" if not count else "a single example bears" if count == 1 else "every example bears"
        words = f"{bearers} the label {name!r} of {domain}: nothing can be learnt of it and checked."
        if task.audit.rare == "drop":
            yield Finding("rare_class", "warning", f"{where}: {words} It was dropped.", (name,))
        else:
            hint = "Add examples, leave its name out, or write 'audit: {rare: drop}'."
            yield Finding("rare_class", "error", f"{where}: {words} {hint}", (name,))


def _test_labels(task: Task, listed: Survey, names: Sequence[str]) -> Iterator[Finding]:
    labels = listed.labels("target", "test")
    if labels is None or is_hidden(task, "target"):
        return
    dropped = set(borne(listed.counts("target"))) - set(names)
    unknown = sorted(set(borne(Counter(labels))) - set(names) - dropped)
    if unknown:
        where = listed.splits["target", "test"][0].where
        words = f"examples bear the labels {', '.join(map(repr, unknown[:5]))}, which none of train does."
        yield Finding("class_mismatch", "error", f"{where}: {words} Remove them, or add examples to train.")


def _known_domains(task: Task, listed: Survey) -> list[str]:
    return [domain for domain in listed.domains if not is_hidden(task, domain) and listed.counts(domain)]


def _metric(counts: Mapping[str, int]) -> str:  # noqa: ARG001 - one interface: average precision suits rare labels, too
    return MULTILABEL.default_metric


SETS = LabelAudit(_names, _findings, _metric)
