"""The baseline without transfer: from its seed alone, and able to learn."""

import keras
import numpy as np

from autotl.backbones import BackboneSpec, build_network
from autotl.backbones.form import of_images
from autotl.backbones.scratch import small_cnn


def test_weights_depend_on_the_seed_alone() -> None:
    one, again, other = (small_cnn(32, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_nothing_in_it_depends_on_the_batch() -> None:
    model = small_cnn(32, seed=0)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
    assert model.non_trainable_variables == []


def test_the_cost_hardly_depends_on_the_image_size() -> None:
    from autotl.backbones import flops_of_one_prediction

    flops = [flops_of_one_prediction(small_cnn(size, seed=0), (size, size, 3)) for size in (32, 64, 128)]
    assert max(flops) < 1.3 * min(flops) < 50e6


def test_it_learns_what_a_linear_model_of_the_pixels_cannot() -> None:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, 400)
    waves = np.sin(np.arange(32) * 0.9 + draw.uniform(0, 6, (400, 1)))  # stripes at a random phase: mean zero
    across = np.broadcast_to(waves[:, :, None], (400, 32, 32))
    stripes = np.where(labels[:, None, None] == 1, across, across.transpose(0, 2, 1))
    pixels = (128 + 60 * stripes + draw.normal(0, 20, stripes.shape)).clip(0, 255).astype(np.uint8)
    pixels = np.repeat(pixels[..., None], 3, axis=-1)
    network = build_network(BackboneSpec("scratch", "small_cnn"), form=of_images(32))
    keras.utils.set_random_seed(0)
    model = keras.Sequential([network.whole, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(pixels[:300], labels[:300], epochs=3, batch_size=32, verbose=0)
    assert model.evaluate(pixels[300:], labels[300:], verbose=0, return_dict=True)["accuracy"] > 0.95
