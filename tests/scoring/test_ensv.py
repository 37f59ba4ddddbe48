"""EnsV: agreement with what all models say together."""

import math

import numpy as np
import pytest

from autotl.scoring.ensv import ensv


def test_the_share_that_is_read_as_the_mean_reads_it():
    models = np.random.default_rng(0).dirichlet(np.ones(3), size=(5, 20))
    votes = []
    for example in range(20):
        sums = [sum(models[model, example, label] for model in range(5)) for label in range(3)]
        votes.append(sums.index(max(sums)))
    for model in range(5):
        agreed = sum(
            models[model, example].tolist().index(max(models[model, example])) == votes[example]
            for example in range(20)
        )
        assert ensv(models[model], models.mean(axis=0)) == pytest.approx(agreed / 20)


def test_a_pool_of_one_agrees_with_itself():
    said = np.random.default_rng(0).dirichlet(np.ones(3), 20)
    assert ensv(said, said) == 1.0


def test_a_collapsed_model_disagrees_with_sound_ones():
    sound = np.eye(3)[np.arange(30) % 3]
    collapsed = np.tile([1.0, 0.0, 0.0], (30, 1))
    pool = (3 * sound + collapsed) / 4
    assert ensv(collapsed, pool) == pytest.approx(1 / 3)
    assert ensv(sound, pool) == 1.0


def test_other_examples_give_no_score():
    assert math.isnan(ensv(np.eye(3), np.eye(3)[:2]))
    assert math.isnan(ensv(np.eye(3)[:0], np.eye(3)[:0]))
