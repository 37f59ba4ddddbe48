"""Class-balanced pseudo-labels on hand-made cases, and their loss."""

import numpy as np
import pytest
from adaptation_oracles import cross_entropy, joint_batch, random_logits, softmax

from autotl.adaptation.self_training import SelfTraining, kept_of
from autotl.data.examples import UNKNOWN

FEATURES = np.zeros((0, 1), dtype=np.float32)  # not read


def labels(probabilities, progress=0.0, **values):
    values = {**SelfTraining().defaults, **values}
    return (
        SelfTraining()
        .pseudo_labels(np.asarray(probabilities, dtype=np.float32), FEATURES, values, progress=progress)
        .tolist()
    )


def of_two_classes(*first):
    return [[p, 1 - p] for p in first]


def test_every_class_gets_labels_for_the_same_share_of_its_examples():
    easy, hard = of_two_classes(0.99, 0.98, 0.97, 0.96), of_two_classes(0.45, 0.44, 0.43, 0.42)
    assert labels(easy + hard, start_share=0.5, threshold=0.3) == [0, 0, -1, -1, -1, -1, 1, 1]


def test_the_share_grows_over_the_run():
    probabilities = of_two_classes(*np.linspace(0.6, 0.99, 10))
    kept = [
        sum(label == 0 for label in labels(probabilities, progress, start_share=0.2, end_share=0.8))
        for progress in (0.0, 0.5, 1.0)
    ]
    assert kept == [2, 5, 8]


def test_what_is_less_sure_than_the_threshold_is_left_out():
    probabilities = of_two_classes(0.95, 0.8, 0.7, 0.1, 0.45)
    assert labels(probabilities, 1.0, end_share=1.0, threshold=0.75) == [0, 0, -1, 1, -1]


def test_the_surest_example_of_a_predicted_class_is_kept_whatever_the_threshold():
    assert labels(of_two_classes(0.99, 0.98, 0.42, 0.45), 1.0, end_share=1.0, threshold=0.9) == [0, 0, 1, -1]


def test_a_class_that_is_never_predicted_gets_no_label():
    assert labels(of_two_classes(0.9, 0.8, 0.7), start_share=0.1) == [0, -1, -1]


def test_fewer_examples_than_classes_are_all_labelled():
    probabilities = np.full((2, 10), 0.05)
    probabilities[0, 3] = probabilities[1, 7] = 0.55
    assert labels(probabilities) == [3, 7]


def test_no_examples_get_no_labels():
    assert labels(np.zeros((0, 3))) == []


def test_certain_and_uniform_predictions_are_told_apart_without_trouble():
    assert labels([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]) == [0, 1, -1]


@pytest.mark.parametrize("classes", [2, 10])
def test_labels_stay_with_their_examples_in_any_order(classes):
    probabilities = softmax(random_logits(0, 60, classes))
    order = np.random.default_rng(0).permutation(60)
    assert labels(probabilities[order]) == np.array(labels(probabilities))[order].tolist()
    assert labels(np.concatenate([probabilities, probabilities])) == 2 * labels(probabilities)


@pytest.mark.parametrize("classes", [2, 10])
def test_they_are_predictions_or_unknown_and_no_predicted_class_goes_without(classes):
    probabilities = softmax(random_logits(1, 200, classes))
    predicted, found = probabilities.argmax(axis=1), np.array(labels(probabilities, threshold=0.95))
    assert found.dtype == np.int64
    assert set(found[found != UNKNOWN]) == set(predicted)
    assert (found[found != UNKNOWN] == predicted[found != UNKNOWN]).all()


def test_a_share_is_rounded_up_and_never_nothing():
    assert [kept_of(100, 0.07), kept_of(3, 0.5), kept_of(10, 0.01), kept_of(4, 1.0)] == [7, 2, 1, 4]


def test_the_loss_is_weighted_and_ramped_and_leaves_out_the_unknown():
    logits, found = random_logits(3, 4, 5), [2, UNKNOWN, 0, UNKNOWN]
    loss = SelfTraining().loss(joint_batch(logits, found), (), {"weight": 2.0, "ramp": 0.25})
    assert float(loss) == pytest.approx(0.5 * cross_entropy(logits, found), rel=1e-4)
