"""What every adaptation method tells about itself, and what each stage of adaptation asks of it.

Nothing here imports Keras: the table of methods is read by `autotl --help`, too. Losses import `keras.ops` when they
run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from autotl.data.statistics import Statistics

Stage = Literal["none", "transform", "weights", "joint", "post"]
Features = NDArray[np.float32]  # (n, d)
Probabilities = NDArray[np.float32]  # (n, classes)
Labels = NDArray[np.int64]  # (n,); `data.examples.UNKNOWN` (-1) where there is none
Values = Mapping[str, Any]  # a method's parameters by name

Part = Literal["suffix", "hidden", "classifier", "affine", "networks"]

RAMPED_SHARE = 0.5  # of the supervised steps, after which a joint method's loss counts in full


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method.

    Attributes:
        default: a sane value; its kind (float, int, bool, str) is the kind of every value.
        searched: the range that `adaptation: auto` searches, as a search space writes it, e.g. `{"log": [0.1, 3.0]}`;
            None where the default is kept.
        structural: whether it changes the compiled graph. Others are variables, so that plans share one compiled step.
        allowed: the words that a str may be.
    """

    default: float | int | bool | str
    searched: Mapping[str, Sequence[Any]] | None = None
    structural: bool = False
    allowed: tuple[str, ...] = ()


# Of joint and post methods: a transform that is fitted before the loss acts (its key in `METHODS`, default parameters).
ALIGN = Parameter(
    "none",
    searched={"choice": ["none", "standardize"]},
    structural=True,
    allowed=("none", "standardize", "coral", "linear_ot"),
)


class Method(Protocol):
    """A way to use unlabelled target examples (and labelled source ones) besides the plain loss."""

    @property
    def stage(self) -> Stage:
        """When it acts: on features before training, on example weights, in the loss, or after training."""
        ...

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Its parameters by the names that search spaces and plans use."""
        ...

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Every parameter's sane value."""
        ...

    @property
    def paper(self) -> str:
        """Where it was published; empty for none."""
        ...

    @property
    def in_words(self) -> str:
        """What it does, in words for a report's reader: "target features are ..."."""
        ...

    @property
    def needs_source(self) -> bool:
        """Whether it reads labelled source examples while it adapts; false for those that work source-free."""
        ...

    @property
    def trains_features(self) -> bool:
        """Whether it acts through the features under the last layer, so that something must be trainable there."""
        ...

    @property
    def optimises(self) -> frozenset[str]:
        """Label-free scores of its own family: they may not judge its models (names of `LABEL_FREE_SCORES`)."""
        ...


@dataclass(frozen=True, eq=False)
class AffineMap:
    """`features @ matrix + offset`.

    Attributes:
        matrix: (d, d).
        offset: (d,).
    """

    matrix: NDArray[np.float32]
    offset: NDArray[np.float32]

    def __call__(self, features: Features) -> Features:
        """Mapped features (n, d)."""
        mapped: Features = features @ self.matrix + self.offset
        return mapped

    def then_undo(self, other: "AffineMap") -> "AffineMap":
        """This map, followed by the inverse of another one that can be inverted."""
        inverse = np.linalg.inv(other.matrix.astype(np.float64))
        matrix = self.matrix @ inverse
        offset = (self.offset - other.offset) @ inverse
        return AffineMap(matrix.astype(np.float32), offset.astype(np.float32))


@dataclass(frozen=True, eq=False)
class Alignment:
    """Maps after which a source's and the target's features look alike.

    Attributes:
        notes: what had to be done so that it could be computed, e.g. that a singular covariance was shrunk.
    """

    source: AffineMap
    target: AffineMap
    notes: tuple[str, ...] = ()


@runtime_checkable
class Transform(Method, Protocol):
    """Fitted once on the features of both domains; what is learnt after it is learnt on mapped features."""

    @property
    def can_be_refitted(self) -> bool:
        """Whether it may be fitted anew while the layers below it train, which asks that the source's map can be
        undone: the model then learns on the source as it is, and the target is brought to it."""
        ...

    def fit(self, source: Features, target: Features, values: Values) -> Alignment:
        """Maps for one source and the target. The target's map must not depend on the source: there may be several.

        Args:
            source, target: (n, d) and (m, d), finite; n and m may be 1 or differ.
        """
        ...


class Figures(Protocol):
    """What is known of a source whose examples are not here: of the features that the head reads."""

    @property
    def mean(self) -> NDArray[np.float64]:
        """(d,)."""
        ...

    @property
    def deviation(self) -> NDArray[np.float64]:
        """(d,), at least 0."""
        ...


