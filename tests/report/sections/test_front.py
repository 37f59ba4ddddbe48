"""The Pareto front on the page."""

from entry_rows import entry_row

from autotl.report.entries import read_entries
from autotl.report.sections import front


def of(*rows, higher_is_better=True):
    leaderboard = {"trials": [{**row, "scores": {}} for row in rows]}
    return [entry.trial for entry in front(read_entries(leaderboard), leaderboard, higher_is_better=higher_is_better)]


def costing(trial, score, latency, size):
    return entry_row(trial, score={"value": score}, latency_ms=latency, model_mb=size)


def test_only_unbeaten_trials_stand_there_the_best_score_first():
    rows = [costing(1, 0.8, 5.0, 5.0), costing(2, 0.9, 9.0, 9.0), costing(3, 0.7, 6.0, 6.0)]
    assert of(*rows) == [2, 1]
    assert of(*rows, higher_is_better=False) == [3, 1]


def test_where_one_beats_all_there_is_nothing_to_trade():
    assert of(costing(1, 0.9, 1.0, 1.0), costing(2, 0.8, 2.0, 2.0)) == []


def test_without_any_cost_there_is_no_front():
    assert of(entry_row(1, score={"value": 0.9}), entry_row(2, score={"value": 0.8})) == []
