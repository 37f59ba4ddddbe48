import numpy as np
import pytest
from gap_domains import clusters

from autotl.scoring.gap.per_class import class_shifts, margin_histogram
from autotl.scoring.gap.probe import Probe


def test_the_class_that_moved_comes_first_by_its_distance_in_spreads():
    source, labels = clusters(0)
    target, truth = clusters(1)
    target[truth == 2] += [0, 0, 3.0, 0, 0, 0]
    probe = Probe.fit(source, labels, target, classes=3)
    first, *others = class_shifts(source, labels, target, probe)
    assert first.index == 2
    means = [source[labels == index].mean(axis=0) for index in range(3)]
    spread = np.sqrt(np.mean([np.sum((x - means[y]) ** 2) for x, y in zip(source, labels, strict=True)]))
    there = target[probe.pseudo_labels == 2].mean(axis=0)
    assert first.shift == pytest.approx(np.linalg.norm(source[labels == 2].mean(axis=0) - there) / spread)
    assert all(other.shift < 0.2 for other in others)
    assert first.mmd > max(other.mmd for other in others)


def test_a_class_that_no_target_example_looks_like_comes_before_all():
    source, labels = clusters(0)
    target = clusters(1, shares=(0.5, 0.5, 0.0), apart=8.0)[0]
    first = class_shifts(source, labels, target, Probe.fit(source, labels, target, classes=3))[0]
    assert (first.index, first.target_rows, first.shift, first.margin) == (2, 0, None, None)


def test_equal_domains_have_no_shift_and_every_example_stands_in_one_bin():
    source, labels = clusters(0)
    probe = Probe.fit(source, labels, source, classes=3)
    assert all(each.shift < 0.05 for each in class_shifts(source, labels, source, probe))
    assert sum(margin_histogram(probe)) == len(source)
    assert margin_histogram(probe)[-1] > 0.9 * len(source), "clusters far apart leave few doubts"
