"""Which model to use where no target label says: a committee of label-free scores behind guards, and source-only unless
the evidence against it is clear.

Every single score picks disasters, and which is best changes with the task (`design/domain-adaptation.md`, section 2).
So models that broke are kept out first, the others are ranked by several scores at once, and the best is believed only
where it beats the model that never saw the target by more than the noise of the target's examples.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autotl.adaptation.label_shift import maximum_likelihood_prior
from autotl.scoring import LABEL_FREE_SCORES
from autotl.scoring.comparison import cannot_be_told_apart, difference_ends
from autotl.scoring.intervals import wilson
from autotl.scoring.label_free import Evidence, Reading
from autotl.scoring.metrics import Labels, Values, predicted_labels
from autotl.scoring.mixval import MIXVAL
from autotl.scoring.resampling import Units

WITNESSES = ("class_ami", "infomax", "mixval")
MEMBERS = (*WITNESSES, "source_accuracy")

PASSED = "passed"
SOURCE_ONLY = "source-only"
SPOKEN = {"infomax": "InfoMax", "mixval": "MixVal", "class_ami": "ClassAMI", "source_accuracy": "source accuracy"}
CLASSES_PREDICTED = "classes_predicted"  # among a trial's scores: how many classes it names on the target
CHANGED = "changed"  # of an exported source's predictions on the target, the share that the trial changed
DEVIATION = "_deviation"  # behind a member's name: how much the score varies over resamples of its examples


@dataclass(frozen=True)
class Rule:
    """The committee's constants.

    Attributes:
        members: the scores whose ranks are averaged; names of `LABEL_FREE_SCORES`.
        largest_source_loss: source accuracy below the best candidate's by more than this is a broken model. Of 2 to 20
            points and no guard, 10 gave the least regret on the public records.
        largest_change: more predictions than this share differ from those of the exported model that the trial started
            from. Where the source's examples are not here this stands for its accuracy there.
        largest_shift: total variation between a model's class shares and those that can be explained.
        witnesses: the members that are asked whether the best is better than source-only. Not source accuracy: it falls
            a little with every adaptation, so that it would speak for source-only always.
        beaten_draws: a witness says "better" where that holds in this share of the resamples.
        beaten_witnesses: this share of the witnesses must say so, rounded up.
        tie_level: of the interval of a difference in rank that must leave out 0 for two models to differ. At 0.90 most
            trials are tied, and the cheapest of them is worse than the best by half a point.
        draws: resamples of the examples.
        useful_level: of the intervals that tell a source from one whose labels mean nothing.
    """

    members: tuple[str, ...] = MEMBERS
    witnesses: tuple[str, ...] = WITNESSES
    largest_source_loss: float = 0.10
    largest_change: float = 0.5
    largest_shift: float = 0.5
    beaten_draws: float = 0.99
    beaten_witnesses: float = 1.0
    tie_level: float = 0.50
    draws: int = 200
    useful_level: float = 0.95


# Whichever family of tasks is left out of the choice, the rule of least regret on the others among those that seldom
# fall below source-only (`python -m benchmarks.selection`).
RULE = Rule()


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trained model as the committee sees it.

    Attributes:
        scores: label-free scores by name. Where a member's is missing (a tree cannot mix inputs) it is taken to be as
            good as source-only, since a sure model judged by InfoMax alone would always win; one that is no number
            rejects it.
        evidence: what the scores were computed from; empty where it is not known.
        optimises: scores that its own training drives up, which may not judge it.
        is_reference: whether it is the source-only model that the others are compared with.
        cost: of one prediction, in any unit.
        mixed_at: names the place in its network at which inputs were mixed for it. A network that is linear from there
            on reads every mixture well, so MixVal compares only models that were mixed at the same place.
        drawn: scores in resamples of the examples that were drawn before, by name, shape (draws,); the same resamples
            for all candidates. Those left out are drawn from the evidence.
    """

    trial: int
    scores: Mapping[str, float | None]
    evidence: Evidence
    optimises: frozenset[str] = frozenset()
    is_reference: bool = False
    cost: float = math.inf
    drawn: Mapping[str, Values] = field(default_factory=dict)
    mixed_at: str = ""

    def score(self, name: str) -> float:
        """One of its scores; NaN where there is none."""
        value = self.scores.get(name)
        return math.nan if value is None else float(value)

    def judges(self, members: Sequence[str]) -> tuple[str, ...]:
        """The members that may judge it."""
        return tuple(name for name in members if name not in self.optimises)


