"""The order of the leaderboard: best first, ties to the cheaper model, the same order on every repetition."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from autotl.leaderboard.by_few_labels import decision_of, fill_in_verdict, is_with_few_labels
from autotl.leaderboard.by_few_labels import take_over as take_over_few
from autotl.leaderboard.rows import (
    BARRED,
    BY_SEEDS,
    STATUSES,
    cost_of,
    has_score,
    is_barred,
    or_infinite,
    score_of,
    source_score_of,
)
from autotl.leaderboard.same_examples import Differences, SameExamples
from autotl.leaderboard.seeds import Seeds, bar_unstable, fill_in_seeds, is_repeat, over_seeds
from autotl.leaderboard.without_labels import KIND, add_pool_scores, is_without_labels, take_over, verdict_of
from autotl.plan.plan import learns_together
from autotl.run.trial_row import Row
from autotl.scoring.metrics import METRICS, Labels
from autotl.scoring.resampling import Groups
from autotl.trial.outcome import Outputs

LIMITS = {"latency_ms": ("latency", "ms"), "model_mb": ("size", "MB")}  # column of a row → its words and unit


def rank(
    rows: Iterable[Mapping[str, Any]],
    *,
    metric: str,
    higher_is_better: bool,
    outputs: Mapping[int, Outputs],
    labels: Labels,
    groups: Groups | None,
    seed: int,
    positive: int = 1,
    limits: Mapping[str, float | None] | None = None,
) -> list[Row]:
    """The rows best first, with `winner` and `tie_group` filled in.

    Complete rows come before pruned, failed, skipped and running ones. A tie group is the best row left and every row
    whose paired bootstrap interval (90 %) against it holds 0; inside a group the cheaper model goes first, then the
    earlier trial, never the clock. A plan that learns its task together with others leads only where it is better, by
    that interval, than the plan that would win without such plans. The first row wins. Only a complete row with a
    finite score and within the limits can; those over a limit stand behind the others, without a tie group and with the
    reason. Where plans were trained with several seeds, the best of those leads, and their scores are means over them
    (`leaderboard.seeds`).

    Without target labels the committee decides instead (`scoring.committee`): scores become its values, and those that
    its guards reject stand behind the others. With a few of them beside a labelled source both have a say
    (`scoring.few_labels`): scores become posterior means where the metric is a share of right answers.

    Args:
        metric: a key of `METRICS`, by which the scores were computed.
        outputs: of complete trials, by number; a trial without any is tied only with an equal score.
        labels, groups: of all the task's rows, which `outputs` count by.
        positive: index of the positive class.
        limits: `latency_ms` and `model_mb` that a winner may have at most. A row that lacks the figure is over it.
    """
    ranked: list[Row] = [{**row, "winner": False, "tie_group": None} for row in rows]
    seeds = Seeds.of(ranked)
    fill_in_seeds(ranked, seeds, outputs)
    for row in ranked:
        if is_repeat(row):
            row["reason"] = f"{BY_SEEDS}the plan of trial {row['repeat_of']} again, with another seed"
            continue
        earlier = None if is_barred(row) else row.get("reason")
        row["reason"] = (_over_limits(row, limits or {}) if row["status"] == "complete" else None) or earlier
    if is_without_labels(ranked):
        return _by_committee(ranked, outputs, labels, seeds, metric=metric, seed=seed)
    if is_with_few_labels(ranked):
        decision = decision_of(ranked, outputs, labels, metric=metric, seed=seed)
        fill_in_verdict(decision, ranked)
        if decision.groups:
            first = take_over_few(decision, ranked)
            return [*first, *_behind([row for row in ranked if row["tie_group"] is None], higher_is_better)]
    scored = [row for row in ranked if has_score(row)]
    candidates = [row for row in scored if not is_barred(row)]
    again = {repeat for row in candidates for repeat in seeds.repeats.get(row["trial"], ())}
    same = SameExamples.of(
        [row for row in scored if not is_barred(row) or row["trial"] in again], outputs, labels, groups
    )
    differences = over_seeds(Differences.of(same, METRICS[metric].with_positive(positive), seed=seed), seeds, seed=seed)
    order: list[Row] = []
    for number, group in enumerate(_tie_groups(candidates, differences, higher_is_better), start=1):
        for row in group:
            row["tie_group"] = number
        order += group
    if order:
        order[0]["winner"] = True
    return [*order, *_behind([row for row in ranked if row["tie_group"] is None], higher_is_better)]


def _behind(rows: Sequence[Row], higher_is_better: bool) -> list[Row]:
    """Those that cannot win: the barred ones with a score, then the others."""
    barred, unscored = [row for row in rows if has_score(row)], [row for row in rows if not has_score(row)]
    return [
        *sorted(barred, key=lambda row: _merit(row, higher_is_better)),
        *sorted(unscored, key=lambda row: _place_of_unscored(row, higher_is_better)),
    ]


def _by_committee(
    rows: Sequence[Row],
    outputs: Mapping[int, Outputs],
    labels: Labels,
    seeds: Seeds,
    *,
    metric: str,
    seed: int,
) -> list[Row]:
    for row in rows:
        row["guards"], row["scores"] = {}, dict(row["scores"])
        if row["status"] != "complete" and row["score"] is not None:  # it is not of the kind that the others have now
            row["scores"].setdefault(f"source_{metric}", row["score"]["value"])
            row["score"] = None
    add_pool_scores(rows, outputs)
    bar_unstable(rows, outputs, labels, seeds, seed=seed)
    order = take_over(verdict_of(rows, outputs, labels, seed=seed), rows)
    judged = {row["trial"] for row in order}
    others = [row for row in rows if row["trial"] not in judged]
    for row in others:
        if row["status"] == "complete":  # over a limit, so never judged
            row["score"] = {"value": None, "low": None, "high": None, "kind": KIND}
    return [*order, *sorted(others, key=lambda row: _place_of_unscored(row, higher_is_better=True))]


def name_baselines(rows: Iterable[Mapping[str, Any]], *, higher_is_better: bool) -> list[Row]:
    """The rows with each baseline's name on one of them: the best by validation, where several were run; the best on
    the source where the target has no labels.

    The others say whose they are in `baseline_of`. Naming again changes nothing.
    """
    named: list[Row] = [dict(row) for row in rows]
    for name in dict.fromkeys(row["baseline"] or row["baseline_of"] for row in named):
        if name is None:
            continue
        candidates = [row for row in named if name in (row["baseline"], row["baseline_of"])]
        best = min(candidates, key=lambda row: (STATUSES.index(row["status"]), *_standing_merit(row, higher_is_better)))
        for row in candidates:
            row["baseline"], row["baseline_of"] = (name, None) if row is best else (None, name)
    return named


def standing(rows: Iterable[Mapping[str, Any]], *, higher_is_better: bool) -> list[Row]:
    """The order while a search is still going: by score alone, with no winner, no ties and no interval compared."""
    named = name_baselines(rows, higher_is_better=higher_is_better)
    unranked: list[Row] = [{**row, "winner": False, "tie_group": None} for row in named]
    return [
        *sorted((row for row in unranked if has_score(row)), key=lambda row: _merit(row, higher_is_better)),
        *sorted(
            (row for row in unranked if not has_score(row)), key=lambda row: _place_of_unscored(row, higher_is_better)
        ),
    ]


def pareto_front(rows: Iterable[Mapping[str, Any]], *, higher_is_better: bool) -> list[int]:
    """Trials that no other beats in score, latency and size at once, in the order of the rows.

    A latency or size that is not known counts as the worst.
    """
    scored = [row for row in rows if has_score(row)]
    higher_is_better = higher_is_better or is_without_labels(scored)  # of ranks more is better, whatever the metric
    merits = {
        row["trial"]: (
            _loss(row, higher_is_better),
            or_infinite(row.get("latency_ms")),
            or_infinite(row.get("model_mb")),
        )
        for row in scored
    }
    unbeaten: list[tuple[float, ...]] = []
    # In this order nobody is beaten by somebody later, and who is beaten at all is beaten by one of the unbeaten.
    for mine in sorted(set(merits.values())):
        if not any(all(a <= b for a, b in zip(other, mine, strict=True)) for other in unbeaten):
            unbeaten.append(mine)
    kept = set(unbeaten)
    return [row["trial"] for row in scored if merits[row["trial"]] in kept]


def _tie_groups(candidates: Sequence[Row], differences: Differences, higher_is_better: bool) -> Iterator[list[Row]]:
    left = _led(sorted(candidates, key=lambda row: _merit(row, higher_is_better)))
    alone = _led([row for row in left if not learns_together(row["plan"])])
    if alone and (differences.hold_zero(left[0], alone[0]) or _is_better(alone[0], left[0], higher_is_better)):
        left = _with_first(alone[0], left)
    while left:
        best, *others = left
        kind = [row for row in others if learns_together(row["plan"]) or not learns_together(best["plan"])]
        tied = [row for row in kind if differences.hold_zero(best, row)]
        yield sorted([best, *tied], key=lambda row: (cost_of(row), row["trial"]))
        numbers = {row["trial"] for row in tied}
        left = [row for row in others if row["trial"] not in numbers]


def _led(rows: list[Row]) -> list[Row]:
    """Led by one that was trained several times, if any was: the best of many trained once is partly the luckiest."""
    return _with_first(next((row for row in rows if row.get("seeds") is not None), rows[0]), rows) if rows else rows


def _with_first(first: Row, rows: Sequence[Row]) -> list[Row]:
    return [first, *(row for row in rows if row is not first)]


def _is_better(one: Row, other: Row, higher_is_better: bool) -> bool:
    return _loss(one, higher_is_better) < _loss(other, higher_is_better)


def _standing_merit(row: Mapping[str, Any], higher_is_better: bool) -> tuple[float, float, int]:
    """By source accuracy where that is known: a committee's value is not about the trial alone."""
    accuracy = source_score_of(row, "accuracy")
    return (-accuracy, cost_of(row), row["trial"]) if math.isfinite(accuracy) else _merit(row, higher_is_better)


