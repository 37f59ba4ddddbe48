"""Per-domain standardisation: each domain is told in its own units before anything is learnt."""

# ruff: noqa: ARG002  a method need not use everything it is offered

from dataclasses import dataclass

import numpy as np

from autotl.adaptation.method import AffineMap, Alignment, Described, Features, Figures, Stage, Values
from autotl.adaptation.statistics import Columns, affine_map
from autotl.data.statistics import Statistics


@dataclass(frozen=True)
class Standardize(Described):
    """Gives every column of each domain the mean 0 and the deviation 1, by the domain's own figures.

    It is AdaBN's step for one batch normalisation, put behind the features. Those inside a backbone keep their
    pretrained statistics, so it is not called AdaBN.
    """

    stage: Stage = "transform"
    paper: str = (
        'Li, Wang, Shi, Liu & Hou, "Revisiting batch normalization for practical domain adaptation", ICLR Workshops '
        "2017 (arXiv:1603.04779)"
    )
    in_words: str = "the features of each domain were standardised by that domain's own mean and deviation"
    can_be_refitted: bool = True

    def fit(self, source: Features, target: Features, values: Values) -> Alignment:
        """Maps (n, d) to mean 0 and deviation 1 (divided by n); constant columns to 0, their deviation counts as 1."""
        maps = {name: _standardizing(Columns.of(rows)) for name, rows in (("source", source), ("target", target))}
        notes = tuple(
            f"the {name} has one example: it was centred, not scaled"
            for name, rows in (("source", source), ("target", target))
            if len(rows) == 1
        )
        return Alignment(maps["source"], maps["target"], notes)

    def fit_to_statistics(self, source: Statistics, target: Features, values: Values) -> Alignment:
        """The same maps for a source of which only sums are known."""
        return Alignment(_standardizing(Columns.of_statistics(source)), _standardizing(Columns.of(target)))

    def onto(self, source: Figures, target: Features) -> AffineMap:
        """Gives target features (m, d) the source's mean and deviation; constant columns the source's mean."""
        own = Columns.of(target)
        matrix = np.diag(np.where(own.constant, 0.0, source.deviation) / own.deviation)
        return affine_map(matrix, source.mean - own.mean @ matrix)


def _standardizing(columns: Columns) -> AffineMap:
    return columns.then(np.eye(len(columns.mean)))
