"""Estimates that start from a few kept figures are those that read every labelled example."""

import numpy as np
import pytest
from pretend_domains_seen import CLASSES, seen

from autotl.scoring import ESTIMATORS
from autotl.scoring.watching.sureness import Sureness

READINGS = ("source_probabilities", "source_labels", "target_probabilities")


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimate_is_the_one_that_reads_the_examples(name):
    _, labelled, labels = seen(600, seed=1)
    _, fresh, _ = seen(400, seed=2, apart=1.7)
    known = dict(zip(READINGS, (labelled, labels, fresh), strict=True))
    exact = ESTIMATORS[name].compute(*(known[reading] for reading in ESTIMATORS[name].reads))
    kept = Sureness.of(labelled, labelled, labels, same_examples=True)
    assert kept.estimates(fresh)[name] == pytest.approx(exact, abs=0.003)


def test_with_labels_accuracy_is_measured_and_estimates_start_at_it():
    _, said, labels = seen(600, seed=1)
    kept = Sureness.of(said, said, labels, same_examples=True)
    assert kept.accuracy == pytest.approx((said.argmax(axis=1) == labels).mean())
    assert kept.then["estimate_atc"] == kept.then["estimate_doc"] == pytest.approx(kept.accuracy)


def test_without_target_labels_accuracy_is_estimated_from_the_source():
    _, source, labels = seen(600, seed=1)
    _, target, _ = seen(500, seed=2, apart=1.7, shares=(0.6, 0.3, 0.1))
    kept = Sureness.of(target, source, labels, same_examples=False)
    assert kept.accuracy is None
    assert kept.labelled_accuracy - kept.then["estimate_doc"] > 0.1
    assert kept.shares == pytest.approx((0.6, 0.3, 0.1), abs=0.06)


def test_without_any_label_only_what_needs_none_is_estimated():
    _, target, _ = seen(500, seed=2)
    nobody = np.zeros((0, CLASSES)), np.zeros(0, dtype=np.int64)
    kept = Sureness.of(target, *nobody, same_examples=False, source_shares=np.array([0.2, 0.3, 0.5]))
    assert set(kept.then) == {"estimate_cot"}
    assert kept.label_shares.tolist() == [0.2, 0.3, 0.5]


def test_figures_that_are_missing_come_back_missing():
    _, target, _ = seen(500, seed=2)
    kept = Sureness.of(target, np.zeros((0, CLASSES)), np.zeros(0, dtype=np.int64), same_examples=False)
    again = Sureness.from_arrays(kept.arrays())
    assert (again.accuracy, again.threshold, again.then) == (None, None, kept.then)
