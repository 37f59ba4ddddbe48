"""What every label-free score tells about itself. None can be handed a target label: there is no such reading."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

Reading = Literal[
    "target_probabilities",  # (m, classes), of unlabelled target inputs
    "source_probabilities",  # (n, classes), of source validation inputs
    "source_labels",  # (n,), class indices of the same
]
Evidence = Mapping[Reading, NDArray[Any]]


@dataclass(frozen=True)
class LabelFreeScore:
    """A figure of merit without target labels; more is better.

    Attributes:
        reads: what it is given, in this order, and nothing else.
        ranks: whether a leaderboard may be ordered by it; the others are facts shown beside it.
        blind_to: when it is wrong, in words for a report.
    """

    name: str
    reads: tuple[Reading, ...]
    compute: Callable[..., float]
    ranks: bool
    blind_to: str
    paper: str = ""

    def __call__(self, evidence: Evidence) -> float:
        """The score by the readings it declares."""
        return self.compute(*(evidence[name] for name in self.reads))


def scores_at_hand(scores: Mapping[str, LabelFreeScore], evidence: Evidence) -> dict[str, float]:
    """Every score whose readings are all there, by its name."""
    return {name: score(evidence) for name, score in scores.items() if all(part in evidence for part in score.reads)}
