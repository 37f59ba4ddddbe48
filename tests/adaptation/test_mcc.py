"""Minimum class confusion, held against the paper's matrix written out."""

import numpy as np
import pytest
from adaptation_oracles import entropy, joint_batch, random_logits, slope, softmax, value_and_gradient

from autotl.adaptation.mcc import Mcc, class_confusion


def example_weights(logits, temperature):
    raw = np.array([1 + np.exp(-entropy(p)) for p in softmax(logits / temperature)])
    return len(raw) * raw / raw.sum()


def confusion_by_the_paper(logits, temperature, weights):
    p, classes = softmax(logits / temperature), logits.shape[1]
    matrix = np.zeros((classes, classes))
    for first in range(classes):
        for second in range(classes):
            for weight, row in zip(weights, p, strict=True):
                matrix[first, second] += weight * row[first] * row[second]
    matrix /= matrix.sum(axis=1, keepdims=True)
    return float((matrix.sum() - np.trace(matrix)) / classes)


@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_it_agrees_with_the_papers_matrix(classes, temperature):
    logits = random_logits(0, 7, classes)
    expected = confusion_by_the_paper(logits, temperature, example_weights(logits, temperature))
    assert float(class_confusion(logits, temperature)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("classes", [2, 10])
def test_its_gradient_does_not_follow_the_example_weights(classes):
    logits = random_logits(1, 4, classes)
    held = example_weights(logits, 2.5)
    _, gradient = value_and_gradient(lambda z: class_confusion(z, 2.5), logits)
    assert gradient == pytest.approx(slope(lambda z: confusion_by_the_paper(z, 2.5, held), logits), abs=1e-4)


@pytest.mark.parametrize("classes", [2, 10])
def test_it_is_zero_for_certain_predictions_of_all_classes(classes):
    certain = np.where(np.tile(np.eye(classes), (2, 1)) > 0, 1e4, -1e4)
    value, gradient = value_and_gradient(lambda z: class_confusion(z, 2.5), certain)
    assert value == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("classes", [2, 10])
def test_naming_one_class_for_everything_costs_all_the_others(classes):
    certain = np.full((5, classes), -1e4)
    certain[:, 0] = 1e4
    value, gradient = value_and_gradient(lambda z: class_confusion(z, 2.5), certain)
    assert value == pytest.approx(1 - 1 / classes, rel=1e-5)
    assert np.isfinite(gradient).all()


def test_it_is_greatest_where_all_predictions_are_uniform():
    assert float(class_confusion(np.zeros((6, 4)), 2.5)) == pytest.approx(0.75, rel=1e-5)


def test_the_order_and_the_repetition_of_examples_do_not_matter():
    logits = random_logits(2, 8, 5)
    value = float(class_confusion(logits, 2.5))
    assert float(class_confusion(logits[::-1].copy(), 2.5)) == pytest.approx(value, rel=1e-5)
    assert float(class_confusion(np.concatenate([logits, logits]), 2.5)) == pytest.approx(value, rel=1e-5)


def test_one_example_alone_is_confused_by_what_it_does_not_give_its_class():
    value, gradient = value_and_gradient(lambda z: class_confusion(z, 1.0), random_logits(0, 1, 3))
    assert value == pytest.approx(1 - 1 / 3, rel=1e-5)  # every row of the matrix is the example's own probabilities
    assert np.isfinite(gradient).all()


def test_the_loss_is_weighted_and_ramped_and_reads_the_target_alone():
    logits = random_logits(3, 6, 4)
    values = {**Mcc().defaults, "weight": 0.5, "ramp": 0.2}
    assert float(Mcc().loss(joint_batch(logits), (), values)) == pytest.approx(
        0.1 * float(class_confusion(logits, 2.5)), rel=1e-5
    )
