"""What is far from everything known is told, and what is not, is not."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from autotl.scoring.unlike import NEIGHBOURS_EACH, Familiar, in_units_of, on_the_sphere


def blob(rows, *, seed, shift=0.0, width=8):
    return np.random.default_rng(seed).normal(size=(rows, width)) + shift


def test_distances_agree_with_sklearn():
    known, new = blob(700, seed=0), blob(60, seed=1)
    expected, _ = NearestNeighbors(n_neighbors=NEIGHBOURS_EACH).fit(known).kneighbors(new)
    assert Familiar.of(known).distances(new) == pytest.approx(expected[:, -1])


def test_five_per_cent_of_the_training_examples_lie_beyond_and_about_as_many_of_their_like():
    known = blob(2_000, seed=0)
    familiar = Familiar.of(known)
    like = familiar.judge(blob(2_000, seed=1), None)
    assert 0.03 < like["outside"]["value"] < 0.07
    assert like["accuracy_inside"] is like["accuracy_outside"] is None


def test_other_inputs_lie_beyond_and_the_model_is_worse_there():
    familiar = Familiar.of(blob(500, seed=0))
    mixed = np.concatenate([blob(100, seed=1), blob(100, seed=2, shift=6.0)])
    judged = familiar.judge(mixed, np.arange(200) < 110)
    assert judged["outside"]["value"] > 0.45
    assert judged["accuracy_inside"]["value"] > 0.9 > 0.3 > judged["accuracy_outside"]["value"]


def test_the_length_of_features_says_nothing_on_the_sphere():
    features = blob(20, seed=0)
    assert on_the_sphere(features) == pytest.approx(on_the_sphere(3 * features))
    assert np.isfinite(on_the_sphere(np.zeros((2, 3)))).all()


def test_a_columns_unit_does_not_count_and_what_is_missing_counts_as_usual():
    training = blob(200, seed=0, width=3)
    units = np.array([1.0, 1_000.0, 0.001])
    new = blob(5, seed=1, width=3)
    assert in_units_of(training * units, new * units) == pytest.approx(in_units_of(training, new))
    holes = training.copy()
    holes[::3, 1] = np.nan
    scaled = in_units_of(holes, np.array([[np.nan, np.nan, np.nan]]))
    assert (scaled == 0).all()
    assert np.isfinite(in_units_of(np.ones((4, 2)), np.array([[1.0, 5.0]]))).all()
