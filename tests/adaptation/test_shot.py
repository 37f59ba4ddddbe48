"""SHOT: centroid pseudo-labels against a slow reference, and its loss."""

import numpy as np
import pytest
from adaptation_oracles import cross_entropy, entropy, random_logits, slope, softmax, value_and_gradient

from autotl.adaptation.shot import Shot, nearest_centroids

VALUES = {"im_weight": 0.7, "pseudo_weight": 0.2}


def cosine_distance(a, b):
    return 1 - (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum())


def by_the_authors_steps(probabilities, features):
    """Their `obtain_label`, written out with one example and one class at a time."""
    points = [np.append(f, 1.0) / np.sqrt((f * f).sum() + 1) for f in features]
    classes = probabilities.shape[1]
    share, predicted = probabilities, [int(np.argmax(p)) for p in probabilities]
    for _ in range(2):
        centroids = {}
        for label in range(classes):
            if label in predicted:
                total = sum(share[i, label] for i in range(len(points)))
                centroids[label] = sum(share[i, label] * points[i] for i in range(len(points))) / (1e-8 + total)
        predicted = [min(centroids, key=lambda label: cosine_distance(point, centroids[label])) for point in points]
        share = np.array([[float(label == of) for label in range(classes)] for of in predicted])
    return predicted


def examples(seed, rows, classes, width=6):
    """Features in clusters and the probabilities of a classifier that errs about some."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(scale=2.0, size=(classes, width))
    truth = rng.integers(classes, size=rows)
    features = middles[truth] + rng.normal(size=(rows, width))
    return softmax(features @ middles.T * 0.3 + rng.normal(size=(rows, classes))), features, truth


@pytest.mark.parametrize(("rows", "classes"), [(40, 2), (60, 10), (4, 10), (1, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_centroid_labels_agree_with_the_authors_steps(seed, rows, classes):
    probabilities, features, _ = examples(seed, rows, classes)
    assert nearest_centroids(probabilities, features).tolist() == by_the_authors_steps(probabilities, features)


def test_clusters_correct_mistakes_of_the_classifier():
    probabilities, features, truth = examples(0, 300, 5)
    labels = nearest_centroids(probabilities, features)
    assert (labels == truth).mean() > (probabilities.argmax(axis=1) == truth).mean() + 0.05


def test_a_class_that_is_never_predicted_gets_no_label():
    probabilities, features, _ = examples(0, 30, 4)
    probabilities[:, 2] = 0.0
    assert 2 not in nearest_centroids(probabilities, features)


def test_one_predicted_class_for_everything_stays_one():
    assert nearest_centroids(np.tile([0.9, 0.1], (5, 1)), np.ones((5, 3))).tolist() == [0] * 5


@pytest.mark.parametrize("size", [0.0, 1e15])
def test_features_of_any_size_have_a_direction(size):
    probabilities, features, _ = examples(0, 12, 3)
    labels = nearest_centroids(probabilities.astype(np.float32), (size * features).astype(np.float32))
    assert labels.shape == (12,)
    assert labels.dtype == np.int64
    assert set(labels) <= {0, 1, 2}


def test_labels_stay_with_their_examples_in_any_order_and_number():
    probabilities, features, _ = examples(1, 50, 4)
    order = np.random.default_rng(0).permutation(50)
    labels = nearest_centroids(probabilities, features)
    assert nearest_centroids(probabilities[order], features[order]).tolist() == labels[order].tolist()
    twice = nearest_centroids(np.tile(probabilities, (2, 1)), np.tile(features, (2, 1)))
    assert twice.tolist() == 2 * labels.tolist()


def loss_by_hand(logits, labels):
    p = softmax(logits)
    information = entropy(p.mean(axis=0)) - np.mean([entropy(row) for row in p])
    return float(-0.7 * information + 0.2 * cross_entropy(logits, labels))


@pytest.mark.parametrize("classes", [2, 10])
def test_the_loss_and_its_gradient_agree_with_a_slow_formula(classes):
    logits, labels = random_logits(0, 4, classes), [1, 0, -1, classes - 1]
    value, gradient = value_and_gradient(lambda z: Shot().loss(None, z, labels, VALUES), logits)
    assert value == pytest.approx(loss_by_hand(logits, labels), rel=1e-4)
    assert gradient == pytest.approx(slope(lambda z: loss_by_hand(z, labels), logits), abs=1e-4)


def test_the_last_layer_stays_as_the_source_left_it():
    assert "classifier" not in Shot().trains
    assert not Shot().needs_source
