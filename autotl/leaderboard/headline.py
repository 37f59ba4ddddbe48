"""What a run found, in values and in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from autotl.leaderboard import words
from autotl.leaderboard.by_few_labels import Decision, decision_of, is_with_few_labels
from autotl.leaderboard.rows import may_win, winner_of
from autotl.leaderboard.same_examples import SameExamples
from autotl.leaderboard.seeds import covering_seeds
from autotl.leaderboard.without_labels import is_without_labels, verdict_of
from autotl.plan.baselines import LINEAR_PROBE, NO_TRANSFER
from autotl.scoring.committee import Verdict
from autotl.scoring.comparison import cannot_be_told_apart
from autotl.scoring.intervals import Interval, interval
from autotl.scoring.metrics import METRICS, Labels, Metric
from autotl.scoring.resampling import Groups
from autotl.scoring.selection import BEFORE_SELECTION, Revision, corrected_gain, corrected_interval
from autotl.trial.outcome import Outputs


def headline(
    rows: Sequence[Mapping[str, Any]],
    *,
    metric: str,
    outputs: Mapping[int, Outputs],
    labels: Labels,
    groups: Groups | None,
    seed: int,
    positive: int = 1,
) -> dict[str, Any]:
    """What was found.

    Args:
        rows: ranked, with their baselines named; the others as for `rank`.
    Returns:
        Plain JSON values. `winner`: its trial. `corrected`, `raw`: its score after and before correction for selection.
        `transfer_gain`, `probe_gain`: winner minus `no_transfer` and minus the best linear probe, corrected likewise,
        positive where the winner is better. `transfer_helped`: whether it did; None where that interval holds 0.
        `committee`: where no target label was known, who decided (`_of_committee`). `few_labels`: where a few were
        known beside a source, likewise (`_of_few_labels`). `sentences`: the most important first. Intervals are
        `{value, low, high}`, 95 %. What is not known is None.
    """
    if is_without_labels(rows):
        return _of_committee(rows, verdict_of(rows, outputs, labels, seed=seed), metric)
    winner = winner_of(rows)
    if winner is None:
        return _Figures().as_dict() | {"winner": None, "sentences": words.without_winner(rows)}
    number = winner["trial"]
    same = SameExamples.of((row for row in rows if may_win(row)), outputs, labels, groups)
    few = decision_of(rows, outputs, labels, metric=metric, seed=seed) if is_with_few_labels(rows) else None
    figures = _figures(winner, rows, METRICS[metric].with_positive(positive), same, few, seed=seed)
    sentences = [
        *words.of_winner(winner, figures.corrected, METRICS[metric], trials=len(same.probabilities)),
        *words.of_seeds(winner),
        *([] if few is None else words.of_few_labels(winner, rows, few, METRICS[metric])),
        *words.of_transfer(
            figures.transfer_gain,
            METRICS[metric],
            helped=figures.transfer_helped,
            winner_is_baseline=winner["baseline"] == NO_TRANSFER,
        ),
        *words.of_probe(figures.probe_gain, METRICS[metric], winner_is_baseline=winner["baseline"] == LINEAR_PROBE),
        *words.of_ties(winner, rows),
        *words.of_limits(rows),
    ]
    told = figures.as_dict() | {"winner": number, "sentences": sentences}
    return told if few is None else told | {"few_labels": _of_few_labels(few)}


def expected(
    rows: Sequence[Mapping[str, Any]],
    *,
    by: str,
    metric: str,
    outputs: Mapping[int, Outputs],
    labels: Labels,
    groups: Groups | None,
    seed: int,
    positive: int = 1,
) -> Interval | None:
    """What the winner will reach on new examples by any metric, corrected for having been chosen by the task's own.

    Args:
        by: the metric to tell.
        metric: the task's, by which winners are chosen.
    Returns:
        None where no row may win, its outputs are not known, or no target label is: then nothing tells.
    """
    if is_without_labels(rows):
        return None
    same = SameExamples.of((row for row in rows if may_win(row)), outputs, labels, groups)
    if not same.probabilities:
        return None
    few = decision_of(rows, outputs, labels, metric=metric, seed=seed) if is_with_few_labels(rows) else None
    costs, revise = _how_chosen(same, few)
    return corrected_interval(
        METRICS[by].with_positive(positive),
        same.labels,
        list(same.probabilities.values()),
        groups=same.groups,
        costs=costs,
        chosen_by=METRICS[metric].with_positive(positive),
        revise=revise,
        seed=seed,
    )


def _of_committee(rows: Sequence[Mapping[str, Any]], verdict: Verdict, metric: str) -> dict[str, Any]:
    """The headline of a run on a target without labels.

    `committee`: `members`, whose ranks were averaged, with their `weights`; `reason`; `fell_back` to source-only;
    `reference`, the source-only trial; `better`, by member in which share of the resamples the pick scores higher;
    `rejected` trials.
    """
    committee = {
        "members": list(verdict.weights),
        "weights": dict(verdict.weights),
        "reason": verdict.reason,
        "fell_back": verdict.fell_back,
        "reference": verdict.reference,
        "better": dict(verdict.better),
        "rejected": list(verdict.rejected),
    }
    told = _Figures().as_dict() | {"winner": verdict.pick, "committee": committee}
    return told | {"sentences": words.of_committee(rows, verdict, METRICS[metric])}


def _of_few_labels(decision: Decision) -> dict[str, Any]:
    """How a few labels and the committee decided.

    `labels`: how many there are. `strengths`: by trial, how many labels the opinion before them was worth; empty where
    the labels decided alone. `priors`: by trial, the accuracy that it expected; `ranks`: the committee's. `by_labels`
    and `by_committee`: the trial that either would have picked alone. `members`: whose ranks the committee averages.
    """
    posterior, verdict = decision.posterior, decision.verdict
    return {
        "labels": decision.labels,
        "strengths": {} if posterior is None else {str(trial): value for trial, value in posterior.strengths.items()},
        "priors": {} if posterior is None else {str(trial): value for trial, value in posterior.priors.items()},
        "ranks": {str(trial): value for trial, value in verdict.values.items() if value is not None},
        "by_labels": decision.by_labels,
        "by_committee": verdict.pick,
        "members": list(verdict.weights),
        "reference": verdict.reference,
    }


def _how_chosen(same: SameExamples, few: Decision | None) -> tuple[list[float] | None, Revision | None]:
    """Costs that ties go by, and what else than the examples chooses; with few labels ties are too narrow to count."""
    trials = list(same.probabilities)
    if few is None or few.posterior is None:
        return [same.costs[trial] for trial in trials], None
    return None, partial(few.revised, trials)


@dataclass(frozen=True)
class _Figures:
    """The values of a headline."""

    raw: Interval | None = None
    corrected: Interval | None = None
    transfer_gain: Interval | None = None
    probe_gain: Interval | None = None
    transfer_helped: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        raw = _json(self.raw)
        if raw is not None:
            raw["note"] = "; ".join(filter(None, (BEFORE_SELECTION, raw.get("note"))))
        return {
            "corrected": _json(self.corrected),
            "raw": raw,
            "transfer_gain": _json(self.transfer_gain),
            "probe_gain": _json(self.probe_gain),
            "transfer_helped": self.transfer_helped,
        }


def _figures(
    winner: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    metric: Metric,
    same: SameExamples,
    few: Decision | None,
    *,
    seed: int,
) -> _Figures:
    said = same.probabilities
    if winner["trial"] not in said:
        return _Figures()
    models = list(said.values())
    costs, revise = _how_chosen(same, few)

    def gain_over(name: str) -> Interval | None:
        baseline = next((row["trial"] for row in rows if row["baseline"] == name), winner["trial"])
        if baseline == winner["trial"] or baseline not in said:
            return None
        return corrected_gain(
            metric, same.labels, models, said[baseline], groups=same.groups, costs=costs, revise=revise, seed=seed
        )

    transfer_gain = gain_over(NO_TRANSFER)
    helped = None
    if winner["baseline"] == NO_TRANSFER:
        helped = False
    elif transfer_gain is not None and not cannot_be_told_apart((transfer_gain.low, transfer_gain.high)):
        helped = transfer_gain.value > 0
    return _Figures(
        raw=interval(metric, same.labels, said[winner["trial"]], groups=same.groups, seed=seed),
        corrected=covering_seeds(
            corrected_interval(metric, same.labels, models, groups=same.groups, costs=costs, revise=revise, seed=seed),
            winner,
            metric,
        ),
        transfer_gain=transfer_gain,
        probe_gain=gain_over(LINEAR_PROBE),
        transfer_helped=helped,
    )


def _json(found: Interval | None) -> dict[str, Any] | None:
    return None if found is None else dict(found.as_dict())
