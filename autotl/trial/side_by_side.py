"""Linear heads trained side by side: one compiled step moves as many as it has places, each as if it were alone.

A step of one small head costs mostly the calls around its arithmetic, and heads on the same stored features differ in
nothing but numbers. So many of them are one model, whose kernels are one tensor. Each place has its own rows, labels
and weights in every step, its own rates, and its own noise of dropout, drawn from its own seed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, zip_longest
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from autotl.trial.losses import Loss
from autotl.trial.trainer import glorot_uniform
from autotl.trial.units import TASKS_OWN, Unit

SIZES = (8, 32)  # places of a compiled step, by `benchmarks.speed.packets`: more gain little, fewer waste less on a few
STEPS_AT_ONCE = 64  # between two looks at the clock
FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-7  # Adam's, as Keras has them

Matrix = NDArray[np.float32]


class HeadBatch(NamedTuple):
    """What one head learns from in one step.

    Attributes:
        rows: (n,) of the features.
        labels: (n, …) as the loss has them, UNKNOWN where there is none.
        weights: (n,) of the examples in the loss; None where all count alike.
        rate: the learning rate of this step.
    """

    rows: NDArray[np.int64]
    labels: NDArray[Any]
    weights: NDArray[np.float32] | None
    rate: float


@dataclass
class HeadState:
    """Everything of one head that training changes, and what it is trained with.

    Attributes:
        kernel, bias: (d, classes) and (classes,).
        moments: Adam's of the kernel, then of the bias, first and second each; made with the head.
        steps: taken so far.
        class_weights: (classes,).
        unit: that its labels are told in.
    """

    kernel: Matrix
    bias: Matrix
    seed: int
    dropout: float
    label_smoothing: float
    weight_decay: float
    class_weights: Matrix
    unit: Unit = TASKS_OWN
    steps: int = 0
    moments: list[Matrix] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.moments:
            self.moments = [np.zeros_like(each) for each in (self.kernel, self.kernel, self.bias, self.bias)]

    @classmethod
    def new(cls, width: int, classes: int, *, seed: int, **trained_with: Any) -> "HeadState":
        """The head that a trainer would start with from this seed."""
        kernel = glorot_uniform((width, classes), np.random.default_rng(seed))
        return cls(kernel, np.zeros(classes, dtype=np.float32), seed=seed, **trained_with)


def in_memory(features: Matrix) -> Any:
    """The features (n, d) where steps can read them, a GPU's memory included; several sizes share them."""
    return keras.Variable(features, trainable=False, name="features")


def predict(heads: Sequence[HeadState], features: Matrix, loss: Loss) -> Matrix:
    """What heads say of features (n, d), (heads, n, classes), all by one product of matrices."""
    logits = features @ np.concatenate([head.kernel for head in heads], axis=1)
    logits += np.concatenate([head.bias for head in heads])
    of_heads = logits.reshape(len(features), len(heads), len(heads[0].bias)).transpose(1, 0, 2)
    said = loss.link.probabilities(of_heads)
    return np.stack([head.unit.untold(of_head) for head, of_head in zip(heads, said, strict=True)])


