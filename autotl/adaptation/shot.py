"""SHOT: after the supervised training, target features move to where the frozen last layer is sure of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.infomax import lack_of_information
from autotl.adaptation.losses import pseudo_label_loss
from autotl.adaptation.method import (
    ALIGN,
    Described,
    Features,
    Labels,
    Parameter,
    Part,
    Probabilities,
    Stage,
    Values,
)

ROUNDS = 2  # of centroids and labels; the paper finds that further ones change little


@dataclass(frozen=True)
class Shot(Described):
    """Trains what lies under the last layer on target examples alone, by information and by centroid pseudo-labels."""

    stage: Stage = "post"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {
            "epochs": Parameter(10, searched={"whole": [5, 20]}),
            "im_weight": Parameter(1.0, searched={"log": [0.1, 3.0]}),
            "pseudo_weight": Parameter(0.3, searched={"log": [0.03, 1.0]}),
            "rate": Parameter(0.3, searched={"log": [0.03, 1.0]}),  # share of the plan's learning rate
            "align": ALIGN,
        }
    )
    paper: str = (
        'Liang, Hu & Feng, "Do we really need to access the source data? Source hypothesis transfer for unsupervised '
        'domain adaptation", ICML 2020 (arXiv:2002.08546)'
    )
    in_words: str = "after training, it moved target examples to where its frozen last layer is sure of them"
    needs_source: bool = False
    trains_features: bool = True
    # Its pseudo-labels are clusters of the features, and it draws features to them: class_ami sees its own doing.
    optimises: frozenset[str] = frozenset({"infomax", "entropy", "bnm", "class_ami"})

    @property
    def trains(self) -> frozenset[Part]:
        """All but the last layer, which stands for the source that is no longer read."""
        return frozenset({"suffix", "hidden"})

    def loss(self, features: Any, logits: Any, pseudo_labels: Any, values: Values) -> Any:  # noqa: ARG002
        """`im_weight` times the lack of information plus `pseudo_weight` times the cross-entropy (eq. 7)."""
        return values["im_weight"] * lack_of_information(logits) + values["pseudo_weight"] * pseudo_label_loss(
            logits, pseudo_labels
        )

    def pseudo_labels(
        self,
        probabilities: Probabilities,
        features: Features,
        values: Values,  # noqa: ARG002
        *,
        progress: float,  # noqa: ARG002
    ) -> Labels:
        """The class of the nearest centroid, for every example.

        Args:
            probabilities: (m, classes).
            features: (m, d).
            progress: not read.
        """
        return nearest_centroids(probabilities, features)


def nearest_centroids(probabilities: Probabilities, features: Features) -> Labels:
    """(m,) class whose centroid points most nearly in the direction of an example.

    Centroids are means of the directions weighted with the predicted probabilities, and in a second round means of the
    examples that the first round labelled. Only a class that some example is predicted as has one.

    Args:
        probabilities: (m, classes).
        features: (m, d); a 1 is appended before they are scaled to length 1, as the authors' code does, so that an
            example whose features are all 0 has a direction, too.
    Paper: eq. 4-6.
    """
    directions = np.append(features.astype(np.float64), np.ones((len(features), 1)), axis=1)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    belongs: NDArray[np.float64] = probabilities.astype(np.float64)
    predicted: Labels = belongs.argmax(axis=1)
    for _ in range(ROUNDS):
        present = np.unique(predicted)
        # The length of a sum does not matter for its direction, so it is not divided by the number of its examples
        centroids = belongs[:, present].T @ directions
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        predicted = present[(directions @ centroids.T).argmax(axis=1)]
        belongs = np.eye(probabilities.shape[1])[predicted]
    return predicted
