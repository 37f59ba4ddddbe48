"""Class shares of the target are found without its labels, and stay put where they have not changed."""

import numpy as np
import pytest
from scipy.optimize import minimize

from autotl.adaptation.label_shift import LabelShift, black_box_shift, maximum_likelihood_prior
from autotl.adaptation.method import PriorCorrection

METHOD = LabelShift()
SOURCE_PRIOR = np.array([0.5, 0.3, 0.2])
CENTRES = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])


def calibrated(prior, *, rows=6000, seed=0):
    """Labels drawn by a prior, and probabilities of the Bayes classifier of the source: Gaussians of equal spread."""
    draws = np.random.default_rng(seed)
    labels = draws.choice(3, size=rows, p=prior)
    inputs = CENTRES[labels] + draws.normal(size=(rows, 2))
    logits = np.log(SOURCE_PRIOR) - np.square(inputs[:, None] - CENTRES).sum(axis=2) / 2
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return labels, (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def confusion_of(labels, probabilities):
    counts = np.zeros((3, 3))
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def total_variation(one, other):
    return np.abs(one - other).sum() / 2


def prior_shift(target, source_prior=SOURCE_PRIOR, strength=1.0):
    return METHOD.prior_shift(target, source_prior, {"strength": strength})


def test_it_keeps_the_interface():
    assert isinstance(METHOD, PriorCorrection)
    assert METHOD.stage == "post"
    assert not METHOD.needs_source


@pytest.mark.parametrize("prior", [(0.1, 0.2, 0.7), (1 / 3, 1 / 3, 1 / 3), (0.9, 0.05, 0.05), (0.0, 0.5, 0.5)])
def test_a_known_prior_is_recovered_by_both_estimators(prior):
    _, target = calibrated(prior)
    assert total_variation(maximum_likelihood_prior(target, SOURCE_PRIOR), prior) < 0.03
    confusion = confusion_of(*calibrated(SOURCE_PRIOR, rows=20_000, seed=1))
    predicted = np.bincount(target.argmax(axis=1), minlength=3)
    assert total_variation(black_box_shift(confusion, predicted), prior) < 0.03


def test_a_prior_that_has_not_changed_is_found_unchanged():
    _, target = calibrated(SOURCE_PRIOR)
    assert total_variation(maximum_likelihood_prior(target, SOURCE_PRIOR), SOURCE_PRIOR) < 0.02
    assert np.abs(prior_shift(target)).max() < 0.1


def test_em_ends_at_the_highest_likelihood():
    _, target = calibrated((0.1, 0.2, 0.7), rows=500)

    def loss(logits):
        shares = np.exp(logits) / np.exp(logits).sum()
        return -np.log(target @ (shares / SOURCE_PRIOR)).mean()

    best = minimize(loss, np.zeros(3), tol=1e-12).x
    np.testing.assert_allclose(
        maximum_likelihood_prior(target, SOURCE_PRIOR), np.exp(best) / np.exp(best).sum(), atol=1e-3
    )


def test_shifted_predictions_are_more_often_right():
    labels, target = calibrated((0.05, 0.15, 0.8))
    corrected = np.log(target) + prior_shift(target)
    assert (corrected.argmax(axis=1) == labels).mean() > (target.argmax(axis=1) == labels).mean() + 0.02


def test_strength_multiplies_the_shift():
    _, target = calibrated((0.1, 0.2, 0.7))
    full = prior_shift(target)
    np.testing.assert_allclose(prior_shift(target, strength=0.5), full / 2, rtol=1e-5)
    assert (prior_shift(target, strength=0.0) == 0).all()


def test_a_handful_of_examples_moves_little():
    _, target = calibrated((0.0, 0.0, 1.0), rows=1)
    assert np.abs(prior_shift(target)).max() < np.log(4)


@pytest.mark.parametrize(
    ("target", "source_prior"),
    [
        (np.zeros((0, 3), np.float32), SOURCE_PRIOR),
        (np.eye(3, dtype=np.float32)[[0] * 5000], SOURCE_PRIOR),
        (np.eye(3, dtype=np.float32), np.array([1.0, 0.0, 0.0])),
        (np.eye(3, dtype=np.float32)[[2] * 5000], np.array([1.0, 0.0, 0.0])),
        (np.full((50, 3), 1 / 3, np.float32), np.zeros(3)),
        (np.full((50, 3), 1 / 3, np.float16), np.array([5.0, 3.0, 2.0])),
        (np.ones((50, 1), np.float32), np.ones(1)),
    ],
    ids=["no example", "one class", "unseen classes", "only an unseen class", "no prior", "counts", "a single class"],
)
def test_the_shift_is_bounded(target, source_prior):
    shift = prior_shift(target, source_prior)
    assert shift.shape == source_prior.shape
    assert shift.dtype == np.float32
    assert (np.abs(shift) <= np.log(1000 * len(source_prior)) + 0.01).all()


def test_no_example_means_no_shift():
    np.testing.assert_allclose(prior_shift(np.zeros((0, 3), np.float32)), 0.0, atol=1e-6)


def test_the_order_of_examples_is_immaterial():
    _, target = calibrated((0.1, 0.2, 0.7), rows=500)
    np.testing.assert_allclose(prior_shift(target[::-1]), prior_shift(target), atol=1e-5)


def test_black_box_shift_solves_the_papers_equations():
    confusion = np.array([[40.0, 5.0, 5.0], [3.0, 24.0, 3.0], [2.0, 4.0, 14.0]])
    joint = confusion.T / confusion.sum()  # the paper's rows are predictions
    weights = np.linalg.solve(joint, [0.3, 0.3, 0.4])
    expected = weights * confusion.sum(axis=1) / confusion.sum()
    np.testing.assert_allclose(black_box_shift(confusion, np.array([3, 3, 4]), ridge=0.0), expected, atol=1e-10)


def test_black_box_shift_clips_and_a_blind_classifier_moves_nothing():
    confusion = np.diag([50.0, 30.0, 20.0]) + 5
    shares = black_box_shift(confusion, np.array([0.0, 0.0, 1.0]))
    assert shares.min() == 0
    assert shares.sum() == pytest.approx(1.0)
    blind = np.outer(SOURCE_PRIOR, [1.0, 0.0, 0.0])
    np.testing.assert_allclose(black_box_shift(blind, np.array([1.0, 0.0, 0.0])), SOURCE_PRIOR, atol=1e-9)
    assert np.isfinite(black_box_shift(blind, np.array([0.0, 1.0, 0.0]), ridge=0.0)).all()


def test_ridge_keeps_the_weights_near_those_of_no_shift():
    confusion = np.diag([50.0, 30.0, 20.0]) + 5
    source = confusion.sum(axis=1) / confusion.sum()
    predicted = np.array([0.1, 0.2, 0.7])
    far, near = (black_box_shift(confusion, predicted, ridge=ridge) for ridge in (0.0, 10.0))
    assert total_variation(near, source) < total_variation(far, source)
