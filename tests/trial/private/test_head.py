"""Heads with noise: clipping against explicit gradients, the size of the noise, what is learnt."""

import numpy as np
import pytest

from autotl.trial.private.head import (
    CLIP,
    Labelled,
    PrivateHead,
    Training,
    centred,
    clipped_sum,
    directions,
    noisy_centre,
    rate_for,
    softmax,
    train_head,
    with_one,
)
from autotl.trial.private.noise import SecretDraws

KEY = b"a key of thirty-two bytes or more"


def blobs(rows: int, *, seed: int, classes: int = 3, width: int = 12) -> Labelled:
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    features = 4 + draws.normal(size=(rows, width)) + 3 * np.eye(width)[labels]
    return Labelled(features.astype(np.float32), labels)


def explicit_gradient(read, answer, weights):
    """Of one example's cross-entropy, by differences of the loss."""

    def loss(weights):
        return -np.log(softmax(read[None] @ weights)[0] @ answer)

    gradient = np.zeros_like(weights)
    for place in np.ndindex(weights.shape):
        step = np.zeros_like(weights)
        step[place] = 1e-6
        gradient[place] = (loss(weights + step) - loss(weights - step)) / 2e-6
    return gradient


def test_clipping_agrees_with_gradients_of_single_examples():
    draws = np.random.default_rng(0)
    read, weights = with_one(draws.normal(size=(12, 4))), draws.normal(size=(5, 3))
    answers = np.eye(3)[draws.integers(3, size=12)]
    expected, cut = np.zeros_like(weights), 0
    for row in range(12):
        gradient = explicit_gradient(read[row], answers[row], weights)
        length = np.linalg.norm(gradient)
        cut += length > CLIP
        expected += gradient * min(1.0, CLIP / length)
    assert 0 < cut < 12, "some are cut and some are not, or this shows nothing"
    np.testing.assert_allclose(clipped_sum(read, answers, weights), expected, atol=1e-7)


def test_one_example_never_adds_more_than_the_clip():
    draws = np.random.default_rng(1)
    read, answers = with_one(1e3 * draws.normal(size=(200, 6))), np.eye(4)[draws.integers(4, size=200)]
    weights = draws.normal(size=(7, 4))
    for row in range(200):
        assert np.linalg.norm(clipped_sum(read[row : row + 1], answers[row : row + 1], weights)) <= CLIP


def test_one_example_never_moves_the_centre_by_more_than_its_share():
    features = 1e4 * np.random.default_rng(2).normal(size=(1, 6))
    assert np.linalg.norm(noisy_centre(features, 0.0, SecretDraws(KEY))) <= 1


def test_features_that_are_nothing_stay_nothing():
    assert np.isfinite(centred(np.zeros((2, 3)), np.zeros(3))).all()


def test_length_and_offset_of_features_are_taken_out():
    features = blobs(30, seed=0).features
    centre = directions(features).mean(axis=0)
    read = centred(features, centre)
    np.testing.assert_allclose(np.linalg.norm(read, axis=1), 1.0)
    np.testing.assert_allclose(centred(7 * features, centre), read, atol=1e-6)


@pytest.mark.parametrize("rate", [1.0, 0.5])
def test_the_noise_of_a_step_has_the_size_that_was_reckoned_with(rate):
    nobody = Labelled(np.zeros((400, 50), dtype=np.float32), np.zeros(400, dtype=np.int64))
    training = Training(noise_multiplier=9.0, rate=rate, steps=1)
    start = PrivateHead(np.zeros(50), np.zeros((50, 40)), np.zeros(40))
    head = train_head(nobody, training, SecretDraws(KEY), classes=40, start=start)
    expected = training.learning_rate(400) * 9.0 * CLIP / (rate * 400)  # examples of no length move the bias alone
    assert head.kernel.std() == pytest.approx(expected, rel=0.05)


def test_the_steps_and_the_centre_are_reckoned():
    assert [(look.count, look.rate) for look in Training(4.0, 1.0, steps=60).looks()] == [(61, 1.0)]
    assert [(look.count, look.rate) for look in Training(4.0, 0.1, steps=60).looks()] == [(1, 1.0), (60, 0.1)]


def test_many_rows_are_sampled_and_few_all_take_part():
    assert rate_for(3_000) == 1.0
    assert rate_for(81_920) == pytest.approx(0.1)


def test_a_head_learns_in_spite_of_its_noise():
    train, others = blobs(3_000, seed=0), blobs(600, seed=1)
    head = train_head(train, Training.on(3_000, noise_multiplier=10.0), SecretDraws(KEY), classes=3)
    assert np.mean(head.predict(others.features).argmax(axis=1) == others.labels) > 0.9


def test_too_much_noise_leaves_nothing():
    train, others = blobs(300, seed=0, classes=3), blobs(600, seed=1)
    head = train_head(train, Training.on(300, noise_multiplier=5_000.0), SecretDraws(KEY), classes=3)
    assert np.mean(head.predict(others.features).argmax(axis=1) == others.labels) < 0.7


def test_public_examples_help_without_noise():
    train, public, others = blobs(60, seed=0), blobs(600, seed=2), blobs(600, seed=1)
    training = Training.on(60, noise_multiplier=60.0)
    alone = train_head(train, training, SecretDraws(KEY), classes=3)
    start = train_head(public, Training(0.0), SecretDraws(KEY), classes=3)
    beside = train_head(train, training, SecretDraws(KEY), classes=3, public=public, start=start)

    def right(head):
        return np.mean(head.predict(others.features).argmax(axis=1) == others.labels)

    assert right(beside) > right(alone) + 0.05


def test_a_start_gives_its_centre():
    train = blobs(90, seed=0)
    start = train_head(train, Training(0.0), SecretDraws(KEY), classes=3)
    head = train_head(train, Training.on(90, noise_multiplier=3.0), SecretDraws(KEY), classes=3, start=start)
    np.testing.assert_array_equal(head.centre, start.centre)
