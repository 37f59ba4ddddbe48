"""The rules that are compared. Each sees the trials of a pool as a search would, never their true accuracy."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from autotl.leaderboard.without_labels import NO_METHOD, mean_of_pool
from autotl.scoring.candidates import RULE, Rule
from autotl.scoring.committee import judge, percentile_ranks
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
        reference: which trial counts as source-only.
    """

    rule: Rule = RULE
    reference: Callable[[Pool], Trial] = lambda pool: pool.reference

    def __call__(self, pool: Pool) -> Choice:
        reference = self.reference(pool)
        candidates = [replace(each.candidate, is_reference=each is reference) for each in pool.trials]
        verdict = judge(candidates, seed=pool.seed, rule=self.rule, nearest=reference.nearest)
        numbers = [trial.number for trial in pool.trials]
        values = [verdict.values[number] for number in numbers]
        return Choice(
            None if verdict.pick is None else numbers.index(verdict.pick),
            np.array([-math.inf if value is None else value for value in values]),
        )


def first_unadapted(pool: Pool) -> Trial:
    """The trial without adaptation that came first, however good it is on the source."""
    plain = [trial for trial in pool.trials if trial.method == NO_METHOD]
    return min(plain or [pool.reference], key=lambda trial: trial.number)


POWERS = (0.0, 1.0, 2.0, 4.0, math.inf)  # of the trust in neighbours: they alone, less and less, not at all
BEATEN = (0.0, 0.8, 0.95, 0.99)  # share of resamples in which a member must find the best better; 0: never falls back


def committees() -> dict[str, Choose]:
    """Variants of our own rule: how much neighbours are heard, and what must speak against source-only."""
    return {
        f"trust to the power {power:g}; better in {100 * share:.0f} %": ByCommittee(
            replace(RULE, trust_power=power, beaten_draws=share)
        )
        for power in POWERS
        for share in BEATEN
    }


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
    "mean rank of ClassAMI, InfoMax, MixVal, source accuracy": partial(
        highest_mean_rank, scores=("class_ami", "infomax", "mixval", "source_accuracy")
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
