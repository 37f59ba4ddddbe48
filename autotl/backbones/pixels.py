"""Preprocessing of pixels, as plain Keras layers, so that a saved model loads without autotl."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

Channels = float | tuple[float, float, float]


@dataclass(frozen=True)
class PixelScaling:
    """`pixels * scale + offset` on RGB 0..255, then red and blue swapped where a network was trained on BGR."""

    scale: Channels = 1.0
    offset: Channels = 0.0
    swap_red_and_blue: bool = False

    def apply(self, pixels: "keras.KerasTensor") -> "keras.KerasTensor":
        """Float image of the same shape; uint8 input is cast, also where nothing else is to be done."""
        import keras

        scaled = keras.layers.Rescaling(_plain(self.scale), _plain(self.offset), name="pixel_scaling")(pixels)
        return keras.ops.flip(scaled, axis=-1) if self.swap_red_and_blue else scaled


def _plain(channels: Channels) -> float | list[float]:
    return list(channels) if isinstance(channels, tuple) else channels


# The modes of `keras.applications.imagenet_utils.preprocess_input`.
RAW = PixelScaling()
MINUS_ONE_TO_ONE = PixelScaling(scale=1 / 127.5, offset=-1.0)  # "tf"
IMAGENET_STANDARDISED = PixelScaling(  # "torch": (x / 255 - mean) / deviation
    scale=(1 / (255 * 0.229), 1 / (255 * 0.224), 1 / (255 * 0.225)),
    offset=(-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225),
)
IMAGENET_CENTRED_BGR = PixelScaling(offset=(-123.68, -116.779, -103.939), swap_red_and_blue=True)  # "caffe"
