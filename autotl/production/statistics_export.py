"""The statistics of a house on their way out: which examples they tell of, and what is refused."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from autotl.data.examples import UNKNOWN, Rows, TaskData
from autotl.data.exported import FEWEST_EXAMPLES
from autotl.data.noising import Noise, NormalDraws, clipped, noised
from autotl.data.statistics import Statistics
from autotl.data.statistics_file import (
    FeaturesOf,
    Measured,
    NoiseTold,
    Site,
    StatisticsError,
    StatisticsFile,
    block_bytes,
    refuse_few,
)
from autotl.errors import DataError
from autotl.trial.solved_head import lda

HELD_OUT_SHARE = 0.2
READ_TOGETHER = 4_096  # rows, so that memory does not grow with the data
SHRINKAGE = 0.1  # of the head by which a house measures its own statistics

FeaturesFor = Callable[[Rows], NDArray[np.float32]]  # rows -> (n, d)


@dataclass(frozen=True)
class House:
    """The labelled examples that a house tells of.

    Attributes:
        rows: of the task's data, all labelled.
        features: what the backbone makes of rows.
        left_out: classes that are not told of, since too few examples have them.
    """

    name: str
    data: TaskData
    rows: Rows
    features: FeaturesFor
    left_out: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Those that are told of, in alphabetical order: it does not depend on the house."""
        return tuple(sorted(set(self.data.classes) - set(self.left_out)))


def house_of(name: str, data: TaskData, domain: str, features: FeaturesFor) -> House:
    """All labelled examples of a domain that are not sealed in its test.

    Raises:
        DataError: it has none.
    """
    if domain not in data.domains:
        raise DataError(f"there is no domain {domain!r}. Domains: {', '.join(data.domains)}.")
    rows = np.flatnonzero((data.domain_of == data.domains.index(domain)) & (data.labels != UNKNOWN))
    if not len(rows):
        raise DataError(f"the domain {domain!r} has no labelled example, and statistics of classes need labels.")
    return House(name, data, rows, features)


def without_rare(house: House) -> House:
    """The house without classes that fewer than ten examples have."""
    counts = np.bincount(house.data.labels[house.rows], minlength=len(house.data.classes))
    rare = {index for index, count in enumerate(counts.tolist()) if count < FEWEST_EXAMPLES}
    kept = house.rows[~np.isin(house.data.labels[house.rows], list(rare))]
    left_out = tuple(house.data.classes[index] for index in sorted(rare))
    return House(house.name, house.data, kept, house.features, left_out)


def statistics_of(
    house: House,
    features: FeaturesOf,
    *,
    noise: Noise | None,
    versions: Mapping[str, str],
    draws: NormalDraws,
    leave_out_rare: bool = False,
) -> StatisticsFile:
    """What may leave the house.

    Which examples are held out follows from the content of each alone, so that a copy lands on the same side and no
    example moves another one.

    Args:
        noise: what is added to every number; None for nothing.
        draws: of the noise.
        leave_out_rare: under noise, leave out classes whose noised count is below ten, for exact counts may decide
            nothing then. What their few examples add to the products stays. Without noise: `without_rare`.
    Raises:
        DataError: something would tell of single examples.
    """
    held_out_rows = house.rows[_is_held_out(house, noise)]
    learn_rows = np.setdiff1d(house.rows, held_out_rows)
    learn, held_out = (_summed(house, rows, noise, draws) for rows in (learn_rows, held_out_rows))
    classes = house.classes
    if leave_out_rare and noise is not None:
        places = np.flatnonzero((learn + held_out).counts >= FEWEST_EXAMPLES).tolist()
        learn, held_out = learn.of_classes(places), held_out.of_classes(places)
        classes = tuple(classes[place] for place in places)
    measured: Measured | None = None
    if any(count < FEWEST_EXAMPLES for block in (learn, held_out) for count in block.counts.tolist()):
        # too few of some class to be told of twice: all of them are learnt from, none is held out
        learn, kept = _summed(house, house.rows, noise, draws) if noise is None else learn + held_out, None
    else:
        kept = held_out
        measured = None if noise is not None else _measured(house, learn, held_out_rows)
    try:
        if len(classes) < 2:
            raise StatisticsError(f"would tell of {len(classes)} class with enough examples, and needs 2.")
        refuse_few(classes, learn)
    except StatisticsError as error:
        advice = "Merge it into another one with audit.merge in a task, or leave such classes out: --rare leave_out"
        raise DataError(f"the file {error} {advice}") from error
    told = None if noise is None else NoiseTold(**vars(noise), deviation=noise.deviation)
    total = learn.examples + (0.0 if kept is None else kept.examples)
    numbers = block_bytes(learn) + (b"" if kept is None else block_bytes(kept))
    site = Site(
        name=house.name,
        examples=max(round(total), 0),
        digest=hashlib.sha256(numbers).hexdigest(),
        noise=told,
        measured=measured,
    )
    return StatisticsFile(features, classes, (site,), learn, kept, dict(versions))


