"""Trials whose plan was trained again with other seeds: their mean, how much one training varies, and ranking by both.

A plan's score is then the mean over its seeds. Its interval covers one training of the plan, for one is what ships: the
deviation between seeds, pooled over all plans that were repeated, is added to the uncertainty of the examples. Paper:
Bouthillier et al., "Accounting for variance in machine learning benchmarks", MLSys 2021 (arXiv:2103.03098).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.leaderboard.rows import BY_SEEDS, has_score, score_of
from autotl.leaderboard.same_examples import Differences
from autotl.leaderboard.without_labels import KIND, verdict_of
from autotl.run.trial_row import Row
from autotl.scoring.answers import ANSWERS
from autotl.scoring.guards import PASSED
from autotl.scoring.intervals import Interval
from autotl.scoring.metrics import Labels, Metric
from autotl.trial.outcome import Outputs

CONFIDENCE = 0.975  # of each end of an interval


@dataclass(frozen=True)
class Seeds:
    """Which trials are repeats of which.

    Attributes:
        repeats: by trial, the complete trials that trained its plan again.
    """

    repeats: Mapping[int, tuple[int, ...]]

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> "Seeds":
        """Those of rows in any order."""
        complete = {row["trial"] for row in rows if row["status"] == "complete"}
        found: dict[int, list[int]] = {}
        for row in sorted(rows, key=lambda row: int(row["trial"])):
            original = row.get("repeat_of")
            if original is not None and {row["trial"], original} <= complete:
                found.setdefault(original, []).append(row["trial"])
        return cls({original: tuple(trials) for original, trials in found.items()})


def is_repeat(row: Mapping[str, Any]) -> bool:
    """Whether the row trains an earlier trial's plan again."""
    return row.get("repeat_of") is not None


def own_score(row: Mapping[str, Any]) -> float:
    """Of the trial itself, also after the mean over its seeds has taken its place; NaN without."""
    values = (row.get("seeds") or {}).get("values")
    return score_of(row) if values is None else float(values[0])


def fill_in_seeds(rows: Sequence[Row], seeds: Seeds, outputs: Mapping[int, Outputs]) -> None:
    """`seeds` of each row that was repeated, and its `score` where labels tell one. Filling in again changes nothing.

    `seeds`: the `trials`; their `values` and `mean`; the `deviation` of one training, pooled over all plans that were
    repeated, and the `half_width` (95 %) that follows; `agreement`, the share of target inputs on which two of them say
    the same. What is not known is None.
    """
    by_trial = {row["trial"]: row for row in rows}
    scored = {
        original: [own_score(by_trial[trial]) for trial in (original, *repeats)]
        for original, repeats in seeds.repeats.items()
        if all(_has_labelled_score(by_trial[trial]) for trial in (original, *repeats))
    }
    deviation, degrees = _pooled(list(scored.values()))
    half_width = _half_width(deviation, degrees)
    for original, repeats in seeds.repeats.items():
        row, own = by_trial[original], scored.get(original)
        if own is not None and row.get("seeds") is None:
            row["score"] = _covering(row["score"], float(np.mean(own)), half_width)
        row["seeds"] = {
            "trials": [original, *repeats],
            "values": own,
            "mean": None if own is None else float(np.mean(own)),
            "deviation": None if own is None else deviation,
            "half_width": None if own is None else half_width,
            "agreement": _agreement([outputs[trial] for trial in (original, *repeats) if trial in outputs]),
        }


def bar_unstable(
    rows: Sequence[Row], outputs: Mapping[int, Outputs], labels: Labels, seeds: Seeds, *, seed: int
) -> None:
    """Keeps from winning what the committee would pick, and would reject if it had been trained with another seed."""
    while True:
        pick = verdict_of(rows, outputs, labels, seed=seed).pick
        complaint = None if pick is None else _complaint(pick, rows, outputs, labels, seeds, seed=seed)
        if complaint is None:
            return
        next(row for row in rows if row["trial"] == pick)["reason"] = f"{BY_SEEDS}{complaint}"


