"""What every label-free score tells about itself. None can be handed a target label: there is no such reading."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from autotl.scoring.metrics import OfDraws

Reading = Literal[
    "target_probabilities",  # (m, classes), of unlabelled target inputs
    "target_features",  # (m, d), of the same
    "mixed_probabilities",  # (m, classes), of each target input mixed with a smaller part of its partner
    "mix_partners",  # (m,), the place of each one's partner among them
    "source_probabilities",  # (n, classes), of source validation inputs
    "source_labels",  # (n,), class indices of the same
    "source_shares",  # (classes,), of the classes in a source whose examples are not here
]
Evidence = Mapping[Reading, NDArray[Any]]


@dataclass(frozen=True)
class LabelFreeScore:
    """A figure of merit without target labels; more is better.

    Attributes:
        reads: what it is given, in this order, and nothing else.
        ranks: whether a leaderboard may be ordered by it; the others are facts shown beside it.
        blind_to: when it is wrong, in words for a report.
        of_draws: the same readings → the score in weighted resamples of the examples, for those whose noise must be
            known; the examples are the source's where it reads those, else the target's.
    """

    name: str
    reads: tuple[Reading, ...]
    compute: Callable[..., float]
    ranks: bool
    blind_to: str
    paper: str = ""
    of_draws: Callable[..., OfDraws] | None = None

    def __call__(self, evidence: Evidence) -> float:
        """The score by the readings it declares."""
        return self.compute(*self.readings(evidence))

    def readings(self, evidence: Evidence) -> tuple[NDArray[Any], ...]:
        """What it reads of the evidence."""
        return tuple(evidence[name] for name in self.reads)

    def is_readable(self, evidence: Evidence) -> bool:
        """Whether all that it reads is there."""
        return all(name in evidence for name in self.reads)

    @property
    def reads_source(self) -> bool:
        """Whether its examples are the source's."""
        return "source_labels" in self.reads


def scores_at_hand(scores: Mapping[str, LabelFreeScore], evidence: Evidence) -> dict[str, float]:
    """Every score whose readings are all there, by its name."""
    return {name: score(evidence) for name, score in scores.items() if score.is_readable(evidence)}
