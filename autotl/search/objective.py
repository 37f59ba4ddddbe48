"""The number that Optuna is told of a trial.

Where the target has labels it is the trial's score. Where it has none it must be there when the trial ends, finite, and
mean the same at the end of the search as at its start, so it cannot be the committee's rank: it is how far the scores
of the trial alone are from source-only's, in units of their noise. The winner is not chosen by it; at the end all
trials are compared with each other.
"""

import math
from collections.abc import Mapping
from typing import Any, Protocol

from autotl.adaptation import METHODS
from autotl.plan.baselines import SOURCE_ONLY
from autotl.plan.plan import cut_key
from autotl.scoring.candidates import CHANGED, RULE, Rule
from autotl.scoring.guards import CLASSES_PREDICTED
from autotl.scoring.mixval import MIXVAL
from autotl.scoring.noise import DEVIATION
from autotl.search.proposer import Proposal

REJECTED = -1.0  # below everything that passes the guards
AS_GOOD = 0.0  # as source-only itself
HALF_WAY = 10.0  # deviations above source-only that are worth half of what can be reached
LEAST_DEVIATION = 1e-3  # of a score that is the same in every resample

Scores = Mapping[str, float | None]
Final = Mapping[str, Any]  # what a complete trial reports: its `score` and `scores`


class Objective(Protocol):
    """Turns what a trial reports into Optuna's number."""

    def started(self, proposal: Proposal) -> None:
        """A trial goes to a worker."""
        ...

    def ended(self, proposal: Proposal, final: Final | None) -> float | None:
        """The number; None, as `final`, for a trial that was not completed."""
        ...

    def promise(self, final: Final) -> float | None:
        """By what backbones are ordered, more is better; None where that is the number itself."""
        ...


class ScoreItself:
    """The trial's score."""

    def started(self, proposal: Proposal) -> None:
        """Nothing to note."""

    def ended(self, proposal: Proposal, final: Final | None) -> float | None:  # noqa: ARG002 - one shape for all
        """Its value."""
        return None if final is None else float(final["score"]["value"])

    def promise(self, final: Final) -> float | None:  # noqa: ARG002
        """The score, too."""
        return None


class GainOverSourceOnly:
    """Mean over scores of how far they rate a trial above source-only, between -1 and 1.

    The reference is the best `source_only` by source accuracy among those that have ended; when all have, it stays. A
    score's difference z, in deviations, is bounded as z / (10 + |z|): tens of deviations are common on large targets,
    and unbounded one score would decide alone, and a poor honest model would stand below a collapsed one, which is
    worth -1. Without a source-only trial the number is source accuracy.
    """

    def __init__(self, rule: Rule = RULE) -> None:
        self._rule = rule
        self._awaited: set[int] = set()
        self._reference: tuple[int, Scores] | None = None
        self._cut_of_reference = ""

    def started(self, proposal: Proposal) -> None:
        """Source-only trials are waited for."""
        if proposal.baseline == SOURCE_ONLY:
            self._awaited.add(proposal.number)

    def ended(self, proposal: Proposal, final: Final | None) -> float | None:
        """More is better."""
        self._awaited.discard(proposal.number)
        if final is None:
            return None
        scores: Scores = final["scores"]
        if proposal.baseline == SOURCE_ONLY:
            self._consider(proposal, scores)
        if self._reference is None:
            return AS_GOOD if self._awaited else _known(scores, "source_accuracy", AS_GOOD)
        number, reference = self._reference
        return AS_GOOD if number == proposal.number else self._gain(proposal, scores, reference)

    def promise(self, final: Final) -> float | None:
        """Source accuracy: the gain says nothing about how good a backbone's source-only probe is."""
        return _known(final["scores"], "source_accuracy", AS_GOOD)

    def _consider(self, proposal: Proposal, scores: Scores) -> None:
        own = _known(scores, "source_accuracy", -math.inf)
        if self._reference is None or own > _known(self._reference[1], "source_accuracy", -math.inf):
            self._reference = proposal.number, dict(scores)
            self._cut_of_reference = cut_key(proposal.plan.as_dict())

    def _gain(self, proposal: Proposal, scores: Scores, reference: Scores) -> float:
        method = METHODS.get(proposal.plan.adaptation.name)
        own_family = frozenset() if method is None else method.optimises
        judges = [name for name in self._rule.searched_by if name not in own_family]
        at_hand = [name for name in judges if name in scores]
        if not at_hand or not all(math.isfinite(_known(scores, name)) for name in at_hand):
            return REJECTED
        if self._breaks_a_guard(scores, reference):
            return REJECTED
        comparable = [name for name in judges if name != MIXVAL.name or self._same_cut(proposal)]
        gains = [_bounded_gain(name, scores, reference) for name in comparable]
        return sum(gains) / len(gains) if gains else AS_GOOD

    def _same_cut(self, proposal: Proposal) -> bool:
        """Whether the trial's inputs were mixed where the reference's were: a network that is linear from there on
        reads every mixture well, so MixVal compares only models that were mixed at the same place."""
        return cut_key(proposal.plan.as_dict()) == self._cut_of_reference

    def _breaks_a_guard(self, scores: Scores, reference: Scores) -> bool:
        lost = _known(reference, "source_accuracy") - _known(scores, "source_accuracy")
        missing = _known(reference, CLASSES_PREDICTED) - _known(scores, CLASSES_PREDICTED)
        changed = _known(scores, CHANGED) > self._rule.largest_change
        return lost > self._rule.largest_source_loss or missing > 0 or changed


def _bounded_gain(name: str, scores: Scores, reference: Scores) -> float:
    """0 where one of the two has no such score: nothing is known for or against it."""
    noise = max(_known(reference, f"{name}{DEVIATION}", LEAST_DEVIATION), LEAST_DEVIATION)
    z = (_known(scores, name) - _known(reference, name)) / noise
    return z / (HALF_WAY + abs(z)) if math.isfinite(z) else AS_GOOD


def _known(scores: Scores, name: str, otherwise: float = math.nan) -> float:
    value = scores.get(name)
    return otherwise if value is None or not math.isfinite(value) else float(value)
