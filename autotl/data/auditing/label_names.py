"""Classes that may be one class, written in two ways."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from unicodedata import normalize

from autotl.data.examples import Finding

RARE_SHARE = 0.05  # a name this rare beside a near one is likely a typo
SHORT_NAME = 4  # letters; one letter of a shorter name makes another word of it

Told = Callable[[str, Counter[str]], str]  # how a class is written in a finding


def told_with_count(name: str, counts: Counter[str]) -> str:
    """A class with the number of its examples, where the labels may be known."""
    return f"{name!r} ({counts[name]:,})"


def told_alone(name: str, counts: Counter[str]) -> str:  # noqa: ARG001 - how often a hidden label occurs is not told
    """A class by its name only, where the labels are hidden."""
    return repr(name)


def twins(domain: str, where: str, counts: Counter[str], told: Told, *, nouns: str = "classes") -> Iterator[Finding]:
    """Classes, or whatever `nouns` calls them, whose names differ in nothing that a person would mean."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        alike[" ".join(normalize("NFKC", name).casefold().split())].append(name)
    for names in alike.values():
        if len(names) > 1:
            best = max(names, key=lambda name: (counts[name], name))
            others = sorted(name for name in names if name != best)
            merge = ", ".join(f"{_quoted(name)}: {_quoted(best)}" for name in others)
            seen = " and ".join(told(name, counts) for name in [best, *others])
            words = f"the {nouns} {seen} of {domain} differ only in case, spaces or encoding."
            hint = f"If they are one, paste 'audit: {{merge: {{{merge}}}}}'; if not, 'audit: {{allow: [label_twins]}}'."
            yield Finding("label_twins", "error", f"{where}: {words} {hint}", tuple(names))


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=not name.isprintable())


def near_names(domain: str, where: str, counts: Counter[str], told: Told, *, noun: str = "class") -> Iterator[Finding]:
    """Rare classes whose name is one slip of a finger off a common one."""
    most = max(counts.values(), default=0)
    for rare in (name for name in counts if counts[name] <= RARE_SHARE * most):
        for name in counts:
            if counts[rare] <= RARE_SHARE * counts[name] and _may_be_a_typo(rare, name):
                words = f"the {noun} {told(rare, counts)} of {domain} may be a typo of {told(name, counts)}."
                hint = f"If so, paste 'audit: {{merge: {{{_quoted(rare)}: {_quoted(name)}}}}}'."
                yield Finding("near_names", "warning", f"{where}: {words} {hint}", (rare, name))


def _may_be_a_typo(rare: str, name: str) -> bool:
    """Whether one letter was added, left out, changed or swapped with its neighbour, where that is no other name.

    Digits tell names apart, and so does each letter of a code such as IR_014. In a name of three letters only a letter
    too much or a swap is a slip: cat, bat and car are three words.
    """
    if rare == name or abs(len(rare) - len(name)) > 1 or len(name) < 3:
        return False
    start = next((i for i, (a, b) in enumerate(zip(rare, name, strict=False)) if a != b), min(len(rare), len(name)))
    a, b = rare[start:], name[start:]
    if a[1:] == b or (a[:2] == b[1::-1] and a[2:] == b[2:]):  # a letter too much, or two swapped
        return not (a[0].isdigit() and (len(a) > len(b) or b[0].isdigit()))
    if a == b[1:]:
        return len(name) >= SHORT_NAME and not b[0].isdigit()
    is_code = any(letter.isdigit() for letter in name)
    return a[1:] == b[1:] and len(name) >= SHORT_NAME and not is_code
