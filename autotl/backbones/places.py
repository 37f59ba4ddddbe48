"""The places where a network can be cut: what crosses there, what that costs, and the way from one to others."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np
import xxhash

from autotl.backbones.graph import crossings, nodes_in_order, rerun
from autotl.backbones.network import Network
from autotl.backbones.size import flops_by_node


@dataclass(frozen=True)
class Crossing:
    """One tensor of one example at the cut."""

    shape: tuple[int, ...]  # without the batch axis
    dtype: str


class Places:
    """Every place in the order of a network's graph: 0 before its first node, the last behind its pooling."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.nodes = nodes_in_order(network.whole)
        self._tensors = crossings(network.whole)

    @property
    def last(self) -> int:
        """Behind the last node."""
        return len(self.nodes)

    def tensors(self, place: int) -> Sequence[keras.KerasTensor]:
        """What crosses there, of the network's own graph."""
        return self._tensors[place]

    def crossing(self, place: int) -> tuple[Crossing, ...]:
        """What crosses there, of one example; a sequence at its full length."""
        length = self.network.form.sequence_length
        return tuple(Crossing(_closed(tensor.shape[1:], length), tensor.dtype) for tensor in self._tensors[place])

    def digest(self, place: int) -> str:
        """Names what crosses there and all that decides it, the examples apart."""
        return _joined(self.network.tensor_digests[id(tensor)] for tensor in self._tensors[place])

    def name(self, place: int) -> str:
        """The layer whose output is the last to cross, or the input's own name."""
        return self.nodes[place - 1].operation.name if place > 0 else self.network.whole.inputs[0].name

    @cached_property
    def bytes_per_example(self) -> list[float]:
        """Of what crosses at each place; infinite where a size is open or bound to the batch."""
        return [_bytes_per_example(tensors, self.network.form.sequence_length) for tensors in self._tensors]

    @cached_property
    def flops_before(self) -> list[int]:
        """Floating point operations of one example up to each place."""
        per_node = flops_by_node(self.network.whole, self.network.example_shape)
        return [0, *np.cumsum(per_node, dtype=np.int64).tolist()]

    def way(self, start: int, ends: Sequence[int]) -> keras.Model:
        """From what crosses at one place to what crosses at later ones, all of it in one list, by the same layers."""
        if start == 0:
            outputs = [tensor for end in ends for tensor in self._tensors[end]]
            return keras.Model(self.network.whole.inputs[0], outputs, name="prefix")
        inputs = inputs_like(self._tensors[start])
        values = dict(zip(map(id, self._tensors[start]), inputs, strict=True))
        rerun(self.nodes[start : max(ends)], values)
        return keras.Model(inputs, [values[id(tensor)] for end in ends for tensor in self._tensors[end]], name="way")


def inputs_like(tensors: Iterable[keras.KerasTensor]) -> list[keras.KerasTensor]:
    """New inputs for what crosses at a place."""
    return [
        keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"crossing_{number}")
        for number, tensor in enumerate(tensors)
    ]


def _closed(shape: Sequence[int | None], length: int | None) -> tuple[int, ...]:
    """A shape whose open axis, that of a sequence, has its full length."""
    return tuple(size or length or 0 for size in shape)


def _bytes_per_example(tensors: Iterable[keras.KerasTensor], length: int | None) -> float:
    """Infinite where a size is open or bound to the batch: such tensors cannot be stored per example.

    Args:
        length: what the first open axis, that of a sequence, is stored at; None where there are no sequences.
    """
    total = 0.0
    for tensor in tensors:
        is_open = [size is None for size in tensor.shape[1:]]
        if tensor.shape[0] is not None or any(is_open if length is None else is_open[1:]):
            return math.inf
        itemsize = 2 if tensor.dtype == "bfloat16" else np.dtype(tensor.dtype).itemsize
        total += itemsize * float(np.prod(_closed(tensor.shape[1:], length)))
    return total


def _joined(digests: Iterable[str]) -> str:
    """One digest stays as it is, so that a place with a single crossing tensor is named by it."""
    listed = list(digests)
    return listed[0] if len(listed) == 1 else xxhash.xxh3_128_hexdigest("-".join(listed).encode())
