"""How sure a model was, and how often right, when it was signed off: what estimates of accuracy start from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.label_shift import maximum_likelihood_prior
from autotl.scoring.atc import certainty_threshold, share_as_sure
from autotl.scoring.cot import confidence_optimal_transport
from autotl.scoring.doc import less_the_drop
from autotl.scoring.metrics import Labels, Probabilities
from autotl.scoring.source_accuracy import source_accuracy


@dataclass(frozen=True, eq=False)
class Sureness:
    """Figures of examples that the model did not learn.

    Attributes:
        examples: how many, of the domain that the model is made for.
        accuracy: on them; None where none of them has a label.
        labelled_accuracy, labelled_confidence: on labelled examples, of the source where the target has no labels; None
            without any.
        threshold: as sure as the right ones among these (`autotl.scoring.atc`).
        label_shares: (classes,), under which the model's probabilities are calibrated.
        shares: (classes,), of the domain that it is made for.
        predicted: (classes,), how often each class is the likeliest there.
        then: estimates of accuracy there, by name.
    """

    examples: int
    accuracy: float | None
    labelled_accuracy: float | None
    labelled_confidence: float | None
    threshold: float | None
    label_shares: NDArray[np.float64]
    shares: NDArray[np.float64]
    predicted: NDArray[np.int64]
    then: Mapping[str, float]

    @classmethod
    def of(
        cls,
        said: Probabilities,
        labelled: Probabilities,
        labels: Labels,
        *,
        same_examples: bool,
        source_shares: NDArray[np.float64] | None = None,
    ) -> Self:
        """From calibrated probabilities.

        Args:
            said: (m, classes), of the domain that the model is made for.
            labelled, labels: (n, classes) and (n,), of labelled examples; none of them where there are none.
            same_examples: whether these are the same examples.
            source_shares: of the classes, where no labelled example is at hand.
        """
        known = labels >= 0
        labelled, labels = labelled[known], labels[known]
        classes = said.shape[1]
        if len(labels):
            prior = np.bincount(labels, minlength=classes) / len(labels)
        else:
            prior = np.full(classes, 1 / classes) if source_shares is None else np.asarray(source_shares, np.float64)
        found = cls(
            examples=len(said),
            accuracy=source_accuracy(labelled, labels) if same_examples and len(labels) else None,
            labelled_accuracy=source_accuracy(labelled, labels) if len(labels) else None,
            labelled_confidence=float(labelled.max(axis=1).mean()) if len(labels) else None,
            threshold=certainty_threshold(labelled, labels) if len(labels) else None,
            label_shares=prior,
            shares=prior if same_examples else maximum_likelihood_prior(said, prior),
            predicted=np.bincount(said.argmax(axis=1), minlength=classes),
            then={},
        )
        return cls(**{**vars(found), "then": found.estimates(said)})

    def estimates(self, said: Probabilities) -> dict[str, float]:
        """Estimates of accuracy on examples by what the model says of them, (m, classes); those that can be made."""
        found: dict[str, float] = {}
        if self.threshold is not None:
            found["estimate_atc"] = share_as_sure(said, self.threshold)
        if self.labelled_accuracy is not None and self.labelled_confidence is not None:
            found["estimate_doc"] = less_the_drop(self.labelled_accuracy, self.labelled_confidence, said)
        found["estimate_cot"] = confidence_optimal_transport(self._labels_like(said), said)
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def _labels_like(self, said: Probabilities) -> Labels:
        """Labels with the shares under which the model is calibrated."""
        counts = np.round(self.label_shares * 10_000).astype(np.int64)
        return np.repeat(np.arange(said.shape[1]), counts)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays, by name; NaN where a figure is None."""
        optional = ("accuracy", "labelled_accuracy", "labelled_confidence", "threshold")
        return {
            "sure_examples": np.array(self.examples),
            "sure_figures": np.array([_or_nan(getattr(self, name)) for name in optional]),
            "label_shares": self.label_shares,
            "shares": self.shares,
            "predicted": self.predicted,
            "estimated": np.array(list(self.then)),
            "estimates": np.array(list(self.then.values())),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` gave."""
        known = [None if math.isnan(value) else value for value in arrays["sure_figures"].tolist()]
        accuracy, labelled_accuracy, labelled_confidence, threshold = known
        then = dict(zip(map(str, arrays["estimated"].tolist()), arrays["estimates"].tolist(), strict=True))
        return cls(
            int(arrays["sure_examples"]),
            accuracy,
            labelled_accuracy,
            labelled_confidence,
            threshold,
            label_shares=arrays["label_shares"],
            shares=arrays["shares"],
            predicted=arrays["predicted"],
            then=then,
        )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
