"""CDAN: as DANN, but the critic knows what the classifier predicts."""

import numpy as np
import pytest
from adaptation_oracles import entropy, slope, softmax
from domain_batches import gradients_of, loss_of, two_domains

from autotl.adaptation.cdan import Cdan, conditioned

FEATURES = ("source_features", "target_features")
SMALL = {"hidden": 8, "entropy": False, "align": "none"}


def loss_by_numpy(arrays, networks, *, certain_count_more):
    *projections, first, second, last = [layer.get_weights() for layer in networks]

    def cost(features, logits, sign):
        probabilities = softmax(logits)
        if projections:
            (of_features,), (of_probabilities,) = projections
            rows = (features @ of_features) * (probabilities @ of_probabilities) / np.sqrt(1024)
        else:
            rows = np.array([np.outer(p, f).ravel() for f, p in zip(features, probabilities, strict=True)])
        hidden = np.maximum(np.maximum(rows @ first[0] + first[1], 0) @ second[0] + second[1], 0)
        verdicts = (hidden @ last[0] + last[1])[:, 0]
        weights = [1 + np.exp(-entropy(p)) if certain_count_more else 1.0 for p in probabilities]
        return np.average(np.log1p(np.exp(-sign * verdicts)), weights=weights)

    source = cost(arrays["source_features"], arrays["source_logits"], 1)
    target = cost(arrays["target_features"], arrays["target_logits"], -1)
    return float(source + target) / 2


@pytest.mark.parametrize("certain_count_more", [False, True])
@pytest.mark.parametrize("classes", [2, 10])
def test_it_agrees_with_cross_entropy_on_outer_products(classes, certain_count_more):
    arrays, critic = two_domains(classes=classes), Cdan().networks(5, classes, SMALL)
    expected = loss_by_numpy(arrays, critic, certain_count_more=certain_count_more)
    seen = loss_of(Cdan(), arrays, critic, entropy=certain_count_more, ramp=0.1, weight=3.0)
    assert seen == pytest.approx(expected, rel=1e-5)


def test_it_agrees_on_random_projections_where_products_are_wide():
    arrays, networks = two_domains(width=411, classes=10), Cdan().networks(411, 10, SMALL)
    assert [layer.trainable for layer in networks] == [False, False, True, True, True]
    expected = loss_by_numpy(arrays, networks, certain_count_more=False)
    assert loss_of(Cdan(), arrays, networks) == pytest.approx(expected, rel=1e-3)


def test_products_of_up_to_4096_are_not_projected():
    assert len(Cdan().networks(1024, 4, SMALL)) == 3
    assert len(Cdan().networks(1025, 4, SMALL)) == 5


def test_random_projections_keep_inner_products():
    arrays, networks = two_domains(rows=12, width=500, classes=10), Cdan().networks(500, 10, SMALL)
    probabilities = softmax(4 * arrays["source_logits"]).astype("float32")
    features = arrays["source_features"].astype("float32")
    full = np.asarray(conditioned(features, probabilities))
    projected = np.asarray(conditioned(features, probabilities, networks[:2]))
    expected, seen = full @ full.T, projected @ projected.T
    # of 1,024 random products: a spread of a few in a hundred
    assert np.abs(seen - expected).max() < 0.25 * np.abs(expected).max()
    assert np.diag(seen).mean() == pytest.approx(np.diag(expected).mean(), rel=0.1)


@pytest.mark.parametrize("certain_count_more", [False, True])
@pytest.mark.parametrize("side", FEATURES)
def test_features_learn_the_opposite_times_ramp_and_weight(side, certain_count_more):
    arrays, critic = two_domains(rows=3), Cdan().networks(5, 3, SMALL)

    def at(features):
        return loss_by_numpy({**arrays, side: features}, critic, certain_count_more=certain_count_more)

    learnt = gradients_of(Cdan(), arrays, critic, ramp=0.4, weight=2.0, entropy=certain_count_more)
    assert learnt[side] == pytest.approx(-0.8 * slope(at, arrays[side]), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("certain_count_more", [False, True])
def test_predictions_condition_the_critic_and_learn_nothing_from_it(certain_count_more):
    arrays, critic = two_domains(), Cdan().networks(5, 3, SMALL)
    learnt = gradients_of(Cdan(), arrays, critic, entropy=certain_count_more)
    assert not learnt["source_logits"].any()
    assert not learnt["target_logits"].any()


def test_a_step_of_the_features_fools_the_critic():
    arrays, critic = two_domains(), Cdan().networks(5, 3, SMALL)
    learnt = gradients_of(Cdan(), arrays, critic)
    moved = {**arrays, **{name: arrays[name] - 0.1 * learnt[name] for name in FEATURES}}
    assert loss_of(Cdan(), moved, critic) > loss_of(Cdan(), arrays, critic)


@pytest.mark.parametrize("certain_count_more", [False, True])
def test_no_critic_gets_under_log_two_where_domains_are_equal(certain_count_more):
    arrays = two_domains()
    arrays.update(target_features=arrays["source_features"], target_logits=arrays["source_logits"])
    critic = Cdan().networks(5, 3, SMALL)
    assert loss_of(Cdan(), arrays, critic, entropy=certain_count_more) >= np.log(2)
