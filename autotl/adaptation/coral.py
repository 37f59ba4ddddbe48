"""CORAL: the source is whitened, then coloured like the target."""

from dataclasses import dataclass

from autotl.adaptation.matched_moments import MatchesMoments
from autotl.adaptation.statistics import Exact, power


@dataclass(frozen=True)
class Coral(MatchesMoments):
    """Gives the source's features the target's mean and covariance; the target's stay as they are.

    The paper adds the identity to both covariances and leaves the means to a standardisation of the features before;
    here the share added is relative to the mean variance, and the means are aligned by the map itself.
    """

    paper: str = (
        'Sun, Feng & Saenko, "Return of frustratingly easy domain adaptation", AAAI 2016, algorithm 1 '
        "(arXiv:1511.05547)"
    )
    in_words: str = "the source's features were given the target's mean and covariance before the head learnt on them"

    def between(self, source: Exact, target: Exact) -> Exact:
        """S^-1/2 T^1/2 for covariances S and T."""
        return power(source, -0.5) @ power(target, 0.5)
