"""The shortcut test of numbers: how much of their variance properties beside the point explain."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from autotl.data.auditing.properties import Kind, Properties, binned
from autotl.data.auditing.shortcuts import ERROR_RATE, FEWEST_IN_CLASS, TOLD_BY_APPEARANCE, TOLD_BY_ORIGIN
from autotl.data.examples import Finding, Labels
from autotl.data.splits import Integers, deal

_FOLDS = 5


def number_shortcut_findings(
    properties: Properties, labels: Labels, groups: Integers | None, *, classes: Sequence[str], where: str
) -> list[Finding]:
    """What explains the number and should not.

    The mean of each property's bins, from four of five folds, by groups, predicts the fifth. What counts is the lower
    end of an interval of the share of variance that is explained (R², by Fisher's transformation of its root), over
    groups where there are some.

    Args:
        properties: of n examples.
        labels: (n,) numbers.
        groups: (n,) or None: examples of one group are one piece of evidence.
        classes: the one name of the number.
    """
    grouped = np.arange(len(labels)) if groups is None else groups
    pieces = len(np.unique(grouped))
    if pieces < 2 * FEWEST_IN_CLASS or not properties.columns:
        return []
    folds = deal(np.zeros(len(labels), dtype=np.int64), grouped, [1 / _FOLDS] * _FOLDS, np.random.default_rng(0))
    explained = [_explained(binned(column.values), labels, folds) for column in properties.columns]
    surely = [_lower_end(share, pieces, looks=len(explained)) for share in explained]

    def best(kind: Kind, least: float) -> int | None:
        of_kind = [index for index, column in enumerate(properties.columns) if column.kind == kind]
        chosen = max(of_kind, key=lambda index: surely[index], default=None)
        return chosen if chosen is not None and surely[chosen] >= least else None

    alike = properties.remedy.format(of_all="of small and of large numbers")
    remedy = f"{alike} If it is so by nature, write 'audit: {{allow: [shortcut]}}'."
    found: list[Finding] = []
    origin = best("origin", TOLD_BY_ORIGIN)
    if origin is not None:
        words = (
            f"{where}: {properties.origin} tell {classes[0]!r}: {_in_words(properties, origin, explained)}. Were some "
            f"{properties.examples} made elsewhere? A model may learn that in place of what they show. {remedy}"
        )
        found.append(Finding("shortcut", "warning", words))
    appearance = best("appearance", TOLD_BY_APPEARANCE)
    if appearance is not None:
        words = (
            f"{where}: {properties.appearance} alone tell {classes[0]!r}: "
            f"{_in_words(properties, appearance, explained)}. "
            f"Is that so by nature, or by how and where they were made? {remedy}"
        )
        found.append(Finding("shortcut", properties.question, words))
    return found


def _explained(bins: Integers, labels: NDArray[np.float64], folds: Integers) -> float:
    """R² of the mean of each bin, of examples whose own fold is not counted; 0 where the overall mean is no worse."""
    said = np.empty(len(labels))
    for fold in range(_FOLDS):
        counted, held = folds != fold, folds == fold
        overall = labels[counted].mean() if counted.any() else 0.0
        sizes = np.bincount(bins[counted], minlength=int(bins.max()) + 1)
        sums = np.bincount(bins[counted], weights=labels[counted], minlength=len(sizes))
        said[held] = np.where(sizes > 0, sums / np.maximum(sizes, 1), overall)[bins[held]]
    spread = float(np.square(labels - labels.mean()).sum())
    return max(1.0 - float(np.square(labels - said).sum()) / spread, 0.0) if spread > 0 else 0.0


def _lower_end(share: float, pieces: int, *, looks: int) -> float:
    root = math.atanh(min(math.sqrt(share), 1 - 1e-9))
    arm = NormalDist().inv_cdf(1 - ERROR_RATE / looks) / math.sqrt(max(pieces - 3, 1))
    return math.tanh(max(root - arm, 0.0)) ** 2


def _in_words(properties: Properties, index: int, explained: Sequence[float]) -> str:
    return f"{properties.columns[index].name} explains {explained[index]:.0%} of its variance"
