"""The rules that are compared. Each sees the trials of a pool as a search would, never their true accuracy."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from autotl.leaderboard.without_labels import NO_METHOD, mean_of_pool
from autotl.scoring.committee import RULE, Candidate, Rule, judge, percentile_ranks
from autotl.scoring.ensv import ensv
from benchmarks.selection.pools import Pool, Trial

GATE = 0.10  # of source accuracy, the width that did best on the public records

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Choice:
    """What a rule makes of a pool.

    Attributes:
        place: of the trial that it picks; None where it names no winner.
        values: by which it orders the trials, more is better, -inf for those it rejects; None for a rule without any.
    """

    place: int | None
    values: Values | None = None


Choose = Callable[[Pool], Choice]


def source_only(pool: Pool) -> Choice:
    """No adaptation, whatever the scores say."""
    return Choice(pool.trials.index(pool.reference))


def highest(pool: Pool, *, score: str, gate: float = math.inf) -> Choice:
    """The highest score, among trials whose source accuracy is at most the gate below the best one's."""
    return _first(_scores(pool, score), _passes(pool, gate))


def agreement(pool: Pool) -> Choice:
    """EnsV: the trial that names most often what all of this pool's name together."""
    said = [trial.candidate.evidence["target_probabilities"] for trial in pool.trials]
    together = mean_of_pool(said)
    return _first(np.array([ensv(each, together) for each in said]), np.ones(len(said), dtype=bool))


def highest_mean_rank(pool: Pool, *, scores: Sequence[str]) -> Choice:
    """The highest mean of percentile ranks; a score that a trial lacks ranks it last."""
    values = [np.where(np.isnan(found := _scores(pool, name)), -1e9, found) for name in scores]
    ranks = np.mean([percentile_ranks(value[:, None])[:, 0] for value in values], axis=0)
    return _first(ranks, np.ones(len(ranks), dtype=bool))


@dataclass(frozen=True)
class ByCommittee:
    """autotl's own, with constants of its own.

    Attributes:
        objecting_draws: a witness objects where it says "better" in at most this share of the resamples, and one that
            objects is enough to stay with source-only.
        recuses: whether a score may not judge trials whose own training drives it up.
        reference: which trial counts as source-only.
    """

    rule: Rule = RULE
    objecting_draws: float = -1.0
    recuses: bool = True
    reference: Callable[[Pool], Trial] = lambda pool: pool.reference

    def __call__(self, pool: Pool) -> Choice:
        reference = self.reference(pool)
        candidates = [self._seen(trial, is_reference=trial is reference) for trial in pool.trials]
        verdict = judge(candidates, seed=pool.seed, rule=self.rule)
        numbers = [trial.number for trial in pool.trials]
        objects = any(share <= self.objecting_draws for share in verdict.better.values())
        pick = verdict.reference if objects else verdict.pick
        values = [verdict.values[number] for number in numbers]
        return Choice(
            None if pick is None else numbers.index(pick),
            np.array([-math.inf if value is None else value for value in values]),
        )

    def _seen(self, trial: Trial, *, is_reference: bool) -> Candidate:
        optimises = trial.candidate.optimises if self.recuses else frozenset[str]()
        return replace(trial.candidate, optimises=optimises, is_reference=is_reference)


def first_unadapted(pool: Pool) -> Trial:
    """The trial without adaptation that came first, however good it is on the source."""
    plain = [trial for trial in pool.trials if trial.method == NO_METHOD]
    return min(plain or [pool.reference], key=lambda trial: trial.number)


RANKED_BY: Mapping[str, tuple[str, ...]] = {
    "InfoMax, MixVal": ("infomax", "mixval"),
    "ClassAMI, MixVal": ("class_ami", "mixval"),
    "ClassAMI, InfoMax, MixVal": ("class_ami", "infomax", "mixval"),
    "those and source accuracy": ("class_ami", "infomax", "mixval", "source_accuracy"),
}
ALL_FOUR = "those and source accuracy"
NEVER = "never falls back"
ALL, MOST, HALF = 1.0, 0.75, 0.5


def committees() -> dict[str, Choose]:
    """Variants of our own rule: what ranks, and what must speak against source-only."""
    found: dict[str, Choose] = {}
    for name, members in RANKED_BY.items():
        of_target = tuple(member for member in members if member != "source_accuracy")
        ranked = replace(RULE, members=members, witnesses=of_target)
        for share in (0.8, 0.95, 0.99):
            asked = replace(ranked, beaten_draws=share, beaten_witnesses=ALL)
            found[f"{name}; all in {100 * share:.0f} %"] = ByCommittee(asked)
        half = replace(ranked, beaten_draws=0.8, beaten_witnesses=HALF)
        found[f"{name}; half in 80 %, none in 20 % or less"] = ByCommittee(half, objecting_draws=0.2)
        found[f"{name}; {NEVER}"] = ByCommittee(replace(ranked, beaten_draws=0.0))
        asked = replace(ranked, beaten_draws=0.95, beaten_witnesses=ALL)
        found[f"{name}; all in 95 %; judged by what they drive up, too"] = ByCommittee(asked, recuses=False)
    four = replace(RULE, members=RANKED_BY[ALL_FOUR], witnesses=RANKED_BY[ALL_FOUR])
    for spoken, share in (("three quarters", MOST), ("half", HALF)):
        asked = replace(four, beaten_draws=0.8, beaten_witnesses=share)
        found[f"{ALL_FOUR}; {spoken} in 80 %, source accuracy among them"] = ByCommittee(asked)
    return found


PUBLISHED: Mapping[str, Choose] = {
    "always source-only": source_only,
    "source accuracy": partial(highest, score="source_accuracy"),
    "InfoMax": partial(highest, score="infomax"),
    "MixVal": partial(highest, score="mixval"),
    "ClassAMI": partial(highest, score="class_ami"),
    "entropy": partial(highest, score="entropy"),
    "IWCV": partial(highest, score="iw_accuracy"),
    "DEV": partial(highest, score="dev"),
    "reverse validation": partial(highest, score="reverse_validation"),
    "SND": partial(highest, score="snd"),
    "Transfer Score": partial(highest, score="transfer_score"),
    "EnsV": agreement,
    "source accuracy within 10 points, then entropy": partial(highest, score="entropy", gate=GATE),
    "source accuracy within 10 points, then MixVal": partial(highest, score="mixval", gate=GATE),
    "source accuracy within 10 points, then ClassAMI": partial(highest, score="class_ami", gate=GATE),
    "mean rank of source accuracy, entropy, MixVal": partial(
        highest_mean_rank, scores=("source_accuracy", "entropy", "mixval")
    ),
}
OURS = "autotl (`auto`)"


def auto() -> Mapping[str, Choose]:
    """The rule as it is set, and with another model as source-only."""
    return {OURS: ByCommittee(), f"{OURS}, against the first unadapted trial": ByCommittee(reference=first_unadapted)}


def _scores(pool: Pool, name: str) -> Values:
    return np.array([trial.candidate.score(name) for trial in pool.trials])


def _passes(pool: Pool, gate: float) -> NDArray[np.bool_]:
    accuracy = _scores(pool, "source_accuracy")
    return np.asarray(accuracy >= np.nanmax(accuracy) - gate) if math.isfinite(gate) else np.ones(len(accuracy), bool)


def _first(values: Values, allowed: NDArray[np.bool_]) -> Choice:
    usable = np.where(allowed & ~np.isnan(values), values, -math.inf)
    return Choice(int(usable.argmax()), usable)