@dataclass(frozen=True)
class Verdict:
    """What the committee decided.

    Attributes:
        values: mean percentile rank of each trial, 0 to 1; None for those rejected.
        guards: what each guard says of each trial, `PASSED` or why not.
        groups: trials that may win, best first, those of one group not to be told apart; the pick is the very first.
        rejected: the others, the best on the source first.
        pick: the winner; None where none can be defended.
        fell_back: whether the pick is source-only although another ranked higher.
        reason: why this one, in words that begin after "because".
        better: of the pick against source-only: member → share of the resamples in which it scores higher.
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

    @property
    def order(self) -> tuple[int, ...]:
        """Every trial, the pick first."""
        return (*(trial for group in self.groups for trial in group), *self.rejected)


def judge(candidates: Sequence[Candidate], *, seed: int, rule: Rule = RULE) -> Verdict:
    """Guards, ranks, ties, and source-only unless the best is clearly better than it. The order given plays no part."""
    everyone = sorted(candidates, key=lambda each: each.trial)
    useless = _why_the_source_is_useless(everyone, rule)
    if useless is not None:
        return _nobody(everyone, {each.trial: {"source": useless} for each in everyone}, useless)
    guards = {each.trial: _guards(each, everyone, rule) for each in everyone}
    survivors = [each for each in everyone if all(words == PASSED for words in guards[each.trial].values())]
    if not survivors:
        return _nobody(everyone, guards, "every trial was rejected, and there is no source-only model to fall back to")
    verdict = _Hearing.hold(survivors, seed=seed, rule=rule).verdict()
    out = [each for each in everyone if each not in survivors]
    values: dict[int, float | None] = {**verdict.values, **{each.trial: None for each in out}}
    return replace(verdict, values=values, guards=guards, rejected=_on_source(out))


def deviations(evidence: Evidence, *, seed: int, rule: Rule = RULE) -> dict[str, float]:
    """How much each member varies over resamples of the examples, by its name and `_deviation`."""
    found = {name: in_draws([evidence], name, seed=seed, rule=rule)[0] for name in rule.members}
    return {f"{name}{DEVIATION}": float(np.std(values)) for name, values in found.items() if np.isfinite(values).all()}


def in_draws(evidence: Sequence[Evidence], name: str, *, seed: int, rule: Rule = RULE) -> Values:
    """A score of each model in the same resamples of its examples, shape (models, draws); NaN where it is not known."""
    score = LABEL_FREE_SCORES[name]
    found = np.full((len(evidence), rule.draws), math.nan)
    if score.of_draws is None:
        return found
    counted: Reading = "source_labels" if score.reads_source else "target_probabilities"
    readable = [(index, each) for index, each in enumerate(evidence) if score.is_readable(each)]
    if not readable or not len(readable[0][1][counted]):
        return found
    examples = len(readable[0][1][counted])
    of_draws = {
        index: score.of_draws(*score.readings(each)) for index, each in readable if len(each[counted]) == examples
    }
    strata = readable[0][1]["source_labels"] if score.reads_source else np.zeros(examples, dtype=np.int64)
    start = 0
    for weights in Units.of(strata, None).bootstrap(seed=seed, draws=rule.draws):
        for index, draw in of_draws.items():
            found[index, start : start + len(weights)] = draw(weights)
        start += len(weights)
    return found


def classes_predicted(evidence: Evidence) -> int:
    """How many classes a model names on the target."""
    return len(np.unique(predicted_labels(evidence["target_probabilities"])))


def percentile_ranks(values: Values) -> Values:
    """The share of the others that each is better than, equals counted half, by column; NaN where it has no value.

    Args:
        values: more is better, shape (candidates, draws).
    """
    known = np.isfinite(values)
    mine, others = values[:, None], np.where(known, values, math.nan)[None]
    below = (mine > others).sum(axis=1) + 0.5 * ((mine == others).sum(axis=1) - 1)
    rivals = known.sum(axis=0) - 1
    ranks = np.where(rivals > 0, below / np.maximum(rivals, 1), 1.0)
    return np.asarray(np.where(known, ranks, math.nan))


@dataclass(frozen=True)
class _Hearing:
    """The survivors with what the members say of them, by all examples and in each resample."""

    survivors: Sequence[Candidate]  # by trial
    rule: Rule
    values: Mapping[int, float]  # mean percentile rank
    ranks: Mapping[int, Values]  # the same in each resample, shape (draws,)
    scores: Mapping[str, Mapping[int, Values]]  # by member: the score of those it may judge in each resample

    @classmethod
    def hold(cls, survivors: Sequence[Candidate], *, seed: int, rule: Rule) -> "_Hearing":
        plain: dict[str, Values] = {}
        drawn: dict[str, Values] = {}
        reference = [index for index, each in enumerate(survivors) if each.is_reference]
        for name in rule.members:
            plain[name] = np.array([[each.score(name)] for each in survivors])
            drawn[name] = _drawn(survivors, name, seed=seed, rule=rule)
            for scores in (plain[name], drawn[name]):
                scores[[name not in each.scores for each in survivors]] = scores[reference] if reference else math.nan
                scores[[name in each.optimises for each in survivors]] = math.nan
        trials = [each.trial for each in survivors]
        values = _mean_of_known([_ranks(name, scores, survivors) for name, scores in plain.items()])[:, 0]
        ranks = _mean_of_known([_ranks(name, scores, survivors) for name, scores in drawn.items()])
        return cls(
            survivors,
            rule,
            {trial: float(np.nan_to_num(value)) for trial, value in zip(trials, values, strict=True)},
            dict(zip(trials, ranks, strict=True)),
            {name: dict(zip(trials, scores, strict=True)) for name, scores in drawn.items()},
        )

    @property
    def reference(self) -> Candidate | None:
        return next((each for each in self.survivors if each.is_reference), None)

    def verdict(self) -> Verdict:
        reference, groups = self.reference, list(self._tie_groups())
        leaders = groups[0]
        verdict = Verdict(self.values, {}, reference=None if reference is None else reference.trial)
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
        shares = " and ".join(f"{SPOKEN.get(name, name)} in {100 * share:.0f} %" for name, share in better.items())
        if won:
            return f"it scores higher than {SOURCE_ONLY} by {shares} of the resamples of the examples"
        least = f"{100 * self.rule.beaten_draws:.0f} %"
        seen = f"by {shares} of the resamples, and {least} are asked for" if shares else "by no score that may judge it"
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
        difference = self.ranks[best.trial] - self.ranks[other.trial]
        if not np.isfinite(difference).any():  # nothing is known of the noise
            return self.values[best.trial] == self.values[other.trial]
        return cannot_be_told_apart(difference_ends(difference, level=self.rule.tie_level))

    def _place(self, one: Candidate) -> tuple[float, float, int]:
        return -self.values[one.trial], one.cost, one.trial

    def _better(self, one: Candidate, reference: Candidate) -> dict[str, float]:
        """By each witness that may judge both, can compare them and does not find them the same: the share of resamples
        in which the first scores higher."""
        shares = {}
        for name in one.judges([name for name in self.rule.members if name in self.rule.witnesses]):
            mine, others = (self.scores[name][each.trial] for each in (one, reference))
            is_saturated = name in one.scores and np.array_equal(mine, others)
            if np.isfinite(others).any() and not is_saturated and are_comparable(name, one, reference):
                shares[name] = float((mine > others).mean())
        return shares

    def _beats(self, one: Candidate, reference: Candidate) -> bool:
        shares = self._better(one, reference).values()
        agreeing = sum(share >= self.rule.beaten_draws for share in shares)
        ranks_higher = self.values[one.trial] > self.values[reference.trial]
        return ranks_higher and agreeing >= max(math.ceil(self.rule.beaten_witnesses * len(shares)), 1)


def are_comparable(name: str, one: Candidate, other: Candidate) -> bool:
    """Whether a member's scores of two candidates can be compared: see `Candidate.mixed_at`."""
    return name != MIXVAL.name or one.mixed_at == other.mixed_at or name not in one.scores


