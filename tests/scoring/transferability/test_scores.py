import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import Ridge

from autotl.scoring.transferability import TRANSFERABILITY, h_score, linear_probe, log_me, sample_rows
from autotl.scoring.transferability.linear_probe import STRENGTHS


def examples(*, rows=60, width=8, classes=3, apart=1.0, seed=0):
    draws = np.random.default_rng(seed)
    labels = draws.integers(classes, size=rows)
    labels[:classes] = np.arange(classes)
    centres = draws.normal(size=(classes, width)) * apart
    return centres[labels] + draws.normal(size=(rows, width)), labels


@pytest.mark.parametrize("name", TRANSFERABILITY)
@pytest.mark.parametrize(("rows", "width"), [(90, 6), (40, 100)])
def test_features_that_tell_the_classes_apart_score_higher(name, rows, width):
    scores = []
    for apart in (0.0, 0.3, 2.0):
        scores.append(TRANSFERABILITY[name](*examples(rows=rows, width=width, apart=apart)))
    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


@pytest.mark.parametrize("name", TRANSFERABILITY)
def test_the_order_of_the_examples_and_the_names_of_the_classes_change_nothing(name):
    features, labels = examples()
    order = np.random.default_rng(1).permutation(len(labels))
    renamed = np.array([7, 2, 5])[labels]
    assert TRANSFERABILITY[name](features[order], renamed[order]) == pytest.approx(
        TRANSFERABILITY[name](features, labels), rel=1e-9
    )


@pytest.mark.parametrize("name", TRANSFERABILITY)
def test_features_that_are_all_the_same_give_a_finite_score(name):
    _, labels = examples()
    assert np.isfinite(TRANSFERABILITY[name](np.zeros((len(labels), 4)), labels))


@pytest.mark.parametrize(("rows", "width"), [(30, 4), (12, 20)])
def test_log_me_is_the_evidence_maximised_by_another_way(rows, width):
    features, labels = examples(rows=rows, width=width, apart=0.5)

    def least(label):
        target = (labels == label).astype(float)

        def loss(precisions):
            alpha, beta = np.exp(np.clip(precisions, -30, 30))
            covariance = features @ features.T / alpha + np.eye(rows) / beta
            return -multivariate_normal(mean=np.zeros(rows), cov=covariance).logpdf(target)

        starts = [np.array([a, b]) for a in (0.0, 3.0, 6.0) for b in (0.0, 2.0)]
        return min(
            minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9}).fun for start in starts
        )

    expected = np.mean([-least(label) / rows for label in np.unique(labels)])
    assert log_me(features, labels) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("rows", "width"), [(80, 5), (25, 60)])
def test_h_score_is_the_trace_of_the_papers_formula(rows, width):
    features, labels = examples(rows=rows, width=width)
    shrunk = LedoitWolf().fit(features)
    mean = features.mean(axis=0)
    between = sum(
        np.mean(labels == label)
        * np.outer(features[labels == label].mean(axis=0) - mean, features[labels == label].mean(axis=0) - mean)
        for label in np.unique(labels)
    )
    expected = np.trace(np.linalg.inv(shrunk.covariance_) @ ((1 - shrunk.shrinkage_) * between))
    assert h_score(features, labels) == pytest.approx(expected, rel=1e-8)


def test_the_linear_probe_leaves_each_example_out_as_refitting_without_it_does():
    features, labels = examples(rows=24, width=5, apart=0.6)
    wanted = np.eye(3)[labels]
    scale = float(((features - features.mean(axis=0)) ** 2).sum()) / len(labels)

    def left_out(penalty):
        said = np.empty_like(wanted)
        for row in range(len(labels)):
            others = np.arange(len(labels)) != row
            said[row] = Ridge(alpha=penalty * scale).fit(features[others], wanted[others]).predict(features[[row]])[0]
        return said

    said = min((left_out(penalty) for penalty in STRENGTHS), key=lambda each: ((each - wanted) ** 2).sum())
    expected = np.mean([(said.argmax(axis=1) == labels)[labels == label].mean() for label in range(3)])
    # refitting also leaves the mean out, whose leverage the closed form counts exactly
    assert linear_probe(features, labels) == pytest.approx(expected, abs=1e-12)


def test_a_sample_holds_every_class_in_its_share_and_no_unknown_label():
    labels = np.repeat([0, 1, 2, -1], [600, 300, 100, 50])
    rows = sample_rows(labels, most=100, seed=3)
    assert len(rows) == 100
    np.testing.assert_allclose(np.bincount(labels[rows], minlength=3), [60, 30, 10], atol=1)
    assert np.array_equal(rows, sample_rows(labels, most=100, seed=3))
    assert not np.array_equal(rows, sample_rows(labels, most=100, seed=4))


def test_of_few_examples_all_are_taken():
    assert sample_rows(np.array([1, -1, 0]), most=10).tolist() == [0, 2]
