"""What a person sees while a search runs, on a terminal and in a pipe."""

import io
import time
from dataclasses import replace

import pytest
from rich.console import Console

from autotl.cli import progress as module
from autotl.cli.progress import Progress
from autotl.search.events import (
    EpochEnded,
    FeaturesComputed,
    SearchStarted,
    StageStarted,
    TimeLeft,
    TrialEnded,
    TrialStarted,
)

PLAN = {
    "backbone": "MobileNetV2",
    "image_size": 160,
    "tap": "last",
    "unfrozen_layers": 12,
    "head": {"name": "linear"},
    "learning_rate": 1e-3,
    "adaptation": {"method": "none"},
}
ENDINGS = {
    "complete": ({"value": 0.9, "low": 0.85, "high": 0.95, "kind": "validation"}, None),
    "pruned": ({"value": 0.25, "low": None, "high": None, "kind": "partial"}, "no better than the median"),
    "failed": (None, "diverged: the training loss is nan in epoch 2"),
    "skipped": (None, "[hf://some/model] is not at hand"),
}


def row(trial, status="complete", *, value=None, baseline=None):
    score, reason = ENDINGS[status]
    if value is not None:
        score = {"value": value, "low": None, "high": None, "kind": "validation"}
    return {"trial": trial, "status": status, "baseline": baseline, "plan": PLAN, "score": score, "reason": reason}


def shown(*events, terminal=False, higher_is_better=True, metric="accuracy"):
    """Everything that stands on the console after these events."""
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, width=200, legacy_windows=False)
    with Progress(console, metric=metric, higher_is_better=higher_is_better) as progress:
        for event in events:
            progress(event)
    return text.getvalue()


def started(trials=8):
    return SearchStarted(trials=trials, baselines=2, workers=2, ends_by=time.monotonic() + 601)


def whole_search():
    yield StageStarted("data", "reading data")
    yield started()
    for number, status in enumerate(ENDINGS):
        yield TrialStarted(number, PLAN, None)
        yield EpochEnded(number, 1, 0.5)
        yield TrialEnded(row(number, status))


def test_a_pipe_gets_a_plain_line_for_every_stage_and_every_trial_that_ends():
    lines = shown(*whole_search()).splitlines()
    assert lines[:2] == ["reading data", "8 trials and 2 baselines on 2 workers, at most 10 min"]
    assert lines[2].startswith("trial 0 complete: accuracy 0.9000 · MobileNetV2 at 160 px")
    assert lines[3].startswith("trial 1 pruned (no better than the median): accuracy 0.2500 · MobileNetV2")
    assert lines[4].startswith("trial 2 failed (diverged: the training loss is nan in epoch 2): MobileNetV2")
    assert lines[5].startswith("trial 3 skipped ([hf://some/model] is not at hand): MobileNetV2")
    assert len(lines) == 6


def test_a_resumed_search_counts_what_earlier_sittings_did():
    before = [row(0, baseline="linear_probe"), row(1), row(2, "pruned")]
    lines = shown(replace(started(), ended=before)).splitlines()
    assert len(lines) == 2, "what ended before is not told again, line by line"
    assert lines[1].startswith("goes on after 3 trials: best accuracy 0.9000 (trial 0) · 2 complete, 1 pruned")


def test_a_pipe_gets_no_control_characters():
    assert "\x1b" not in shown(*whole_search())


def test_a_baseline_is_called_one():
    assert shown(TrialEnded(row(0, baseline="linear_probe"))).startswith("trial 0 [linear_probe] complete: ")


def test_a_pipe_hears_of_running_trials_now_and_then(monkeypatch):
    monkeypatch.setattr(module, "PLAIN_SECONDS", -1.0)
    lines = shown(started(), TrialEnded(row(0)), EpochEnded(1, 1, 0.5)).splitlines()
    assert lines[-1].startswith("best accuracy 0.9000 (trial 0) · 1 complete · ")


def test_a_pipe_is_not_flooded_by_epochs():
    assert shown(*(EpochEnded(0, epoch, 0.5) for epoch in range(100))) == ""


