"""Small networks with the difficulties of large ones."""

import keras
import keras_hub
import numpy as np

from autotl.backbones import BackboneSpec, Network
from autotl.backbones.form import of_images
from autotl.backbones.network import network_of
from autotl.backbones.origin import Loaded
from autotl.backbones.pixels import IMAGENET_CENTRED_BGR

SIZE = 16


def images(count: int = 3, size: int = SIZE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def skipping_model(seed: int = 0) -> keras.Model:
    """A long skip over several layers, a shared layer, batch normalisation with real statistics, a nested model."""
    keras.utils.set_random_seed(seed)
    image = keras.Input((SIZE, SIZE, 3))
    stem = keras.layers.Conv2D(4, 3, padding="same", name="stem")(image)
    shared = keras.layers.Conv2D(4, 1, name="shared")
    inner = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 4)),
            keras.layers.Conv2D(4, 3, padding="same", name="inner_conv"),
            keras.layers.BatchNormalization(name="inner_norm"),
            keras.layers.ReLU(),
        ],
        name="inner",
    )
    deep = shared(inner(shared(stem)))
    deep = keras.layers.Conv2D(4, 3, padding="same", name="deep")(deep)
    joined = keras.layers.Add(name="join")([deep, stem])
    down = keras.layers.Conv2D(6, 3, strides=2, padding="same", name="down")(joined)
    top = keras.layers.BatchNormalization(name="top")(down)
    model = keras.Model(image, top)
    draw = np.random.default_rng(seed)
    for layer in (inner.get_layer("inner_norm"), model.get_layer("top")):
        layer.set_weights([draw.uniform(0.5, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


def skipping_network(seed: int = 0) -> Network:
    spec = BackboneSpec("saved", "toy.keras")
    return network_of(Loaded(skipping_model(seed), IMAGENET_CENTRED_BGR), spec, form=of_images(SIZE), tap="last")


def composite_efficientnet() -> keras_hub.models.Backbone:
    """Blocks that are layers made of layers, squeeze-and-excite among them."""
    return keras_hub.models.EfficientNetBackbone(
        stackwise_kernel_sizes=[3, 3],
        stackwise_num_repeats=[1, 2],
        stackwise_input_filters=[8, 8],
        stackwise_output_filters=[8, 16],
        stackwise_expansion_ratios=[1, 4],
        stackwise_strides=[1, 2],
        stackwise_squeeze_and_excite_ratios=[0.0, 0.25],
        stackwise_block_types=["fused", "unfused"],
        width_coefficient=1.0,
        depth_coefficient=1.0,
    )
