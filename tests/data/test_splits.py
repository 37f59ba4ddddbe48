import numpy as np
import pytest

from autotl.data.examples import UNKNOWN
from autotl.data.splits import FEW_IN_CLASS, FEW_VALIDATION, cross_validation, deal, is_few, joint_groups


def draws(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def each_alone(count: int) -> np.ndarray:
    return np.arange(count)


def test_without_groups_every_class_meets_its_share_to_the_row():
    strata = np.repeat([0, 1, 2], [100, 50, 10])
    bins = deal(strata, each_alone(160), [0.6, 0.2, 0.2], draws())
    for stratum, size in enumerate((100, 50, 10)):
        counts = np.bincount(bins[strata == stratum], minlength=3)
        assert counts.tolist() == [size * 0.6, size * 0.2, size * 0.2]


def test_a_class_too_small_for_its_share_stays_in_train():
    bins = deal(np.array([0] * 50 + [1]), each_alone(51), [0.8, 0.2], draws())
    assert bins[-1] == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_group_is_never_divided_and_shares_are_nearly_met(seed):
    numbers = draws(seed)
    groups = numbers.integers(0, 60, 600)
    strata = numbers.integers(0, 4, 600)
    bins = deal(strata, groups, [0.6, 0.2, 0.2], draws(seed))
    for group in np.unique(groups):
        assert len(np.unique(bins[groups == group])) == 1
    for stratum in range(4):
        shares = np.bincount(bins[strata == stratum], minlength=3) / np.count_nonzero(strata == stratum)
        assert np.abs(shares - [0.6, 0.2, 0.2]).max() < 0.06


def test_the_seed_alone_decides():
    strata, groups = np.tile([0, 1], 50), each_alone(100)
    assert (deal(strata, groups, [0.5, 0.5], draws(3)) == deal(strata, groups, [0.5, 0.5], draws(3))).all()
    assert (deal(strata, groups, [0.5, 0.5], draws(3)) != deal(strata, groups, [0.5, 0.5], draws(4))).any()


def test_folds_cover_every_row_once_and_share_none():
    rows, labels = np.arange(10, 110), np.repeat(np.arange(5), 20)
    folds = cross_validation(rows, labels, each_alone(100), folds=5, draws=draws())
    assert sorted(np.concatenate([fold.validation for fold in folds]).tolist()) == rows.tolist()
    for fold in folds:
        assert not set(fold.train) & set(fold.validation)
        assert len(fold.train) + len(fold.validation) == 100
        assert np.bincount(labels[fold.validation - 10]).tolist() == [4] * 5


def test_small_classes_spread_over_the_folds_instead_of_filling_the_first():
    labels = np.repeat(np.arange(10), 3)
    folds = cross_validation(np.arange(30), labels, each_alone(30), folds=5, draws=draws())
    assert [len(fold.validation) for fold in folds] == [6] * 5


def test_there_are_no_more_folds_than_groups():
    groups = np.repeat([0, 1, 2], 10)
    assert len(cross_validation(np.arange(30), np.tile([0, 1], 15), groups, folds=5, draws=draws())) == 3


def test_few_means_few_examples_or_few_of_a_class():
    present = np.array([0, 1])
    assert is_few(np.repeat([0, 1], 199), present)
    assert not is_few(np.repeat([0, 1], 200), present)
    assert is_few(np.repeat([0, 1], [991, 9]), present)
    assert is_few(np.zeros(1000, dtype=np.int64), present)


def test_rows_that_agree_anywhere_are_one_group_along_the_chain():
    groups = joint_groups(["a", "a", "b", "", ""], ["1", "2", "2", "3", "3"])
    assert len({groups[0], groups[1], groups[2]}) == 1
    assert groups[3] == groups[4] != groups[0]
    assert len(set(joint_groups(None, ["1", "2", "3"]))) == 3


def label_sets(*, n=1000, seed=0):
    """Marks of four labels, the last of them on 15 rows of 1,000, the first two often together."""
    draws = np.random.default_rng(seed)
    marks = draws.random((n, 4)) < (0.5, 0.0, 0.1, 0.015)
    marks[:, 1] = marks[:, 0] & (draws.random(n) < 0.6)
    return marks.astype(np.int64)


def test_bins_get_their_share_of_every_label_the_rarest_too():
    for seed in range(5):
        sets = label_sets(seed=seed)
        bins = deal(sets, np.arange(1000), [0.6, 0.2, 0.2], np.random.default_rng(seed))
        assert np.bincount(bins).tolist() == pytest.approx([600, 200, 200], abs=2)
        for index in range(4):
            held = np.bincount(bins[sets[:, index] == 1], minlength=3)
            assert held == pytest.approx(np.array([0.6, 0.2, 0.2]) * sets[:, index].sum(), abs=3)


def test_sets_are_dealt_by_group_and_the_same_seed_deals_alike():
    sets, groups = label_sets(), np.random.default_rng(1).integers(0, 120, 1000)
    bins = deal(sets, groups, [0.75, 0.25], np.random.default_rng(3))
    assert all(len(set(bins[groups == group])) == 1 for group in range(120))
    assert (bins == 1).mean() == pytest.approx(0.25, abs=0.03)
    again = deal(sets, groups, [0.75, 0.25], np.random.default_rng(3))
    assert (bins == again).all()


def test_sets_that_are_not_known_are_dealt_at_random():
    bins = deal(np.full((100, 3), UNKNOWN), np.arange(100), [0.8, 0.2], np.random.default_rng(0))
    assert np.bincount(bins).tolist() == [80, 20]


def test_folds_of_sets_hold_every_label():
    sets = label_sets()
    for fold in cross_validation(np.arange(1000), sets, np.arange(1000), folds=5, draws=np.random.default_rng(0)):
        assert (sets[fold.validation].sum(axis=0) > 0).all()


def test_few_examples_of_one_label_are_few():
    sets, present = label_sets(), np.arange(4)
    sets[np.flatnonzero(sets[:, 3])[FEW_IN_CLASS - 1 :], 3] = 0
    assert is_few(sets, present)
    assert not is_few(sets, present[:3])
    assert is_few(sets[: FEW_VALIDATION - 1], present[:1])
