"""BNM: certain and varied predictions score one, uncertain or collapsed ones less."""

import math

import numpy as np
import pytest

from autotl.scoring.bnm import bnm


@pytest.mark.parametrize(("rows", "classes"), [(30, 3), (2, 5), (400, 200)])
def test_certain_predictions_spread_evenly_score_one(rows, classes):
    assert bnm(np.eye(classes)[np.arange(rows) % classes]) == pytest.approx(1.0)


def test_a_collapse_and_a_shrug_score_less():
    certain, varied = np.eye(4)[np.zeros(40, dtype=int)], np.eye(4)[np.arange(40) % 4]
    assert bnm(certain) == pytest.approx(0.5)  # one singular value of four
    assert bnm(np.full((40, 4), 0.25)) == pytest.approx(0.25)
    assert bnm(varied) == pytest.approx(1.0)


def test_it_is_the_sum_of_singular_values():
    said = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh(said.T @ said), 0))
    assert bnm(said) == pytest.approx(roots.sum() / math.sqrt(20 * 3))


def test_without_examples_there_is_no_score():
    assert math.isnan(bnm(np.zeros((0, 3))))
