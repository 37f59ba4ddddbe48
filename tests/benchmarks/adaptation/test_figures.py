"""Means and intervals over what varies: seeds of one pair, or pairs."""

import math

import pytest

from benchmarks.adaptation.figures import HEADER, Measured, in_words, line, mean_and_half_width, per_unit


def measured(pair="a to b", seed=0, winner=0.9, method="mcc"):
    return Measured(pair, seed, 0.8, winner, 0.95, 0.92, method, 18, 300.0)


def test_the_interval_is_students():
    mean, half = mean_and_half_width([0.90, 0.92, 0.91, 0.93, 0.94])
    assert mean == pytest.approx(0.92)
    assert half == pytest.approx(2.776 * 0.0158114 / math.sqrt(5), rel=1e-3)  # t table, 4 degrees of freedom


def test_a_single_value_tells_no_spread():
    assert in_words([0.9]) == "90.0"


def test_units_are_the_seeds_of_one_pair():
    assert per_unit([measured(seed=0, winner=0.9), measured(seed=1, winner=0.8)], lambda one: one.winner) == [0.9, 0.8]


def test_units_are_the_pairs_where_there_are_several():
    several = [measured("a to b", 0, 0.9), measured("a to b", 1, 0.7), measured("b to a", 0, 0.6)]
    assert per_unit(several, lambda one: one.winner) == pytest.approx([0.8, 0.6])


def test_a_line_has_a_cell_for_every_title():
    said = line("A to B", [measured(method="mcc"), measured(seed=1, method="dann"), measured(seed=2)], "DANN 77.1")
    titles = HEADER.splitlines()[0]
    assert said.count("|") == titles.count("|")
    assert "10.0 ± 0.0" in said  # the gain over source-only
    assert "mcc 2, dann" in said
