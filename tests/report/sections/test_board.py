"""The leaderboard on the page, checked against rows written by hand."""

from typing import Any

from entry_rows import entry_row

from autotl.report.entries import read_entries
from autotl.report.sections import Board, board
from autotl.report.sections.board import MOST_ROWS


def board_of(*rows: dict[str, Any]) -> Board:
    return board(read_entries({"trials": list(rows)}))


def test_a_tie_needs_two():
    shown = board_of(entry_row(1, tie_group=1), entry_row(2, tie_group=1), entry_row(3, tie_group=2))
    assert shown.ties == {"1": 1}


def test_reasons_are_gathered_the_most_frequent_first():
    failed = {"status": "failed", "score": None}
    shown = board_of(
        entry_row(1, **failed, failure="out of memory"),
        entry_row(2, **failed, failure="diverged"),
        entry_row(3, **failed, failure="diverged"),
    )
    assert shown.failures == [("diverged", [2, 3]), ("out of memory", [1])]


def test_of_a_long_board_the_winner_baselines_and_best_of_each_choice_are_never_left_out():
    rows = [entry_row(number) for number in range(MOST_ROWS + 50)]
    rows[-1]["winner"] = True
    rows[-2]["baseline"] = "no_transfer"
    rows[-4]["plan"] = {**rows[-4]["plan"], "unfrozen_layers": "all"}
    shown = board_of(*rows)
    assert [entry.trial for entry in shown.entries[MOST_ROWS:]] == [246, 248, 249]
    assert shown.left_out == 47


def test_a_board_of_one_score_still_has_a_scale():
    shown = board_of(entry_row(1))
    assert shown.scale is not None
    assert shown.scale.position(0.5) == 50
