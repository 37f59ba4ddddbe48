"""Shares and folds: which rows stand where. Everything here is a pure function of labels, groups and a seed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autotl.data.examples import Fold, Rows

Integers = NDArray[np.int64]

FEW_VALIDATION = 400  # with fewer validation examples, or
FEW_IN_CLASS = 10  # fewer than this in a class, heads are scored by cross-validation
HEAD_FOLDS = 5
SUFFIX_FOLDS = 3


def deal(strata: Integers, groups: Integers, shares: Sequence[float], draws: np.random.Generator) -> Integers:
    """Deals rows into bins so that each bin has its share of every stratum and no group is divided.

    Groups of several rows go first, largest first, each to the bin that it brings nearest to its share; single rows
    then fill what every bin still lacks of their stratum, so that without groups the shares are met to the row.

    Args:
        strata: (n,) class per row, or zeros to ignore classes; of several labels each, marks (n, labels), which are
            dealt as `deal_sets` says.
        groups: (n,) rows of one number stay together.
        shares: one per bin, adding up to 1.
    Returns:
        (n,) bin per row.
    """
    if strata.ndim == 2:
        return deal_sets(strata == 1, groups, shares, draws)
    _, stratum_of = np.unique(strata, return_inverse=True)
    _, group_of, group_sizes = np.unique(groups, return_inverse=True, return_counts=True)
    bins = np.full(len(strata), -1, dtype=np.int64)
    sizes = np.bincount(stratum_of)
    wanted = np.outer(shares, sizes)
    held = np.zeros_like(wanted)

    order = draws.permutation(len(group_sizes))
    order = order[np.argsort(-group_sizes[order], kind="stable")]
    rows_by_group = np.split(np.argsort(group_of, kind="stable"), np.cumsum(group_sizes)[:-1])
    for group in order[: int(np.count_nonzero(group_sizes > 1))]:
        rows = rows_by_group[group]
        brings = np.bincount(stratum_of[rows], minlength=len(sizes))
        # growth of the squared distance to the wanted counts, strata weighing alike whatever their size
        growth = (((held + brings - wanted) ** 2 - (held - wanted) ** 2) / sizes).sum(axis=1)
        chosen = int(np.argmin(growth))
        bins[rows] = chosen
        held[chosen] += brings

    for stratum in range(len(sizes)):
        rows = draws.permutation(np.flatnonzero((stratum_of == stratum) & (bins < 0)))
        counts = _round_to(
            len(rows), wanted[:, stratum] - held[:, stratum], fullness=held.sum(axis=1) - wanted.sum(axis=1)
        )
        bins[rows] = np.repeat(np.arange(len(shares)), counts)
        held[:, stratum] += counts
    return bins


def deal_sets(
    marks: NDArray[np.bool_], groups: Integers, shares: Sequence[float], draws: np.random.Generator
) -> Integers:
    """Deals rows with several labels each into bins so that each bin has its share of every label, the rarest first,
    and no group is divided; rows that bear no label then fill what every bin still lacks.

    Args:
        marks: (n, labels) whether a row bears a label.
        groups, shares: as for `deal`.
    Returns:
        (n,) bin per row.
    Paper: Sechidis, Tsoumakas & Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011.
    """
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    brings = np.zeros((len(sizes), marks.shape[1]))
    np.add.at(brings, group_of, marks.astype(np.float64))
    wanted, room = np.outer(shares, marks.sum(axis=0)), np.asarray(shares) * len(marks)
    bins = np.full(len(sizes), -1, dtype=np.int64)
    shuffled = draws.permutation(len(sizes))
    left = brings.copy()
    while left.any():
        borne = np.count_nonzero(left, axis=0)
        label = int(np.where(borne > 0, borne, len(sizes) + 1).argmin())
        units = shuffled[left[shuffled, label] > 0]
        for unit in units[np.argsort(-left[units, label], kind="stable")].tolist():
            most = wanted[:, label] >= wanted[:, label].max() - 1e-9
            chosen = int(np.where(most, room, -np.inf).argmax())
            bins[unit] = chosen
            wanted[chosen] -= brings[unit]
            room[chosen] -= sizes[unit]
        left[units] = 0.0
    rest = shuffled[bins[shuffled] < 0]
    for unit in rest[np.argsort(-sizes[rest], kind="stable")].tolist():
        bins[unit] = int(room.argmax())
        room[bins[unit]] -= sizes[unit]
    return bins[group_of]


def cross_validation(
    rows: Rows, labels: Integers, groups: Integers, *, folds: int, draws: np.random.Generator
) -> tuple[Fold, ...]:
    """Folds over these rows, stratified and by group; fewer where there are fewer groups.

    Args:
        rows: the rows to divide.
        labels, groups: for these rows, in their order.
    """
    count = min(folds, len(np.unique(groups)))
    bins = deal(labels, groups, [1 / count] * count, draws)
    return tuple(Fold(np.sort(rows[bins != fold]), np.sort(rows[bins == fold])) for fold in range(count))


def is_few(validation_labels: Integers, present: Integers) -> bool:
    """Whether a hold-out of these examples says too little of the classes present, so that folds take its place.

    Args:
        validation_labels: (n,) or, of several labels each, marks (n, labels).
        present: the classes or labels that there are examples of.
    """
    if validation_labels.ndim == 2:
        borne = (validation_labels == 1).sum(axis=0)[present]
        return len(validation_labels) < FEW_VALIDATION or bool((borne < FEW_IN_CLASS).any())
    counts = np.bincount(validation_labels, minlength=int(present.max()) + 1)[present]
    return len(validation_labels) < FEW_VALIDATION or int(counts.min()) < FEW_IN_CLASS


def joint_groups(*columns: Sequence[str] | None) -> Integers:
    """(n,) group numbers: rows that agree in any column are in one group, and so on along the chain.

    An empty string agrees with nothing. This holds duplicates and a user's groups together at once.
    """
    given = [column for column in columns if column is not None]
    parents = list(range(len(given[0])))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    for column in given:
        first_row: dict[str, int] = {}
        for row, value in enumerate(column):
            if value:
                parents[root(row)] = root(first_row.setdefault(value, row))
    return np.array([root(row) for row in range(len(parents))], dtype=np.int64)


def _round_to(total: int, wanted: NDArray[np.float64], *, fullness: NDArray[np.float64]) -> Integers:
    """Whole numbers that add up to `total`, near to `wanted`; a tie goes to the bin that is least full over all."""
    wanted = np.clip(wanted, 0, None)
    scaled = wanted * (total / wanted.sum()) if wanted.sum() > 0 else np.full(len(wanted), total / len(wanted))
    counts = np.floor(scaled + 1e-9).astype(np.int64)
    order = np.lexsort((fullness, -np.round(scaled - counts, 9)))
    counts[order[: total - int(counts.sum())]] += 1
    return counts
