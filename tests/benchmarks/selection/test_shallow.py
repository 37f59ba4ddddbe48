"""Pools of small models: every method is there, and those that adapt to nothing do no harm."""

import numpy as np
import pytest

from autotl.adaptation import METHODS
from benchmarks.selection.shallow import SETTINGS, Pair, imbalanced, pool_of, settings


def blobs(seed, *, rows=150, shift=0.0):
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % 3
    return 3 * np.eye(3, 6)[labels] + draws.normal(size=(rows, 6)) + shift, labels


@pytest.fixture(scope="module")
def pool():
    return pool_of(Pair("image", "a-to-b", blobs(0), blobs(1, shift=0.5)), seed=0)


def test_every_method_of_the_project_but_those_of_large_networks_is_there():
    assert set(METHODS) - set(SETTINGS) == {"dan", "cdan", "tent"}
    assert [each.method for each in settings(np.random.default_rng(0))] == [
        method for method, count in SETTINGS.items() for _ in range(count)
    ]


def test_settings_start_with_the_defaults():
    first = {each.method: each for each in reversed(list(settings(np.random.default_rng(0))))}
    assert all(dict(each.values) == dict(METHODS[method].defaults) for method, each in first.items())


def test_a_pool_holds_what_a_search_would_report(pool):
    assert len(pool.trials) == sum(SETTINGS.values())
    assert pool.reference.method == "none"
    assert pool.accuracies.max() > 0.85
    for trial in pool.trials:
        assert {"source_accuracy", "infomax", "mixval", "class_ami"} <= set(trial.candidate.scores)
        assert trial.candidate.optimises == METHODS[trial.method].optimises
        assert (trial.nearest is None) == (trial.method != "none")


def test_the_same_seed_gives_the_same_pool(pool):
    again = pool_of(Pair("image", "a-to-b", blobs(0), blobs(1, shift=0.5)), seed=0)
    np.testing.assert_array_equal(again.accuracies, pool.accuracies)


def test_an_imbalanced_target_keeps_a_tenth_of_its_rarest_class():
    pair = imbalanced(Pair("image", "a-to-b", blobs(0), blobs(1, rows=3000)))
    counts = np.bincount(pair.target[1])
    assert counts[0] == 1000
    assert counts[2] == pytest.approx(100, abs=30)
    assert pair.family == "imbalanced"
