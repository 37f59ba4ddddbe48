"""PyTorch as the engine of networks that are made of its own parts: encoders of Hugging Face."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from autotl.backbones.graph import nodes_in_order
from autotl.features.store import Tensors

if TYPE_CHECKING:
    from autotl.backbones.torch_encoder import TorchEncoder


class TorchEngine:
    """A graph of an encoder's parts, walked part by part without any graph of Keras's own between them."""

    batch_rows = 32

    def __init__(self, model: keras.Model, encoder: "TorchEncoder") -> None:
        self._inputs = [id(tensor) for tensor in model.inputs]
        self._outputs = [id(tensor) for tensor in model.outputs]
        self._nodes = nodes_in_order(model)
        self._device = encoder.device

    def __call__(self, tensors: Tensors) -> Tensors:
        """The model's outputs, each (n, ...)."""
        import torch

        given = [torch.as_tensor(np.ascontiguousarray(tensor), device=self._device) for tensor in tensors]
        values: dict[int, Any] = dict(zip(self._inputs, given, strict=True))
        for node in self._nodes:
            arguments, _ = node.arguments.fill_in(values)
            values[id(node.outputs[0])] = node.operation.compute(keras.tree.flatten(arguments))
        return [values[output].cpu().numpy() for output in self._outputs]


def name_of_torch(encoder: "TorchEncoder") -> str:
    """The engine's name, which is part of its blocks' names."""
    return f"torch-{'gpu' if encoder.device.type == 'cuda' else 'cpu'}"
