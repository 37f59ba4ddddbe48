"""Examples that nearly repeat others: an image saved again, smaller or with another quality; a text typed anew.

Of images a thumbnail is compared, freed of brightness and contrast (a perceptual hash that keeps its distances). How
near is near depends on the data: digits, or parts before one camera, are all alike, and only what is much nearer than
their neighbours usually are is a copy.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import xxhash
from numpy.typing import NDArray

from autotl.data.auditing.duplicates import Place
from autotl.data.examples import Finding
from autotl.data.looks import THUMBNAIL_SIDE, Looks

NEAREST = 0.12  # distance of two unit thumbnails: a JPEG saved again stays below it, two photos of one thing above 0.3
OF_USUAL = 0.12  # of the distance that usual neighbours have
USUAL_NEIGHBOUR = 10  # which one: nearer ones may be copies themselves
LARGEST, LARGEST_SHARE = 20, 0.05  # of what hangs together; more are one kind of image and no copies
FAINTEST = 4.0  # levels of deviation; a blank image resembles every other one
_SAMPLE = 300  # rows by which the usual distance is told
_DIRECTIONS = 8  # principal ones, in which candidates are looked for
_CANDIDATES = 16
_BLOCK = 20_000
_SHOWN = 20

Floats = NDArray[np.float32]


def alike_images(looks: Looks) -> dict[str, str]:
    """Digest of each image that nearly repeats another one → a name that it shares with them."""
    digests = sorted(looks.row_of)  # whatever order they came in
    rows = looks.rows(digests)
    thumbnails, deviations = _unit_thumbnails(looks.thumbnails[rows])
    clear = np.flatnonzero(deviations > FAINTEST)
    if len(clear) < 2:
        return {}
    pairs = clear[_near_pairs(thumbnails[clear])]
    found = _named([digests[row] for row in pairs[:, 0]], [digests[row] for row in pairs[:, 1]])
    sizes = Counter(found.values())
    largest = max(LARGEST, LARGEST_SHARE * len(clear))
    return {digest: name for digest, name in found.items() if sizes[name] <= largest}


def alike_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """The same for texts by their digest: they differ in case, white space, signs or markup alone."""
    first_with: dict[str, str] = {}
    ones, others = [], []
    for digest in sorted(texts):
        letters = "".join(filter(str.isalnum, texts[digest].casefold()))
        if letters:
            first = first_with.setdefault(xxhash.xxh3_128_hexdigest(letters.encode("utf-8", "surrogatepass")), digest)
            if first != digest:
                ones.append(first)
                others.append(digest)
    return _named(ones, others)


def near_duplicate_findings(
    digests: Mapping[Place, Sequence[str]], names: Mapping[Place, Sequence[str]], alike: Mapping[str, str]
) -> list[Finding]:
    """Near copies in a domain, and on both sides of a given split.

    Args:
        digests, names: per place, in the same order.
        alike: what near copies share, by digest.
    """
    findings: list[Finding] = []
    members: dict[Place, dict[str, dict[str, str]]] = {}  # what is shared → digest → name
    for place, content in digests.items():
        members[place] = {}
        for digest, name in zip(content, names[place], strict=True):
            if digest in alike:
                members[place].setdefault(alike[digest], {}).setdefault(digest, name)
        together = [list(found.values()) for found in members[place].values() if len(found) > 1]
        if together:
            pairs = tuple(f"{name} ~ {first}" for first, *others in together for name in others)
            words = f"{' '.join(place)}: examples that nearly repeat another one: {len(pairs):,}, such as {pairs[0]}."
            hint = "They stay on one side of every split that is drawn."
            findings.append(Finding("near_duplicate", "warning", f"{words} {hint}", pairs[:_SHOWN]))
    places = list(members)
    for index, one in enumerate(places):
        for other in places[index + 1 :]:
            findings += _across(one, other, members[one], members[other])
    return findings


def _across(
    one: Place, other: Place, here: Mapping[str, Mapping[str, str]], there: Mapping[str, Mapping[str, str]]
) -> list[Finding]:
    pairs = []
    for shared in here:
        for digest, name in there.get(shared, {}).items():
            nearly = [known for seen, known in here[shared].items() if seen != digest]
            if digest not in here[shared] and nearly:
                pairs.append(f"{nearly[0]} ~ {name}")
    if not pairs:
        return []
    words = (
        f"examples of {' '.join(other)} that nearly repeat one of {' '.join(one)}: {len(pairs):,}, such as {pairs[0]}."
    )
    if one[0] != other[0] and "test" not in (one[1], other[1]):
        hint = "Where one of a pair is scored on, the other is left out of training."
        return [Finding("near_duplicate", "warning", f"{words} {hint}", tuple(pairs[:_SHOWN]))]
    hint = "Figures on them flatter. Remove them from one side, or group both by what they show."
    return [Finding("near_leak", "warning", f"{words} {hint}", tuple(pairs[:_SHOWN]))]


def _unit_thumbnails(thumbnails: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """(n, 256) without mean and of length 1, and (n,) the deviation that was in them."""
    centred = thumbnails.astype(np.float32)
    centred -= centred.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1)
    return centred / np.maximum(lengths, 1e-6)[:, None], (lengths / THUMBNAIL_SIDE).astype(np.float32)


def _near_pairs(points: Floats) -> NDArray[np.int64]:
    """(p, 2) rows of unit vectors that are nearer to each other than neighbours are.

    Candidates come from a tree over the principal directions, in which no distance is larger than it is.
    """
    from scipy.spatial import cKDTree  # not needed to validate a task's paths

    radius = min(NEAREST, OF_USUAL * _usual_distance(points))
    sample = points[:: max(1, len(points) // _BLOCK)]
    _, directions = np.linalg.eigh(sample.T @ sample)
    flat = points @ directions[:, -_DIRECTIONS:]
    count = min(_CANDIDATES, len(points))
    _, nearest = cKDTree(flat).query(flat, k=count, distance_upper_bound=radius)
    first, column = np.nonzero(nearest.reshape(len(points), count) < len(points))
    second = nearest.reshape(len(points), count)[first, column]
    both = np.stack([np.minimum(first, second), np.maximum(first, second)], axis=1)
    first, second = np.unique(both[first != second], axis=0).T
    distances = np.concatenate(
        [
            np.linalg.norm(points[first[start : start + _BLOCK]] - points[second[start : start + _BLOCK]], axis=1)
            for start in range(0, max(1, len(first)), _BLOCK)
        ]
    )
    return np.stack([first, second], axis=1)[distances <= radius]


def _usual_distance(points: Floats) -> float:
    """Median distance to the tenth nearest of all."""
    looked_at = points[:: max(1, len(points) // _SAMPLE)]
    distances = np.sqrt(np.maximum(2 - 2 * (looked_at @ points.T), 0))
    place = min(USUAL_NEIGHBOUR, len(points) - 1)
    return float(np.median(np.partition(distances, place, axis=1)[:, place]))


def _named(ones: Sequence[str], others: Sequence[str]) -> dict[str, str]:
    """One name for all that hang together by pairs: the first of their digests."""
    parents: dict[str, str] = {}

    def root(digest: str) -> str:
        while parents.setdefault(digest, digest) != digest:
            parents[digest] = parents[parents[digest]]
            digest = parents[digest]
        return digest

    for one, other in zip(ones, others, strict=True):
        first, second = sorted((root(one), root(other)))
        parents[second] = first
    return {digest: root(digest) for digest in parents}
