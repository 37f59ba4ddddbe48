"""Deep CORAL: the covariances of both domains' features are drawn together while training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotl.adaptation.method import ALIGN, Described, JointBatch, Parameter, Stage, Values


@dataclass(frozen=True)
class DeepCoral(Described):
    """Penalises the squared distance of the two covariances.

    The loss grows with the fourth power of the features' scale and falls with the square of their width, so that the
    weight that suits one backbone may be far off for another: hence its wide range. `align: standardize` makes
    the scales alike.

    Paper: Sun & Saenko, "Deep CORAL", ECCV Workshops 2016, eq. 1 to 3 and 6 (arXiv:1607.01719).
    """

    stage: Stage = "joint"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {"weight": Parameter(1.0, searched={"log": [0.1, 1000.0]}), "align": ALIGN}
    )
    paper: str = (
        'Sun & Saenko, "Deep CORAL: correlation alignment for deep domain adaptation", ECCV Workshops 2016 '
        "(arXiv:1607.01719)"
    )
    in_words: str = "the covariances of both domains' features were drawn together while training"
    trains_features: bool = True

    def networks(self, width: int, classes: int, values: Values) -> Sequence[Any]:  # noqa: ARG002
        """None: the loss is computed in closed form."""
        return ()

    def loss(self, batch: JointBatch, networks: Sequence[Any], values: Values) -> Any:  # noqa: ARG002
        """Scalar >= 0, ramped and weighted."""
        return values["ramp"] * values["weight"] * coral_distance(batch.source_features, batch.target_features)


def coral_distance(source: Any, target: Any) -> Any:
    """Squared Frobenius distance of two covariances over 4 d², in float32.

    Args:
        source, target: features, shapes (n, d) and (m, d); a single row has covariance 0.
    Returns:
        Scalar >= 0, shape (); zero when the covariances agree, whatever the means.
    """
    from keras import ops

    width = source.shape[1]
    return ops.sum(ops.square(_covariance(source) - _covariance(target))) / (4 * width**2)


def _covariance(features: Any) -> Any:
    """(d, d), unbiased, of features (n, d)."""
    from keras import ops

    # sums of squares overflow in half precision
    features = ops.cast(features, "float32")
    centred = features - ops.mean(features, axis=0, keepdims=True)
    # counted by a sum: inside a compiled step the number of rows has no static shape
    rows = ops.sum(ops.ones_like(features[:, 0]))
    return ops.matmul(ops.transpose(centred), centred) / ops.maximum(rows - 1.0, 1.0)
