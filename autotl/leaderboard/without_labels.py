"""The order of the leaderboard where no target label is known: the committee's."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotl.adaptation import METHODS
from autotl.leaderboard.rows import BARRED, cost_of, is_barred, source_score_of
from autotl.plan.baselines import SOURCE_ONLY
from autotl.run.trial_row import Row
from autotl.scoring.candidates import Candidate
from autotl.scoring.committee import Verdict, judge
from autotl.scoring.ensv import ENSV
from autotl.scoring.guards import PASSED
from autotl.scoring.metrics import Labels, Probabilities
from autotl.trial.outcome import Outputs

KIND = "label_free"
NO_METHOD = "none"


def is_without_labels(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are the rows of a run on a target without labels."""
    return any((row.get("score") or {}).get("kind") == KIND for row in rows)


def verdict_of(
    rows: Sequence[Mapping[str, Any]],
    outputs: Mapping[int, Outputs],
    labels: Labels,
    *,
    seed: int,
) -> Verdict:
    """What the committee says of the complete rows that keep the limits; the same before and after ranking."""
    return judge(candidates_of(rows, outputs, labels), seed=seed)


def candidates_of(rows: Sequence[Mapping[str, Any]], outputs: Mapping[int, Outputs], labels: Labels) -> list[Candidate]:
    """The complete rows that keep the limits as the committee sees them."""
    judged = judged_rows(rows)
    reference = _reference(judged)
    return [
        Candidate(
            trial=row["trial"],
            scores=row["scores"],
            evidence=outputs[row["trial"]].evidence(labels) if row["trial"] in outputs else {},
            optimises=optimised_by(row),
            is_reference=row is reference,
            cost=cost_of(row),
        )
        for row in judged
    ]


def add_pool_scores(rows: Sequence[Row], outputs: Mapping[int, Outputs]) -> None:
    """Fills in the scores that only a finished search has, since they compare each trial with all of them."""
    judged = [row for row in judged_rows(rows) if row["trial"] in outputs]
    said = [outputs[row["trial"]].target for row in judged]
    if not said:
        return
    pool = mean_of_pool(said)
    for row, own in zip(judged, said, strict=True):
        row["scores"][ENSV.name] = ENSV({"target_probabilities": own, "pool_probabilities": pool})


def mean_of_pool(said: Sequence[Probabilities]) -> Probabilities:
    """What models say together, (m, classes): the mean of those that are numbers."""
    whole = [each for each in said if each.shape == said[0].shape and np.isfinite(each).all()]
    return np.mean(whole, axis=0) if whole else np.full_like(said[0], math.nan)


def take_over(verdict: Verdict, rows: Sequence[Row]) -> list[Row]:
    """The judged rows in the committee's order, with its values and scores, guards, tie groups and the winner."""
    by_trial = {row["trial"]: row for row in rows}
    fill_in(verdict, rows)
    for trial, value in verdict.values.items():
        by_trial[trial]["score"] = {"value": value, "low": None, "high": None, "kind": KIND}
    for number, group in enumerate(verdict.groups, start=1):
        for trial in group:
            by_trial[trial]["tie_group"] = number
    if verdict.pick is not None:
        by_trial[verdict.pick]["winner"] = True
    return [by_trial[trial] for trial in verdict.order]


def fill_in(verdict: Verdict, rows: Sequence[Row]) -> None:
    """Fills in what members and guards say of each row, and the reason of those that guards keep from winning."""
    for row in rows:
        trial = row["trial"]
        found = {member: scores[trial] for member, scores in verdict.scores.items() if trial in scores}
        row["scores"] = {**row["scores"], **found}
        if trial in verdict.guards:
            row["guards"] = dict(verdict.guards[trial])
            complaints = [words for words in row["guards"].values() if words != PASSED]
            if complaints:
                row["reason"] = f"{BARRED}{'; '.join(complaints)}"


def was_rejected(row: Mapping[str, Any]) -> bool:
    """Whether a guard of the committee keeps it from winning."""
    return any(words != PASSED for words in row["guards"].values())


def optimised_by(row: Mapping[str, Any]) -> frozenset[str]:
    """The scores that the training of the row's trial drives up, which may not judge it."""
    method = METHODS.get(row["plan"]["adaptation"]["method"])
    return frozenset() if method is None else method.optimises


def judged_rows(rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Those that finished and are over no limit, whatever guards said of them before."""
    return [row for row in rows if row["status"] == "complete" and not (is_barred(row) and not was_rejected(row))]


def _reference(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The best `source_only` by source accuracy; where none finished, the best trial without adaptation."""
    named = [row for row in rows if SOURCE_ONLY in (row["baseline"], row["baseline_of"])]
    plain = [row for row in rows if row["plan"]["adaptation"]["method"] == NO_METHOD]
    return min(named or plain, key=_place_on_source, default=None)


def _place_on_source(row: Mapping[str, Any]) -> tuple[float, float, int]:
    accuracy = source_score_of(row, "accuracy")
    return -accuracy if math.isfinite(accuracy) else math.inf, cost_of(row), row["trial"]
