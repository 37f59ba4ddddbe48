"""The table of problems against the tables that it points to."""

import pytest

from autotl.adaptation import METHODS
from autotl.scoring.metrics import METRICS
from autotl.task import PROBLEMS
from autotl.task.model import Task
from autotl.task.problem import REGRESSION


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_problem_names_only_what_there_is(problem):
    assert set(problem.metrics) <= set(METRICS)
    assert set(problem.no_methods) <= set(METHODS)
    assert set(problem.losses) <= set(problem.metrics)
    assert "none" not in problem.no_methods


def test_the_schema_offers_every_problem():
    assert set(Task.model_fields["problem"].annotation.__args__) == set(PROBLEMS)


def test_the_loss_follows_the_metric():
    assert REGRESSION.loss_for(REGRESSION.default_metric) == "squared_error"
    assert REGRESSION.loss_for("mae") == "huber"
