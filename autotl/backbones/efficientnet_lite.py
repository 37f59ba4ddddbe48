"""EfficientNet-Lite as a KerasHub backbone, with the weights of a PyTorch checkpoint.

The original network pads like TensorFlow's "SAME": at stride 2 and an even size one pixel less before than after.
KerasHub pads by half the kernel on both sides. So the depthwise kernels of the stacks that begin with stride 2 are
stored in kernels two taps larger: shifted to the far corner where the block strides, centred in the other blocks, zeros
around. At image sizes that are multiples of 32 the result equals the original exactly.

Paper: Tan & Le, "EfficientNet", ICML 2019 (arXiv:1905.11946); the Lite variants have no squeeze-and-excite, relu6, and
leave the stem, the head and the depth of the first and last stack unscaled.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autotl.backbones.pixels import PixelScaling

if TYPE_CHECKING:
    import keras

Weights = Mapping[str, NDArray[Any]]

SCALING = PixelScaling(scale=1 / 128, offset=-127 / 128)
KERNEL_SIZES = (3, 3, 5, 3, 5, 5, 3)
STRIDES = (1, 2, 2, 2, 1, 2, 1)
EXPANSIONS = (1, 6, 6, 6, 6, 6, 6)
STEM_CHANNELS = 32


@dataclass(frozen=True)
class Variant:
    """What differs between the Lite networks, one entry per stack."""

    repeats: tuple[int, ...]
    channels: tuple[int, ...]


LITE0 = Variant(repeats=(1, 2, 2, 3, 3, 4, 1), channels=(16, 24, 40, 80, 112, 192, 320))
LITE1 = Variant(repeats=(1, 3, 3, 4, 4, 5, 1), channels=(16, 24, 40, 80, 112, 192, 320))
LITE2 = Variant(repeats=(1, 3, 3, 4, 4, 5, 1), channels=(16, 24, 48, 88, 120, 208, 352))


def build(variant: Variant, *, image_size: int) -> "keras.Model":
    """The KerasHub backbone with random weights, for images (image_size, image_size, 3) after `SCALING`."""
    import keras_hub

    stacks = len(variant.repeats)
    return keras_hub.models.EfficientNetBackbone(
        input_shape=(image_size, image_size, 3),
        stackwise_width_coefficients=[1.0] * stacks,
        stackwise_depth_coefficients=[1.0] * stacks,
        stackwise_kernel_sizes=[
            size + 2 if stride == 2 else size for size, stride in zip(KERNEL_SIZES, STRIDES, strict=True)
        ],
        stackwise_num_repeats=list(variant.repeats),
        stackwise_input_filters=[STEM_CHANNELS, *variant.channels[:-1]],
        stackwise_output_filters=list(variant.channels),
        stackwise_expansion_ratios=list(EXPANSIONS),
        stackwise_squeeze_and_excite_ratios=[0] * stacks,
        stackwise_strides=list(STRIDES),
        stackwise_block_types=["v1"] * stacks,
        stackwise_force_input_filters=[0] * stacks,
        dropout=0,
        min_depth=None,
        activation="relu6",
        include_stem_padding=False,
        use_depth_divisor_as_min_depth=True,
        cap_round_filter_decrease=True,
        stem_conv_padding="same",
        batch_norm_momentum=0.99,
        batch_norm_epsilon=1e-3,
    )


def converted(checkpoint: Weights, variant: Variant) -> dict[str, list[NDArray[Any]]]:
    """Weights for each layer of `build(variant)` by the layer's name, from a checkpoint's tensors by theirs."""
    layers = {
        "stem_conv": [_convolution(checkpoint, "_conv_stem")],
        "stem_bn": _batch_norm(checkpoint, "_bn0"),
        "top_conv": [_convolution(checkpoint, "_conv_head")],
        "top_bn": _batch_norm(checkpoint, "_bn1"),
    }
    for source, block in enumerate(_blocks(variant)):
        prefix = f"_blocks.{source}."
        if block.expands:
            layers[f"{block.name}_expand_conv"] = [_convolution(checkpoint, f"{prefix}_expand_conv")]
            layers[f"{block.name}_expand_bn"] = _batch_norm(checkpoint, f"{prefix}_bn0")
        kernel = _convolution(checkpoint, f"{prefix}_depthwise_conv").transpose(0, 1, 3, 2)
        layers[f"{block.name}_dwconv"] = [_embedded(kernel, block.kernel_offset)]
        layers[f"{block.name}_dwconv_bn"] = _batch_norm(checkpoint, f"{prefix}_bn1")
        layers[f"{block.name}_project"] = [_convolution(checkpoint, f"{prefix}_project_conv")]
        layers[f"{block.name}_project_bn"] = _batch_norm(checkpoint, f"{prefix}_bn2")
    return layers


@dataclass(frozen=True)
class _Block:
    name: str
    expands: bool
    kernel_offset: int | None  # where the original kernel lies in one two taps larger; None: kept as it is


def _blocks(variant: Variant) -> Iterator[_Block]:
    for stack, repeats in enumerate(variant.repeats):
        for repeat in range(repeats):
            offset = None
            if STRIDES[stack] == 2:
                offset = 2 if repeat == 0 else 1
            yield _Block(f"block{stack + 1}{chr(ord('a') + repeat)}", EXPANSIONS[stack] != 1, offset)


def _convolution(checkpoint: Weights, name: str) -> NDArray[Any]:
    """Kernel (height, width, in, out) from PyTorch's (out, in, height, width)."""
    return checkpoint[f"{name}.weight"].transpose(2, 3, 1, 0)


def _batch_norm(checkpoint: Weights, name: str) -> list[NDArray[Any]]:
    """Gamma, beta, moving mean, moving variance."""
    return [checkpoint[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]


def _embedded(kernel: NDArray[Any], offset: int | None) -> NDArray[Any]:
    if offset is None:
        return kernel
    size = kernel.shape[0]
    larger = np.zeros((size + 2, size + 2, *kernel.shape[2:]), kernel.dtype)
    larger[offset : offset + size, offset : offset + size] = kernel
    return larger
