"""The source's features get the target's mean and covariance; a method says by which matrix."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from autotl.adaptation.method import Alignment, Described, Features, Parameter, Stage, Values
from autotl.adaptation.statistics import Exact, Moments, affine_map
from autotl.data.statistics import Statistics

# A singular covariance is shrunk at least so much, and more the fewer examples there are for its columns.
LEAST_SHRINKAGE, MOST_LEAST_SHRINKAGE = 0.01, 0.1


@dataclass(frozen=True)
class MatchesMoments(Described):
    """What such methods share: the target's features stay as they are, and sums of the source are enough."""

    stage: Stage = "transform"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {"shrinkage": Parameter(0.01, searched={"log": [1e-4, 1.0]})}
    )
    can_be_refitted: bool = True

    def between(self, source: Exact, target: Exact) -> Exact:
        """A (d, d) such that rows of covariance `source`, multiplied by it from the right, get covariance `target`.

        Args:
            source, target: covariances (d, d), invertible.
        """
        raise NotImplementedError

    def fit(self, source: Features, target: Features, values: Values) -> Alignment:
        """Maps of (n, d) and (m, d); the target's is the identity. A note tells where a covariance was singular."""
        return self._aligned(Moments.of(source), target, values)

    def fit_to_statistics(self, source: Statistics, target: Features, values: Values) -> Alignment:
        """The same for a source of which only sums are known."""
        return self._aligned(Moments.of_statistics(source), target, values)

    def _aligned(self, source: Moments, target: Features, values: Values) -> Alignment:
        return align_moments(source, Moments.of(target), shrinkage=values["shrinkage"], between=self.between)


def align_moments(
    of_source: Moments, of_target: Moments, *, shrinkage: float, between: Callable[[Exact, Exact], Exact]
) -> Alignment:
    """Maps that give the source the target's mean and covariance and leave the target as it is.

    Both covariances are shrunk alike, so that equal domains are mapped onto themselves. Where a domain has no variance
    (one example, or equal ones), only the mean is moved.

    Args:
        of_source, of_target: of features of one width d.
        shrinkage: share of a covariance's mean variance that is added to its diagonal, at least 0; more is taken where
            a covariance is singular, which a note tells.
        between: matrix (d, d) for rows on the right, by two invertible covariances.
    """
    still = affine_map(np.eye(len(of_target.mean)), np.zeros(len(of_target.mean)))
    flat = [name for name, of in (("source", of_source), ("target", of_target)) if of.mean_variance == 0]
    if flat:
        moved = affine_map(np.eye(len(of_target.mean)), of_target.mean - of_source.mean)
        return Alignment(moved, still, (f"the {' and the '.join(flat)} does not vary: only the mean was moved",))
    shrinkage, notes = _enough_shrinkage(of_source, of_target, shrinkage)
    matrix = between(of_source.shrunk(shrinkage), of_target.shrunk(shrinkage))
    return Alignment(affine_map(matrix, of_target.mean - of_source.mean @ matrix), still, notes)


def _enough_shrinkage(source: Moments, target: Moments, asked: float) -> tuple[float, tuple[str, ...]]:
    """The shrinkage that makes both covariances invertible, with a note on each that is singular."""
    singular = {name: of for name, of in (("source", source), ("target", target)) if of.singular}
    least = [LEAST_SHRINKAGE * max(1.0, len(of.mean) / of.examples) for of in singular.values()]
    enough = max(asked, *(min(share, MOST_LEAST_SHRINKAGE) for share in least), 0.0)
    raised = "" if enough == asked else f", not {asked:.2g} as asked,"
    return enough, tuple(
        f"the {name}'s covariance is singular ({of.examples} examples of {len(of.mean)} features): a share of "
        f"{enough:.2g}{raised} of the mean variance was added to its diagonal"
        for name, of in singular.items()
    )