def _ranks(name: str, scores: Values, candidates: Sequence[Candidate]) -> Values:
    """Percentile ranks among those that a member can compare; where it can compare one with no other, it says nothing.

    Args:
        scores: shape (candidates, draws).
    """
    if name != MIXVAL.name:
        return percentile_ranks(scores)
    ranks = np.full(scores.shape, math.nan)
    reference = next((each for each in candidates if each.is_reference), None)
    places = [  # a model that cannot be mixed was given the reference's score
        reference.mixed_at if reference is not None and name not in each.scores else each.mixed_at
        for each in candidates
    ]
    for place in set(places):
        there = [index for index, each in enumerate(places) if each == place]
        if len(there) > 1:
            ranks[there] = percentile_ranks(scores[there])
    return ranks


def _guards(one: Candidate, everyone: Sequence[Candidate], rule: Rule) -> dict[str, str]:
    """What each guard says, in words."""
    names = ("source_accuracy", "changes", "classes", "class_shares", "finite")
    if one.is_reference:
        return dict.fromkeys(names, PASSED)
    reference = next((each for each in everyone if each.is_reference), None)
    found = (
        _of_source(one, everyone, rule),
        _of_changes(one, rule),
        None if reference is None else _of_classes(one, reference),
        None if reference is None else _of_shares(one, reference, rule),
        _of_scores(one, rule),
    )
    return {name: words or PASSED for name, words in zip(names, found, strict=True)}


