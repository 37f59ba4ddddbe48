"""Which model to use where no target label says: a committee behind guards, and source-only unless the evidence
against it is clear.

Every score of a single model picks disasters, and which is best changes with the task (`docs/how-it-works.md`, "Who
wins"). So models that broke are kept out first, and the others are compared with each other: by what all of them
say together, and by whether the classes that they name are regions of the target. No method of adaptation trains for
either. The best is believed only where it beats the model that never saw the target by more than noise.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autotl.scoring.candidates import REFERENCE, RULE, Candidate, Rule
from autotl.scoring.comparison import cannot_be_told_apart, difference_ends
from autotl.scoring.components import sampled
from autotl.scoring.consensus import CONSENSUS, trust_in_neighbours
from autotl.scoring.guards import PASSED, guards_of, why_the_source_is_useless
from autotl.scoring.metrics import Values
from autotl.scoring.neighbours import NEIGHBOURS
from autotl.scoring.panel import Panel, PanelScore, Places, nearest_rows
from autotl.scoring.resampling import Units

MEMBERS: Mapping[str, PanelScore] = {"consensus": CONSENSUS, "neighbours": NEIGHBOURS}


@dataclass(frozen=True)
class Verdict:
    """What the committee decided.

    Attributes:
        values: weighted mean of percentile ranks of each trial, 0 to 1; None for those rejected.
        guards: what each guard says of each trial, `PASSED` or why not.
        groups: trials that may win, best first, those of one group not to be told apart; the pick is the very first.
        rejected: the others, the best on the source first.
        pick: the winner; None where none can be defended.
        fell_back: whether the pick is source-only although another ranked higher.
        reason: why this one, in words that begin after "because".
        better: of the best against source-only: member → share of the resamples in which it scores higher.
        scores: by member, of each trial that it can judge.
        weights: of the members, by name; they add up to 1.
    """

    values: Mapping[int, float | None]
    guards: Mapping[int, Mapping[str, str]]
    groups: tuple[tuple[int, ...], ...] = ()
    rejected: tuple[int, ...] = ()
    pick: int | None = None
    fell_back: bool = False
    reason: str = ""
    reference: int | None = None
    better: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, ...]:
        """Every trial, the pick first."""
        return (*(trial for group in self.groups for trial in group), *self.rejected)


def judge(candidates: Sequence[Candidate], *, seed: int, rule: Rule = RULE, nearest: Places | None = None) -> Verdict:
    """Guards, ranks, ties, and source-only unless the best is clearly better than it. The order given plays no part.

    Args:
        nearest: neighbours of the target's sampled rows; those by source-only's features where left out.
    """
    everyone = sorted(candidates, key=lambda each: each.trial)
    useless = why_the_source_is_useless(everyone, rule)
    if useless is not None:
        return _nobody(everyone, {each.trial: {"source": useless} for each in everyone}, useless)
    guards = {each.trial: guards_of(each, everyone, rule) for each in everyone}
    survivors = [each for each in everyone if all(words == PASSED for words in guards[each.trial].values())]
    if not survivors:
        return _nobody(everyone, guards, "every trial was rejected, and there is no source-only model to fall back to")
    verdict = _Hearing.hold(survivors, nearest, seed=seed, rule=rule).verdict()
    out = [each for each in everyone if each not in survivors]
    values: dict[int, float | None] = {**verdict.values, **{each.trial: None for each in out}}
    return replace(verdict, values=values, guards=guards, rejected=_on_source(out))


def percentile_ranks(values: Values) -> Values:
    """The share of the others that each is better than, equals counted half, by column; NaN where it has no value.

    Args:
        values: more is better, shape (candidates, draws).
    """
    from scipy.stats import rankdata

    known = np.isfinite(values)
    unknown = (~known).sum(axis=0)
    below = rankdata(np.where(known, values, -math.inf), axis=0) - unknown - 1  # equals share their mean rank
    rivals = known.sum(axis=0) - 1
    ranks = np.where(rivals > 0, below / np.maximum(rivals, 1), 1.0)
    return np.asarray(np.where(known, ranks, math.nan))


@dataclass(frozen=True)
class _Hearing:
    """The survivors with what the members say of them, by all examples and in each resample."""

    survivors: Sequence[Candidate]  # by trial
    rule: Rule
    weights: Mapping[str, float]  # of the members that can judge at all
    scores: Mapping[str, Mapping[int, float]]
    drawn: Mapping[str, Mapping[int, Values]]  # the scores in each resample, shape (draws,)
    values: Mapping[int, float]  # weighted mean of percentile ranks
    ranks: Mapping[int, Values]  # the same in each resample

    @classmethod
    def hold(cls, survivors: Sequence[Candidate], nearest: Places | None, *, seed: int, rule: Rule) -> "_Hearing":
        heard = _comparable(survivors)
        if not heard:
            return cls(survivors, rule, {}, {}, {}, {each.trial: 0.0 for each in survivors}, {})
        places = sampled(len(heard[0].evidence["target_probabilities"]))
        neighbours = _nearest(heard) if nearest is None else nearest
        panel = Panel([each.evidence["target_probabilities"][places] for each in heard], neighbours)
        trust = trust_in_neighbours(panel) ** rule.trust_power
        weights = {"consensus": 1 - trust} | ({} if neighbours is None else {"neighbours": trust})
        trials = [each.trial for each in heard]
        plain, drawn = {}, {}
        for name in weights:
            of_draws = MEMBERS[name].of_draws(panel)
            plain[name] = np.array([each(np.ones((1, panel.rows))) for each in of_draws])
            blocks = Units.of(np.zeros(panel.rows, dtype=np.int64), None).bootstrap(seed=seed, draws=rule.draws)
            drawn[name] = np.concatenate([[each(block) for each in of_draws] for block in blocks], axis=1)
        values = sum(weight * percentile_ranks(plain[name]) for name, weight in weights.items())
        ranks = sum(weight * percentile_ranks(drawn[name]) for name, weight in weights.items())
        return cls(
            survivors,
            rule,
            weights,
            {name: dict(zip(trials, each[:, 0].tolist(), strict=True)) for name, each in plain.items()},
            {name: dict(zip(trials, each, strict=True)) for name, each in drawn.items()},
            {each.trial: 0.0 for each in survivors} | dict(zip(trials, values[:, 0].tolist(), strict=True)),
            dict(zip(trials, ranks, strict=True)),
        )

    @property
    def reference(self) -> Candidate | None:
        return next((each for each in self.survivors if each.is_reference), None)

    def verdict(self) -> Verdict:
        reference, groups = self.reference, list(self._tie_groups())
        leaders = groups[0]
        verdict = Verdict(
            self.values,
            {},
            reference=None if reference is None else reference.trial,
            scores=self.scores,
            weights=self.weights,
        )
        if reference is None:
            pick, reason = leaders[0], "it ranks highest; there was no source-only model to compare it with"
        elif reference in leaders:
            alone = len(self.survivors) == 1
            pick = reference
            reason = "every other trial was rejected" if alone else "no other trial ranks higher"
            verdict = replace(verdict, fell_back=alone)
        else:
            best = min(leaders, key=self._place)
            wins = self._beats(best, reference)
            pick = next(each for each in leaders if self._beats(each, reference)) if wins else reference
            better = self._better(pick if wins else best, reference)
            verdict = replace(verdict, fell_back=not wins, better=better)
            reason = self._why(best, better, won=wins)
        groups = [[each for each in group if each is not pick] for group in groups]
        first = groups.pop(0) if pick in leaders else []
        ordered = [[pick, *first], *(group for group in groups if group)]
        numbers = tuple(tuple(each.trial for each in group) for group in ordered)
        return replace(verdict, groups=numbers, pick=pick.trial, reason=reason)

    def _why(self, best: Candidate, better: Mapping[str, float], *, won: bool) -> str:
        shares = " and ".join(f"by {MEMBERS[name].spoken} in {100 * share:.0f} %" for name, share in better.items())
        if won:
            return f"it scores higher than {REFERENCE} {shares} of the resamples of the examples"
        least = f"{100 * self.rule.beaten_draws:.0f} %"
        seen = f"{shares} of the resamples, and {least} are asked for by one of them" if shares else "by no score"
        return f"trial {best.trial}, which ranks highest, is not clearly better: it scores higher {seen}"

    def _tie_groups(self) -> Iterator[list[Candidate]]:
        """The best left and those that cannot be told apart from it, the cheapest first. Source-only is alone: whether
        the best may take its place is asked more strictly."""
        left = sorted(self.survivors, key=self._place)
        while left:
            best = left[0]
            tied = [] if best.is_reference else [each for each in left[1:] if self._are_tied(best, each)]
            yield sorted([best, *tied], key=lambda each: (each.cost, each.trial))
            left = [each for each in left[1:] if each not in tied]

    def _are_tied(self, best: Candidate, other: Candidate) -> bool:
        if other.is_reference:
            return False
        if best.trial not in self.ranks or other.trial not in self.ranks:  # nothing is known of the noise
            return self.values[best.trial] == self.values[other.trial]
        difference = self.ranks[best.trial] - self.ranks[other.trial]
        return cannot_be_told_apart(difference_ends(difference, level=self.rule.tie_level))

    def _place(self, one: Candidate) -> tuple[float, float, int]:
        return -self.values[one.trial], one.cost, one.trial

    def _better(self, one: Candidate, reference: Candidate) -> dict[str, float]:
        """By each member that can judge both: the share of resamples in which the first scores higher."""
        return {
            name: float((drawn[one.trial] > drawn[reference.trial]).mean())
            for name, drawn in self.drawn.items()
            if one.trial in drawn and reference.trial in drawn
        }

    def _beats(self, one: Candidate, reference: Candidate) -> bool:
        shares = self._better(one, reference).values()
        ranks_higher = self.values[one.trial] > self.values[reference.trial]
        return ranks_higher and any(share >= self.rule.beaten_draws for share in shares)


def _comparable(survivors: Sequence[Candidate]) -> list[Candidate]:
    """Those that spoke of the same inputs: as many as source-only, or as the first where it is not there."""
    known = [each for each in survivors if len(each.evidence.get("target_probabilities", ()))]
    first = next((each for each in known if each.is_reference), known[0] if known else None)
    if first is None:
        return []
    shape = first.evidence["target_probabilities"].shape
    return [each for each in known if each.evidence["target_probabilities"].shape == shape]


def _nearest(heard: Sequence[Candidate]) -> Places | None:
    """Neighbours by the features of source-only, or where it has none of the best on the source that has some."""
    rows = len(heard[0].evidence["target_probabilities"])
    order = sorted(heard, key=lambda each: (not each.is_reference, *_place_on_source(each)))
    for each in order:
        features = each.evidence.get("target_features")
        if features is not None and len(features) == rows:
            found = nearest_rows(features)
            if found is not None:
                return found
    return None


def _nobody(everyone: Sequence[Candidate], guards: Mapping[int, Mapping[str, str]], reason: str) -> Verdict:
    reference = next((each.trial for each in everyone if each.is_reference), None)
    values = dict.fromkeys((each.trial for each in everyone), None)
    return Verdict(values, guards, rejected=_on_source(everyone), reason=reason, reference=reference)


def _on_source(candidates: Sequence[Candidate]) -> tuple[int, ...]:
    return tuple(each.trial for each in sorted(candidates, key=_place_on_source))


def _place_on_source(one: Candidate) -> tuple[float, float, int]:
    accuracy = one.score("source_accuracy")
    return -accuracy if math.isfinite(accuracy) else math.inf, one.cost, one.trial
