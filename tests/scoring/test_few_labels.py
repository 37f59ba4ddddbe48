"""A few labels and the committee's opinion make one posterior: checked against slow formulas, and at its edges."""

import numpy as np
import pytest

from autotl.scoring.few_labels import FEW_LABELS, FewLabelsRule, HeldOut, posterior_of, prior_ends

EVEN = np.full(2, 0.5)


def held_out(right, *, labels=None, shares=EVEN):
    """Models by the examples that they name right, given as 1 and 0."""
    labels = np.arange(len(next(iter(right.values())))) % 2 if labels is None else np.asarray(labels)
    said = {trial: np.where(np.asarray(own) == 1, labels, 1 - labels) for trial, own in right.items()}
    return HeldOut.of(labels, said, shares=shares)


def test_the_posterior_agrees_with_bayes_on_a_grid():
    accuracies = np.linspace(0.0005, 0.9995, 20_000)
    right = [1, 1, 0, 1, 1, 1, 0, 1]
    found = posterior_of(
        held_out({3: right}), {3: 0.25}, ends=(0.5, 0.9), rule=FewLabelsRule(strength=6.0, least_span=0.1)
    )
    prior = 0.5 + 0.25 * 0.4
    density = accuracies ** (6 * prior - 1) * (1 - accuracies) ** (6 * (1 - prior) - 1)
    for answer in right:  # one label after the other
        density *= accuracies if answer else 1 - accuracies
    density /= density.sum()
    assert found.priors[3] == pytest.approx(prior)
    assert found.means[3] == pytest.approx(float(density @ accuracies), abs=1e-4)
    seen = found.interval(3)
    reached = np.cumsum(density)
    assert seen.low == pytest.approx(accuracies[np.searchsorted(reached, 0.025)], abs=1e-3)
    assert seen.high == pytest.approx(accuracies[np.searchsorted(reached, 0.975)], abs=1e-3)


def test_without_a_committee_the_labels_decide_alone():
    found = posterior_of(held_out({1: [1, 1, 0, 0], 2: [1, 1, 1, 0]}), None)
    assert found.means == {1: 0.5, 2: 0.75}
    assert found.strengths == {}
    assert list(found.groups({1: 1.0, 2: 9.0}, tie_level=0.0)) == [(2,), (1,)]


def test_an_opinion_counts_as_so_many_labels():
    right = {1: [1, 1, 1, 0, 1, 1, 1, 1], 2: [1, 1, 0, 0, 1, 1, 1, 1]}
    ranks = {1: 0.0, 2: 1.0}
    weak, strong = (
        posterior_of(held_out(right), ranks, ends=(0.5, 0.9), rule=FewLabelsRule(strength=strength))
        for strength in (1.0, 40.0)
    )
    assert weak.means[1] > weak.means[2], "a label more outweighs an opinion that is worth one"
    assert strong.means[1] < strong.means[2]
    assert strong.means[2] == pytest.approx((6 + 40 * 0.9) / 48)


def test_a_trial_that_the_committee_did_not_judge_is_taken_for_source_only():
    found = posterior_of(held_out({1: [1, 1], 2: [1, 1]}), {1: 0.8}, ends=(0.4, 0.9))
    assert found.priors == {1: pytest.approx(0.8), 2: pytest.approx(0.4)}
    assert found.strengths == {1: FEW_LABELS.strength, 2: FEW_LABELS.unjudged_strength}


def test_each_class_counts_by_its_share_in_the_target():
    """As many labels of a rare class as of a common one would tell balanced accuracy."""
    labels = [0, 0, 0, 0, 1, 1, 1, 1]
    right = {1: [1, 1, 1, 1, 0, 0, 0, 0], 2: [1, 1, 0, 0, 1, 1, 0, 0]}
    even = held_out(right, labels=labels)
    assert (even.rate(1), even.rate(2), even.worth) == (0.5, 0.5, 8)
    skewed = held_out(right, labels=labels, shares=np.array([0.9, 0.1]))
    assert skewed.rate(1) == pytest.approx(0.9)
    assert skewed.rate(2) == pytest.approx(0.5)
    weights = skewed.weights
    assert skewed.worth == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    assert skewed.worth < 8


def test_a_class_with_fewer_labels_still_has_its_share():
    found = held_out({1: [1, 1, 1, 0]}, labels=[0, 0, 0, 1])
    assert found.rate(1) == pytest.approx(0.5), "three of class 0 right, the one of class 1 wrong"


def test_a_class_without_a_label_or_without_a_share_breaks_nothing():
    alone = held_out({1: [1, 0]}, labels=[0, 0])
    assert alone.rate(1) == 0.5
    unseen = held_out({1: [1, 0]}, labels=[0, 0], shares=np.array([0.0, 1.0]))
    assert unseen.rate(1) == 0.5
    assert np.isfinite(unseen.weights).all()


def test_differences_within_the_noise_go_to_the_cheaper_model():
    right = {1: [1, 1, 1, 1, 0, 1, 0, 1], 2: [1, 1, 1, 1, 1, 0, 0, 0], 3: [0, 0, 0, 0, 1, 0, 0, 0]}
    found = posterior_of(held_out(right), None)
    costs = {1: 9.0, 2: 1.0, 3: 0.5}
    assert list(found.groups(costs, tie_level=0.0)) == [(1,), (2,), (3,)]
    assert list(found.groups(costs, tie_level=0.5)) == [(2, 1), (3,)]


def test_equal_models_are_tied_whatever_the_level():
    found = posterior_of(held_out({4: [1, 0], 5: [1, 0]}), None)
    assert list(found.groups({4: 2.0, 5: 1.0}, tie_level=0.0)) == [(5, 4)]
    assert list(found.groups({4: 1.0, 5: 1.0}, tie_level=0.0)) == [(4, 5)], "then the earlier"


@pytest.mark.parametrize("ends", [(0.5, 0.9), (0.9, 0.5), (0.8, 0.82), (1.0, 1.0), (0.0, 0.0), (-1.0, 3.0)])
def test_ranks_always_have_room_in_which_to_differ(ends):
    low, high = prior_ends(ends)
    assert 0 <= low < high <= 1
    assert high - low >= FEW_LABELS.least_span - 1e-12


def test_intervals_are_no_certainty_even_where_every_answer_is_right():
    found = posterior_of(held_out({1: [1, 1, 1, 1]}), None).interval(1)
    assert found.value == 1.0
    assert found.low < 0.7
