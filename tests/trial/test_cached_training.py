"""Training from stored activations is training: the same features, gradients and predictions as without the store."""

import keras
import numpy as np
import pytest
from pretend import a_plan, a_task, a_workshop

from autotl.backbones import parse_spec
from autotl.backbones.cut import divide
from autotl.backbones.form import of_images
from autotl.backbones.network import build_network
from autotl.data.examples import PLAIN
from autotl.features import FeatureStore
from autotl.features.extractor import Extractor
from autotl.plan import Choice
from autotl.trial.model import Structure
from autotl.trial.trainer import Batch, Trainer

TOLERANCE = {"float32": 1e-6, "float16": 5e-3}  # of first-step gradients, relative to their largest


def a_network():
    plan = a_plan()
    return build_network(plan.backbone, form=of_images(plan.image_size), seed=0)


@pytest.mark.parametrize("unfrozen", [0, 3, 6])
def test_blocks_computed_twice_are_bit_equal_and_the_suffix_on_them_is_the_network(tmp_path, unfrozen):
    inputs = a_task(rows=90).inputs[0]
    network = a_network()
    division = divide(network, unfrozen)
    stores = [FeatureStore(tmp_path / name, limit_bytes=1 << 30, precision="float32") for name in "ab"]
    rows = np.arange(90)
    one, other = (Extractor(store).features(division, inputs).take(rows) for store in stores)
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)
    pixels = inputs.read(rows, size=network.form.side, view=PLAIN)
    whole = keras.ops.convert_to_numpy(network.whole(pixels, training=False))
    divided = keras.ops.convert_to_numpy(division.suffix(one, training=False))
    np.testing.assert_allclose(divided, whole, atol=1e-5)


def test_a_frozen_plan_trained_from_the_store_predicts_like_one_trained_without_it(tmp_path):
    """The same batches of the same features, once from blocks on disk and once straight from the network."""
    plan = a_plan(epochs=3, dropout=0.2, batch_size=4)  # more than 20 steps: an epoch is one pass
    workshop = a_workshop(tmp_path)
    fold = workshop.data.folds[0]
    cached = workshop.fit(plan, fold)
    stored, _ = cached.predict(fold.validation)

    trainer = cached.trainer
    inputs = workshop.data.inputs[0]
    pixels = inputs.read(np.arange(len(inputs)), size=plan.image_size)
    direct = trainer.division.prefix.predict(pixels, batch_size=64, verbose=0)
    cached.start(fold, fold_number=0)
    for epoch in range(plan.epochs):
        draws = np.random.default_rng([plan.seed, 0, epoch])
        order = draws.permutation(fold.train)
        steps = -(-len(order) // plan.batch_size) * plan.epochs
        batches = [
            Batch(
                [direct[order[start : start + plan.batch_size]]],
                workshop.data.labels[order[start : start + plan.batch_size]],
            )
            for start in range(0, len(order), plan.batch_size)
        ]
        trainer.run_epoch(batches, rate_at=lambda step, steps=steps: 0.5 * 3e-3 * (1 + np.cos(np.pi * step / steps)))
    uncached, _ = trainer.predict([[direct[fold.validation]]])
    np.testing.assert_allclose(uncached, stored, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="reads gradients off one step of a tamed Adam")
@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_first_step_gradients_from_the_store_are_those_of_the_whole_network(tmp_path, precision):
    data = a_task(rows=48)
    network = a_network()
    pixels = data.inputs[0].read(np.arange(48), size=network.form.side)
    whole = Trainer(network, divide(network, "all"), Structure(Choice("linear"), classes=3))
    deep = divide(network, 3)
    store = FeatureStore(tmp_path, limit_bytes=1 << 30, precision=precision)
    stored = Extractor(store).features(deep, data.inputs[0]).take(np.arange(48))
    cut = Trainer(network, deep, Structure(Choice("linear"), classes=3))

    def gradients(trainer, tensors):
        trainer.reset(a_plan(weight_decay=0.0), seed=1, class_weights=np.ones(3, np.float32))
        before = {
            variable.path: keras.ops.convert_to_numpy(variable).copy() for variable in trainer.model.trainable_variables
        }
        trainer.optimizer.beta_1, trainer.optimizer.epsilon = 0.0, 1e6  # the step is then the gradient, scaled
        trainer.run_epoch([Batch(tensors, data.labels)], rate_at=lambda _: 1e6)
        return {
            variable.path: keras.ops.convert_to_numpy(variable) - before[variable.path]
            for variable in trainer.model.trainable_variables
        }

    full, part = gradients(whole, [pixels]), gradients(cut, stored)
    shared = [path for path in part if path in full]
    assert len(shared) >= 3
    for path in shared:
        scale = np.abs(full[path]).max()
        assert np.abs(full[path] - part[path]).max() <= TOLERANCE[precision] * scale, path


def test_real_weights_give_equal_features_from_the_store(tmp_path, shared_data, shared_weights):
    spec = parse_spec(str(shared_weights / "efficientnet_lite0"), folder=tmp_path, where="test")
    from autotl.data.unlabelled import read_unlabelled

    inputs, _ = read_unlabelled(shared_data / "flowers" / "test" / "rose")
    inputs = inputs.take(np.arange(16))
    network = build_network(spec, form=of_images(64))
    division = divide(network, 4)
    store = FeatureStore(tmp_path / "store", limit_bytes=1 << 30, precision="float16")
    stored = Extractor(store).features(division, inputs).take(np.arange(16))
    whole = keras.ops.convert_to_numpy(network.whole(inputs.read(np.arange(16), size=64), training=False))
    divided = keras.ops.convert_to_numpy(division.suffix(stored, training=False))
    assert np.abs(divided - whole).max() <= 1e-3 * np.abs(whole).max()
