"""The model that a trial trains: stored features in, trainable backbone layers, head, logits out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from autotl.adaptation import METHODS, Method
from autotl.adaptation.method import AffineMap, Joint, JointBatch, Part, PostTraining, Transform
from autotl.plan import Choice
from autotl.trial.losses import LOSSES, Loss

NOTHING = Choice("none")


@dataclass(frozen=True)
class Structure:
    """What decides the compiled graph of a model, beside its network and division; plans that agree in it share one.

    Attributes:
        joined: how many numbers from elsewhere the head sees beside the features.
        domains: how many domains have an alignment map of their own; 0 where features are not aligned.
        loss: the method that adds to the loss, with its structural parameters; `none` where none does.
        learns_by: the loss of known labels, a key of `LOSSES`.
        companions: classes of each task that is learnt together with this one.
        weighing: how their losses are weighed, one of `plan.plan.TOGETHER`; None where there is one task.
    """

    head: Choice
    classes: int
    joined: int = 0
    domains: int = 0
    loss: Choice = NOTHING
    learns_by: str = "cross_entropy"
    companions: tuple[int, ...] = ()
    weighing: str | None = None

    @classmethod
    def of(
        cls, head: Choice, adaptation: Choice, *, classes: int, domains: int, joined: int, learns_by: str
    ) -> "Structure":
        """The structure of a plan's model."""
        method = METHODS[adaptation.name]
        fixed = {name: value for name, value in adaptation.parameters.items() if method.parameters[name].structural}
        trained = isinstance(method, Joint | PostTraining)
        aligned = alignment_of(adaptation) is not None
        loss = Choice(adaptation.name, fixed) if trained else NOTHING
        return cls(head, classes, joined, domains if aligned else 0, loss, learns_by)

    @property
    def method(self) -> Method:
        """The method that adds to the loss."""
        return METHODS[self.loss.name]

    @property
    def supervised(self) -> Loss:
        """What known labels are learnt by."""
        return LOSSES[self.learns_by]

    def key(self) -> tuple[Any, ...]:
        """Equal for equal structures; hashable."""
        choices = [(choice.name, tuple(sorted(choice.parameters.items()))) for choice in (self.head, self.loss)]
        return (*choices, self.classes, self.joined, self.domains, self.learns_by, self.companions, self.weighing)

    @property
    def outputs(self) -> int:
        """Of the last layer: a task's own classes, then those of its companions."""
        return self.classes + sum(self.companions)


def alignment_of(adaptation: Choice) -> tuple[Transform, dict[str, Any]] | None:
    """The transform that features go through, with its parameters: the method itself, or what it is put behind."""
    method = METHODS[adaptation.name]
    if isinstance(method, Transform):
        return method, dict(adaptation.parameters)
    before = METHODS[adaptation.parameters.get("align", "none")]
    return (before, dict(before.defaults)) if isinstance(before, Transform) else None


class AdjustableDropout(keras.layers.Layer):
    """Dropout whose rate is a variable, so that plans with different rates share one compiled step."""

    def __init__(self, *, seed: int, name: str = "dropout") -> None:
        super().__init__(name=name)
        self.rate = self.add_weight(shape=(), initializer="zeros", trainable=False, name="rate")
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Inputs of any shape, unchanged unless training."""
        if not training:
            return inputs
        rate = ops.cast(self.rate, inputs.dtype)
        kept = keras.random.uniform(ops.shape(inputs), dtype=inputs.dtype, seed=self.seed_generator) >= rate
        return ops.where(kept, inputs / (1.0 - rate), ops.zeros_like(inputs))


class DomainMaps(keras.layers.Layer):
    """An affine map of features for each domain, fitted elsewhere and not trained."""

    def __init__(self, *, domains: int, width: int, name: str = "domain_maps") -> None:
        super().__init__(name=name)
        self.matrices = self.add_weight(
            shape=(domains, width, width), initializer="zeros", trainable=False, name="matrices"
        )
        self.offsets = self.add_weight(shape=(domains, width), initializer="zeros", trainable=False, name="offsets")
        self.domains = domains

    def call(self, features: Any, domain: Any) -> Any:
        """Features (n, d) of examples whose domains have these indices, (n,), each by its domain's map."""
        mapped = ops.take(self.offsets, domain, axis=0)
        for index in range(self.domains):
            here = ops.expand_dims(ops.cast(ops.equal(domain, index), features.dtype), -1)
            mapped = mapped + here * ops.matmul(features, self.matrices[index])
        return mapped

    def assign(self, maps: Sequence[AffineMap]) -> None:
        """A map for every domain, in the order of the task's domains."""
        self.matrices.assign(np.stack([each.matrix for each in maps]))
        self.offsets.assign(np.stack([each.offset for each in maps]))


