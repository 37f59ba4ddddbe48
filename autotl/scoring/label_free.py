"""What every label-free score tells about itself. None can be handed a target label: there is no such reading."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from autotl.scoring.components import log_importance, on_axes, principal_axes
from autotl.scoring.metrics import OfDraws

Reading = Literal[
    "target_probabilities",  # (m, classes), of unlabelled target inputs
    "target_features",  # (m, d), of the same
    "mixed_probabilities",  # (m, classes), of each target input mixed with a smaller part of its partner
    "mix_partners",  # (m,), the place of each one's partner among them
    "source_probabilities",  # (n, classes), of source validation inputs
    "source_labels",  # (n,), class indices of the same
    "source_features",  # (n, d), of the same
    "source_shares",  # (classes,), of the classes in a source whose examples are not here
    "source_confusion",  # (classes, classes), counts expected on held-out examples of such a source, a row a class
    "classifier_weights",  # (d, classes), of the layer that reads the features
    "pool_probabilities",  # (m, classes), the mean over all models of a finished search
    "target_axes",  # (d, k), the principal ones of the target features
    "target_components",  # (m, k), target features along them, of the rows `components.sampled`
    "source_components",  # (n, k), source features along the same axes, likewise
    "source_log_importance",  # (n,), log of target density by source density at these
]
Evidence = Mapping[Reading, NDArray[Any]]

# What follows from other readings: a name, what it is computed from, and how.
DERIVED: Mapping[str, tuple[tuple[Reading, ...], Callable[..., NDArray[Any]]]] = {
    "target_axes": (("target_features",), principal_axes),
    "target_components": (("target_features", "target_axes"), on_axes),
    "source_components": (("source_features", "target_axes"), on_axes),
    "source_log_importance": (("source_components", "target_components"), log_importance),
}


class Derivable(Mapping[Reading, NDArray[Any]]):
    """Evidence and whatever follows from it, computed when it is first read and only once."""

    def __init__(self, given: Evidence) -> None:
        self._known: dict[Reading, NDArray[Any]] = {name: given[name] for name in given}

    def __getitem__(self, name: Reading) -> NDArray[Any]:
        if name not in self._known:
            sources, derive = DERIVED[name]
            self._known[name] = derive(*(self[each] for each in sources))
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known or (name in DERIVED and all(each in self for each in DERIVED[str(name)][0]))

    def __iter__(self) -> Iterator[Reading]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def derivable(evidence: Evidence) -> Derivable:
    """The evidence with what follows from it; whoever asks several scores keeps it, so that they share the work."""
    return evidence if isinstance(evidence, Derivable) else Derivable(evidence)


@dataclass(frozen=True)
class LabelFreeScore:
    """A figure of merit without target labels; more is better.

    Attributes:
        reads: what it is given, in this order, and nothing else.
        ranks: whether a leaderboard may be ordered by it; the others are facts shown beside it.
        blind_to: when it is wrong, in words for a report.
        of_draws: the same readings → the score in weighted resamples of the examples, for those whose noise must be
            known; the examples are the source's where it reads those, else the target's.
        spoken: a short name for people; its own name where that says enough.
    """

    name: str
    reads: tuple[Reading, ...]
    compute: Callable[..., float]
    ranks: bool
    blind_to: str
    paper: str = ""
    of_draws: Callable[..., OfDraws] | None = None
    spoken: str = ""

    def __call__(self, evidence: Evidence) -> float:
        """The score by the readings it declares."""
        return self.compute(*self.readings(evidence))

    def readings(self, evidence: Evidence) -> tuple[NDArray[Any], ...]:
        """What it reads of the evidence."""
        whole = derivable(evidence)
        return tuple(whole[name] for name in self.reads)

    def is_readable(self, evidence: Evidence) -> bool:
        """Whether all that it reads is there, or follows from what is."""
        whole = derivable(evidence)
        return all(name in whole for name in self.reads)

    @property
    def reads_source(self) -> bool:
        """Whether its examples are the source's."""
        return "source_labels" in self.reads


def scores_at_hand(scores: Mapping[str, LabelFreeScore], evidence: Evidence) -> dict[str, float]:
    """Every score whose readings are all there, by its name."""
    whole = derivable(evidence)
    return {name: score(whole) for name, score in scores.items() if score.is_readable(whole)}