def _merit(row: Mapping[str, Any], higher_is_better: bool) -> tuple[float, float, int]:
    return _loss(row, higher_is_better), cost_of(row), row["trial"]


def _loss(row: Mapping[str, Any], higher_is_better: bool) -> float:
    score = score_of(row)
    if not math.isfinite(score):
        return math.inf
    return -score if higher_is_better else score


def _place_of_unscored(row: Mapping[str, Any], higher_is_better: bool) -> tuple[Any, ...]:
    """A pruned trial that got further stands before one that was stopped earlier: their scores do not compare."""
    reached = row["epochs"] if row["status"] == "pruned" else 0
    merit = _loss(row, higher_is_better) if row["status"] == "pruned" else 0.0
    return STATUSES.index(row["status"]), -(reached or 0), merit, row["trial"]


def _over_limits(row: Mapping[str, Any], limits: Mapping[str, float | None]) -> str | None:
    complaints = []
    for column, most in limits.items():
        words, unit = LIMITS[column]
        if most is None:
            continue
        if row.get(column) is None:
            complaints.append(f"{words} was not measured and at most {most:g} {unit} are allowed")
        elif row[column] > most:
            complaints.append(f"{words} {row[column]:.4g} {unit} is over the limit of {most:g} {unit}")
    return f"{BARRED}{', '.join(complaints)}" if complaints else None
