"""Gradients written by hand agree with differences of the losses."""

import numpy as np
import pytest

from autotl.scoring.infomax import infomax
from benchmarks.selection.small_network import (
    Half,
    Network,
    confusion,
    covariances,
    domain_critic,
    information,
    softmax,
)

CLASSES, UNITS, ROWS = 3, 5, 12


def half(seed):
    draws = np.random.default_rng(seed)
    return Half(draws.normal(size=(ROWS, UNITS)), draws.normal(size=(ROWS, CLASSES)))


def slope(loss, at, step=1e-6):
    """Central differences of a loss, element by element."""
    found = np.zeros_like(at)
    for place in np.ndindex(at.shape):
        moved = np.zeros_like(at)
        moved[place] = step
        found[place] = (loss(at + moved) - loss(at - moved)) / (2 * step)
    return found


def class_confusion(logits, sureness, temperature):
    p = softmax(logits / temperature)
    table = p.T @ (sureness[:, None] * p)
    return 1 - np.mean(np.diag(table) / table.sum(axis=1))


def coral_distance(source, target):
    gap = np.cov(source, rowvar=False) - np.cov(target, rowvar=False)
    return (gap**2).sum() / (4 * UNITS**2)


def test_information():
    source, target = half(0), half(1)
    expected = slope(lambda logits: -infomax(softmax(logits)), target.logits)
    np.testing.assert_allclose(information(source, target).target_logits, expected, atol=1e-8)


def test_confusion_takes_its_weights_as_given():
    target, temperature = half(1), 2.5
    p = softmax(target.logits / temperature)
    sureness = 1 + np.exp((p * np.log(p)).sum(axis=1))
    sureness *= ROWS / sureness.sum()
    expected = slope(lambda logits: class_confusion(logits, sureness, temperature), target.logits)
    np.testing.assert_allclose(confusion(temperature)(half(0), target).target_logits, expected, atol=1e-8)


def test_covariances():
    source, target = half(0), half(1)
    pull = covariances(source, target)
    of_source = slope(lambda hidden: coral_distance(hidden, target.hidden), source.hidden)
    of_target = slope(lambda hidden: coral_distance(source.hidden, hidden), target.hidden)
    np.testing.assert_allclose(pull.source_hidden, of_source, atol=1e-8)
    np.testing.assert_allclose(pull.target_hidden, of_target, atol=1e-8)


def test_a_critic_pushes_domains_together():
    generator = np.random.default_rng(0)
    source, target = half(0), half(1)
    source, target = (Half(each.hidden + shift, each.logits) for each, shift in ((source, 2.0), (target, -2.0)))
    critic = domain_critic(8, UNITS, rate=0.01, generator=generator)
    for _ in range(100):
        pull = critic(source, target)
    assert (pull.source_hidden.mean(axis=0) * -1).sum() < 0 < (pull.target_hidden.mean(axis=0) * -1).sum()


@pytest.mark.parametrize("place", range(4))
def test_gradients_of_weights(place):
    draws = np.random.default_rng(3)
    network = Network.drawn(4, UNITS, CLASSES, rate=0.1, generator=draws)
    x, y = draws.normal(size=(ROWS, 4)), draws.integers(0, CLASSES, ROWS)

    def loss(weight):
        kept, network.weights[place] = network.weights[place], weight
        p = network.half(x).probabilities
        network.weights[place] = kept
        return -np.log(p[np.arange(ROWS), y]).mean()

    own = network.half(x)
    error = (own.probabilities - np.eye(CLASSES)[y]) / ROWS
    expected = slope(loss, network.weights[place].copy())
    np.testing.assert_allclose(network.gradients(x, own, error, None)[place], expected, atol=1e-7)
