"""Networks with random weights: what a search compares transfer with."""

# ruff: noqa: ARG002  an origin need not use everything it is offered

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotl.backbones.form import Form
from autotl.backbones.layer_counts import known_layer_count
from autotl.backbones.origin import Loaded
from autotl.backbones.pixels import MINUS_ONE_TO_ONE
from autotl.backbones.spec import BackboneSpec
from autotl.errors import unknown_name

if TYPE_CHECKING:
    import keras

STEM_CHANNELS = 16
STAGE_CHANNELS = (32, 64, 128)
GROUPS = 8
STEM_MAP = 32  # the stem brings any image to about this many pixels, so that the cost hardly depends on its size


class ScratchOrigin:
    """`small_cnn`, the baseline without transfer."""

    options: frozenset[str] = frozenset()

    def names(self) -> tuple[str, ...]:
        return ("small_cnn",)

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> BackboneSpec:
        if name not in self.names():
            raise unknown_name(where, name, self.names())
        return BackboneSpec("scratch", name)

    def why_not_at_hand(self, spec: BackboneSpec, *, offline: bool) -> str | None:
        return None

    def layer_count(self, spec: BackboneSpec, tap: str) -> int | None:
        return known_layer_count(spec.name, tap)

    def smallest_image_size(self, spec: BackboneSpec) -> int:
        return 1

    def load(self, spec: BackboneSpec, *, form: Form, seed: int) -> Loaded:
        return Loaded(small_cnn(form.side, seed=seed), MINUS_ONE_TO_ONE)


def small_cnn(image_size: int, *, seed: int) -> "keras.Model":
    """A residual network of some 0.3 M weights that learns 2,000 small images in a minute on one core.

    Group normalisation instead of batch normalisation: nothing in it depends on the batch, so it trains in inference
    mode like every other suffix.

    Args:
        image_size: pixels a side.
        seed: of all its weights.
    Paper: He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016 (arXiv:1603.05027), pre-activation
    blocks; Wu & He, "Group Normalization", ECCV 2018 (arXiv:1803.08494).
    """
    import keras

    seeds = iter(range(seed * 1000, seed * 1000 + 1000))

    def convolution(channels: int, kernel_size: int, strides: int, name: str) -> keras.layers.Layer:
        return keras.layers.Conv2D(
            channels,
            kernel_size,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
            name=name,
        )

    def normalised(features: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return keras.layers.ReLU(name=f"{name}_relu")(
            keras.layers.GroupNormalization(GROUPS, name=f"{name}_norm")(features)
        )

    image = keras.Input((image_size, image_size, 3), name="image")
    stem_stride = max(1, round(image_size / STEM_MAP))
    features = convolution(STEM_CHANNELS, max(3, 2 * stem_stride - 1), stem_stride, "stem_conv")(image)
    for number, channels in enumerate(STAGE_CHANNELS, start=1):
        block = f"block{number}"
        # the stem's map is as large as all later ones together: normalising it would cost as much as the rest
        active = (
            keras.layers.ReLU(name="stem_relu")(features) if number == 1 else normalised(features, f"{block}_first")
        )
        shortcut = convolution(channels, 1, 2, f"{block}_shortcut_conv")(active)
        residual = convolution(channels, 3, 2, f"{block}_first_conv")(active)
        residual = convolution(channels, 3, 1, f"{block}_second_conv")(normalised(residual, f"{block}_second"))
        features = keras.layers.Add(name=f"{block}_add")([shortcut, residual])
    return keras.Model(image, normalised(features, "top"), name="small_cnn")
