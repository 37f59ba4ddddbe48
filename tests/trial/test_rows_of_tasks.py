"""Whose rows a plan learns from that learns several tasks, and how often."""

from dataclasses import replace

import numpy as np
import pytest
from pretend_companions import a_companion, a_task_in_company

from autotl.trial.rows_of_tasks import dealt_by_root, labels_of_all, rows_of_tasks


def test_classes_of_companions_count_on_from_the_tasks_own():
    data = a_task_in_company()
    labels = labels_of_all(data)
    own, shades, tones = np.split(labels, [120, 180])
    assert set(own) == {0, 1, 2}
    assert set(shades) == {3, 4}
    assert set(tones) == {5, 6, 7}  # of three channels none is the fourth class
    np.testing.assert_array_equal(shades, data.companions[0].labels + 3)


def test_every_task_teaches():
    data = a_task_in_company()
    own, shades, tones = rows_of_tasks(data, data.folds[0])
    np.testing.assert_array_equal(own, data.folds[0].train)
    np.testing.assert_array_equal(shades, 120 + np.arange(60))
    np.testing.assert_array_equal(tones, 180 + np.arange(40))


def test_a_copy_of_what_is_scored_is_not_learnt_from_under_its_other_label():
    data = a_task_in_company()
    same = replace(a_companion(120), inputs=data.inputs[0])
    data = a_task_in_company(same)
    _, beside = rows_of_tasks(data, data.folds[0])
    assert not set(beside - 120) & set(data.folds[0].validation.tolist())
    assert set(beside - 120) == set(data.folds[0].train)


def test_nor_is_anything_of_its_group():
    data = a_task_in_company()
    scored = data.folds[0].validation
    groups = np.arange(120) // 6
    same = replace(a_companion(120), inputs=data.inputs[0], groups=groups)
    _, beside = rows_of_tasks(a_task_in_company(same), data.folds[0])
    assert not set(groups[beside - 120]) & set(groups[scored])


@pytest.mark.parametrize("seed", range(3))
def test_tasks_of_one_size_give_every_row_once(seed):
    tasks = [np.arange(30), 30 + np.arange(30), 60 + np.arange(30)]
    dealt = dealt_by_root(tasks, np.random.default_rng(seed))
    assert sorted(dealt) == list(range(90))


def test_a_task_four_times_as_large_comes_twice_as_often():
    small, large = np.arange(50), 50 + np.arange(200)
    dealt = dealt_by_root([small, large], np.random.default_rng(0))
    assert len(dealt) == 250
    assert (dealt < 50).sum() == 83  # a third: 250 / (1 + 2)
    counts = np.bincount(dealt, minlength=250)
    assert set(counts[:50]) == {1, 2}
    assert set(counts[50:]) == {0, 1}