@pytest.mark.parametrize(("higher_is_better", "best"), [(True, "0.7000 (trial 1)"), (False, "0.3000 (trial 0)")])
def test_the_best_trial_is_best_by_the_metrics_direction(monkeypatch, higher_is_better, best):
    monkeypatch.setattr(module, "PLAIN_SECONDS", -1.0)
    events = [*(TrialEnded(row(number, value=value)) for number, value in enumerate((0.3, 0.7, 0.5)))]
    text = shown(*events, EpochEnded(9, 1, 0.1), higher_is_better=higher_is_better)
    assert f"best accuracy {best} · 3 complete" in text.splitlines()[-1]


def test_a_pruned_trial_is_never_the_best(monkeypatch):
    monkeypatch.setattr(module, "PLAIN_SECONDS", -1.0)
    text = shown(TrialEnded(row(0, "pruned", value=0.99)), EpochEnded(1, 1, 0.5))
    assert "best accuracy none yet · 1 pruned" in text


@pytest.mark.parametrize("status", ENDINGS)
@pytest.mark.parametrize("terminal", [True, False])
def test_no_ending_stops_the_display(status, terminal):
    text = shown(started(), TrialEnded(row(0, status)), TrialEnded(row(1)), terminal=terminal)
    assert "0.9000" in text


def test_a_terminal_shows_running_and_ended_trials():
    text = shown(*whole_search(), TrialStarted(9, PLAN, None), EpochEnded(9, 4, 0.625), terminal=True)
    for seen in ("reading data", "best accuracy 0.9000 (trial 0)", "1 complete, 1 pruned, 1 failed, 1 skipped"):
        assert seen in text
    assert "trial 9" in text
    assert "epoch 4" in text


def test_a_packet_of_many_running_trials_leaves_room_on_the_terminal():
    screen = shown(started(), *(TrialStarted(number, PLAN, None) for number in range(50)), terminal=True)
    assert "and 42 more" in screen
    assert "trial 7" in screen
    assert "trial 8" not in screen


def test_a_terminal_leaves_nothing_behind_but_the_cursor():
    assert shown(*whole_search(), terminal=True).rstrip("\n").endswith(("\x1b[2K", "\x1b[?25h"))


def test_epochs_of_a_trial_nobody_announced_are_no_obstacle():
    assert "trial 5" in shown(started(), EpochEnded(5, 1, 0.5), terminal=True)


def test_a_reason_stays_on_its_line_and_cannot_act_on_the_terminal():
    text = shown(TrialEnded({**row(0, "failed"), "reason": "first\nsecond \x1b[31m[bold]x[/]"}))
    assert len(text.splitlines()) == 1
    assert "first second" in text
    assert "[bold]x[/]" in text
    assert "\x1b" not in text


def test_a_trial_without_a_figure_is_told_without_one():
    unscored = {**row(3), "score": {"value": None, "low": None, "high": None, "kind": "label_free"}}
    for terminal in (False, True):
        said = shown(
            TrialStarted(3, PLAN, None), EpochEnded(3, 1, float("nan")), TrialEnded(unscored), terminal=terminal
        )
        assert "nan" not in said.lower()
        assert "trial 3" in said


def test_a_trial_that_waits_for_its_features_says_how_far_they_are_and_how_long_it_takes():
    waiting = [TrialStarted(0, PLAN, None), FeaturesComputed(0, 12_800, 50_000, 74.4)]
    text = shown(*waiting, terminal=True)
    assert "features of 12,800 of 50,000 examples, about 74 s left" in text
    assert "left" not in shown(TrialStarted(0, PLAN, None), FeaturesComputed(0, 256, 500, None), terminal=True)


@pytest.mark.parametrize(("seconds", "words"), [(110.0, "about 1 min"), (-1.0, "longer than expected")])
def test_it_says_how_long_the_rest_takes_or_that_it_should_be_over(monkeypatch, seconds, words):
    monkeypatch.setattr(module, "PLAIN_SECONDS", 0.0)
    assert words in shown(started(), TrialStarted(0, PLAN, None), TimeLeft(seconds), EpochEnded(0, 1, 0.5))


def test_in_a_pipe_features_are_told_of_now_and_then(monkeypatch):
    monkeypatch.setattr(module, "PLAIN_SECONDS", 0.0)
    assert "trial 0: features of 256 of 500 examples" in shown(
        TrialStarted(0, PLAN, None), FeaturesComputed(0, 256, 500, 1.0)
    )
