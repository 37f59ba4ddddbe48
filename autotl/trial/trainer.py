"""A compiled training step and the state that it works on, reused by every plan of one structure."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from autotl.adaptation.method import AffineMap, Joint, PostTraining
from autotl.backbones.cut import Division
from autotl.backbones.network import Network
from autotl.backbones.origin import Head
from autotl.features.engine import needed_length, uses_xla
from autotl.plan import Plan
from autotl.trial.links import Link
from autotl.trial.model import Structure, TransferModel
from autotl.trial.optimizer import TransferAdam
from autotl.trial.shared_model import SharedModel
from autotl.trial.units import TASKS_OWN, Unit

Arrays = list[NDArray[Any]]


class Batch(NamedTuple):
    """What one step learns from.

    Attributes:
        tensors: as `TransferModel` takes them, each (n, ...).
        labels: (n,) class indices or (n, labels) marks, UNKNOWN where there is none.
        weights: (n,) of the examples in the supervised loss; None where all count alike.
    """

    tensors: Arrays
    labels: NDArray[np.int64]
    weights: NDArray[np.float32] | None = None


class Trainer:
    """The trainable model of one structure: backbone, image size, tap, unfrozen layers, head, and the method's losses.

    Rates, weight decay, dropout, label smoothing, class weights and the parameters of losses are variables, so plans
    that differ in them alone use the same compiled step. `reset` puts everything back to where a fresh model would
    start.
    """

    def __init__(self, network: Network, division: Division, structure: Structure) -> None:
        self.network = network
        self.division = division
        self.unit = TASKS_OWN
        division.activate()
        made = SharedModel if structure.companions else TransferModel
        self.model = made(division.suffix, structure, seed=0)
        said = self.model(_one_example(division, structure))
        if isinstance(structure.method, Joint):
            self._build_networks(said)
        self.optimizer = TransferAdam(parts=self.model.part_of())
        self.model.compile(optimizer=self.optimizer, jit_compile=uses_xla())
        self.optimizer.build(self.model.trainable_variables)

    @property
    def link(self) -> Link:
        """From the head's logits to what the model says."""
        return self.model.structure.supervised.link

    def reset(self, plan: Plan, *, seed: int, class_weights: NDArray[np.float32], unit: Unit = TASKS_OWN) -> None:
        """Pretrained weights, the head that came with them or a new one drawn from `seed`, an empty optimizer, this
        plan's rates.

        Args:
            unit: that labels are told in while this model trains.
        """
        self.division.activate()
        self.unit = unit
        model = self.model
        draws = np.random.default_rng(seed)
        for layer, (kernel, bias) in zip(model.head, self.network.head or self._new_head(draws), strict=True):
            layer.kernel.assign(kernel)
            layer.bias.assign(bias)
        for variable in model.part_of()["networks"]:
            is_matrix = len(variable.shape) > 1
            variable.assign(glorot_uniform(variable.shape, draws) if is_matrix else np.zeros(variable.shape))
        if model.scale_and_shift is not None:
            model.scale_and_shift.scale.assign(np.ones(model.scale_and_shift.scale.shape))
            model.scale_and_shift.shift.assign(np.zeros(model.scale_and_shift.shift.shape))
        self._forget_steps()
        model.dropout.seed_generator.state.assign(np.array([seed & 0xFFFFFFFF, 0], dtype="uint32"))
        model.dropout.rate.assign(plan.dropout)
        model.label_smoothing.assign(plan.label_smoothing)
        model.class_weights.assign(class_weights)
        model.ramp.assign(0.0)
        model.without_source.assign(0.0)
        for name, variable in model.method_values.items():
            variable.assign(float(plan.adaptation.parameters[name]))
        rates = self.optimizer.rates
        for rate in rates.values():
            rate.assign(1.0)
        rates["suffix"].assign(plan.backbone_rate_ratio)
        rates["networks"].assign(float(plan.adaptation.parameters.get("critic_rate", model.rate_of_networks)))
        rates["affine"].assign(0.0)
        self.optimizer.decay.assign(plan.weight_decay)

    def leave_source(self, plan: Plan) -> None:
        """From here on only the method's own loss counts, and only the parts learn that it trains."""
        method = self.model.structure.method
        assert isinstance(method, PostTraining)
        self._forget_steps()
        self.model.without_source.assign(1.0)
        for part, rate in self.optimizer.rates.items():
            learns = part in method.trains
            rate.assign(0.0 if not learns else plan.backbone_rate_ratio if part == "suffix" else 1.0)
        self.optimizer.decay.assign(0.0)  # it would draw a network towards 0 that nothing holds back

    def align(self, maps: Sequence[AffineMap]) -> None:
        """Puts a map for every domain between suffix and head."""
        assert self.model.domain_maps is not None
        self.model.domain_maps.assign(maps)

    def add_to_logits(self, shift: NDArray[np.float32]) -> None:
        """Changes the last layer's bias, (classes,), for good."""
        bias = self.model.head[-1].bias
        bias.assign(keras.ops.convert_to_numpy(bias) + shift)

    def set_head(self, kernel: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
        """Puts a linear head in place, (d, classes) and (classes,)."""
        (layer,) = self.model.head
        layer.kernel.assign(kernel.astype(np.float32))
        layer.bias.assign(bias.astype(np.float32))

    def head(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Kernel and bias of the last layer."""
        layer = self.model.head[-1]
        kernel, bias = (keras.ops.convert_to_numpy(each) for each in (layer.kernel, layer.bias))
        return kernel.astype(np.float64), bias.astype(np.float64)

    def run_epoch(
        self,
        batches: Iterable[Batch],
        *,
        rate_at: Callable[[int], float],
        ramp_at: Callable[[int], float] | None = None,
    ) -> float:
        """Trains on the batches in their order.

        Args:
            rate_at: the head's learning rate by the number of steps taken since the reset.
            ramp_at: how much of a joint method's loss counts, 0 to 1, likewise.
        Returns:
            Mean training loss of the epoch.
        """
        total, examples = 0.0, 0
        for tensors, labels, weights in batches:
            step = int(self.optimizer.iterations)
            self.optimizer.learning_rate = rate_at(step)
            if ramp_at is not None:
                self.model.ramp.assign(ramp_at(step))
            told = self.unit.told(labels).astype(self.model.structure.supervised.label_type)
            logs = self.model.train_on_batch(self._input(tensors), told, sample_weight=weights, return_dict=True)
            total += float(logs["loss"]) * len(labels)  # Keras resets its own mean with every batch
            examples += len(labels)
        return total / max(examples, 1)

    def predict(self, batches: Iterable[Arrays]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities (n, classes), and the features (n, d) that the last layer reads."""
        logits, features = [], []
        for tensors in batches:
            outputs = self.model.predict_on_batch(self._input(tensors))
            logits.append(np.asarray(outputs["logits"], dtype=np.float32))
            features.append(np.asarray(outputs["features"], dtype=np.float32))
        return self._said(np.concatenate(logits)), np.concatenate(features)

    def pooled(self, batches: Iterable[Arrays]) -> NDArray[np.float32]:
        """Features (n, d) as the suffix gives them, before any alignment."""
        outputs = [self.model.predict_on_batch(self._input(tensors))["pooled"] for tensors in batches]
        return np.concatenate([np.asarray(pooled, dtype=np.float32) for pooled in outputs])

    def predict_pooled(self, pooled: NDArray[np.float32], beside: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """Probabilities (n, classes) of target examples from their pooled features."""
        domain = np.zeros(len(pooled), dtype="int32")
        joined = [] if beside is None else [keras.ops.convert_to_tensor(beside)]
        outputs = self.model.from_pooled(keras.ops.convert_to_tensor(pooled), joined, domain)
        return self._said(np.asarray(keras.ops.convert_to_numpy(outputs["logits"]), dtype=np.float32))

    def _said(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """What logits (n, classes) mean, those of the task itself where others are learnt beside it."""
        own = logits[:, : self.model.structure.classes]
        return self.unit.untold(self.link.probabilities(own))

    def classifier_weights(self) -> NDArray[np.float32]:
        """(d, classes), of the last layer."""
        kernel = np.asarray(keras.ops.convert_to_numpy(self.model.head[-1].kernel), dtype=np.float32)
        return kernel[:, : self.model.structure.classes]

    def state(self) -> Arrays:
        """Everything in which folds differ that take turns on one model, to be put back by `load_state`."""
        changing = [keras.ops.convert_to_numpy(variable).copy() for variable in self._changing()]
        return [*changing, self.unit.as_array()]

    def load_state(self, state: Arrays) -> None:
        """Continues from a state that `state` returned."""
        *changing, unit = state
        self.unit = Unit.from_array(unit)
        for variable, value in zip(self._changing(), changing, strict=True):
            variable.assign(value)

    def weights(self) -> Arrays:
        """Head, unfrozen layers and alignment: what tells the trained model from the pretrained one, and answers in the
        task's own unit.

        Of tasks that are learnt together those of this task's model, with its own head alone.
        """
        last, own = self.model.head[-1], self.model.structure.classes
        kernel, bias = (keras.ops.convert_to_numpy(each)[..., :own].copy() for each in (last.kernel, last.bias))
        of_last = zip((last.kernel, last.bias), self.unit.folded(kernel, bias, joined=self.model.joined), strict=True)
        folded = {id(variable): array for variable, array in of_last}
        return [
            folded[id(each)] if id(each) in folded else keras.ops.convert_to_numpy(each).copy() for each in self._kept()
        ]

    def load_weights(self, weights: Sequence[NDArray[Any]]) -> None:
        """Makes this the trained model that `weights` was taken from."""
        self.division.activate()
        self.unit = TASKS_OWN
        for variable, value in zip(self._kept(), weights, strict=True):
            variable.assign(value)

    def _build_networks(self, said: dict[str, Any]) -> None:
        """Calls the method's loss once, so that the layers that it trains beside the model have their weights."""
        twice = {name: keras.ops.concatenate([said[name]] * 4) for name in said}
        labels = self.model.structure.supervised.no_labels(4, classes=self.model.structure.classes)
        self.model.compute_loss(y=labels, y_pred=twice)

    def _new_head(self, draws: np.random.Generator) -> Head:
        head = []
        for layer in self.model.head:
            kernel = glorot_uniform(layer.kernel.shape, draws)
            if layer is self.model.head[-1] and self.model.joined:
                outputs = layer.kernel.shape[1]
                kernel[-outputs:] = np.eye(outputs)  # training starts from the opinion that is joined
            head.append((kernel, np.zeros(layer.bias.shape, dtype="float32")))
        return tuple(head)

    def _forget_steps(self) -> None:
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, dtype=variable.dtype))

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
        """What training changes, and what a fold's own training rows set before it: its class weights."""
        moving = [*self.model.trainable_variables, *self.optimizer.variables, self.model.dropout.seed_generator.state]
        return [*moving, *self._maps(), self.model.class_weights, self.model.without_source]

    def _kept(self) -> list[Any]:
        """A critic is left behind: it only helped to train."""
        left_behind = {id(variable) for variable in self.model.part_of()["networks"]}
        return [*(each for each in self.model.trainable_variables if id(each) not in left_behind), *self._maps()]

    def _maps(self) -> list[Any]:
        maps = self.model.domain_maps
        return [] if maps is None else [maps.matrices, maps.offsets]


def cosine_decay(rate: float, total_steps: int) -> Callable[[int], float]:
    """From `rate` to zero along half a cosine over `total_steps`."""
    return lambda step: 0.5 * rate * (1.0 + math.cos(math.pi * min(step / max(total_steps, 1), 1.0)))


def warm_up(total_steps: int) -> Callable[[int], float]:
    """From 0 to nearly 1 over `total_steps`: 2 / (1 + exp(-10 p)) - 1, p their share.

    Paper: Ganin et al., "Domain-adversarial training of neural networks", JMLR 2016 (arXiv:1505.07818), section 5.2.2.
    """
    return lambda step: 2.0 / (1.0 + math.exp(-10.0 * min(step / max(total_steps, 1), 1.0))) - 1.0


def glorot_uniform(shape: Sequence[int], draws: np.random.Generator) -> NDArray[np.float32]:
    bound = math.sqrt(6.0 / (shape[0] + shape[1]))
    return draws.uniform(-bound, bound, size=tuple(shape)).astype("float32")


def _one_example(division: Division, structure: Structure) -> Any:
    tensors = [np.zeros((1, *crossing.shape), dtype=crossing.dtype) for crossing in division.crossing]
    tensors += [np.zeros((1, structure.joined), dtype=np.float32)] if structure.joined else []
    tensors += [np.zeros(1, dtype=np.int32)] if structure.domains else []
    return tensors[0] if len(tensors) == 1 else tensors
