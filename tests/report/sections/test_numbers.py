"""How far numbers are off, in the words and figures of the page."""

import pytest
from sample_evidence import sample_numbers

from autotl.report.sections import numbers, whole

EVIDENCE = {"numbers": sample_numbers(), "note": None}


def test_a_bias_bears_its_sign_as_every_difference_on_the_page_does():
    told = numbers(EVIDENCE)
    assert told is not None
    assert [part.bias for part in told.by_size] == ["+1.5", "−0.25"]


@pytest.mark.parametrize(("value", "words"), [(234_567.8, "234,568"), (1234.5, "1,234"), (0.00012345, "0.0001234")])
def test_numbers_are_set_as_people_write_them(value, words):
    (line,) = numbers({"numbers": sample_numbers() | {"scores": {"mae": value}}}).scores
    assert line.winner == words


def test_what_no_metric_of_the_mean_tells_is_a_dash():
    told = numbers(EVIDENCE)
    assert told is not None
    assert {line.metric: line.mean for line in told.scores}["spearman"] == "–"


def test_errors_are_measured_against_saying_the_mean_and_shares_against_one():
    assert whole(EVIDENCE, "rmse", metric_is_better_higher=False) == 10.0
    assert whole(EVIDENCE, "r2", metric_is_better_higher=True) == 1.0
    assert whole({}, "log_loss", metric_is_better_higher=False) == 1.0


def test_a_run_of_classes_has_no_such_section():
    assert numbers({}) is None
