"""The report of a target without labels: each score, the guards' verdicts, and no rank taken for an accuracy."""

from dataclasses import replace

from sample import EVIL_NAMES, sample_values

from autotl.report import render, sections
from autotl.report.entries import read_entries, score_name

SCORES = {
    "consensus": 0.88,
    "neighbours": 0.79,
    "source_accuracy": 0.91,
    "iw_accuracy": 0.72,
    "estimate_atc": 0.83,
    "estimate_cot": 0.786,
    "entropy": -0.4,
    "infomax": 1.75,
    "infomax_deviation": 0.02,
    "mixval": 0.81,
    "mixval_deviation": 0.03,
    "classes_predicted": 10.0,
}
HEADLINE = {
    "winner": 7,
    "sentences": ["Trial 7 won.", "It was picked without target labels."],
    "committee": {"members": ["consensus", "neighbours"], "reference": 3, "fell_back": False, "reason": "it is better"},
}


def judged_values(reason="names 4 of 10 classes on the target, source-only names them all"):
    """The sample's run as the committee would leave it: ranks, guards, the last complete trial rejected."""
    sample = sample_values()
    rows, complete = [], [row for row in sample.leaderboard["trials"] if row["status"] == "complete"]
    for place, row in enumerate(complete):
        value = None if row is complete[-1] else 1 - place / len(complete)
        guards = {"source_accuracy": "passed", "classes": "passed" if value is not None else reason}
        score = {"value": value, "low": None, "high": None, "kind": "label_free"}
        why = None if value is not None else f"may not win: {reason}"
        tie = place + 1 if value is not None else None
        rows.append(row | {"score": score, "scores": dict(SCORES), "guards": guards, "reason": why, "tie_group": tie})
    leaderboard = {**sample.leaderboard, "regime": "label_free", "trials": rows}
    return replace(sample, leaderboard=leaderboard, headline=HEADLINE)


def entries_of(values):
    return read_entries(values.leaderboard)


def test_members_come_first_and_deviations_are_not_shown():
    found = sections.committee(entries_of(judged_values()), HEADLINE)
    assert [column.name for column in found.columns] == ["agreement with all trials", "agreement of neighbours"]
    assert [column.name for column in found.others] == [
        "source accuracy",
        "importance-weighted accuracy",
        "entropy",
        "InfoMax",
        "MixVal",
    ]
    assert [column.decides for column in found.columns + found.others] == [True, True, *[False] * 5]
    assert found.lines[0].scores == [0.88, 0.79]
    assert found.lines[0].others == [0.91, 0.72, -0.4, 1.75, 0.81]
    assert found.lines[0].classes == 10
    assert not any(name.endswith("_deviation") for entry in entries_of(judged_values()) for name in entry.scores)


def test_estimates_are_a_range_beside_their_record_and_no_score():
    found = sections.committee(entries_of(judged_values()), HEADLINE)
    assert found.lines[0].estimate == "0.79 to 0.83"
    assert not any("ATC" in column.name for column in found.columns + found.others)
    page = render(judged_values())
    assert "0.79 to 0.83" in page
    assert found.record in page
    assert "no figure to count on" in page
    assert "expected accuracy" not in page.lower()


def test_where_there_is_no_estimate_nothing_is_said_of_any():
    values = judged_values()
    for row in values.leaderboard["trials"]:
        row["scores"] = {name: value for name, value in row["scores"].items() if not name.startswith("estimate_")}
    found = sections.committee(entries_of(values), HEADLINE)
    assert found.estimators == []
    assert found.lines[0].estimate == "–"
    assert found.record not in render(values)


def test_the_page_says_when_each_score_is_wrong_and_where_it_is_from():
    page = render(judged_values())
    assert "no source example looks like the target then" in page
    assert "Covariate shift adaptation by importance weighted cross validation" in page


def test_the_table_is_short_but_keeps_winner_and_baselines():
    entries = entries_of(judged_values())
    found = sections.committee(entries, HEADLINE)
    shown = {line.entry.trial for line in found.lines}
    assert len(shown) + found.left_out == len(entries)
    assert {entry.trial for entry in entries if entry.winner or entry.baseline} <= shown


def test_with_target_labels_there_is_no_such_section():
    sample = sample_values()
    assert sections.committee(read_entries(sample.leaderboard), {}) is None
    assert score_name(read_entries(sample.leaderboard), "accuracy") == "accuracy"
    assert 'id="committee"' not in render(sample)


def test_the_page_shows_scores_and_verdicts_and_calls_a_rank_a_rank():
    page = render(judged_values())
    assert 'id="committee"' in page
    assert "◆ agreement with all trials" in page
    assert "names 4 of 10 classes" in page
    assert "mean rank without labels" in page
    assert "accuracy on the source" in page
    assert '<th scope="col" data-key="score">mean rank</th>' in page


def test_what_a_guard_says_cannot_act_on_the_page():
    page = render(judged_values(reason=EVIL_NAMES[0]))
    assert EVIL_NAMES[0] not in page


def test_beside_a_few_labels_the_committee_is_shown_and_scores_stay_accuracies():
    values = judged_values()
    for row in values.leaderboard["trials"]:
        value = row["score"]["value"]
        if value is not None:
            row["score"] = {"value": value, "low": value - 0.05, "high": value + 0.05, "kind": "few_labels"}
    members = {"members": ["infomax", "mixval"], "labels": 20}
    few = replace(
        values,
        leaderboard={**values.leaderboard, "regime": "few_labels"},
        headline={"winner": 7, "sentences": ["Trial 7 won."], "few_labels": members},
    )
    entries = read_entries(few.leaderboard)
    assert score_name(entries, "accuracy") == "accuracy"
    shown = sections.committee(entries, few.headline)
    assert shown.beside_labels
    assert [column.name for column in shown.columns] == ["InfoMax", "MixVal"]
    page = render(few)
    assert "What the scores without labels say" in page
    assert "Picked without target labels" not in page
    assert "winner picked by <b>few labels</b>" in page
