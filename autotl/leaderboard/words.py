"""The sentences under which a run's result is shown. Each function gives those it has reason for, maybe none."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from autotl.backbones.classical import NAMES
from autotl.backbones.pretrained import NAME as PRETRAINED
from autotl.leaderboard.rows import STATUSES, has_score, may_win, score_of
from autotl.scoring.intervals import Interval
from autotl.scoring.metrics import Metric
from autotl.scoring.resampling import OVER_WINDOWS

Row = Mapping[str, Any]


def of_winner(winner: Row, figure: Interval | None, metric: Metric, *, trials: int) -> list[str]:
    """Who won, and what to expect of it.

    Args:
        figure: its score corrected for selection; None where its outputs are not known.
        trials: among how many it was chosen.
    """
    lead = f"Trial {winner['trial']} won: {model(winner)}."
    if figure is None:
        return [f"{lead} On the examples it was chosen by it has {_spoken(metric)} of {score_of(winner):.3f}."]
    between = f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
    among = f", corrected for having been chosen among {trials} trials" if trials > 1 else ""
    sentences = [f"{lead} On new examples expect {_spoken(metric)} of {between}{among}."]
    if figure.note == OVER_WINDOWS:
        sentences.append(f"The interval is {OVER_WINDOWS}: fewer than ten groups say little about the next one.")
    return sentences


def of_transfer(gain: Interval | None, metric: Metric, *, helped: bool | None, winner_is_baseline: bool) -> list[str]:
    """Whether a pretrained network was worth it."""
    if winner_is_baseline:
        return ["Transfer did not help: the model that starts from nothing won."]
    if gain is None:
        return []
    verdict = {True: "Transfer helped", False: "Transfer did harm", None: "Transfer cannot be shown to have helped"}
    return [f"{verdict[helped]}: {_difference(gain, metric)} against a model that starts from nothing."]


def of_probe(gain: Interval | None, metric: Metric, *, winner_is_baseline: bool) -> list[str]:
    """What the search brought beyond a linear head on the best frozen backbone."""
    if winner_is_baseline:
        return ["It is the best linear probe: nothing dearer could be shown to be better."]
    return [] if gain is None else [f"Against the best linear probe: {_difference(gain, metric)}."]


def of_ties(winner: Row, rows: Sequence[Row]) -> list[str]:
    """Why the winner need not have the highest score."""
    tied = sum(row["tie_group"] == winner["tie_group"] for row in rows) - 1
    if not tied:
        return []
    others = "another trial" if tied == 1 else f"{tied} other trials"
    return [f"It cannot be told apart from {others} on these examples, and none of them is cheaper to run."]


def of_limits(rows: Sequence[Row]) -> list[str]:
    """Which trials finished and were not allowed to win."""
    barred = [row["trial"] for row in rows if has_score(row) and not may_win(row)]
    if not barred:
        return []
    listed = ", ".join(str(trial) for trial in barred[:5]) + (" …" if len(barred) > 5 else "")
    return [f"Over the limits, so not allowed to win: trial{'s' if len(barred) > 1 else ''} {listed}."]


def without_target_labels(winner: Row, metric: str) -> list[str]:
    """Who won where the search could not see what counts."""
    return [
        f"Trial {winner['trial']} won: {model(winner)}.",
        f"It was picked without target labels, by its {metric.replace('_', ' ')} on held-out source examples "
        f"({score_of(winner):.3f}). How good it is on the target, only labels there can tell.",
    ]


def without_winner(rows: Sequence[Row]) -> list[str]:
    """Why there is no model."""
    counts = Counter(row["status"] for row in rows)
    seen = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status]) or "no trial was run"
    if any(has_score(row) for row in rows):
        return [f"No model won: none of those that finished is within the limits ({seen})."]
    return [f"No model won: none finished with a score ({seen})."]


def model(row: Row) -> str:
    """The network of a row and how much of it was trained: `MobileNetV2 at 160 px, its last 12 layers unfrozen`."""
    plan = row["plan"]
    backbone, unfrozen = plan["backbone"], plan.get("unfrozen_layers", 0)
    if backbone in NAMES:
        return f"{backbone}, a model without a network"
    name = backbone if isinstance(backbone, str) else next(iter(backbone.values()))
    name = PRETRAINED if PRETRAINED in backbone else name  # its file is named by a digest
    trained = {0: "all layers frozen", 1: "its last layer unfrozen", "all": "every layer trained"}
    size = f" at {plan['image_size']} px" if plan.get("image_size") else ""
    short_name = str(name).rstrip("/").rsplit("/", 1)[-1]  # of a path, so that no home folder is shown
    return f"{short_name}{size}, {trained.get(unfrozen, f'its last {unfrozen} layers unfrozen')}"


def _spoken(metric: Metric) -> str:
    name = metric.name.replace("_", " ").replace("f1", "F1").replace("roc auc", "ROC AUC")
    return f"an {name}" if name.startswith("a") else f"a {name}"


def _difference(gain: Interval, metric: Metric) -> str:
    """In points where the metric is a share, else in the metric's own unit; positive is better."""
    ends = (gain.value, gain.low, gain.high)
    if (metric.lowest, metric.highest) == (0.0, 1.0):
        value, low, high = (_signed(100 * end, decimals=1) for end in ends)
        return f"{value} points ({low} to {high})"
    value, low, high = (_signed(end, decimals=3) for end in ends)
    return f"{metric.name.replace('_', ' ')} better by {value} ({low} to {high})"


def _signed(value: float, *, decimals: int) -> str:
    return f"{value:+.{decimals}f}".replace("-", "−")
