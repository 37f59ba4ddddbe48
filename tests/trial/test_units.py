"""Units of numbers: nothing is lost on the way in and out, and a folded layer needs none."""

import numpy as np
import pytest

from autotl.trial.units import TASKS_OWN, Unit, of_classes, of_numbers

UNIT = Unit(40.0, 10.0)


def test_a_unit_has_mean_0_and_deviation_1_of_what_it_was_fitted_on():
    labels = np.array([1.0, 2.0, 6.0, np.nan])
    told = of_numbers(labels).told(labels)
    assert np.nanmean(told) == pytest.approx(0.0)
    assert np.nanstd(told) == pytest.approx(1.0)
    assert np.isnan(told[3])


def test_what_is_said_comes_back_in_the_tasks_own_unit():
    said = np.array([[0.5], [-2.0]], dtype=np.float32)
    assert UNIT.untold(said) == pytest.approx(np.array([[45.0], [20.0]]))
    assert UNIT.untold(UNIT.told(np.array([[45.0]]))) == pytest.approx(np.array([[45.0]]))


@pytest.mark.parametrize("joined", [0, 1])
def test_a_folded_layer_answers_as_the_layer_and_its_unit_do(joined):
    draws = np.random.default_rng(0)
    kernel, bias = draws.normal(size=(3 + joined, 1)).astype(np.float32), np.array([0.3], dtype=np.float32)
    features, opinions = draws.normal(size=(5, 3)), draws.normal(40.0, 10.0, size=(5, joined))
    inside = np.concatenate([features, UNIT.told(opinions)], axis=1) @ kernel + bias
    outside, offset = UNIT.folded(kernel, bias, joined=joined)
    own = np.concatenate([features, opinions], axis=1) @ outside + offset
    assert own == pytest.approx(UNIT.untold(inside.astype(np.float32)), rel=1e-4)


def test_classes_have_no_unit_and_equal_numbers_no_deviation():
    labels = np.array([0, 1, 2])
    assert of_classes(labels) == TASKS_OWN
    assert TASKS_OWN.told(labels) is labels
    assert of_numbers(np.array([3.0, 3.0])) == Unit(3.0, 1.0)
    assert Unit.from_array(UNIT.as_array()) == UNIT
