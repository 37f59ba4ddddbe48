import numpy as np
import pytest
from scipy.stats import kstest

from autotl.scoring.gap.columns import column_shifts, holm, kolmogorov_smirnov, stability_index, total_variation


def table(seed, *, hotter=0.0, other=0.5, rows=400):
    """Columns heat (moved by `hotter`), noise, and a category of which a share of `other` is the second."""
    draws = np.random.default_rng(seed)
    category = (draws.random(rows) < other) + 1.0
    return np.column_stack([draws.normal(size=rows) + hotter, draws.normal(size=rows), category]).astype(np.float32)


NAMES = ("heat", "noise", "kind")


def test_the_column_that_moved_is_named_and_the_others_are_not():
    shifts = column_shifts(table(0), table(1, hotter=2.0), NAMES, categorical=[2])
    assert shifts[0].name == "heat"
    assert shifts[0].p_value < 1e-6
    assert shifts[0].stability > 0.25
    assert shifts[0].importance > 0.8
    assert all(shift.p_value > 0.05 for shift in shifts[1:])


def test_a_category_whose_shares_moved_is_named():
    shifts = column_shifts(table(0), table(1, other=0.9), NAMES, categorical=[2])
    assert (shifts[0].name, shifts[0].kind) == ("kind", "category")
    assert shifts[0].distance == pytest.approx(0.4, abs=0.06)


def test_equal_tables_do_not_move():
    for shift in column_shifts(table(0), table(0), NAMES, categorical=[2]):
        assert shift.distance == 0.0
        assert shift.stability == 0.0
        assert shift.p_value == 1.0


def test_distances_agree_with_formulas_written_out():
    one, other = table(0)[:, 0], table(1, hotter=0.3)[:, 0]
    grid = np.concatenate([one, other])
    largest = max(abs(np.mean(one <= x) - np.mean(other <= x)) for x in grid)
    distance, p_value = kolmogorov_smirnov(one, other)
    assert distance == pytest.approx(largest)
    assert p_value == pytest.approx(kstest(one, other, method="asymp").pvalue)
    assert total_variation(np.array([1.0, 1, 2, 2]), np.array([1.0, 1, 1, 2]))[0] == pytest.approx(0.25)
    p, q = np.array([0.5, 0.5]), np.array([0.75, 0.25])
    found = stability_index(np.array([1.0, 1, 2, 2]), np.array([1.0, 1, 1, 2]), categories=True)
    assert found == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_missing_values_are_told_and_break_nothing():
    full, holes = table(0), table(1)
    holes[:200, 0] = np.nan
    holes[:, 1] = np.nan
    by_name = {shift.name: shift for shift in column_shifts(full, holes, NAMES, categorical=[2])}
    assert (by_name["heat"].source_missing, by_name["heat"].target_missing) == (0.0, 0.5)
    assert by_name["heat"].stability > 0.25
    assert by_name["noise"].distance == 1.0, "there is nothing left to compare it with"
    assert all(np.isfinite([shift.stability, shift.importance]).all() for shift in by_name.values())
