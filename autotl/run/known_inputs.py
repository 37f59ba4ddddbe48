"""Which examples a run was begun on, so that a resumed one can say which of them are others now.

Names, digests and the labels that the search may know; of the test set digests alone. No content.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from autotl.data.examples import TaskData
from autotl.data.labels import LABELS
from autotl.errors import StorageError
from autotl.run.folder import RunFolder

INPUTS = "inputs.json.gz"
DIGEST_LETTERS = 16  # of 32: enough to tell examples apart, and half the size
_SHOWN = 3


@dataclass(frozen=True)
class KnownInputs:
    """Examples of all domains, one after the other.

    Attributes:
        names: empty where the label is hidden: such names only count, and others stand for other examples.
        labels: class names; empty where the search does not know one.
        tests: digests of the test set, in no order that tells anything.
    """

    names: tuple[str, ...]
    digests: tuple[str, ...]
    labels: tuple[str, ...]
    tests: tuple[str, ...]


def known_inputs(data: TaskData) -> KnownInputs:
    """What is to be known of a run's examples."""
    several = len(data.domains) > 1
    names = [
        f"{domain}: {name}" if several else name
        for domain, inputs in zip(data.domains, data.inputs, strict=True)
        for name in inputs.ids
    ]
    labels = LABELS[data.problem.name].in_words(data.labels, data.classes)
    digests = [digest[:DIGEST_LETTERS] for inputs in data.inputs for digest in inputs.digests]
    tests = [] if data.test is None else sorted(digest[:DIGEST_LETTERS] for digest in data.test.inputs.digests)
    named = [name if label else "" for name, label in zip(names, labels, strict=True)]
    return KnownInputs(tuple(named), tuple(digests), tuple(labels), tuple(tests))


def write_known_inputs(run: RunFolder, known: KnownInputs) -> None:
    """Writes them into the run folder."""
    run.write(INPUTS, gzip.compress(json.dumps(asdict(known)).encode(), mtime=0))


def read_known_inputs(run: RunFolder) -> KnownInputs | None:
    """What `write_known_inputs` wrote; None for a run of before it was written.

    Raises:
        StorageError: the file is damaged.
    """
    if not run.has(INPUTS):
        return None
    try:
        content = json.loads(gzip.decompress(run.read(INPUTS)))
        return KnownInputs(*(tuple(map(str, content[name])) for name in ("names", "digests", "labels", "tests")))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{run.path / INPUTS} cannot be read: {error}") from error


def what_changed(before: KnownInputs, now: KnownInputs) -> Iterator[str]:
    """A line for each way in which examples are others, with how many and the first of them."""
    had, have = _by_content(before), _by_content(now)
    gone = [name for digest, names in had.items() for name in names[len(have.get(digest, ())) :]]
    new = [name for digest, names in have.items() for name in names[len(had.get(digest, ())) :]]
    changed = sorted(set(filter(None, gone)) & set(new))
    yield from _told("with other content", changed)
    yield from _told("gone", [name for name in gone if name not in set(changed)])
    yield from _told("new", [name for name in new if name not in set(changed)])
    kept = [
        (names[0], have[digest][0]) for digest, names in had.items() if len(names) == len(have.get(digest, ())) == 1
    ]
    moved = [f"{old}, now {other}" for old, other in kept if old != other and old and other]
    yield from _told("under another name or in another place", moved)
    old_labels, new_labels = _labels(before), _labels(now)
    relabelled = [
        f"{name}: {label!r} there, {new_labels[name, digest]!r} now"
        for (name, digest), label in old_labels.items()
        if new_labels.get((name, digest), label) != label
    ]
    yield from _told("with another label", relabelled)


def _by_content(known: KnownInputs) -> Mapping[str, list[str]]:
    """Names of the examples, the test's among them, by what they hold: what is drawn as the test may be drawn anew."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, digest in zip(known.names, known.digests, strict=True):
        found[digest].append(name)
    for digest in known.tests:
        found[digest].append("")
    return found


def _labels(known: KnownInputs) -> dict[tuple[str, str], str]:
    return {
        (name, digest): label
        for name, digest, label in zip(known.names, known.digests, known.labels, strict=True)
        if name and label
    }


def _told(how: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        listed = list(filter(None, names))[:_SHOWN]
        such = f", such as {'; '.join(listed)}" if listed else ""
        yield f"examples {how}: {len(names):,}{such}"
