"""A trained model as it is judged without target labels, and the constants by which that is done."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autotl.scoring.label_free import Evidence

REFERENCE = "source-only"  # what sentences call the trial that others are held against
EXPECTED_ON = "source_expected_on"  # so many held-out source examples of which only sums are here: no figure is counted
CHANGED = "changed"  # of an exported source's predictions on the target, the share that the trial changed


@dataclass(frozen=True)
class Rule:
    """The committee's constants.

    Attributes:
        searched_by: the scores of a single trial that tell the search how far it is above source-only; names of
            `LABEL_FREE_SCORES`. One that is no number rejects a trial.
        largest_source_loss: source accuracy below the best candidate's by more than this is a broken model. Of 2 to 20
            points and no guard, 10 gave the least regret on the public records.
        largest_change: more predictions than this share differ from those of the exported model that the trial started
            from. Where the source's examples are not here this stands for its accuracy there.
        largest_shift: total variation between a model's class shares and those that can be explained.
        trust_power: neighbours are heard as much as they agree on the consensus, to this power. Between 1 and 6 it
            matters little.
        beaten_draws: a member finds a model better than source-only where that holds in this share of the resamples.
        tie_level: of the interval of a difference in rank that must leave out 0 for two models to differ. At 0.90 most
            trials are tied, and the cheapest of them is worse than the best by half a point.
        draws: resamples of the examples.
        useful_level: of the intervals that tell a source from one whose labels mean nothing.
    """

    searched_by: tuple[str, ...] = ("class_ami", "infomax", "mixval", "source_accuracy")
    largest_source_loss: float = 0.10
    largest_change: float = 0.5
    largest_shift: float = 0.5
    trust_power: float = 2.0
    beaten_draws: float = 0.95
    tie_level: float = 0.50
    draws: int = 200
    useful_level: float = 0.95


# Chosen on whole families of tasks but the one that it is measured on (`python -m benchmarks.selection --variants`).
RULE = Rule()


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trained model as the committee sees it.

    Attributes:
        scores: label-free scores of the model alone, by name.
        evidence: what the scores were computed from; empty where it is not known.
        optimises: scores that its own training drives up, which may not judge it.
        is_reference: whether it is the source-only model that the others are compared with.
        cost: of one prediction, in any unit.
    """

    trial: int
    scores: Mapping[str, float | None]
    evidence: Evidence
    optimises: frozenset[str] = frozenset()
    is_reference: bool = False
    cost: float = math.inf

    def score(self, name: str) -> float:
        """One of its scores; NaN where there is none."""
        value = self.scores.get(name)
        return math.nan if value is None else float(value)

    def judges(self, scores: Sequence[str]) -> tuple[str, ...]:
        """Those of the scores that may judge it."""
        return tuple(name for name in scores if name not in self.optimises)