class ScaleAndShift(keras.layers.Layer):
    """A factor and a summand for every feature, both trainable: what TENT adapts."""

    def __init__(self, *, width: int, name: str = "scale_and_shift") -> None:
        super().__init__(name=name)
        self.scale = self.add_weight(shape=(width,), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(width,), initializer="zeros", name="shift")

    def call(self, features: Any) -> Any:
        """Features (n, d)."""
        return features * self.scale + self.shift


class TransferModel(keras.Model):
    """Suffix, alignment of domains, dropout and head.

    Inputs are the crossing tensors of the cut, each (n, ...), then what is joined, (n, joined), then the index of each
    example's domain, (n,), where domains are aligned. `call` returns `pooled` features (n, d) as the suffix gives them,
    `features` as the last layer reads them, and `logits` (n, classes).

    The suffix always runs in inference mode: an unfrozen batch-norm trains gamma and beta but keeps its pretrained
    statistics, or a few hundred images would overwrite what a million had taught it.
    """

    rate_of_networks = 1.0  # what only helps to train learns at so many times the head's rate

    def __init__(self, suffix: keras.Model, structure: Structure, *, seed: int) -> None:
        super().__init__(name="transfer_model")
        self.suffix = suffix
        self.structure = structure
        width = int(suffix.output_shape[-1])
        method = structure.method
        self.domain_maps = DomainMaps(domains=structure.domains, width=width) if structure.domains else None
        adapts_scale = isinstance(method, PostTraining) and "affine" in method.trains
        self.scale_and_shift = ScaleAndShift(width=width) if adapts_scale else None
        self.dropout = AdjustableDropout(seed=seed)
        self.head = head_layers(structure.head, classes=structure.outputs)
        self.label_smoothing = self.add_weight(shape=(), initializer="zeros", trainable=False, name="label_smoothing")
        self.class_weights = self.add_weight(
            shape=(structure.outputs,), initializer="ones", trainable=False, name="class_weights"
        )
        self.ramp = self.add_weight(shape=(), initializer="zeros", trainable=False, name="ramp")
        self.without_source = self.add_weight(shape=(), initializer="zeros", trainable=False, name="without_source")
        self.method_values = {
            name: self.add_weight(shape=(), initializer="zeros", trainable=False, name=f"method_{name}")
            for name, parameter in method.parameters.items()
            if not parameter.structural and isinstance(method, Joint | PostTraining)
        }
        self.networks: list[keras.layers.Layer] = []
        if isinstance(method, Joint):
            self.networks = list(method.networks(self._width_before_logits(width), structure.classes, self._values()))

    @property
    def joined(self) -> int:
        """How many numbers from elsewhere the head sees beside the features."""
        return self.structure.joined

    def call(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        """See the class."""
        tensors = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        domain = tensors.pop() if self.domain_maps is not None else None
        beside = [tensors.pop()] if self.joined else []
        pooled = self.suffix(tensors[0] if len(tensors) == 1 else tensors, training=False)
        return self.from_pooled(pooled, beside, domain, training=training)

    def from_pooled(
        self, pooled: Any, beside: Sequence[Any] = (), domain: Any = None, *, training: bool = False
    ) -> dict[str, Any]:
        """What `call` returns, from the suffix's output on."""
        seen = pooled if self.domain_maps is None else self.domain_maps(pooled, domain)
        seen = seen if self.scale_and_shift is None else self.scale_and_shift(seen)
        features = through_hidden(self.head, self.dropout(seen, training=training))
        logits = self.head[-1](ops.concatenate([features, *beside], axis=-1) if beside else features)
        return {"pooled": pooled, "features": features, "logits": logits}

    def part_of(self) -> dict[Part, list[Any]]:
        """The trainable variables by the part of the model that they belong to."""
        return {
            "suffix": list(self.suffix.trainable_variables),
            "hidden": [variable for layer in self.head[:-1] for variable in layer.trainable_variables],
            "classifier": list(self.head[-1].trainable_variables),
            "affine": [] if self.scale_and_shift is None else list(self.scale_and_shift.trainable_variables),
            "networks": [variable for layer in self.networks for variable in layer.trainable_variables],
        }

    def map_of_target(self) -> AffineMap | None:
        """What happens to the target's pooled features before the head; None where nothing does."""
        return self.map_of(0)

    def map_of(self, domain: int) -> AffineMap | None:
        """The same of any domain's, by its index."""
        if self.domain_maps is None and self.scale_and_shift is None:
            return None
        if self.domain_maps is None:
            width = int(self.suffix.output_shape[-1])
            matrix, offset = np.eye(width, dtype=np.float32), np.zeros(width, dtype=np.float32)
        else:
            matrix, offset = _array(self.domain_maps.matrices)[domain], _array(self.domain_maps.offsets)[domain]
        if self.scale_and_shift is not None:
            scale, shift = _array(self.scale_and_shift.scale), _array(self.scale_and_shift.shift)
            matrix, offset = matrix * scale, offset * scale + shift
        return AffineMap(matrix, offset)

    def compute_loss(
        self,
        x: Any = None,  # noqa: ARG002 - Keras's interface
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,  # noqa: ARG002
    ) -> Any:
        """The supervised loss, and what the plan's method adds to it.

        Args:
            y: labels, (n, …) as the loss has them; UNKNOWN where there is none. Of a joint method the first half are
                labelled examples, the second half target examples with their pseudo-labels, if there are any.
            y_pred: what `call` returned.
            sample_weight: (n,) or None.
        """
        features, logits = (ops.cast(y_pred[name], "float32") for name in ("features", "logits"))
        method = self.structure.method
        if isinstance(method, Joint):
            source_features, target_features = ops.split(features, 2, axis=0)
            source_logits, target_logits = ops.split(logits, 2, axis=0)
            source_labels, target_labels = ops.split(y, 2, axis=0)
            batch = JointBatch(
                source_features,
                target_features,
                source_logits,
                target_logits,
                source_labels,
                target_labels,
                self.structure.supervised.link.activation,
            )
            supervised = self._supervised(source_logits, source_labels, None)
            return supervised + method.loss(batch, self.networks, self._values())
        supervised = self._supervised(logits, y, sample_weight)
        if isinstance(method, PostTraining):
            alone = method.loss(features, logits, y, self._values())
            return ops.where(self.without_source > 0.5, alone, supervised)
        return supervised

    def _supervised(self, logits: Any, y: Any, sample_weight: Any) -> Any:
        """The mean over known labels, with label smoothing, each weighted by its class."""
        return self.structure.supervised.of_batch(logits, y, self.label_smoothing, self.class_weights, sample_weight)

    def _values(self) -> dict[str, Any]:
        """The method's parameters: structural ones as they are, the others and the ramp as variables."""
        return {**self.structure.loss.parameters, **self.method_values, "ramp": self.ramp}

    def _width_before_logits(self, pooled: int) -> int:
        return int(self.structure.head.parameters["units"]) if len(self.head) > 1 else pooled


def through_hidden(head: Sequence[keras.layers.Layer], features: Any) -> Any:
    """What the last layer of a head reads."""
    for layer in head[:-1]:
        features = layer(features)
    return features


def head_layers(head: Choice, *, classes: int) -> list[keras.layers.Layer]:
    """Plain Keras layers from pooled features to logits; the exported model has the same ones."""
    layers: list[keras.layers.Layer] = []
    if head.name == "hidden":
        layers.append(keras.layers.Dense(int(head.parameters["units"]), activation="relu", name="head_hidden"))
    layers.append(keras.layers.Dense(classes, name="head_logits"))
    return layers


def serving_logits(model: TransferModel, pooled: Any, beside: Sequence[Any] = ()) -> Any:
    """Logits of the trained model for target examples, by plain Keras layers alone.

    Args:
        pooled: (n, d) as the suffix gives it. beside: what is joined.
    """
    features = through_hidden(model.head, serving_features(model, pooled))
    return model.head[-1](keras.ops.concatenate([features, *beside], axis=-1) if beside else features)


def serving_features(model: TransferModel, pooled: Any) -> Any:
    """What the head reads of target examples, by plain Keras layers alone.

    Args:
        pooled: (n, d) as the suffix gives it.
    """
    mapped = model.map_of_target()
    if mapped is None:
        return pooled
    aligned = keras.layers.Dense(len(mapped.offset), name="alignment")
    features = aligned(pooled)
    aligned.set_weights([mapped.matrix, mapped.offset])
    return features


def _array(variable: Any) -> NDArray[np.float32]:
    return np.asarray(ops.convert_to_numpy(variable), dtype=np.float32)
