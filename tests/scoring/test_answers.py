import numpy as np
import pytest

from autotl.scoring.answers import ANSWERS
from autotl.task.problem import REGRESSION


def test_numbers_of_any_size_are_kept_as_they_are():
    said = np.array([[1e6], [-0.25], [123456.7]], dtype=np.float32)
    answers = ANSWERS[REGRESSION.name]
    assert (answers.restored(answers.stored(said)) == said).all()


def test_probabilities_add_up_again():
    answers = ANSWERS["classification"]
    said = answers.restored(answers.stored(np.array([[0.1, 0.2, 0.7]], dtype=np.float32)))
    assert said.sum() == pytest.approx(1.0)


def test_numbers_agree_where_they_are_the_same_and_not_where_they_only_follow_each_other():
    answers = ANSWERS[REGRESSION.name]
    one = np.random.default_rng(0).normal(50.0, 10.0, (200, 1))
    assert answers.agreement(one, one) == pytest.approx(1.0)
    assert answers.agreement(one, one + 20.0) < 0.5
    assert answers.agreement(one, 100.0 - one) < 0.0
    assert answers.agreement(np.ones((3, 1)), np.ones((3, 1))) == 1.0