def _of_source(one: Candidate, everyone: Sequence[Candidate], rule: Rule) -> str | None:
    known = [score for each in everyone if math.isfinite(score := each.score("source_accuracy"))]
    own = one.score("source_accuracy")
    if not known or own >= max(known) - rule.largest_source_loss:
        return None
    return (
        f"source accuracy {own:.2f}, more than {rule.largest_source_loss:.2f} below the best trial's {max(known):.2f}"
    )


def _of_changes(one: Candidate, rule: Rule) -> str | None:
    changed = one.score(CHANGED)
    if not changed > rule.largest_change:  # nor where it is not known: there was no model to start from
        return None
    return f"changed {100 * changed:.0f} % of the predictions of the model that it started from"


def _of_classes(one: Candidate, reference: Candidate) -> str | None:
    if not (one.evidence and reference.evidence):
        return None
    own, all_of_them = classes_predicted(one.evidence), one.evidence["target_probabilities"].shape[1]
    if own == all_of_them or classes_predicted(reference.evidence) < all_of_them:
        return None
    return f"names {own} of {all_of_them} classes on the target, {SOURCE_ONLY} names them all"


def _of_shares(one: Candidate, reference: Candidate, rule: Rule) -> str | None:
    """A collapse moves class shares away from every explanation: those of the source, and those that source-only's
    predictions make likeliest. The second alone would reject good models where source-only is a poor guide."""
    if not (one.evidence and reference.evidence):
        return None
    shares = one.evidence["target_probabilities"].astype(np.float64).mean(axis=0)
    explained = _source_shares(reference.evidence, len(shares))
    moved = 0.5 * float(np.abs(shares - explained).sum())
    if moved > rule.largest_shift:
        likeliest = maximum_likelihood_prior(reference.evidence["target_probabilities"], explained)
        moved = min(moved, 0.5 * float(np.abs(shares - likeliest).sum()))
    if not moved > rule.largest_shift:  # nor where it is no number: another guard says so
        return None
    return f"{100 * moved:.0f} % of its target predictions are more than its classes' shares can explain"


