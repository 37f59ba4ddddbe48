"""What a reader in a hurry is told: risks, costs and runners-up, each for a reason."""

import pytest
from entry_rows import entry_row

from autotl.report.entries import read_entries
from autotl.report.sections import Circumstances, Price, verdict
from autotl.report.sections.verdict import circumstances, weakest_class

TEST = {"value": 0.85, "low": 0.8, "high": 0.9}
WINNER = entry_row(
    7, score={"value": 0.9, "low": 0.88, "high": 0.92}, winner=True, tie_group=1, flops=100, test=TEST, latency_ms=4.0
)
HEADLINE = {
    "sentences": ["Trial 7 won.", "For a reason."],
    "corrected": {"value": 0.88, "low": 0.84, "high": 0.91},
    "raw": {"value": 0.882, "low": 0.86, "high": 0.92},
}


def told(*others, headline=None, around=None, winner=None, higher_is_better=True, price=None, timing=None):
    given = verdict(
        read_entries({"trials": [WINNER if winner is None else winner, *others]}),
        HEADLINE if headline is None else headline,
        around or Circumstances(uses=1),
        higher_is_better=higher_is_better,
        timing=timing or {},
        price=price,
    )
    assert given is not None
    return given


def test_without_a_winner_there_is_no_verdict():
    entries = read_entries({"trials": [entry_row(1)]})
    asked = {"higher_is_better": True, "timing": {}, "price": None}
    assert verdict(entries, HEADLINE, Circumstances(), **asked) is None


def test_the_reasons_are_what_follows_the_opening_sentence():
    assert told().reasons == ["For a reason."]


def test_a_run_that_nothing_speaks_against_has_no_risk():
    assert told().risks == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"headline": {**HEADLINE, "corrected": {"value": 0.8, "low": 0.7, "high": 0.9}}}, "interval is wide"),
        ({"headline": {**HEADLINE, "raw": {"value": 0.95}}}, "before correction it stood at 0.950, expect 0.880"),
        (
            {"headline": {**HEADLINE, "corrected": {"value": 0.93, "low": 0.91, "high": 0.95}}},
            "outside the 0.910 to 0.950",
        ),
        ({"winner": {**WINNER, "test": None}}, "No test set was read"),
        ({"around": Circumstances(uses=4)}, "has been read 4 times"),
        ({"around": Circumstances(uses=1, warnings=2)}, "2 warnings"),
        ({"around": Circumstances(uses=1, weakest=("cat", 0.4))}, "only 40 % of “cat”"),
        ({"around": Circumstances(uses=1, refit={"shipped": "trial", "agreement": 0.8})}, "trial’s own weights ship"),
        (
            {"headline": {**HEADLINE, "probe_gain": {"value": 0.01, "low": -0.01, "high": 0.02}}},
            "the best linear probe",
        ),
        ({"winner": {**WINNER, "latency_estimated": True}}, "latency is an estimate"),
        (
            {"winner": {**WINNER, "guards": {"finite": "passed"}, "score": {"value": 1.0, "kind": "label_free"}}},
            "without a single target label",
        ),
    ],
)
def test_each_risk_is_told_where_it_is_one(given, words):
    assert [risk for risk in told(**given).risks if words in risk], told(**given).risks


def test_how_wide_an_interval_is_depends_on_the_unit_of_the_labels():
    tons = {"corrected": {"value": 880.0, "low": 840.0, "high": 910.0}, "raw": {"value": 882.0}}
    given = HEADLINE | tons
    winner = WINNER | {"test": {"value": 885.0, "low": 800.0, "high": 990.0}}
    assert told(headline=given, winner=winner, around=Circumstances(uses=1, whole=2000.0)).risks == []
    words = " ".join(told(headline=given, winner=winner, around=Circumstances(uses=1, whole=300.0)).risks)
    assert "interval is wide" in words
    assert "Picking the best of many flatters" in words


def test_a_baseline_that_does_better_on_test_is_a_risk():
    def better(value, **around):
        test = {"value": value, "low": value - 0.02, "high": value + 0.02}
        baseline = entry_row(1, baseline="source_only", test=test)
        return told(baseline, around=Circumstances(uses=1, **around)).risks

    assert better(0.95) == ["On the same test examples the baseline source_only does better: 0.950 against 0.850."]
    assert better(0.91) == [], "chance does that"
    assert better(0.5) == []
    assert len(better(0.5, metric_is_better_higher=False)) == 1


def test_a_class_that_is_never_found_is_told_as_that():
    assert "none of “cat”" in told(around=Circumstances(uses=1, weakest=("cat", 0.0))).risks[0]


def test_runners_up_are_the_next_three_with_the_reason_for_which_they_lost():
    tied = entry_row(1, score={"value": 0.91}, tie_group=1, flops=250)
    lower = entry_row(2, score={"value": 0.85}, tie_group=2)
    barred = entry_row(3, score={"value": 0.95}, reason="may not win: latency 30 ms is over 20 ms")
    first, second, third = told(tied, lower, barred, entry_row(4), entry_row(5)).runners_up
    assert first.why_not == "cannot be told apart from the winner, and costs 2.5 times as much to run"
    assert second.why_not == "0.050 lower"
    assert third.why_not == "may not win: latency 30 ms is over 20 ms"


def test_where_less_is_better_a_runner_up_is_higher():
    (next_one,) = told(entry_row(1, score={"value": 0.95}, tie_group=2), higher_is_better=False).runners_up
    assert next_one.why_not == "0.050 higher"


def test_money_is_told_only_where_there_is_a_price():
    timing = {"stages": [{"stage": "search", "seconds": 1800.0}]}
    assert "the whole search, in money" not in dict(told(timing=timing).costs)
    costs = dict(told(timing=timing, price=Price(2.0, "EUR")).costs)
    assert (costs["the whole search"], costs["the whole search, in money"]) == ("30 min 00 s", "1.00 EUR")


def test_the_weakest_class_has_examples_enough_to_say_so():
    confusion = {"classes": ["a", "b", "rare"], "matrix": [[9, 1, 0], [6, 4, 0], [3, 0, 0]]}
    assert weakest_class(confusion) == ("b", 0.4)
    assert weakest_class({"classes": ["rare"], "matrix": [[3]]}) is None


def test_circumstances_count_what_the_audit_did_not_wave_through():
    findings = [{"severity": severity} for severity in ("info", "warning", "error")]
    around = circumstances(test={"uses": 2}, findings=findings, confusion=None, refit=None)
    assert (around.uses, around.warnings, around.weakest) == (2, 2, None)
