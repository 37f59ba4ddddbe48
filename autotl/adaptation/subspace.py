"""Subspace alignment: the source's principal axes are turned onto the target's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from autotl.adaptation.method import Alignment, Described, Features, Parameter, Stage, Values
from autotl.adaptation.statistics import Columns, Exact, principal_axes


@dataclass(frozen=True)
class Subspace(Described):
    """Keeps the principal components of each domain and tells the source's in the target's coordinates.

    Maps keep the width d, with zeros behind the components, so that plans of any number of components share one shape.
    """

    stage: Stage = "transform"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {"components": Parameter(50, searched={"choice": [5, 10, 20, 50, 100, 200]})}
    )
    paper: str = (
        'Fernando, Habrard, Sebban & Tuytelaars, "Unsupervised visual domain adaptation using subspace alignment", '
        "ICCV 2013, algorithm 1"
    )
    in_words: str = (
        "features were reduced to the directions in which each domain varies most, and the source's were turned onto "
        "the target's before the head learnt on them"
    )
    can_be_refitted: bool = False

    def fit(self, source: Features, target: Features, values: Values) -> Alignment:
        """Maps of (n, d) and (m, d), each after standardisation by its own domain.

        With axes P (d, k) of each domain the source is mapped by P_s P_s^T P_t and the target by P_t. A domain has no
        more axes than its rank, which a note tells; one that does not vary keeps all its columns as its axes.
        """
        wanted = int(values["components"])
        of_source, of_target = Columns.of(source), Columns.of(target)
        axes = {
            "source": principal_axes(of_source.standardized(source), wanted),
            "target": principal_axes(of_target.standardized(target), wanted),
        }
        notes = tuple(_capped(name, of.shape[1], wanted) for name, of in axes.items() if of.shape[1] < wanted)
        source_axes, target_axes = (_or_every_column(of) for of in axes.values())
        turned = source_axes @ (source_axes.T @ target_axes)
        return Alignment(of_source.then(_widened(turned)), of_target.then(_widened(target_axes)), notes)


def _capped(name: str, rank: int, wanted: int) -> str:
    if rank == 0:
        return f"the {name} does not vary, so it has no principal axes: its features were only centred"
    return f"the {name}'s features span {rank} directions: {rank} components instead of {wanted}"


def _or_every_column(axes: Exact) -> Exact:
    return axes if axes.shape[1] else np.eye(len(axes))


def _widened(matrix: Exact) -> Exact:
    """(d, k) with columns of zeros to (d, d)."""
    return np.pad(matrix, ((0, 0), (0, matrix.shape[0] - matrix.shape[1])))