@runtime_checkable
class FitsToFigures(Method, Protocol):
    """A transform for which mean and deviation of the source are enough."""

    def onto(self, source: Figures, target: Features) -> AffineMap:
        """The map after which the target's features have the source's figures.

        Args:
            target: (m, d).
        """
        ...


@runtime_checkable
class FitsToStatistics(Method, Protocol):
    """A transform for which means and covariances of the source are enough."""

    def fit_to_statistics(self, source: Statistics, target: Features, values: Values) -> Alignment:
        """What `fit` gives for the source's examples, to rounding.

        Args:
            source: sums over the source's features. target: (m, d).
        """
        ...


@runtime_checkable
class Weighting(Method, Protocol):
    """Weighs labelled source examples so that they stand for the target."""

    def weigh(self, source: Features, target: Features, values: Values, *, seed: int) -> NDArray[np.float32]:
        """(n,) weights of the source examples, at least 0, of mean 1."""
        ...


@dataclass(frozen=True)
class JointBatch:
    """What a joint loss sees: a batch of two halves of equal size b, as tensors.

    Attributes:
        source_features, target_features: (b, d), what the last layer reads.
        source_logits, target_logits: (b, classes).
        source_labels: (b,) int, UNKNOWN where there is none; of several labels an example (b, classes).
        target_labels: (b,) int, pseudo-labels of methods that make them, UNKNOWN elsewhere; likewise.
        activation: what makes predictions of logits: `softmax` of classes that exclude each other, `sigmoid` of labels
            on their own, `linear` of a number in units of its mean and deviation.
    """

    source_features: Any
    target_features: Any
    source_logits: Any
    target_logits: Any
    source_labels: Any
    target_labels: Any
    activation: str = "softmax"


@runtime_checkable
class Joint(Method, Protocol):
    """An extra loss beside the supervised one, on batches of both domains."""

    def networks(self, width: int, classes: int, values: Values) -> Sequence[Any]:
        """Keras layers that it trains beside the model (a domain critic); most have none.

        Args:
            width: of the features that the last layer reads.
            values: the structural parameters.
        """
        ...

    def loss(self, batch: JointBatch, networks: Sequence[Any], values: Values) -> Any:
        """Scalar tensor, weighted and ramped, to be added to the supervised loss.

        Args:
            networks: what `networks` returned, built.
            values: structural parameters as Python values, the others as scalar tensors, and `ramp`: a scalar tensor
                from 0 to 1 that grows over the run; most multiply by it.
        """
        ...


@runtime_checkable
class MakesPseudoLabels(Protocol):
    """Labels target examples by the model itself, anew before each epoch."""

    def pseudo_labels(
        self, probabilities: Probabilities, features: Features, values: Values, *, progress: float
    ) -> Labels:
        """(m,) class index of every target example, UNKNOWN for those it leaves out.

        Args:
            probabilities, features: of the plain target examples by the model as it stands; features (m, d) are what
                the last layer reads.
            progress: from 0 before the first epoch towards 1.
        """
        ...


@runtime_checkable
class PostTraining(Method, Protocol):
    """Goes on training after the supervised training, on target examples alone: the source is never read.

    A parameter `epochs` says for how long.
    """

    @property
    def trains(self) -> frozenset[Part]:
        """The parts of the model that go on learning; the others stay as they are."""
        ...

    def loss(self, features: Any, logits: Any, pseudo_labels: Any, values: Values) -> Any:
        """Scalar tensor of a batch of target examples.

        Args:
            features: (b, d), what the last layer reads. logits: (b, classes). pseudo_labels: (b,), UNKNOWN for none.
        """
        ...


@runtime_checkable
class PriorCorrection(Method, Protocol):
    """Changes the trained model's bias for a target whose classes are of other sizes than the source's."""

    def prior_shift(
        self, target: Probabilities, source_prior: NDArray[np.float64], values: Values
    ) -> NDArray[np.float32]:
        """(classes,) what is to be added to the logits.

        Args:
            target: calibrated probabilities of target examples by the model trained on the source.
            source_prior: (classes,) shares of the classes that it was trained on.
        """
        ...


@dataclass(frozen=True)
class Described:
    """The part of a method that is only told; methods inherit it."""

    stage: Stage = "none"
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    paper: str = ""
    in_words: str = ""
    needs_source: bool = True
    trains_features: bool = False
    optimises: frozenset[str] = frozenset()

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Every parameter's sane value."""
        return {name: parameter.default for name, parameter in self.parameters.items()}
