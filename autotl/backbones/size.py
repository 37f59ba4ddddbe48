"""How large a model is and how much arithmetic one prediction takes."""

import math
from collections.abc import Callable, Iterable

import keras

from autotl.backbones.graph import LayerCall, Shape, nodes_in_order, recorded_calls, sublayers


def count_parameters(model: keras.Model) -> int:
    """All numbers a model holds, statistics of batch normalisation included; of an encoder on PyTorch as it tells."""
    foreign = sum(getattr(layer, "numbers_held", 0) for layer in model.layers)
    return foreign or sum(_product(weight.shape) for weight in model.weights)


def flops_of_one_prediction(model: keras.Model, input_shape: tuple[int, ...]) -> int:
    """Floating point operations for one example: two per multiply-add of convolutions, dense layers and attention.

    Args:
        model: any model with one input.
        input_shape: of one example, without the batch axis.
    """
    counted = [layer for layer in sublayers(model) if _rule(layer) is not None]
    dtype = model.inputs[0].dtype
    with recorded_calls(counted) as calls:
        model(keras.ops.zeros((1, *input_shape), dtype=dtype), training=False)
    return 2 * sum(_multiply_adds(call) for call in calls)


def flops_by_node(model: keras.Model, input_shape: tuple[int, ...]) -> list[int]:
    """`flops_of_one_prediction` of each node of a flat graph, in order; a layer called twice counts with its first."""
    nodes = nodes_in_order(model)
    position: dict[int, int] = {}
    for index, node in enumerate(nodes):
        for layer in [
            node.operation,
            *(sublayers(node.operation) if isinstance(node.operation, keras.layers.Layer) else []),
        ]:
            position.setdefault(id(layer), index)
    counted = [layer for layer in sublayers(model) if _rule(layer) is not None]
    with recorded_calls(counted) as calls:
        model(keras.ops.zeros((1, *input_shape), dtype=model.inputs[0].dtype), training=False)
    flops = [0] * len(nodes)
    for call in calls:
        flops[position[id(call.layer)]] += 2 * _multiply_adds(call)
    return flops


def _multiply_adds(call: LayerCall) -> int:
    rule = _rule(call.layer)
    return rule(call) if rule is not None else 0


def _rule(layer: keras.layers.Layer) -> Callable[[LayerCall], int] | None:
    if hasattr(layer, "multiply_adds"):  # an encoder's part on PyTorch, which is not imported here
        return lambda call: int(call.layer.multiply_adds(call.input_shapes))
    return next((rule for kinds, rule in RULES if isinstance(layer, kinds)), None)


def _elements(shape: Shape) -> int:
    return _product(shape[1:])


def _product(sizes: Iterable[int | None]) -> int:
    return math.prod(size or 1 for size in sizes)


def _convolution(call: LayerCall) -> int:
    *window, channels_in, _ = call.layer.kernel.shape
    return _product(window) * int(channels_in) * _elements(call.output_shape)


def _transposed_convolution(call: LayerCall) -> int:
    *window, channels_out, _ = call.layer.kernel.shape
    return _product(window) * int(channels_out) * _elements(call.input_shapes[0])


def _depthwise_convolution(call: LayerCall) -> int:
    return _product(call.layer.kernel.shape[:-2]) * _elements(call.output_shape)


def _separable_convolution(call: LayerCall) -> int:
    *window, channels_in, multiplier = call.layer.depthwise_kernel.shape
    spatial = _elements(call.output_shape) // int(call.output_shape[-1] or 1)
    middle = int(channels_in) * int(multiplier)
    return spatial * middle * _product(window) + _elements(call.output_shape) * middle


def _dense(call: LayerCall) -> int:
    return _elements(call.output_shape) * int(call.layer.kernel.shape[0])


def _einsum_dense(call: LayerCall) -> int:
    """Each output number sums over the kernel's axes that the output does not have."""
    inputs, output = call.layer.equation.split("->")
    axes = zip(inputs.split(",")[1], call.layer.kernel.shape, strict=True)
    return _elements(call.output_shape) * _product(size for axis, size in axes if axis not in output)


def _attention(call: LayerCall) -> int:
    """The two products with the attention map; the projections are layers of their own."""
    query, value = call.input_shapes[0], call.input_shapes[1]
    positions = _product(query[1:-1]) * _product(value[1:-1])
    layer = call.layer
    return positions * int(layer.num_heads) * (int(layer.key_dim) + int(layer.value_dim))


RULES: tuple[tuple[tuple[type, ...], Callable[[LayerCall], int]], ...] = (
    ((keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D), _depthwise_convolution),
    ((keras.layers.SeparableConv1D, keras.layers.SeparableConv2D), _separable_convolution),
    (
        (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose),
        _transposed_convolution,
    ),
    ((keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D), _convolution),
    ((keras.layers.EinsumDense,), _einsum_dense),
    ((keras.layers.Dense,), _dense),
    ((keras.layers.MultiHeadAttention,), _attention),
)
