"""Why a command must not end with 0 though its run is written: the first reason that holds is told."""

import signal
from types import SimpleNamespace

import pytest

from autotl.api.ending import ending_error
from autotl.errors import GateNotMetError, InterruptedSearchError, NoUsableModelError, StorageError
from autotl.features.store import TROUBLE
from autotl.leaderboard import read_gate

WINNER = {"winner": True, "status": "complete", "failure": None, "latency_ms": 30.0}
FAILED = {"winner": False, "status": "failed", "failure": f"{TROUBLE} is full"}
SENTENCES = ["No trial beat chance."]


def sitting(*, interrupted_by=None, gate=None):
    gate = None if gate is None else read_gate(gate)
    budget, task = SimpleNamespace(interrupted_by=interrupted_by), SimpleNamespace(gate=gate)
    return SimpleNamespace(budget=budget, task=task, run=SimpleNamespace(path="runs/pets"))


def told(rows, *, reached=None, failure=None, **named):
    return ending_error(sitting(**named), rows, SENTENCES, lambda gate: reached, failure=failure)


def test_with_a_winner_and_no_gate_nothing_is_wrong():
    assert told([FAILED, WINNER]) is None


def test_a_signal_comes_first():
    error = told([], interrupted_by=signal.SIGTERM, failure=StorageError("disk full"))
    assert isinstance(error, InterruptedSearchError)
    assert (error.exit_code, str(error)) == (
        143,
        "stopped by SIGTERM; what had finished is written to runs/pets",
    )


def test_what_broke_the_search_off_comes_before_that_nothing_won():
    failure = StorageError("disk full")
    assert told([], failure=failure) is failure


def test_without_a_winner_the_first_sentence_says_why():
    error = told([{**FAILED, "failure": "a shape does not fit"}])
    assert isinstance(error, NoUsableModelError)
    assert "no trial may win. No trial beat chance." in str(error)


def test_trials_that_all_failed_for_want_of_room_are_told_so():
    assert isinstance(told([FAILED, FAILED]), StorageError)
    assert isinstance(told([FAILED, {**FAILED, "failure": "a shape does not fit"}]), NoUsableModelError)


@pytest.mark.parametrize(
    ("gate", "reached", "words"),
    [
        ("accuracy>=0.9", 0.8, "it is 0.8000"),
        ("accuracy>=0.9", None, "not measured"),
        ("latency_ms<=20", 0.8, "it is 30.0000"),
        ("accuracy>=0.9", 0.95, None),
    ],
)
def test_a_gate_asks_for_a_figure_or_for_a_column_of_the_winner(gate, reached, words):
    error = told([WINNER], gate=gate, reached=reached)
    assert error is None if words is None else isinstance(error, GateNotMetError) and words in str(error)
