"""The leaderboard in a terminal."""

from typing import Any

import pytest
from rich.console import Console

from autotl.cli.tables import findings_words, leaderboard_table, plan_words
from autotl.data.examples import Finding

PLAN = {
    "backbone": "efficientnet_lite0",
    "image_size": 128,
    "tap": "last",
    "unfrozen_layers": 12,
    "head": {"name": "linear"},
    "learning_rate": 1e-3,
    "adaptation": {"method": "none"},
}


def row(trial: int, value: float | None, **own: Any) -> dict[str, Any]:
    score = None if value is None else {"value": value, "low": value - 0.03, "high": value + 0.03, "kind": "validation"}
    return {
        "trial": trial,
        "status": "complete",
        "winner": False,
        "baseline": None,
        "baseline_of": None,
        "plan": PLAN,
        "score": score,
        "tie_group": None,
        "seconds": {"train": 50.0, "score": 2.0},
        "params": 3_410_000,
        "model_mb": 13.64,
        "latency_ms": 9.81,
        "test": None,
        "failure": None,
        **own,
    }


LEADERBOARD = {
    "metric": "accuracy",
    "higher_is_better": True,
    "trials": [
        row(7, 0.8213, winner=True, tie_group=1, test={"value": 0.8034, "low": 0.7768, "high": 0.8279}),
        row(5, 0.8202, tie_group=1),
        row(6, 0.7913),
        row(0, 0.7121, baseline="linear_probe"),
        row(1, 0.7012, baseline_of="linear_probe"),
        row(8, 0.6513, status="pruned", latency_estimated=True),
        row(3, None, status="failed", failure="diverged: the loss was NaN"),
        row(4, None, status="failed", failure="diverged: the loss was NaN"),
        row(2, None, status="skipped", failure="weights are not at hand", params=None, model_mb=None, latency_ms=None),
    ],
}


def printed(leaderboard: dict[str, Any], width: int, limit: int | None = None) -> str:
    console = Console(width=width, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(leaderboard_table(leaderboard, width=width, limit=limit))
    return capture.get()


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
def test_a_table_fits_its_terminal_and_cuts_no_word(width):
    text = printed(LEADERBOARD, width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert "…" not in text
    for word in ("efficientnet_lite0", "0.821", "12", "linear"):
        assert word in text


@pytest.mark.parametrize("width", [100, 140])
def test_every_figure_is_there(width):
    text = printed(LEADERBOARD, width)
    for figure in ("0.821", "0.791–0.851", "0.803", "3.41 M", "13.6", "9.8", "52 s", "≈9.8", "★ 1", "linear_probe"):
        assert figure in text
    for word in ("winner", "pruned", "failed", "skipped"):
        assert word in text


def test_failures_are_summed_up_with_their_reason():
    text = printed(LEADERBOARD, 140)
    assert "2 failed: diverged: the loss was NaN (trials 3, 4)" in text
    assert "1 skipped: weights are not at hand (trial 2)" in text


def test_a_tie_is_explained():
    assert "Trial 7 cannot be told apart from trial 5; ties go to the cheaper model." in printed(LEADERBOARD, 140)


def test_a_limit_keeps_winner_and_baselines_and_counts_the_rest():
    text = printed(LEADERBOARD, 140, limit=1)
    assert "linear_probe" in text
    assert "0.791" not in text.replace("0.791–", "")
    assert "7 lower trials not shown" in text


def test_a_column_that_nothing_fills_is_left_out():
    untested = {**LEADERBOARD, "trials": [row(1, 0.5)]}
    assert "test" not in printed(untested, 140)


def test_an_empty_leaderboard_says_so():
    assert "No trial yet." in printed({"metric": "accuracy", "trials": []}, 80)


def test_names_reach_the_terminal_without_escapes_or_markup():
    evil = {**LEADERBOARD, "trials": [row(1, None, status="failed", failure="\x1b]0;owned\x07[red]not markup[/red]")]}
    text = printed(evil, 140)
    assert "\x1b" not in text
    assert "[red]not markup[/red]" in text


def test_a_plan_in_words():
    assert plan_words(PLAN) == "efficientnet_lite0 at 128 px · 12 unfrozen · linear"
    adapted = {**PLAN, "unfrozen_layers": 0, "tap": "P4", "adaptation": {"method": "dann", "weight": 0.3}}
    assert plan_words(adapted) == "efficientnet_lite0 at 128 px · frozen · tap P4 · linear · dann"


def test_findings_in_words_the_gravest_first():
    findings = [
        Finding("duplicates", "info", "3 pairs are equal."),
        Finding("broken_image", "warning", "5 images are broken.", ("a.png", "b.png", "c.png", "d.png", "e.png")),
    ]
    assert findings_words(findings) == [
        "! warning: 5 images are broken. (broken_image)",
        "    a.png",
        "    b.png",
        "    c.png",
        "    and 2 more",
        "· info: 3 pairs are equal. (duplicates)",
    ]