def _summed(house: House, rows: Rows, noise: Noise | None, draws: NormalDraws) -> Statistics:
    classes = len(house.classes)
    width = house.features(rows[:1] if len(rows) else house.rows[:1]).shape[1]
    total = Statistics.nothing(classes=classes, width=width)
    for start in range(0, len(rows), READ_TOGETHER):
        some = rows[start : start + READ_TOGETHER]
        features: NDArray[np.floating] = house.features(some)
        if not np.isfinite(features).all():
            raise DataError("the backbone's features of some examples are no finite numbers.")
        if noise is not None:
            features = clipped(features, noise.clip)
        total += Statistics.of(features, _labels(house, some), classes=classes)
    return total if noise is None else noised(total, noise, draws)


def _labels(house: House, rows: Rows) -> NDArray[np.int64]:
    places = [house.classes.index(name) if name in house.classes else UNKNOWN for name in house.data.classes]
    return np.array(places, dtype=np.int64)[house.data.labels[rows]]


def _is_held_out(house: House, noise: Noise | None) -> NDArray[np.bool_]:
    """(n,) of the house's rows, by what each one's content draws.

    Without noise and groups every class gives its share, and ten at least where it has twice as many. Groups stay
    together. With noise each example is on a side of its own, whoever else is there: it may move no other one.
    """
    data = house.data
    digests = np.array([digest for inputs in data.inputs for digest in inputs.digests])[house.rows].tolist()
    if noise is None and data.groups is not None:
        first: dict[int, str] = {}
        groups = data.groups[house.rows].tolist()
        for group, digest in zip(groups, digests, strict=True):
            first[group] = min(first.get(group, digest), digest)
        digests = [first[group] for group in groups]
    drawn = np.array([xxhash.xxh3_64_intdigest(digest.encode()) / 2.0**64 for digest in digests])
    if noise is not None or data.groups is not None:
        return np.asarray(drawn < HELD_OUT_SHARE)
    labels, held_out = data.labels[house.rows], np.zeros(len(drawn), dtype=np.bool_)
    for label in np.unique(labels).tolist():
        here = np.flatnonzero(labels == label)
        wanted = max(round(HELD_OUT_SHARE * len(here)), FEWEST_EXAMPLES)
        if len(here) >= 2 * FEWEST_EXAMPLES:
            held_out[here] = drawn[here] <= np.sort(drawn[here])[wanted - 1]
    return held_out


def _measured(house: House, learn: Statistics, held_out: Rows) -> Measured:
    """What the house itself counts, with examples, which the file has not."""
    head = lda(learn, shrinkage=SHRINKAGE, weights=np.ones(len(house.classes)))
    right = 0
    for start in range(0, len(held_out), READ_TOGETHER):
        some = held_out[start : start + READ_TOGETHER]
        said = (house.features(some).astype(np.float64) @ head.kernel + head.bias).argmax(axis=1)
        right += int((said == _labels(house, some)).sum())
    return Measured(shrinkage=SHRINKAGE, accuracy=right / len(held_out), examples=len(held_out))
