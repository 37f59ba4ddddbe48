"""Losses by plain NumPy, and their written-out gradients by small steps."""

import numpy as np
import pytest
from keras import ops

from autotl.data.examples import UNKNOWN
from autotl.task import PROBLEMS
from autotl.trial.links import A_NUMBER, EACH_LABEL, LINKS, ONE_CLASS
from autotl.trial.losses import HUBER_BEND, LOSSES

CLASSES = 4
NUMBERS = {
    "squared_error": lambda distance: distance**2,
    "huber": lambda distance: distance**2 if distance <= HUBER_BEND else HUBER_BEND * (2 * distance - HUBER_BEND),
}


def a_batch(name, *, n=9, heads=None, seed=0):
    """Logits, labels (two of them unknown), class weights and weights of examples."""
    draws = np.random.default_rng(seed)
    front = (n,) if heads is None else (heads, n)
    logits = draws.normal(scale=2.0, size=(*front, CLASSES)).astype(np.float32)
    if name in NUMBERS:
        logits, labels = logits[..., :1], draws.normal(size=front).astype(np.float32)
    elif name == "binary_cross_entropy":
        labels = draws.integers(0, 2, (*front, CLASSES)).astype(np.int32)
    else:
        labels = draws.integers(0, CLASSES, front).astype(np.int32)
    unknown = np.nan if name in NUMBERS else UNKNOWN
    labels[(..., slice(0, 2), slice(None)) if labels.ndim > len(front) else (..., slice(0, 2))] = unknown
    weights = draws.uniform(0.5, 2.0, (CLASSES,) if heads is None else (heads, CLASSES)).astype(np.float32)
    return logits, labels, weights, draws.uniform(0.0, 2.0, front).astype(np.float32)


def by_hand(name, logits, labels, smoothing, class_weights, weights):
    """The weighted mean of known labels' losses, one after the other."""
    total = mass = 0.0
    for row, label in enumerate(labels):
        if np.isnan(label).any() or np.min(label) == UNKNOWN:
            continue
        if name in NUMBERS:
            distance = abs(float(logits[row, 0]) - float(label))
            terms = [(weights[row], NUMBERS[name](distance))]
        elif name == "cross_entropy":
            p = ONE_CLASS.probabilities(logits[row]).astype(float)
            wanted = (1 - smoothing) * np.eye(CLASSES)[label] + smoothing / CLASSES
            terms = [(class_weights[label] * weights[row], -(wanted * np.log(p)).sum())]
        else:
            p = EACH_LABEL.probabilities(logits[row]).astype(float)
            wanted = (1 - smoothing) * label + smoothing / 2
            costs = -(wanted * np.log(p) + (1 - wanted) * np.log(1 - p))
            terms = [(weights[row] * (class_weights[at] if label[at] else 1.0), costs[at]) for at in range(CLASSES)]
        total += sum(weight * cost for weight, cost in terms)
        mass += sum(weight for weight, _ in terms)
    return total / mass


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_weighted_mean_over_known_labels(name, smoothing):
    logits, labels, class_weights, weights = a_batch(name)
    found = LOSSES[name].of_batch(logits, labels, smoothing, class_weights, weights)
    assert float(found) == pytest.approx(by_hand(name, logits, labels, smoothing, class_weights, weights), rel=1e-5)
    alike = LOSSES[name].of_batch(logits, labels, smoothing, class_weights, None)
    expected = by_hand(name, logits, labels, smoothing, class_weights, np.ones(len(logits)))
    assert float(alike) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_heads_side_by_side_have_the_losses_that_each_has_alone_and_their_gradients(name):
    loss = LOSSES[name]
    logits, labels, class_weights, weights = a_batch(name, heads=3)
    smoothing = np.array([0.0, 0.1, 0.3], dtype=np.float32)
    losses, slopes = loss.of_heads(logits, labels, smoothing.reshape(3, 1, 1), class_weights, weights)
    for head in range(3):
        own = (labels[head], smoothing[head], class_weights[head], weights[head])
        assert float(losses[head]) == pytest.approx(float(loss.of_batch(logits[head], *own)), rel=1e-5)
        for row, column in ((0, 0), (3, logits.shape[-1] // 2), (8, 0)):
            moved = [logits[head].copy(), logits[head].copy()]
            moved[0][row, column] -= 0.01
            moved[1][row, column] += 0.01
            low, high = (float(loss.of_batch(each, *own)) for each in moved)
            assert float(slopes[head][row, column]) == pytest.approx((high - low) / 0.02, abs=2e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_without_a_known_label_costs_nothing(name):
    loss = LOSSES[name]
    none = loss.no_labels(5, classes=CLASSES)
    found = loss.of_batch(ops.ones((5, 1 if name in NUMBERS else CLASSES)), none, 0.0, ops.ones(CLASSES), None)
    assert float(found) == 0.0


@pytest.mark.parametrize("link", [ONE_CLASS, EACH_LABEL])
def test_a_link_goes_both_ways_and_far_logits_are_no_trouble(link):
    probabilities = link.probabilities(np.random.default_rng(0).normal(size=(6, 3)))
    assert link.probabilities(link.logits(probabilities)) == pytest.approx(probabilities, abs=1e-6)
    assert np.asarray(link.on_tensors(ops.convert_to_tensor(probabilities))) == pytest.approx(
        link.logits(probabilities), abs=1e-4
    )
    far = link.probabilities(np.array([[1e4, -1e4, 0.0]], dtype=np.float32))
    assert far[0, 0] == pytest.approx(1.0)
    assert np.isfinite(far).all()


def test_a_number_is_its_own_logit():
    numbers = np.array([[-3.5], [0.0], [1e4]], dtype=np.float32)
    assert (A_NUMBER.probabilities(numbers) == numbers).all()
    assert (A_NUMBER.logits(numbers) == numbers).all()


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS.keys())
def test_every_problem_has_its_loss_and_its_link(problem):
    for metric in problem.metrics:
        assert LOSSES[problem.loss_for(metric)].link is LINKS[problem.name]
