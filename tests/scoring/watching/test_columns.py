"""The stability index from kept counts is the one from the rows themselves."""

import numpy as np
import pytest

from autotl.scoring.gap.columns import stability_index
from autotl.scoring.watching.columns import bins_of


@pytest.fixture
def tables():
    draws = np.random.default_rng(0)

    def table(rows, shift, shares):
        number = draws.normal(shift, 1, size=rows)
        number[draws.random(rows) < 0.1] = np.nan
        return np.stack([number, draws.choice(4, size=rows, p=shares), draws.normal(size=rows)], axis=1)

    return table(800, 0.0, [0.4, 0.3, 0.2, 0.1]), table(300, 1.0, [0.1, 0.2, 0.3, 0.4])


def test_the_index_is_that_of_the_rows(tables):
    known, fresh = tables
    for place, column in enumerate(bins_of(known, ["a", "b", "c"], categorical=[1])):
        exact = stability_index(known[:, place], fresh[:, place], categories=place == 1)
        assert column.stability(fresh[:, place])[0] == pytest.approx(exact, abs=0.02), column.name


def test_what_chance_does_is_expected(tables):
    known, fresh = tables
    column = bins_of(known, ["a", "b", "c"], categorical=[1])[2]
    found, by_chance = column.stability(fresh[:, 2])
    assert found < 3 * by_chance
    assert by_chance == pytest.approx(9 * (1 / 800 + 1 / 300))


def test_a_category_that_was_never_seen_counts(tables):
    column = bins_of(tables[0], ["a", "b", "c"], categorical=[1])[1]
    assert column.counts_of(np.array([0.0, 9.0, 2.5, 3.0])).tolist() == [1, 0, 0, 1, 2]


def test_numbers_are_binned_so_that_no_bin_tells_of_few_rows():
    (column,) = bins_of(np.arange(25.0)[:, None], ["a"], categorical=[])
    assert column.counts[:-1].min() >= 10
    (empty,) = bins_of(np.full((25, 1), np.nan), ["a"], categorical=[])
    assert empty.counts.tolist() == [0, 25]
