"""The headline says what was found, no more than the examples can show."""

import numpy as np
import pytest
from board_trials import LABELS, outputs, row, trial

from autotl.leaderboard import headline, name_baselines, rank
from autotl.scoring.resampling import OVER_WINDOWS
from autotl.scoring.selection import BEFORE_SELECTION


def found(*trials, rows=(), metric="accuracy", groups=None, limits=None):
    said = {row["trial"]: outputs for row, outputs in trials}
    common = {"metric": metric, "outputs": said, "labels": LABELS, "groups": groups, "seed": 0}
    everything = [row for row, _ in trials] + list(rows)
    ranked = rank(everything, higher_is_better=metric != "log_loss", limits=limits, **common)
    return headline(name_baselines(ranked, higher_is_better=True), **common)


def baseline(number, name, *, wrong, first=0, **more):
    return trial(number, wrong=wrong, first=first, baseline=name, **more)


SCRATCH = baseline(0, "no_transfer", wrong=220, flops=10)
PROBE = baseline(1, "linear_probe", wrong=130)


def test_a_run_in_which_transfer_helped():
    told = found(SCRATCH, PROBE, trial(2, wrong=60), trial(3, wrong=64, first=200), rows=[row(4, status="failed")])
    assert told["winner"] == 2
    assert told["raw"]["value"] == 0.85
    assert told["raw"]["note"] == BEFORE_SELECTION
    assert told["corrected"]["low"] < told["corrected"]["value"] < told["corrected"]["high"]
    assert told["corrected"]["value"] == pytest.approx(0.845, abs=0.02)
    assert told["transfer_helped"] is True
    assert told["transfer_gain"]["value"] == pytest.approx(0.4, abs=0.02)
    assert told["probe_gain"]["value"] == pytest.approx(0.17, abs=0.02)
    words = " ".join(told["sentences"])
    assert told["sentences"][0].startswith("Trial 2 won: MobileNetV2 at 160 px, its last 12 layers unfrozen.")
    assert "corrected for having been chosen among 4 trials" in words
    assert "Transfer helped: +" in words
    assert "points" in words
    assert "cannot be told apart from another trial" in words


def test_a_winner_that_looks_at_the_content_alone_is_called_so():
    plan = row(2)["plan"] | {"crop": "content"}
    told = found(SCRATCH, trial(2, wrong=60, plan=plan))
    assert told["sentences"][0].startswith("Trial 2 won: MobileNetV2 at 160 px of the content, its last 12 layers")


def test_a_run_in_which_the_model_from_scratch_won():
    told = found(baseline(0, "no_transfer", wrong=40, flops=10), PROBE, trial(2, wrong=90))
    assert told["winner"] == 0
    assert told["transfer_helped"] is False
    assert told["transfer_gain"] is None
    assert "Transfer did not help" in " ".join(told["sentences"])


def test_a_gain_that_luck_could_explain_is_not_claimed():
    told = found(baseline(0, "no_transfer", wrong=88, first=100), trial(2, wrong=80, first=200, flops=1))
    assert told["winner"] == 2
    assert told["transfer_helped"] is None
    assert "cannot be shown to have helped" in " ".join(told["sentences"])


def test_a_probe_that_won_says_that_nothing_dearer_was_better():
    told = found(SCRATCH, baseline(1, "linear_probe", wrong=80), trial(2, wrong=84, first=100, flops=5000))
    assert told["winner"] == 1
    assert told["probe_gain"] is None
    assert "best linear probe: nothing dearer" in " ".join(told["sentences"])


def test_without_baselines_nothing_is_said_of_transfer():
    told = found(trial(2, wrong=60), trial(3, wrong=100))
    assert told["transfer_helped"] is told["transfer_gain"] is told["probe_gain"] is None
    assert "ransfer" not in " ".join(told["sentences"])


def test_one_trial_is_not_said_to_have_been_chosen():
    told = found(trial(2, wrong=60))
    assert told["corrected"] == {key: told["raw"][key] for key in ("value", "low", "high")}
    assert "chosen among" not in told["sentences"][0]


def test_without_outputs_the_score_stands_alone():
    told = found(rows=[row(0, 0.8)])
    assert told["winner"] == 0
    assert told["corrected"] is told["raw"] is None
    assert "0.800" in told["sentences"][0]


def test_few_groups_are_owned_up_to():
    told = found(trial(2, wrong=60), trial(3, wrong=100), groups=np.arange(len(LABELS)) % 6)
    assert OVER_WINDOWS in " ".join(told["sentences"])
    assert OVER_WINDOWS in told["raw"]["note"]


def test_nobody_won():
    told = found(rows=[row(0, status="failed"), row(1, 0.4, status="pruned")])
    assert told["winner"] is None
    assert told["sentences"] == ["No model won: none finished with a score (1 pruned, 1 failed)."]
    assert found()["sentences"] == ["No model won: none finished with a score (no trial was run)."]


def test_models_over_the_limits_are_named():
    over, within = trial(0, wrong=10, latency_ms=50.0), trial(1, wrong=60)
    told = found(over, within, limits={"latency_ms": 20.0})
    assert told["winner"] == 1
    assert "not allowed to win: trial 0." in " ".join(told["sentences"])
    assert "within the limits" in found(over, limits={"latency_ms": 20.0})["sentences"][0]


def test_losses_are_told_in_their_own_unit():
    scratch = baseline(0, "no_transfer", wrong=220, metric="log_loss")
    told = found(scratch, trial(2, wrong=60, metric="log_loss"), metric="log_loss")
    assert told["transfer_gain"]["value"] > 0
    assert "log loss better by +" in " ".join(told["sentences"])


def test_a_backbone_of_the_user_shows_no_folder():
    given, said = trial(0, wrong=60)
    given["plan"]["backbone"] = {"saved": "/home/somebody/secret/my.keras"}
    given["plan"]["unfrozen_layers"] = 0
    assert found((given, said))["sentences"][0].startswith("Trial 0 won: my.keras at 160 px, all layers frozen.")


def test_examples_without_a_label_play_no_part():
    hidden = outputs(wrong=60, rows=np.arange(50, 300))
    told = found((row(0, 0.76), hidden))
    assert told["raw"]["value"] == pytest.approx((200 - 10) / 200)