class SideBySide:
    """The compiled step of `places` heads on features in memory."""

    def __init__(self, features: Any, loss: Loss, *, classes: int, batch_size: int, places: int) -> None:
        self.places = places
        self._batch_size = batch_size
        self._no_labels = partial(loss.no_labels, classes=classes)
        self._model = _Places(features, loss, classes=classes, places=places)
        is_tensorflow = keras.backend.backend() == "tensorflow"
        self._take_steps = in_one_call(self._model) if is_tensorflow else one_by_one(self._model)

    def run_epoch(self, heads: Sequence[HeadState], batches: Sequence[Iterator[HeadBatch]]) -> NDArray[np.float64]:
        """Trains each head on its own batches in their order; at most as many heads as there are places.

        Returns:
            Mean training loss of the epoch, one a head; not a number of a head that diverged, alone.
        """
        self._seat(heads)
        examples = np.zeros(len(heads))
        steps = zip_longest(*batches)
        while some := list(islice(steps, STEPS_AT_ONCE)):
            assembled = self._assembled(heads, some)
            self._take_steps(*assembled)
            examples += assembled.pace[:, _PACE.index("examples"), : len(heads)].sum(axis=0)
        self._collect(heads)
        losses = ops.convert_to_numpy(self._model.losses_so_far)[: len(heads)].astype(np.float64)
        return losses / np.maximum(examples, 1)

    def _assembled(self, heads: Sequence[HeadState], steps: Sequence[Sequence[HeadBatch | None]]) -> "_Steps":
        """What the model reads in these steps, of every head that has a batch left."""
        shape = (len(steps), self.places, self._batch_size)
        rows, labels = np.zeros(shape, dtype=np.int32), self._no_labels(*shape)
        weights = np.zeros(shape, dtype=np.float32)
        pace = np.zeros((len(steps), len(_PACE), self.places), dtype=np.float32)
        seeds = np.zeros((len(steps), self.places, 2), dtype=np.uint32)
        for step, at_once in enumerate(steps):
            for place, (head, batch) in enumerate(zip(heads, at_once, strict=True)):
                if batch is None:
                    continue
                n = len(batch.rows)
                rows[step, place, :n], labels[step, place, :n] = batch.rows, batch.labels
                weights[step, place, :n] = 1.0 if batch.weights is None else batch.weights
                seeds[step, place] = head.seed & 0xFFFFFFFF, head.steps
                head.steps += 1
                corrected = np.sqrt(1 - SECOND_DECAY**head.steps) / (1 - FIRST_DECAY**head.steps)
                pace[step, :, place] = batch.rate * corrected, batch.rate, 1.0, n
        return _Steps(rows, labels, weights, pace, seeds)

    def _seat(self, heads: Sequence[HeadState]) -> None:
        """Puts the heads into the first places; the others hold zeros and do not move."""
        model = self._model
        seated: list[tuple[Any, list[Any]]] = [
            (model.kernel, [head.kernel for head in heads]),
            (model.bias, [head.bias for head in heads]),
            (model.class_weights, [head.class_weights for head in heads]),
            (model.dropout, [head.dropout for head in heads]),
            (model.label_smoothing, [head.label_smoothing for head in heads]),
            (model.decay, [head.weight_decay for head in heads]),
            (model.losses_so_far, [0.0] * len(heads)),
            *((moment, [head.moments[index] for head in heads]) for index, moment in enumerate(model.moments)),
        ]
        for variable, of_heads in seated:
            values = np.zeros(variable.shape, dtype=np.float32)
            values[: len(heads)] = np.stack(of_heads)
            variable.assign(values)

    def _collect(self, heads: Sequence[HeadState]) -> None:
        kernels, biases = (ops.convert_to_numpy(each) for each in (self._model.kernel, self._model.bias))
        moments = [ops.convert_to_numpy(each) for each in self._model.moments]
        for place, head in enumerate(heads):
            head.kernel, head.bias = kernels[place].copy(), biases[place].copy()
            head.moments = [moment[place].copy() for moment in moments]


class _Steps(NamedTuple):
    """Arrays whose first axis is that of the steps; see `_Places.step`."""

    rows: NDArray[np.int32]
    labels: NDArray[Any]
    weights: NDArray[np.float32]
    pace: NDArray[np.float32]
    seeds: NDArray[np.uint32]


TakeSteps = Callable[..., None]  # takes the fields of `_Steps`


def one_by_one(model: "_Places") -> TakeSteps:
    """Takes steps on any backend."""

    def take(rows: Any, labels: Any, weights: Any, pace: Any, seeds: Any) -> None:
        for step in range(len(rows)):
            model.step(*(ops.convert_to_tensor(each[step]) for each in (rows, labels, weights, pace, seeds)))

    return take


def in_one_call(model: "_Places") -> TakeSteps:
    """The same on TensorFlow, where the calls around a step of few heads take longer than the step."""
    import tensorflow as tf

    def take(rows: Any, labels: Any, weights: Any, pace: Any, seeds: Any) -> None:
        for step in tf.range(tf.shape(rows)[0]):
            model.step(rows[step], labels[step], weights[step], pace[step], seeds[step])

    return tf.function(
        take,
        reduce_retracing=True,
        input_signature=[
            tf.TensorSpec((None, model.places, None), "int32"),
            tf.TensorSpec((None, model.places, None, *model.label_shape), model.label_type),
            tf.TensorSpec((None, model.places, None), "float32"),
            tf.TensorSpec((None, len(_PACE), model.places), "float32"),
            tf.TensorSpec((None, model.places, 2), "uint32"),
        ],
    )


