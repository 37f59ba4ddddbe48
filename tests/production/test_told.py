import numpy as np
import pytest

from autotl.production.told import OF_CLASSES, OfNumbers, form_of

SAID = np.array([[12.5], [-3.25]])


def test_a_bundle_of_before_tells_classes():
    assert form_of({}) is OF_CLASSES
    assert form_of({"problem": "classification"}) is OF_CLASSES
    (row,) = OF_CLASSES.rows(("a", "b"), np.array([[0.25, 0.75]]))
    assert row == ["b", "0.750000", "0.250000", "0.750000"]


def test_numbers_stand_under_their_own_name_with_their_ends():
    form = form_of({"problem": "regression", "interval": {"level": 0.9, "half_width": 2.0}})
    assert form.header(("torque",)) == ["torque", "low_90%", "high_90%"]
    assert list(form.rows(("torque",), SAID)) == [["12.5", "10.5", "14.5"], ["-3.25", "-5.25", "-1.25"]]
    interval = {"level": 0.9, "low": 10.5, "high": 14.5}
    assert next(form.values(("torque",), SAID)) == {"number": 12.5, "interval": interval}


@pytest.mark.parametrize(("told_by", "sentences"), [("target", 0), ("source", 1)])
def test_an_interval_that_the_source_told_comes_with_a_caution(told_by, sentences):
    interval = {"level": 0.9, "half_width": 2.0, "told_by": told_by}
    cautions = form_of({"problem": "regression", "interval": interval}).cautions()
    assert len(cautions) == sentences
    assert all("may hold the truth less often than 90%" in caution for caution in cautions)
    assert form_of({"problem": "regression"}).cautions() == []
    assert OF_CLASSES.cautions() == []


def test_too_few_examples_leave_the_number_alone():
    form = form_of({"problem": "regression"})
    assert form == OfNumbers(None)
    assert form.header(("torque",)) == ["torque"]
    assert list(form.values(("torque",), SAID)) == [{"number": 12.5}, {"number": -3.25}]


@pytest.mark.parametrize("name", ["=1+1", "@cmd"])
def test_a_column_named_like_a_formula_runs_in_no_spreadsheet(name):
    assert form_of({"problem": "regression"}).header((name,))[0] != name
