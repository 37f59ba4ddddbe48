"""Equal content where it does harm: twice in a domain, on both sides of a split, under two labels."""

from collections.abc import Iterator, Mapping, Sequence

from autotl.data.examples import Finding

_SHOWN = 20

Place = tuple[str, str]  # where an example stands: (domain, split)


def duplicate_findings(digests: Mapping[Place, Sequence[str]], names: Mapping[Place, Sequence[str]]) -> list[Finding]:
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
            findings += _shared_content(one, other, first_at[one], first_at[other])
    return findings


def _shared_content(one: Place, other: Place, here: Mapping[str, str], there: Mapping[str, str]) -> Iterator[Finding]:
    both = [f"{here[digest]} = {there[digest]}" for digest in here if digest in there]
    if not both:
        return
    words = f"examples both in {' '.join(one)} and in {' '.join(other)}: {len(both):,}, such as {both[0]}."
    if one[0] != other[0] and "test" not in (one[1], other[1]):
        words += " Where one of a pair is scored on, the other is left out of training."
        yield Finding("duplicate", "warning", words, tuple(both[:_SHOWN]))
        return
    hint = "Remove them from one side, or write 'audit: {allow: [leak]}'."
    yield Finding("leak", "error", f"{words} {hint}", tuple(both[:_SHOWN]))


def group_leaks(groups: Mapping[Place, Sequence[str]]) -> list[Finding]:
    """Groups of one domain that stand on both sides of a given split."""
    findings: list[Finding] = []
    places = list(groups)
    for index, one in enumerate(places):
        for other in places[index + 1 :]:
            both = sorted((set(groups[one]) & set(groups[other])) - {""})
            if both and one[0] == other[0]:
                words = f"groups both in {' '.join(one)} and in {' '.join(other)}: {len(both):,}, such as {both[0]!r}"
                hint = "Divide by group, or write 'audit: {allow: [leak]}'."
                findings.append(Finding("leak", "error", f"{words}. {hint}", tuple(both[:_SHOWN])))
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
