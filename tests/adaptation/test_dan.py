"""DAN and JAN, held against sums over pairs of rows."""

import numpy as np
import pytest
from adaptation_oracles import slope, softmax
from domain_batches import gradients_of, loss_of, two_domains

from autotl.adaptation.dan import Dan

FEATURES = ("source_features", "target_features")


def mean_squared_distance(arrays):
    rows = np.concatenate([arrays[name] for name in FEATURES])
    return np.mean([[np.sum((one - other) ** 2) for other in rows] for one in rows])


def discrepancy_by_pairs(arrays, *, joint, mean=None):
    """Gretton et al.'s unbiased estimate, with `mean` for the mean squared distance where that is held."""
    mean = mean_squared_distance(arrays) if mean is None else mean
    probabilities = {name[:6]: softmax(arrays[name]) for name in ("source_logits", "target_logits")}

    def kernel(one, i, other, j):
        distance = np.sum((arrays[f"{one}_features"][i] - arrays[f"{other}_features"][j]) ** 2)
        value = sum(np.exp(-distance / (mean * factor)) for factor in (1 / 4, 1 / 2, 1, 2, 4))
        if joint:
            value *= np.exp(-np.sum((probabilities[one][i] - probabilities[other][j]) ** 2) / 1.69)
        return value

    rows = range(len(arrays["source_features"]))
    within = [
        np.mean([kernel(domain, i, domain, j) for i in rows for j in rows if i != j]) for domain in ("source", "target")
    ]
    return sum(within) - 2 * np.mean([kernel("source", i, "target", j) for i in rows for j in rows])


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("classes", [2, 10])
def test_it_agrees_with_sums_over_pairs(joint, classes):
    arrays = two_domains(classes=classes)
    expected = 0.6 * discrepancy_by_pairs(arrays, joint=joint)
    assert loss_of(Dan(), arrays, joint=joint, weight=3.0, ramp=0.2) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("side", [*FEATURES, "source_logits", "target_logits"])
def test_its_gradient_agrees_with_differences_at_a_held_width(joint, side):
    arrays = two_domains(rows=3, width=3)
    held = mean_squared_distance(arrays)
    expected = slope(lambda at: discrepancy_by_pairs({**arrays, side: at}, joint=joint, mean=held), arrays[side])
    assert gradients_of(Dan(), arrays, joint=joint)[side] == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("joint", [False, True])
def test_domains_that_agree_cost_nothing_on_average(joint):
    def losses(shift):
        draws = []
        for seed in range(50):
            drawn = {name: np.random.default_rng([seed, *name.encode()]).normal(size=(8, 3)) for name in two_domains()}
            drawn["target_features"] += shift
            draws.append(loss_of(Dan(), drawn, joint=joint))
        return np.array(draws)

    agreeing, apart = losses(0.0), losses(1.0)
    error = np.std(agreeing) / np.sqrt(len(agreeing))
    assert abs(agreeing.mean()) < 3 * error
    assert apart.mean() > 10 * error


def test_domains_that_agree_are_not_shrunk():
    # the biased estimator would do so: its gradient points outwards on average, also where there is no gap
    outwards = []
    for seed in range(50):
        random = np.random.default_rng(seed)
        drawn = two_domains(rows=8, width=3)
        drawn.update({name: random.normal(size=(8, 3)) for name in FEATURES})
        gradients = gradients_of(Dan(), drawn)
        outwards.append(sum(np.sum(gradients[name] * drawn[name]) for name in FEATURES))
    assert abs(np.mean(outwards)) < 3 * np.std(outwards) / np.sqrt(len(outwards))


@pytest.mark.parametrize("joint", [False, True])
def test_it_is_zero_where_all_rows_are_equal(joint):
    arrays = {name: np.full_like(array, 1234.5) for name, array in two_domains().items()}
    assert loss_of(Dan(), arrays, joint=joint) == pytest.approx(0.0, abs=1e-4)
    assert all(gradient == pytest.approx(0.0) for gradient in gradients_of(Dan(), arrays, joint=joint).values())


def test_it_does_not_depend_on_the_features_scale_or_place():
    arrays = two_domains()
    moved = {**arrays, **{name: 1000.0 * arrays[name] + 500.0 for name in FEATURES}}
    assert loss_of(Dan(), moved) == pytest.approx(loss_of(Dan(), arrays), rel=1e-4)


@pytest.mark.parametrize("joint", [False, True])
def test_it_falls_as_the_target_nears_the_source(joint):
    arrays = two_domains(rows=20)
    source = arrays["source_features"]
    losses = [
        loss_of(Dan(), {**arrays, "target_features": source[::-1] + far}, joint=joint) for far in (3.0, 1.0, 0.5, 0.0)
    ]
    assert losses == sorted(losses, reverse=True)


def test_joint_sees_classes_that_are_swapped_where_features_agree():
    arrays = two_domains(rows=20)
    arrays["target_features"] = arrays["source_features"]
    sign = np.sign(arrays["source_features"][:, :1])
    agreeing = {**arrays, "source_logits": sign * [5.0, -5.0], "target_logits": sign * [5.0, -5.0]}
    swapped = {**agreeing, "target_logits": sign * [-5.0, 5.0]}
    assert loss_of(Dan(), swapped, joint=False) == pytest.approx(loss_of(Dan(), agreeing, joint=False))
    assert loss_of(Dan(), swapped, joint=True) > loss_of(Dan(), agreeing, joint=True) + 0.1


def test_one_label_is_two_classes_and_labels_count_alike():
    arrays = two_domains(classes=1)
    as_classes = {
        name: np.hstack([array, np.zeros_like(array)]) if name.endswith("logits") else array
        for name, array in arrays.items()
    }
    expected = loss_of(Dan(), as_classes, joint=True)
    repeated = {
        name: np.repeat(array, 4, axis=1) if name.endswith("logits") else array for name, array in arrays.items()
    }
    assert loss_of(Dan(), arrays, joint=True, activation="sigmoid") == pytest.approx(expected, rel=1e-4)
    assert loss_of(Dan(), repeated, joint=True, activation="sigmoid") == pytest.approx(expected, rel=1e-4)


def test_joint_sees_labels_that_all_rise_together():
    # a softmax would not: it takes what all logits have in common for nothing
    arrays = two_domains(rows=20)
    arrays["target_features"] = arrays["source_features"]
    risen = {**arrays, "target_logits": arrays["source_logits"] + 4.0}
    agreeing = {**arrays, "target_logits": arrays["source_logits"]}
    both = [loss_of(Dan(), each, joint=True, activation="sigmoid") for each in (agreeing, risen)]
    assert both[1] > both[0] + 0.1
    by_classes = [loss_of(Dan(), each, joint=True) for each in (agreeing, risen)]
    assert by_classes[1] == pytest.approx(by_classes[0], abs=1e-5)


def test_joint_sees_numbers_that_are_told_too_high():
    # the softmax of a single number is 1, whatever it is: `joint` would have done nothing
    arrays = two_domains(rows=20, classes=1)
    arrays["target_features"] = arrays["source_features"]
    losses = [
        loss_of(Dan(), {**arrays, "target_logits": arrays["source_logits"] + off}, joint=True, activation="linear")
        for off in (0.0, 0.5, 1.0, 2.0)
    ]
    assert losses == sorted(losses)
    assert losses[-1] > losses[0] + 0.1


def test_a_single_row_a_domain_is_drawn_to_the_other():
    arrays = two_domains(rows=1)
    gradients = gradients_of(Dan(), arrays)
    towards = arrays["source_features"] - arrays["target_features"]
    assert np.sum(-gradients["target_features"] * towards) > 0
