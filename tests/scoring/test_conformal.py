import numpy as np
import pytest

from autotl.scoring.conformal import coverage, half_widths, shown


def test_an_interval_holds_new_numbers_as_often_as_it_says():
    draws = np.random.default_rng(0)
    held = []
    for _ in range(200):
        off = draws.standard_t(3, size=(2, 100))  # heavy tails: nothing normal is assumed
        width = half_widths(off[0], np.zeros((100, 1)))["half_widths"]["0.9"]
        held.append(coverage(off[1], np.zeros((100, 1)), width))
    assert np.mean(held) == pytest.approx(0.9, abs=0.015)


def test_too_few_examples_vouch_for_no_level():
    found = half_widths(np.arange(8.0), np.zeros((8, 1)))
    assert found == {"examples": 8, "half_widths": {"0.8": 7.0}}
    assert shown(found) is None
    assert shown({"temperature": 1.0}) is None


def test_unknown_numbers_play_no_part():
    labels = np.array([np.nan, *np.arange(40.0)])
    assert half_widths(labels, np.zeros((41, 1)))["examples"] == 40
