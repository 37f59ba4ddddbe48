"""Class-balanced self-training: the model's own surest target predictions, class by class, become labels."""

# ruff: noqa: ARG002  a loss need not use everything it is offered

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autotl.adaptation.losses import pseudo_label_loss
from autotl.adaptation.method import (
    ALIGN,
    Described,
    Features,
    JointBatch,
    Labels,
    Parameter,
    Probabilities,
    Stage,
    Values,
)
from autotl.data.examples import UNKNOWN


@dataclass(frozen=True)
class SelfTraining(Described):
    """Learns from pseudo-labels of target examples, made anew before each epoch.

    A threshold alone would hand out labels of easy classes only, until the model knows no others; so each class gets
    labels for the same share of the examples predicted as it.

    Pseudo-labels come from the plain examples. Where the plan stores random views, the trainer feeds the target half in
    those, so that the model learns to say of a distorted example what it said of the plain one: FixMatch (Sohn et al.,
    NeurIPS 2020, arXiv:2001.07685) with a threshold per class. Without such views there is less to learn.
    """

    stage: Stage = "joint"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {
            "weight": Parameter(1.0, searched={"log": [0.1, 3.0]}),
            # The paper labels a fifth at first and half in the end. The ranges do not cross.
            "start_share": Parameter(0.2, searched={"linear": [0.1, 0.5]}),
            "end_share": Parameter(0.5, searched={"linear": [0.5, 1.0]}),
            # Low, because the shares already choose: it keeps out what several classes could be.
            "threshold": Parameter(0.5, searched={"linear": [0.3, 0.95]}),
            "align": ALIGN,
        }
    )
    paper: str = (
        'Zou, Yu, Kumar & Wang, "Unsupervised domain adaptation for semantic segmentation via class-balanced '
        'self-training", ECCV 2018 (arXiv:1810.07911)'
    )
    in_words: str = "it learnt from its own surest predictions on target examples, class by class"
    optimises: frozenset[str] = frozenset({"entropy"})

    def networks(self, width: int, classes: int, values: Values) -> Sequence[Any]:
        """None: only the model learns."""
        return ()

    def loss(self, batch: JointBatch, networks: Sequence[Any], values: Values) -> Any:
        """Cross-entropy of the target half and its pseudo-labels, times `weight` and `ramp`.

        It is averaged over the whole half, so that few labels weigh little.
        """
        return values["ramp"] * values["weight"] * pseudo_label_loss(batch.target_logits, batch.target_labels)

    def pseudo_labels(
        self, probabilities: Probabilities, features: Features, values: Values, *, progress: float
    ) -> Labels:
        """The predicted class of the surest examples of each class, UNKNOWN for the others.

        The share of a class's examples that are kept grows in a straight line from `start_share` to `end_share`, and
        they must be at least as sure as `threshold`. The surest example of a class is kept whatever the threshold, and
        so are all that are exactly as sure as the last one kept: the order of the examples does not matter.

        Args:
            probabilities: (m, classes).
            features: not read.
            progress: 0 to 1.
        """
        start, end = values["start_share"], values["end_share"]
        share = float(start + (end - start) * progress)
        predicted = probabilities.argmax(axis=1)
        confidence = probabilities.max(axis=1)
        labels = np.full(len(probabilities), UNKNOWN, dtype=np.int64)
        for label in np.unique(predicted):
            its_own = predicted == label
            surest_first = np.sort(confidence[its_own])[::-1]
            least = surest_first[kept_of(len(surest_first), share) - 1]
            least = min(max(least, values["threshold"]), surest_first[0])
            labels[its_own & (confidence >= least)] = label
        return labels


def kept_of(examples: int, share: float) -> int:
    """How many examples a share of them is, rounded up, at least 1 and at most all of them."""
    # 0.07 * 100 is a little more than 7 in floating point, and is not to be 8
    return min(max(math.ceil(round(share * examples, 6)), 1), examples)