_PACE = ("corrected rate", "rate", "whether it moves", "examples")  # of every place in a step


class _Places:
    """Linear heads in so many places, and Adam with decoupled weight decay for each by its own rate, decay and count.

    The gradient of a linear head is known; written out, a step costs two thirds of what differentiating it would.
    """

    def __init__(self, features: Any, loss: Loss, *, classes: int, places: int) -> None:
        self.features = features
        self.places = places
        self.label_shape, self.label_type = loss.label_shape(classes), loss.label_type
        self._loss = loss
        width = features.shape[1]
        self.kernel = _zeros((places, width, classes), "kernel")
        self.bias = _zeros((places, classes), "bias")
        self.moments = [_zeros(each.shape, "moment") for each in (self.kernel, self.kernel, self.bias, self.bias)]
        self.dropout = _zeros((places,), "dropout")
        self.label_smoothing = _zeros((places,), "label_smoothing")
        self.decay = _zeros((places,), "decay")
        self.class_weights = _zeros((places, classes), "class_weights")
        self.losses_so_far = _zeros((places,), "losses")

    def step(self, rows: Any, labels: Any, weights: Any, pace: Any, seeds: Any) -> None:
        """One step of every place on its own batch.

        Args:
            rows, labels, weights: (places, n, …), of the features; labels as the loss has them.
            pace: (4, places), `_PACE`.
            seeds: (places, 2), of dropout.
        """
        seen = ops.take(self.features, rows, axis=0)
        seen = ops.cond(ops.any(self.dropout > 0), lambda: self._thinned(seen, seeds), lambda: seen)
        logits = ops.matmul(seen, self.kernel) + ops.expand_dims(self.bias, 1)
        smoothing = ops.reshape(self.label_smoothing, (-1, 1, 1))
        losses, of_logits = self._loss.of_heads(logits, labels, smoothing, self.class_weights, weights)
        self.losses_so_far.assign_add(losses * pace[3])
        self._move(self.kernel, self.moments[:2], ops.einsum("knd,knc->kdc", seen, of_logits), pace)
        self._move(self.bias, self.moments[2:], ops.sum(of_logits, axis=1), pace)

    def _thinned(self, seen: Any, seeds: Any) -> Any:
        """What `AdjustableDropout` leaves of each place's features."""
        shape = ops.shape(seen)[1:]
        draws = [keras.random.uniform(shape, seed=_GivenSeed(seeds[place])) for place in range(self.places)]
        rates = ops.reshape(self.dropout, (-1, 1, 1))
        return ops.where(ops.stack(draws) >= rates, seen / (1.0 - rates), ops.zeros_like(seen))

    def _move(self, variable: Any, moments: Sequence[Any], gradient: Any, pace: Any) -> None:
        """One step of Adam; weight decay applies to kernels."""
        first, second = moments
        of_each = (-1,) + (1,) * (len(variable.shape) - 1)
        corrected, rate, moves = (ops.reshape(pace[row], of_each) for row in range(3))
        moved_first = first + (gradient - first) * (moves * (1 - FIRST_DECAY))
        moved_second = second + (ops.square(gradient) - second) * (moves * (1 - SECOND_DECAY))
        kept = variable * (1.0 - rate * ops.reshape(self.decay, of_each)) if len(variable.shape) > 2 else variable
        first.assign(moved_first)
        second.assign(moved_second)
        variable.assign(kept - moved_first * corrected / (ops.sqrt(moved_second) + EPSILON))


def _zeros(shape: Sequence[int], name: str) -> Any:
    return keras.Variable(np.zeros(shape, dtype=np.float32), trainable=False, name=name)


class _GivenSeed(keras.random.SeedGenerator):
    """A seed that is a tensor of the graph."""

    def __init__(self, seed: Any) -> None:
        self._given = seed

    def next(self, ordered: bool = True) -> Any:  # noqa: ARG002 - Keras's interface
        """The seed as it is."""
        return self._given
