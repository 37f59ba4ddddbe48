"""A plan's adaptation method at work on one fold: what it is fitted on, and what it makes of each epoch."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation import METHODS, Method
from autotl.adaptation.method import (
    AffineMap,
    Alignment,
    Features,
    Figures,
    FitsToFigures,
    FitsToStatistics,
    MakesPseudoLabels,
    PriorCorrection,
    Transform,
    Values,
    Weighting,
)
from autotl.data.examples import Fold, Labels, Rows, TaskData, is_known, unknown_labels
from autotl.errors import TaskError
from autotl.plan import Plan
from autotl.scoring.calibration import fit_temperature, with_temperature
from autotl.trial.model import alignment_of

FITTED_ON = 4_000  # rows of a domain at most: moments do not need more

Pooled = Callable[[Rows], NDArray[np.float32]]  # rows -> features (n, d) before any alignment
Predict = Callable[[Rows], tuple[NDArray[np.float32], NDArray[np.float32]]]  # rows -> probabilities, features

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Adapting:
    """One plan's method on one fold of a task's data.

    Attributes:
        source: labelled training rows, of every domain.
        target: target rows that may be adapted to: unlabelled ones, and labelled ones that the fold trains on.
    """

    plan: Plan
    data: TaskData
    fold: Fold
    source: Rows = field(init=False)
    target: Rows = field(init=False)

    def __post_init__(self) -> None:
        labelled = self.fold.train[is_known(self.data.labels[self.fold.train])]
        of_target = labelled[self.data.domain_of[labelled] == 0]
        object.__setattr__(self, "source", labelled)
        object.__setattr__(self, "target", np.union1d(self.data.adaptation_rows, of_target))

    def maps(self, pooled: Pooled) -> list[AffineMap]:
        """A map for every domain, fitted on its features; the target's first.

        A source that the plan does not learn from is mapped like the target: nothing of it is seen.
        """
        found = alignment_of(self.plan.adaptation)
        assert found is not None
        transform, values = found
        target = pooled(self._some(self.target))
        if self.data.exported is not None:
            return [_onto(transform, self.data.exported.statistics, target)]
        if self.plan.unfrozen_layers != 0:
            return self._maps_to_source(transform, values, pooled, target)
        maps: dict[int, AffineMap] = {}
        for index in range(1, len(self.data.domains)):
            rows = self.source[self.data.domain_of[self.source] == index]
            if len(rows):
                alignment = _fitted(transform, pooled(self._some(rows)), target, values)
                maps[0], maps[index] = alignment.target, alignment.source
        if not maps:
            maps[0] = transform.fit(target, target, values).target
        return [maps.get(index, maps[0]) for index in range(len(self.data.domains))]

    def maps_of_statistics(self, pooled: Pooled) -> list[AffineMap | None]:
        """A map for every source of which only statistics are here; None where features are not aligned."""
        found = alignment_of(self.plan.adaptation)
        if found is None or not self.data.statistics:
            return [None] * len(self.data.statistics)
        transform, values = found
        assert isinstance(transform, FitsToStatistics), "others are left out of spaces and refused in plans"
        target = pooled(self._some(self.target))
        alignments = [transform.fit_to_statistics(source.learn, target, values) for source in self.data.statistics]
        for alignment in alignments:
            _tell(alignment)
        return [alignment.source for alignment in alignments]

    def _maps_to_source(
        self, transform: Transform, values: Values, pooled: Pooled, target: NDArray[np.float32]
    ) -> list[AffineMap]:
        """The target is brought to the sources, which stay as they are: a head that learns while features move could
        not follow a map that moves with them."""
        of_source = self.source[self.data.domain_of[self.source] != 0]
        width = target.shape[1]
        nothing = AffineMap(np.eye(width, dtype=np.float32), np.zeros(width, dtype=np.float32))
        if not len(of_source):
            return [nothing] * len(self.data.domains)
        alignment = _fitted(transform, pooled(self._some(of_source)), target, values)
        return [alignment.target.then_undo(alignment.source), *[nothing] * (len(self.data.domains) - 1)]

    def weights(self, pooled: Pooled) -> NDArray[np.float32] | None:
        """(n,) of every row of the task's data; None where all examples count alike."""
        method = self._method
        if not isinstance(method, Weighting):
            return None
        of_source = self.source[self.data.domain_of[self.source] != 0]
        weights = np.ones(len(self.data.labels), dtype=np.float32)
        if len(of_source):
            values = self.plan.adaptation.parameters
            target = pooled(self._some(self.target))
            weights[of_source] = method.weigh(pooled(of_source), target, values, seed=self.plan.seed)
        return weights

    def pseudo_labels(self, predict: Predict, *, progress: float) -> Labels:
        """(n, …) of every row of the task's data, by the model as it stands; UNKNOWN where there is none.

        A target label that the fold trains on stands for itself.
        """
        labels = unknown_labels(len(self.data.labels), like=self.data.labels)
        method = self._method
        if isinstance(method, MakesPseudoLabels):
            probabilities, features = predict(self.target)
            values = self.plan.adaptation.parameters
            labels[self.target] = method.pseudo_labels(probabilities, features, values, progress=progress)
            known = self.fold.train[self.data.domain_of[self.fold.train] == 0]
            labels[known] = self.data.labels[known]
        return labels

    def shift_of_logits(self, predict: Predict) -> NDArray[np.float32] | None:
        """(classes,) for a target whose classes are of other sizes; None where the method leaves them as they are."""
        method = self._method
        if not isinstance(method, PriorCorrection):
            return None
        probabilities, _ = predict(self.target)
        calibrated = with_temperature(probabilities, self._temperature(predict))
        return method.prior_shift(calibrated, self._source_prior(), self.plan.adaptation.parameters)

    @property
    def _method(self) -> Method:
        return METHODS[self.plan.adaptation.name]

    def _source_prior(self) -> NDArray[np.float64]:
        """(classes,) shares of the classes that the model was trained on."""
        if self.data.exported is not None:
            return self.data.exported.prior
        counts = np.bincount(self.data.labels[self.source], minlength=len(self.data.classes)).astype(np.float64)
        if self.plan.learns_from != "target":
            counts += sum((source.learn.counts for source in self.data.statistics), np.zeros(len(counts)))
        return np.maximum(counts, 0.0) / np.maximum(counts, 0.0).sum()

    def _temperature(self, predict: Predict) -> float:
        """What calibrates the model on the source; 1 where nothing of it is held out."""
        if self.data.exported is not None:
            return self.data.exported.description.temperature
        held_out = self.data.source_validation
        if not len(held_out):
            return 1.0
        said, _ = predict(held_out)
        return fit_temperature(self.data.labels[held_out], said)

    def _some(self, rows: Rows) -> Rows:
        """The rows, or so many of them that a moment is known well enough; which ones does not depend on the plan."""
        if len(rows) <= FITTED_ON:
            return rows
        drawn: Rows = np.sort(np.random.default_rng(0).permutation(rows)[:FITTED_ON])
        return drawn


def _onto(transform: Transform, source: Figures, target: Features) -> AffineMap:
    if not isinstance(transform, FitsToFigures):  # left out of spaces, and refused in plans, before it comes to this
        raise TaskError("align: an exported source has no examples to fit this transform on. Allowed: standardize.")
    return transform.onto(source, target)


def _fitted(transform: Transform, source: Features, target: Features, values: Values) -> Alignment:
    alignment = transform.fit(source, target, values)
    _tell(alignment)
    return alignment


def _tell(alignment: Alignment) -> None:
    for note in alignment.notes:
        _log.info("alignment of domains: %s", note)