def _source_shares(evidence: Evidence, classes: int) -> Values:
    """(classes,) of the source's classes, none of them 0 where they are counted."""
    if "source_shares" in evidence:
        return np.asarray(evidence["source_shares"], dtype=np.float64)
    counts = np.bincount(evidence["source_labels"], minlength=classes) + 1.0
    return np.asarray(counts / counts.sum())


def _of_scores(one: Candidate, rule: Rule) -> str | None:
    judges = [name for name in one.judges(rule.members) if name in one.scores]
    if not any(name in rule.witnesses for name in judges):
        return "no score can judge it but those that its own training drives up"
    broken = [name for name in judges if not math.isfinite(one.score(name))]
    return f"{', '.join(broken)} cannot be computed for it" if broken else None


def _why_the_source_is_useless(everyone: Sequence[Candidate], rule: Rule) -> str | None:
    """In words, where no model reads held-out source examples better than by chance; None where one does.

    Chance is what its predictions would score were the labels shuffled, which is the share of the largest class for a
    model that names only that. The intervals are Wilson's, corrected for there being so many models.
    """
    known = [each for each in everyone if len(each.evidence.get("source_labels", ()))]
    if not known:
        return None
    level = 1 - (1 - rule.useful_level) / len(known)
    best, chance_of_best = 0.0, 0.0
    for each in known:
        labels, said = each.evidence["source_labels"], predicted_labels(each.evidence["source_probabilities"])
        right, chance = int((said == labels).sum()), _agreement_by_chance(labels, said)
        if wilson(right, len(labels), level=level)[0] > chance:
            return None
        if right / len(labels) >= best:
            best, chance_of_best = right / len(labels), chance
    return (
        f"the source teaches nothing: the best trial reads {100 * best:.0f} % of its held-out examples right, and "
        f"{100 * chance_of_best:.0f} % would be right by chance. Are its labels shuffled?"
    )


def _agreement_by_chance(labels: Labels, said: Labels) -> float:
    classes = int(max(labels.max(), said.max())) + 1
    one, other = (np.bincount(each, minlength=classes) / len(each) for each in (labels, said))
    return float(one @ other)


def _nobody(everyone: Sequence[Candidate], guards: Mapping[int, Mapping[str, str]], reason: str) -> Verdict:
    reference = next((each.trial for each in everyone if each.is_reference), None)
    values = dict.fromkeys((each.trial for each in everyone), None)
    return Verdict(values, guards, rejected=_on_source(everyone), reason=reason, reference=reference)


def _on_source(candidates: Sequence[Candidate]) -> tuple[int, ...]:
    def place(one: Candidate) -> tuple[float, float, int]:
        accuracy = one.score("source_accuracy")
        return -accuracy if math.isfinite(accuracy) else math.inf, one.cost, one.trial

    return tuple(each.trial for each in sorted(candidates, key=place))


def _drawn(candidates: Sequence[Candidate], name: str, *, seed: int, rule: Rule) -> Values:
    if all(name in each.drawn for each in candidates):
        return np.stack([each.drawn[name] for each in candidates])
    return in_draws([each.evidence for each in candidates], name, seed=seed, rule=rule)


def _mean_of_known(ranks: Sequence[Values]) -> Values:
    """Mean over members, element by element, of those that are known; NaN where none is."""
    stacked = np.stack(ranks)
    known = np.isfinite(stacked).sum(axis=0)
    sums = np.where(np.isfinite(stacked), stacked, 0.0).sum(axis=0)
    return np.asarray(np.divide(sums, known, out=np.full(sums.shape, math.nan), where=known > 0))
