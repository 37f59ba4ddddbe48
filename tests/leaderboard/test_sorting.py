"""Any column orders the rows; what is a metric puts its best first, and an empty cell is last."""

import pytest
from board_trials import row

from autotl.errors import UsageError
from autotl.leaderboard import sort_rows


def trials(rows, column, *, higher_is_better=True):
    return [found["trial"] for found in sort_rows(rows, column, higher_is_better=higher_is_better)]


ROWS = [
    row(0, 0.7, latency_ms=9.0, scores={"accuracy": 0.7, "log_loss": 0.2}),
    row(1, 0.9, latency_ms=None, scores={"accuracy": 0.9, "log_loss": 0.5}),
    row(2, 0.8, latency_ms=3.0, scores={"accuracy": 0.8, "log_loss": 0.1}),
    row(3, status="failed", scores={}, latency_ms=5.0),
]


@pytest.mark.parametrize(
    ("column", "order"),
    [
        ("score", [1, 2, 0, 3]),
        ("score.value", [1, 2, 0, 3]),
        ("accuracy", [1, 2, 0, 3]),
        ("log_loss", [2, 0, 1, 3]),
        ("latency_ms", [2, 3, 0, 1]),
        ("ms", [2, 3, 0, 1]),
        ("trial", [0, 1, 2, 3]),
        ("status", [0, 1, 2, 3]),
    ],
)
def test_the_best_is_first_and_the_unknown_last(column, order):
    assert trials(ROWS, column) == order


def test_of_a_loss_the_lowest_score_is_best():
    assert trials(ROWS, "score", higher_is_better=False) == [0, 2, 1, 3]


def test_of_ranks_more_is_better_whatever_the_metric():
    judged = [row(trial, value) for trial, value in ((0, 0.2), (1, 0.8))]
    for each in judged:
        each["score"]["kind"] = "label_free"
    assert trials(judged, "score", higher_is_better=False) == [1, 0]


def test_time_is_the_sum_of_all_parts():
    slow = row(5, 0.5, seconds={"train": 2.0, "score": 3.0})
    quick = row(6, 0.5, seconds={"train": 4.0, "score": 0.5})
    assert trials([slow, quick], "time") == [6, 5]


def test_fields_of_the_plan_go_by_their_own_name():
    rows = [row(0, 0.5), row(1, 0.5)]
    rows[1]["plan"] = rows[1]["plan"] | {"learning_rate": 1e-5}
    assert trials(rows, "learning_rate") == trials(rows, "plan.learning_rate") == [1, 0]


def test_a_column_that_is_none_has_a_menu_and_a_guess():
    with pytest.raises(UsageError, match=r"'latncy_ms' is no column.*Did you mean 'latency_ms'\?"):
        sort_rows(ROWS, "latncy_ms", higher_is_better=True)
