"""ONNX: one `.onnx` file for ONNX Runtime and what else reads it; the extra `[onnx]` writes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotl.errors import UsageError, in_one_line
from autotl.production.exportable import Exportable, Kind
from autotl.production.formats.format import COUNTS_WORDS, ON_TORCH, WITHOUT_TENSORFLOW, Beside, preprocess_of

FILE = "model.onnx"
OPSET = 17  # what tf2onnx knows of 18 is less tested; ONNX Runtime reads both


class Onnx:
    """Networks by tf2onnx; trees node by node."""

    packages: tuple[str, ...] = ("tf2onnx", "onnx", "onnxruntime")
    extra = "onnx"
    not_held: Mapping[Kind, str] = {"words": COUNTS_WORDS, "encoder": ON_TORCH, "native words": WITHOUT_TENSORFLOW}

    def beside(self, model: Exportable) -> Beside:
        """The tensor's own preprocessing."""
        return Beside(preprocess_of(model), "onnx")

    def write(self, model: Exportable, folder: Path) -> dict[str, Any]:
        """Converts the model behind its preprocessing.

        Raises:
            UsageError: ONNX has no operation for a layer of it.
        """
        if model.kind == "trees":
            from autotl.production.formats.trees import onnx_of_trees

            (folder / FILE).write_bytes(onnx_of_trees(model))
            return {}
        try:
            _convert(model.tensor_model(), folder / FILE, output=model.answers.output)
        except Exception as error:  # the converter knows no error of its own
            raise UsageError(f"ONNX cannot hold this model: {in_one_line(error).rstrip('.')}.") from error
        return {}


def _convert(network: Any, path: Path, *, output: str) -> None:
    """By way of TensorFlow's frozen graph: Keras's own export takes constants of layers for inputs."""
    import tensorflow as tf
    import tf2onnx
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    example = network.inputs[0]
    spec = tf.TensorSpec((None, *example.shape[1:]), example.dtype)
    traced = tf.function(lambda tensor: network(tensor, training=False), autograph=False).get_concrete_function(spec)
    frozen = convert_variables_to_constants_v2(traced)
    inputs, outputs = [traced.inputs[0].name], [frozen.outputs[0].name]
    tf2onnx.convert.from_graph_def(
        frozen.graph.as_graph_def(),
        name="winner",
        input_names=inputs,
        output_names=outputs,
        opset=OPSET,
        custom_op_handlers={"Erfc": (_erfc, [])},
        tensors_to_rename={inputs[0]: example.name, outputs[0]: output},
        output_path=str(path),
    )


def _erfc(graph: Any, node: Any, name: str, _: Any) -> None:
    """The complement of the error function, which GELU takes: 1 - erf(x)."""
    error = graph.make_node("Erf", [node.input[0]])
    one = graph.make_const(f"{name}/one", np.array(1.0, dtype=np.float32))
    node.type, node.domain = "Sub", ""
    graph.replace_inputs(node, [one.output[0], error.output[0]])
