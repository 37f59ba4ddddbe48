"""Heads from sums are those that scikit-learn learns from the examples."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge

from autotl.data.statistics import Statistics
from autotl.trial.solved_head import SOLVERS, lda, ridge

EVEN = np.ones(3)


def labelled(seed=0, *, rows=120, width=6):
    draws = np.random.default_rng(seed)
    labels = draws.choice(3, size=rows, p=[0.5, 0.3, 0.2])
    features = (
        draws.normal(size=(rows, width)) @ draws.normal(size=(width, width)) + 2 * draws.normal(size=(3, width))[labels]
    )
    return features, labels


def of_two_houses(features, labels):
    return Statistics.of(features[:50], labels[:50], classes=3) + Statistics.of(features[50:], labels[50:], classes=3)


def test_ridge_is_least_squares_on_the_pooled_examples():
    features, labels = labelled()
    head = ridge(of_two_houses(features, labels), shrinkage=0.1, weights=EVEN)
    known = Ridge(alpha=0.1 * features.var(axis=0).mean() * len(features)).fit(features, np.eye(3)[labels])
    np.testing.assert_allclose(head.kernel, known.coef_.T, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(head.bias, known.intercept_, rtol=1e-6, atol=1e-9)
    assert not head.note


@pytest.mark.parametrize("shrinkage", [0.0, 0.2, 1.0])
def test_lda_is_the_discriminant_of_the_pooled_examples(shrinkage):
    features, labels = labelled()
    head = lda(of_two_houses(features, labels), shrinkage=shrinkage, weights=EVEN)
    known = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(features, labels)
    if shrinkage == 0.0:
        known = LinearDiscriminantAnalysis(solver="lsqr").fit(features, labels)
    np.testing.assert_allclose(head.kernel, known.coef_.T, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(head.bias, known.intercept_, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", SOLVERS)
def test_balanced_classes_weigh_the_same(name):
    features, labels = labelled()
    statistics = Statistics.of(features, labels, classes=3)
    weights = len(labels) / (3 * statistics.counts)
    balanced = SOLVERS[name](statistics, shrinkage=0.1, weights=weights)
    plain = SOLVERS[name](statistics, shrinkage=0.1, weights=EVEN)
    called = [
        np.bincount((features @ head.kernel + head.bias).argmax(axis=1), minlength=3) for head in (balanced, plain)
    ]
    assert called[0][statistics.counts.argmin()] >= called[1][statistics.counts.argmin()]
    if name == "lda":
        np.testing.assert_allclose(balanced.kernel, plain.kernel)
    else:
        mean_score = (statistics.class_means @ balanced.kernel + balanced.bias).mean(axis=0)
        np.testing.assert_allclose(mean_score, np.full(3, 1 / 3), atol=1e-9)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_singular_covariance_is_given_what_it_takes_and_says_so(name):
    features, labels = labelled(rows=12, width=20)
    head = SOLVERS[name](Statistics.of(features, labels, classes=3), shrinkage=0.0, weights=EVEN)
    assert np.isfinite(head.kernel).all()
    assert "the covariance is singular" in head.note


def test_features_that_do_not_vary_leave_the_shares():
    labels = np.array([0] * 6 + [1] * 3 + [2])
    head = lda(Statistics.of(np.ones((10, 4)), labels, classes=3), shrinkage=0.1, weights=EVEN)
    assert (head.kernel == 0).all()
    np.testing.assert_allclose(np.exp(head.bias), [0.6, 0.3, 0.1])
    assert "do not vary" in head.note


def test_a_temperature_changes_no_label():
    features, labels = labelled()
    head = lda(Statistics.of(features, labels, classes=3), shrinkage=0.1, weights=EVEN)
    softer = head.divided_by(3.0)
    np.testing.assert_allclose(features @ softer.kernel + softer.bias, (features @ head.kernel + head.bias) / 3.0)
