"""A compiled training step and the state that it works on, reused by every plan of one structure."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.backbones.cut import Division
from autotl.backbones.network import Network
from autotl.features.engine import needed_length, uses_xla
from autotl.plan import Choice, Plan
from autotl.trial.model import TransferModel
from autotl.trial.optimizer import TransferAdam

Arrays = list[NDArray[Any]]
Batch = tuple[Arrays, NDArray[np.int64]]  # crossing tensors and class indices


class Trainer:
    """The trainable model of one structure: backbone, image size, tap, unfrozen layers and head.

    Rates, weight decay, dropout, label smoothing and class weights are variables, so plans that differ in them alone
    use the same compiled step. `reset` puts everything back to where a fresh model would start.
    """

    def __init__(self, network: Network, division: Division, *, head: Choice, classes: int, joined: int = 0) -> None:
        self.network = network
        self.division = division
        division.activate()
        self.model = TransferModel(division.suffix, head=head, classes=classes, seed=0, joined=joined)
        self.model(_one_example(division, joined))
        self.optimizer = TransferAdam(backbone_variables=list(division.suffix.trainable_variables))
        self.model.compile(optimizer=self.optimizer, jit_compile=uses_xla())
        self.optimizer.build(self.model.trainable_variables)

    def reset(self, plan: Plan, *, seed: int, class_weights: NDArray[np.float32]) -> None:
        """Pretrained weights, a new head drawn from `seed`, an empty optimizer, this plan's rates."""
        self.division.activate()
        draws = np.random.default_rng(seed)
        for layer in self.model.head:
            inputs, outputs = layer.kernel.shape
            bound = math.sqrt(6.0 / (inputs + outputs))  # Glorot uniform
            kernel = draws.uniform(-bound, bound, size=(inputs, outputs)).astype("float32")
            if layer is self.model.head[-1] and self.model.joined:
                kernel[-outputs:] = np.eye(outputs)  # training starts from the opinion that is joined
            layer.kernel.assign(kernel)
            layer.bias.assign(np.zeros(outputs, dtype="float32"))
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, dtype=variable.dtype))
        self.model.dropout.seed_generator.state.assign(np.array([seed & 0xFFFFFFFF, 0], dtype="uint32"))
        self.model.dropout.rate.assign(plan.dropout)
        self.model.label_smoothing.assign(plan.label_smoothing)
        self.model.class_weights.assign(class_weights)
        self.optimizer.backbone_rate_ratio.assign(plan.backbone_rate_ratio)
        self.optimizer.decay.assign(plan.weight_decay)

    def run_epoch(self, batches: Iterable[Batch], *, rate_at: Callable[[int], float]) -> float:
        """Trains on the batches in their order.

        Args:
            rate_at: the head's learning rate by the number of steps taken since the reset.
        Returns:
            Mean training loss of the epoch.
        """
        total, examples = 0.0, 0
        for tensors, labels in batches:
            self.optimizer.learning_rate = rate_at(int(self.optimizer.iterations))
            logs = self.model.train_on_batch(self._input(tensors), labels.astype("int32"), return_dict=True)
            total += float(logs["loss"]) * len(labels)  # Keras resets its own mean with every batch
            examples += len(labels)
        return total / max(examples, 1)

    def predict(self, batches: Iterable[Arrays]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities (n, classes) and pooled features (n, d)."""
        logits, features = [], []
        for tensors in batches:
            outputs = self.model.predict_on_batch(self._input(tensors))
            logits.append(np.asarray(outputs["logits"], dtype=np.float32))
            features.append(np.asarray(outputs["features"], dtype=np.float32))
        return softmax(np.concatenate(logits)), np.concatenate(features)

    def state(self) -> Arrays:
        """Everything that training changes, to be put back by `load_state`: folds take turns on one model."""
        return [keras.ops.convert_to_numpy(variable).copy() for variable in self._changing()]

    def load_state(self, state: Arrays) -> None:
        """Continues from a state that `state` returned."""
        for variable, value in zip(self._changing(), state, strict=True):
            variable.assign(value)

    def weights(self) -> Arrays:
        """Head and unfrozen layers: what tells the trained model from the pretrained one."""
        return [keras.ops.convert_to_numpy(variable).copy() for variable in self.model.trainable_variables]

    def load_weights(self, weights: Sequence[NDArray[Any]]) -> None:
        """Makes this the trained model that `weights` was taken from."""
        self.division.activate()
        for variable, value in zip(self.model.trainable_variables, weights, strict=True):
            variable.assign(value)

    def _input(self, tensors: Arrays) -> Any:
        """A batch as the model takes it; sequences without the padding that all of them share."""
        tokens = self.division.tokens_at
        if tokens is not None:
            full = tensors[tokens].shape[1]
            needed = needed_length(tensors[tokens], self.division.padding_id)
            shapes: list[tuple[int, ...]] = [crossing.shape for crossing in self.division.crossing]
            shapes += [()] * (len(tensors) - len(shapes))  # what is joined is no sequence
            tensors = [
                tensor[:, :needed] if shape[:1] == (full,) else tensor
                for tensor, shape in zip(tensors, shapes, strict=True)
            ]
        return tensors[0] if len(tensors) == 1 else tensors

    def _changing(self) -> list[Any]:
        return [*self.model.trainable_variables, *self.optimizer.variables, self.model.dropout.seed_generator.state]


def cosine_decay(rate: float, total_steps: int) -> Callable[[int], float]:
    """From `rate` to zero along half a cosine over `total_steps`."""
    return lambda step: 0.5 * rate * (1.0 + math.cos(math.pi * min(step / max(total_steps, 1), 1.0)))


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Along the last axis, in float64 inside; not-a-number stays so."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)


def _one_example(division: Division, joined: int) -> Any:
    tensors = [np.zeros((1, *crossing.shape), dtype=crossing.dtype) for crossing in division.crossing]
    tensors += [np.zeros((1, joined), dtype=np.float32)] if joined else []
    return tensors[0] if len(tensors) == 1 else tensors
