"""Deep CORAL, held against NumPy's covariances."""

import numpy as np
import pytest
from adaptation_oracles import slope
from domain_batches import gradients_of, loss_of, two_domains

from autotl.adaptation.deep_coral import DeepCoral, coral_distance


def distance_by_numpy(source, target):
    gap = np.cov(source, rowvar=False) - np.cov(target, rowvar=False)
    return float((gap**2).sum() / (4 * source.shape[1] ** 2))


@pytest.mark.parametrize("classes", [2, 10])
def test_it_agrees_with_numpys_covariances(classes):
    arrays = two_domains(rows=9, classes=classes)
    expected = distance_by_numpy(arrays["source_features"], arrays["target_features"])
    assert loss_of(DeepCoral(), arrays, weight=30.0, ramp=0.5) == pytest.approx(15.0 * expected, rel=1e-4)


@pytest.mark.parametrize("side", ["source_features", "target_features"])
def test_its_gradient_agrees_with_differences(side):
    arrays = two_domains(rows=4, width=3)

    def at(features):
        moved = {**arrays, side: features}
        return distance_by_numpy(moved["source_features"], moved["target_features"])

    assert gradients_of(DeepCoral(), arrays)[side] == pytest.approx(slope(at, arrays[side]), rel=1e-3, abs=1e-5)


def test_it_is_zero_for_equal_covariances_whatever_the_means():
    arrays = two_domains()
    arrays["target_features"] = arrays["source_features"][::-1] + 3.0
    assert loss_of(DeepCoral(), arrays) == pytest.approx(0.0, abs=1e-9)


def test_domains_may_be_of_different_sizes():
    source, target = two_domains(rows=7)["source_features"], two_domains(rows=5)["target_features"]
    distance = float(coral_distance(source.astype("float32"), target.astype("float32")))
    assert distance == pytest.approx(distance_by_numpy(source, target), rel=1e-4)


def test_it_falls_as_the_target_nears_the_source():
    arrays = two_domains()
    source = arrays["source_features"]
    losses = [loss_of(DeepCoral(), {**arrays, "target_features": (1.0 + far) * source}) for far in (2.0, 1.0, 0.5, 0.0)]
    assert losses == sorted(losses, reverse=True)


def test_it_grows_with_the_fourth_power_of_the_scale():
    arrays = two_domains()
    scaled = {**arrays, **{name: 3.0 * arrays[name] for name in ("source_features", "target_features")}}
    assert loss_of(DeepCoral(), scaled) == pytest.approx(81.0 * loss_of(DeepCoral(), arrays), rel=1e-4)


def test_a_single_row_has_no_covariance():
    assert loss_of(DeepCoral(), two_domains(rows=1)) == 0.0