def _complaint(
    pick: int, rows: Sequence[Row], outputs: Mapping[int, Outputs], labels: Labels, seeds: Seeds, *, seed: int
) -> str | None:
    by_trial = {row["trial"]: row for row in rows}
    for repeat in seeds.repeats.get(pick, ()):
        instead = [{**row, "scores": by_trial[repeat]["scores"]} if row["trial"] == pick else row for row in rows]
        said = {**outputs, pick: outputs[repeat]} if repeat in outputs else outputs
        verdict = verdict_of(instead, said, labels, seed=seed)
        if pick in verdict.rejected:
            why = [words for words in verdict.guards[pick].values() if words != PASSED]
            return f"with another seed (trial {repeat}) it does not pass the guards: {'; '.join(why)}"
    return None


def over_seeds(differences: Differences, seeds: Seeds, *, seed: int) -> Differences:
    """The same with each repeated trial's goodness drawn anew from its seeds in every resample, and averaged."""
    goodness = differences.goodness.copy()
    draws = np.random.default_rng(seed)
    for original, repeats in seeds.repeats.items():
        places = [differences.place[trial] for trial in (original, *repeats) if trial in differences.place]
        if len(places) > 1 and original in differences.place:
            goodness[:, differences.place[original]] = _resampled(differences.goodness[:, places], draws)
    return replace(differences, goodness=goodness)


def covering_seeds(figure: Interval | None, row: Mapping[str, Any], metric: Metric) -> Interval | None:
    """A figure of a trial, moved to the mean over its seeds and made so wide that it covers one training."""
    seeds = row.get("seeds")
    if figure is None or seeds is None or seeds["values"] is None:
        return figure
    value = figure.value + seeds["mean"] - seeds["values"][0]
    wide = seeds["half_width"]
    low = value - math.hypot(figure.value - figure.low, wide)
    high = value + math.hypot(figure.high - figure.value, wide)
    return replace(figure, value=_bounded(value, metric), low=_bounded(low, metric), high=_bounded(high, metric))


def _resampled(goodness: NDArray[np.float64], draws: np.random.Generator) -> NDArray[np.float64]:
    count = goodness.shape[1]
    picked = draws.integers(count, size=goodness.shape)
    return np.asarray(np.take_along_axis(goodness, picked, axis=1).mean(axis=1))


def _has_labelled_score(row: Mapping[str, Any]) -> bool:
    return has_score(row) and row["score"]["kind"] != KIND


def _agreement(said: Sequence[Outputs]) -> float | None:
    """How far two of the models say the same of target inputs, on average: of classes, the share of inputs."""
    told = [each for each in said if len(each.target)]
    pairs = [
        ANSWERS[one.problem].agreement(one.target, other.target)
        for number, one in enumerate(told)
        for other in told[:number]
    ]
    return float(np.mean(pairs)) if pairs else None


def _pooled(values: Sequence[Sequence[float]]) -> tuple[float, int]:
    """Deviation of one training over all plans, and its degrees of freedom."""
    degrees = sum(len(own) - 1 for own in values)
    squares = sum(float(np.sum((np.array(own) - np.mean(own)) ** 2)) for own in values)
    return (math.sqrt(squares / degrees) if degrees else 0.0), degrees


def _half_width(deviation: float, degrees: int) -> float:
    if not degrees:
        return 0.0
    from scipy.stats import t

    return float(t.ppf(CONFIDENCE, degrees)) * deviation


def _covering(score: Mapping[str, Any], mean: float, half_width: float) -> dict[str, Any]:
    value, low, high = score["value"], score["low"], score["high"]
    if low is None or high is None:
        return {**score, "value": mean}
    down, up = math.hypot(value - low, half_width), math.hypot(high - value, half_width)
    within_one = low >= 0 and high <= 1  # shares stay shares
    return {
        **score,
        "value": mean,
        "low": max(mean - down, 0.0) if within_one else mean - down,
        "high": min(mean + up, 1.0) if within_one else mean + up,
    }


def _bounded(value: float, metric: Metric) -> float:
    return min(max(value, metric.lowest), metric.highest)
