"""Which classes moved, and which to label first."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.scoring.gap.mmd import mmd
from autotl.scoring.gap.probe import Probe

FEWEST_EXAMPLES = 5  # of a class in a domain, for a distance that means something
MOST_CLASSES_WITH_MMD = 30
BINS = 10

Points = NDArray[Any]


@dataclass(frozen=True)
class ClassShift:
    """One class in both domains. What is None has too few examples.

    Attributes:
        source_rows, target_rows: examples, the target's by prediction.
        shift: distance of the class's means in units of the spread within classes.
        mmd: MMD² of its examples.
        margin: mean difference of the two largest probabilities of its target examples; small is unsure.
    """

    index: int
    source_rows: int
    target_rows: int
    shift: float | None
    mmd: float | None
    margin: float | None


def class_shifts(
    source: Points, labels: NDArray[np.int64], target: Points, probe: Probe, *, seed: int = 0
) -> list[ClassShift]:
    """Every class of the source, in the order in which their target examples should be labelled.

    First classes that no target example is predicted as, then those that moved furthest.

    Args:
        source, target: points (n, d) and (m, d); labels (n,) of the source.
    """
    classes = probe.source.shape[1]
    spread, predicted, margins = _spread_within(source, labels), probe.pseudo_labels, margins_of(probe)
    found = []
    for index in range(classes):
        here, there = source[labels == index], target[predicted == index]
        if not len(here):
            continue
        enough = min(len(here), len(there)) >= FEWEST_EXAMPLES
        distance = float(np.linalg.norm(here.mean(axis=0) - there.mean(axis=0))) if enough else 0.0
        found.append(
            ClassShift(
                index,
                len(here),
                len(there),
                shift=distance / spread if enough and spread > 0 else None,
                mmd=mmd(here, there, seed=seed).value if enough and classes <= MOST_CLASSES_WITH_MMD else None,
                margin=float(margins[predicted == index].mean()) if len(there) else None,
            )
        )
    return sorted(found, key=lambda each: (each.target_rows > 0, -(each.shift or 0.0), each.index))


def margins_of(probe: Probe) -> NDArray[np.float64]:
    """(m,) difference of the two largest probabilities of each target example; 1 where there is one class."""
    if probe.target.shape[1] < 2:
        return np.ones(len(probe.target))
    largest = np.sort(probe.target, axis=1)[:, -2:]
    return np.asarray(largest[:, 1] - largest[:, 0])


def margin_histogram(probe: Probe) -> list[int]:
    """Target examples by margin, in ten equal bins from 0 to 1."""
    return np.histogram(margins_of(probe), bins=BINS, range=(0.0, 1.0))[0].tolist()


def _spread_within(source: Points, labels: NDArray[np.int64]) -> float:
    """Root mean squared distance of source examples from their class's mean."""
    squared, examples = 0.0, 0
    for index in np.unique(labels[labels >= 0]):
        here = source[labels == index]
        squared += float(np.square(here - here.mean(axis=0)).sum())
        examples += len(here)
    return (squared / examples) ** 0.5 if examples else 0.0
