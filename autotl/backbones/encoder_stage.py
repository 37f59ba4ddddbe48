"""One part of a PyTorch encoder as a layer of a Keras graph, so that it is cut, stored and counted like any other.

Where Keras computes by PyTorch itself, the part's parameters are the layer's variables and can be trained. Elsewhere
the layer holds none: PyTorch computes it as it is, and nothing of it is ever unfrozen.
"""

from collections.abc import Sequence
from typing import Any

import keras
import torch

from autotl.backbones.torch_encoder import BEGINNING, ENDING, POOLING, ImageInput, Part, TorchEncoder


def is_by_torch() -> bool:
    """Whether Keras itself computes by PyTorch."""
    backend: str = keras.backend.backend()
    return backend == "torch"


class EncoderStage(keras.layers.Layer):
    """Takes the examples, or a list of hidden states and what goes beside them; returns hidden states.

    Args:
        pooling: for `POOLING`.
    """

    def __init__(self, encoder: TorchEncoder, part: Part, *, pooling: str = "mean") -> None:
        name = part if isinstance(part, str) else f"encoder_block_{part}"
        super().__init__(name="features" if part == POOLING else name)
        self.supports_jit = False
        self._encoder = encoder
        self._part = part
        self._pooling = pooling
        if is_by_torch():
            for parameter in encoder.parameters_of(part):
                parameter.requires_grad = True
                self._track_variable(keras.Variable(initializer=parameter, trainable=True))
        self.built = True

    @property
    def numbers_held(self) -> int:
        """How many the encoder holds; told by its first part, for all."""
        return self._encoder.parameters if self._part == BEGINNING else 0

    def call(self, inputs: Any) -> Any:
        """Gradients are kept where Keras computes by PyTorch."""
        given = inputs if isinstance(inputs, list | tuple) else [inputs]
        if is_by_torch():
            return self._encoder.run(self._part, given, pooling=self._pooling)
        tensors = [torch.as_tensor(keras.ops.convert_to_numpy(each), device=self._encoder.device) for each in given]
        return keras.ops.convert_to_tensor(self.compute(tensors).cpu().numpy())

    def compute(self, tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        """The same from tensors of PyTorch, without gradients."""
        with torch.no_grad():
            return self._encoder.run(self._part, tensors, pooling=self._pooling)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        """As many hidden states as there are tokens, or places of an image."""
        first = inputs[0] if isinstance(inputs, list | tuple) else inputs
        if self._part == POOLING:
            shape: tuple[int | None, ...] = (first.shape[0], self._width_of(first.shape))
        else:
            own = self._encoder.shapes[self._part]
            is_image = isinstance(self._encoder.takes, ImageInput)
            shape = (first.shape[0], *own) if is_image else (first.shape[0], first.shape[1], *own[1:])
        return keras.KerasTensor(shape, dtype="float32")

    def multiply_adds(self, input_shapes: Sequence[tuple[int | None, ...]]) -> int:
        """Of one call on inputs of these shapes."""
        tensors = [torch.zeros([size or 1 for size in input_shapes[0]], device=self._encoder.device)]
        tensors += [torch.ones([size or 1 for size in shape], dtype=torch.int32) for shape in input_shapes[1:]]
        if self._part == BEGINNING:
            tensors = [tensors[0].to(torch.int32)]
        return self._encoder.flops_of(self._part, tensors) // 2

    def get_config(self) -> dict[str, Any]:
        """What it does beside its weights; only for digests, since a file cannot hold it."""
        return {"part": self._part, "pooling": self._pooling if self._part == POOLING else None}

    def _width_of(self, shape: Sequence[int | None]) -> int | None:
        return shape[1] if len(shape) == 4 else shape[-1]


def staged(encoder: TorchEncoder, *, dtype: str, shape: Sequence[int | None]) -> keras.Model:
    """The encoder up to its last hidden states as one graph, from examples of a shape, with a layer for every part."""
    examples = keras.Input(tuple(shape), dtype=dtype, name="examples")
    beside = [] if isinstance(encoder.takes, ImageInput) else [examples]
    hidden = EncoderStage(encoder, BEGINNING)(examples)
    parts: list[Part] = [*range(encoder.blocks), *([ENDING] if encoder.blocks else [])]
    for part in parts:
        hidden = EncoderStage(encoder, part)([hidden, *beside])
    return keras.Model(examples, hidden, name="encoder")
