"""DAN and JAN: the distributions of both domains' features are drawn together as kernels of several widths see them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from autotl.adaptation.method import ALIGN, Described, JointBatch, Parameter, Stage, Values

RELATIVE_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the Gaussian kernels, times the batch's mean squared distance
PREDICTION_WIDTH = 1.69  # predictions have a scale of their own: squared distances from 0 to 2


@dataclass(frozen=True)
class Dan(Described):
    """Penalises the squared maximum mean discrepancy under a sum of Gaussian kernels.

    The kernels' widths follow the batch's mean squared distance, so that the loss is the same at any scale of the
    features. With `joint`, the kernel of features is multiplied by one of predictions: what agrees then is the joint
    distribution of features and predictions.

    Papers: Long et al., "Learning Transferable Features with Deep Adaptation Networks", ICML 2015, eq. 1 to 4
    (arXiv:1502.02791); Long et al., "Deep Transfer Learning with Joint Adaptation Networks", ICML 2017, eq. 8 to 9
    (arXiv:1605.06636).
    """

    stage: Stage = "joint"
    parameters: Mapping[str, Parameter] = field(
        default_factory=lambda: {
            "weight": Parameter(1.0, searched={"log": [0.1, 10.0]}),
            "joint": Parameter(False, searched={"choice": [False, True]}, structural=True),
            "align": ALIGN,
        }
    )
    paper: str = (
        'Long, Cao, Wang & Jordan, "Learning transferable features with deep adaptation networks", ICML 2015 '
        '(arXiv:1502.02791); joint: Long, Zhu, Wang & Jordan, "Deep transfer learning with joint adaptation networks", '
        "ICML 2017 (arXiv:1605.06636)"
    )
    in_words: str = "the distributions of both domains' features were drawn together while training"
    trains_features: bool = True

    def networks(self, width: int, classes: int, values: Values) -> Sequence[Any]:  # noqa: ARG002
        """None: the loss is computed in closed form."""
        return ()

    def loss(self, batch: JointBatch, networks: Sequence[Any], values: Values) -> Any:  # noqa: ARG002
        """Scalar, ramped and weighted; around 0 where the domains agree, and a little below it by chance."""
        kernels = feature_kernels(batch.source_features, batch.target_features)
        if values["joint"]:
            likeness = prediction_kernels(batch.source_logits, batch.target_logits, batch.activation)
            kernels = Kernels(*(seen * predicted for seen, predicted in zip(kernels, likeness, strict=True)))
        return values["ramp"] * values["weight"] * mean_discrepancy(kernels)


class Kernels(NamedTuple):
    """Kernel values of all pairs of rows, each (b, b)."""

    source: Any
    target: Any
    across: Any  # source rows, target columns


def mean_discrepancy(kernels: Kernels) -> Any:
    """Squared maximum mean discrepancy, unbiased: pairs of a row with itself are left out.

    The biased estimator would be at least 0 and 0 for equal batches, but its gradient shrinks the features even where
    the domains agree. This one's gradient is 0 there on average, at the price of values a little under 0.
    With one row a domain, only the pair across is left: the loss is twice its kernel, negated.

    Returns:
        Scalar, shape ().
    Paper: Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, eq. 3.
    """
    from keras import ops

    # counted by a sum: inside a compiled step the number of rows has no static shape
    rows = ops.sum(ops.ones_like(kernels.source[0]))
    pairs = ops.maximum(rows * (rows - 1.0), 1.0)
    within = sum((ops.sum(kernel) - ops.trace(kernel)) / pairs for kernel in (kernels.source, kernels.target))
    return within - 2.0 * ops.mean(kernels.across)


def feature_kernels(source: Any, target: Any) -> Kernels:
    """Sums of five Gaussian kernels, whose widths are multiples of the mean squared distance of all pairs of rows.

    Args:
        source, target: features, (b, d) both.
    """
    from keras import ops

    distances = _squared_distances(source, target)
    mean = (ops.mean(distances.source) + ops.mean(distances.target) + 2.0 * ops.mean(distances.across)) / 4.0
    # where all rows are equal, what is left of distances is rounding: a width of its size would make kernels of noise
    rounding = 1e-10 * ops.mean(ops.square(ops.cast(source, "float32"))) * source.shape[1] + 1e-12
    # the width is a yardstick: were it learnt, features could spread until every distance looked short
    width = ops.stop_gradient(ops.maximum(mean, rounding))
    return Kernels(
        *(sum(ops.exp(-distance / (width * relative)) for relative in RELATIVE_WIDTHS) for distance in distances)
    )


def prediction_kernels(source_logits: Any, target_logits: Any, activation: str) -> Kernels:
    """One Gaussian kernel of the predictions, of the fixed width that the authors of JAN use for probabilities.

    Args:
        source_logits, target_logits: (b, classes) both.
        activation: as `JointBatch` has it.
    """
    from keras import ops

    source, target = (PLACES[activation](ops.cast(logits, "float32")) for logits in (source_logits, target_logits))
    return Kernels(*(ops.exp(-distance / PREDICTION_WIDTH) for distance in _squared_distances(source, target)))


def _of_classes(logits: Any) -> Any:
    from keras import ops

    return ops.softmax(logits, axis=-1)


def _of_labels(logits: Any) -> Any:
    """A label is two classes, p and 1 - p, and squared distances are the mean of the labels': 0 to 2, however many."""
    from keras import ops

    return ops.sigmoid(logits) * (2.0 / logits.shape[-1]) ** 0.5


def _of_numbers(numbers: Any) -> Any:
    """As they are: told in their own deviation, two drawn apart from each other have a squared distance of 2."""
    return numbers


# Where predictions lie, (b, classes) as their logits, by what makes them of logits.
PLACES: Mapping[str, Callable[[Any], Any]] = {"softmax": _of_classes, "sigmoid": _of_labels, "linear": _of_numbers}


def _squared_distances(source: Any, target: Any) -> Kernels:
    """Squared Euclidean distances of all pairs of rows, in float32."""
    from keras import ops

    source, target = ops.cast(source, "float32"), ops.cast(target, "float32")
    # distances do not change when everything moves, but the products below lose fewer digits around the middle
    middle = ops.stop_gradient(ops.mean(source, axis=0) + ops.mean(target, axis=0)) / 2.0
    source, target = source - middle, target - middle

    def between(rows: Any, columns: Any) -> Any:
        lengths = ops.sum(ops.square(rows), axis=1)[:, None] + ops.sum(ops.square(columns), axis=1)[None, :]
        return ops.maximum(lengths - 2.0 * ops.matmul(rows, ops.transpose(columns)), 0.0)

    return Kernels(between(source, source), between(target, target), between(source, target))
