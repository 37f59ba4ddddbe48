"""Figures known from papers and from counting by hand."""

import keras
import numpy as np
import pytest

from autotl.backbones import BackboneSpec, build_network, count_parameters, flops_of_one_prediction
from autotl.backbones.form import of_images


def flops(*layers: keras.layers.Layer, shape: tuple[int, ...]) -> int:
    return flops_of_one_prediction(keras.Sequential([keras.Input(shape), *layers]), shape)


@pytest.mark.parametrize(
    ("layer", "shape", "multiply_adds"),
    [
        (keras.layers.Conv2D(7, 3, padding="same"), (8, 8, 5), 8 * 8 * 7 * 3 * 3 * 5),
        (keras.layers.Conv2D(6, 3, groups=3, strides=2, padding="same"), (8, 8, 3), 4 * 4 * 6 * 3 * 3 * 1),
        (keras.layers.DepthwiseConv2D(5, padding="same"), (8, 8, 3), 8 * 8 * 3 * 25),
        (keras.layers.SeparableConv2D(7, 3, padding="same"), (8, 8, 5), 8 * 8 * 5 * 9 + 8 * 8 * 5 * 7),
        (keras.layers.Conv2DTranspose(7, 3, padding="same"), (8, 8, 5), 8 * 8 * 5 * 9 * 7),
        (keras.layers.Dense(4), (6,), 24),
        (keras.layers.Dense(4), (3, 6), 72),
        (keras.layers.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3)), (5, 6), 5 * 6 * 2 * 3),
        (keras.layers.BatchNormalization(), (8, 8, 3), 0),
    ],
)
def test_two_operations_per_multiply_add(layer: keras.layers.Layer, shape: tuple[int, ...], multiply_adds: int) -> None:
    assert flops(layer, shape=shape) == 2 * multiply_adds


def test_a_layer_called_twice_counts_twice_and_nested_ones_count() -> None:
    image = keras.Input((8, 8, 3))
    shared = keras.layers.Conv2D(3, 3, padding="same")
    inner = keras.Sequential([keras.Input((8, 8, 3)), shared])
    assert flops_of_one_prediction(keras.Model(image, shared(inner(image))), (8, 8, 3)) == 2 * 2 * 8 * 8 * 3 * 3 * 9


def test_attention_counts_projections_and_both_products() -> None:
    tokens = keras.Input((10, 8))
    attention = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4, flash_attention=False)
    model = keras.Model(tokens, attention(tokens, tokens))
    assert flops_of_one_prediction(model, (10, 8)) == 2 * (4 * 10 * 8 * 8 + 2 * 10 * 10 * 8)


def test_mobilenet_v2_has_the_papers_figures() -> None:
    network = build_network(BackboneSpec("application", "MobileNetV2"), form=of_images(224))
    # Sandler et al. 2018, table 4: 300 M multiply-adds, 3.4 M parameters with the classifier of 1.28 M
    assert flops_of_one_prediction(network.whole, (224, 224, 3)) / 2 == pytest.approx(300e6, rel=0.03)
    assert count_parameters(network.whole) == 2_257_984


def test_counting_leaves_the_model_as_it_was() -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    flops_of_one_prediction(model, (8, 8, 3))
    assert "call" not in vars(model.layers[0])
    assert model.predict(np.zeros((1, 8, 8, 3)), verbose=0).shape == (1, 6, 6, 2)
