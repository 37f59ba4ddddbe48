"""CORAL: the source is whitened, then coloured like the target."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autotl.adaptation.method import Alignment, Described, Features, Parameter, Stage, Values
from autotl.adaptation.statistics import Exact, Moments, align_moments, power
from autotl.data.statistics import Statistics


@dataclass(frozen=True)
class Coral(Described):
    """Gives the source's features the target's mean and covariance; the target's stay as they are.

    The paper adds the identity to both covariances and leaves the means to a standardisation of the features before;
    here the share added is relative to the mean variance, and the means are aligned by the map itself.
    """

    stage: Stage = "transform"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {"shrinkage": Parameter(0.01, searched={"log": [1e-4, 1.0]})}
    )
    paper: str = (
        'Sun, Feng & Saenko, "Return of frustratingly easy domain adaptation", AAAI 2016, algorithm 1 '
        "(arXiv:1511.05547)"
    )
    in_words: str = "the source's features were given the target's mean and covariance before the head learnt on them"
    can_be_refitted: bool = True

    def fit(self, source: Features, target: Features, values: Values) -> Alignment:
        """Maps of (n, d) and (m, d); the target's is the identity. A note tells where a covariance was singular."""
        return _between(Moments.of(source), target, values)

    def fit_to_statistics(self, source: Statistics, target: Features, values: Values) -> Alignment:
        """The same for a source of which only sums are known."""
        return _between(Moments.of_statistics(source), target, values)


def _between(source: Moments, target: Features, values: Values) -> Alignment:
    return align_moments(source, Moments.of(target), shrinkage=values["shrinkage"], between=whiten_and_recolour)


def whiten_and_recolour(source: Exact, target: Exact) -> Exact:
    """S^-1/2 T^1/2 for covariances S and T, both (d, d) and invertible: rows of covariance S get covariance T."""
    return power(source, -0.5) @ power(target, 0.5)
