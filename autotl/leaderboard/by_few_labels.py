"""The order of the leaderboard where a few target labels are known beside a labelled source: labels and committee
together (`scoring.few_labels`)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotl.leaderboard.rows import cost_of, source_score_of
from autotl.leaderboard.same_examples import SameExamples
from autotl.leaderboard.without_labels import candidates_of, fill_in, judged_rows, mean_of_pool
from autotl.run.trial_row import Row
from autotl.scoring.committee import Verdict, judge
from autotl.scoring.few_labels import ACCURACIES, FEW_LABELS, HeldOut, Posterior, posterior_of
from autotl.scoring.metrics import Labels, Values, predicted_labels
from autotl.trial.outcome import Outputs

KIND = "few_labels"


@dataclass(frozen=True)
class Decision:
    """How a model is picked by a few labels.

    Attributes:
        labels: how many there are.
        verdict: of the committee on the trials that learnt from the source; the others have no rank.
        posterior: of those that may win; None where the metric is no share of right answers, so that its labels alone
            rank.
        groups: those that may win, best first, each with those tied with it; empty without a posterior.
        by_labels: what the labels alone would have picked, guards left aside; None without a posterior.
    """

    labels: int
    verdict: Verdict
    posterior: Posterior | None
    groups: tuple[tuple[int, ...], ...] = ()
    by_labels: int | None = None

    @property
    def pick(self) -> int | None:
        """The winner; None where another rule ranks or nobody may win."""
        return self.groups[0][0] if self.groups else None

    @property
    def has_prior(self) -> bool:
        """Whether the committee's ranks took part."""
        return self.posterior is not None and bool(self.posterior.strengths)

    def revised(self, trials: Sequence[int], scores: Values) -> Values:
        """What shares of right answers (draws, trials) become once the prior has its part."""
        if self.posterior is None or not self.has_prior:
            return scores
        priors = np.array([self.posterior.priors[trial] for trial in trials])
        strength = np.array([self.posterior.strengths[trial] for trial in trials])
        worth = self.posterior.held_out.worth
        return np.asarray((worth * scores + strength * priors) / (worth + strength))


def is_with_few_labels(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are the rows of a run with a few target labels beside a labelled source."""
    kinds = ("cross_validation", KIND)
    return any(
        (row.get("score") or {}).get("kind") in kinds and "source_accuracy" in (row.get("scores") or {}) for row in rows
    )


def decision_of(
    rows: Sequence[Mapping[str, Any]],
    outputs: Mapping[int, Outputs],
    labels: Labels,
    *,
    metric: str,
    seed: int,
) -> Decision:
    """Who wins among the complete rows that keep the limits; the same before and after ranking."""
    judged = judged_rows(rows)
    of_source = [row for row in judged if _learns_from_source(row) and row["trial"] in outputs]
    candidates = candidates_of(of_source, outputs, labels)
    verdict = judge(candidates, seed=seed)
    if all(value is None for value in verdict.values.values()):  # as where the source teaches nothing: labels decide
        verdict = Verdict({}, {}, reason=verdict.reason if candidates else "no trial learnt from the source")
    same = SameExamples.of(judged, outputs, labels, None)
    count = len(same.labels)
    if metric not in ACCURACIES or not same.probabilities:
        return Decision(count, verdict, None)
    rejected = {trial for trial, value in verdict.values.items() if value is None}
    allowed = [trial for trial in same.probabilities if trial not in rejected]
    shares = np.ones(outputs[allowed[0]].target.shape[1])
    if metric == "accuracy":
        shares = np.asarray(mean_of_pool([outputs[trial].target for trial in allowed]).mean(axis=0), dtype=np.float64)
        shares = shares if np.isfinite(shares).all() else np.ones(len(shares))
    said = {trial: predicted_labels(own) for trial, own in same.probabilities.items()}
    everyone = HeldOut.of(same.labels, said, shares=shares)
    held_out = HeldOut({trial: everyone.right[trial] for trial in allowed}, everyone.weights)
    costs = {row["trial"]: cost_of(row) for row in judged}
    reference = verdict.reference
    ranks = {trial: value for trial, value in verdict.values.items() if value is not None}
    if reference is None or not ranks:
        posterior = posterior_of(held_out, None)
    else:
        known = [score for row in of_source if math.isfinite(score := source_score_of(row, metric))]
        ends = (everyone.rate(reference), max(known, default=0.0))
        posterior = posterior_of(held_out, ranks, ends=ends)
    groups = tuple(posterior.groups(costs, tie_level=FEW_LABELS.tie_level))
    by_labels = next(posterior_of(everyone, None).groups(costs, tie_level=0.0))[0]
    return Decision(count, verdict, posterior, groups, by_labels)


def take_over(decision: Decision, rows: Sequence[Row]) -> list[Row]:
    """The rows that may win in the order of their posterior means, with these, tie groups and the winner filled in."""
    assert decision.posterior is not None, "asked only where it ranks"
    by_trial = {row["trial"]: row for row in rows}
    for number, group in enumerate(decision.groups, start=1):
        for trial in group:
            figure = decision.posterior.interval(trial)
            by_trial[trial]["score"] = {**figure.as_dict(), "kind": KIND}
            by_trial[trial]["tie_group"] = number
    if decision.pick is not None:
        by_trial[decision.pick]["winner"] = True
    return [by_trial[trial] for group in decision.groups for trial in group]


def fill_in_verdict(decision: Decision, rows: Sequence[Row]) -> None:
    """Fills in what the committee says of each row, and the reason of those that its guards keep from winning."""
    for row in rows:
        row["guards"] = {}
    fill_in(decision.verdict, rows)


def _learns_from_source(row: Mapping[str, Any]) -> bool:
    """Mistakes on the source, and the like of them, say nothing of a model that never learnt from it."""
    return bool(row["plan"].get("learns_from", "all") != "target")
