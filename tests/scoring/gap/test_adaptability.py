import numpy as np
from gap_domains import clusters

from autotl.scoring.gap.adaptability import joint_error
from autotl.scoring.gap.probe import Probe


def joint(source, labels, target):
    return joint_error(source, labels, target, Probe.fit(source, labels, target, classes=3))


def test_one_model_serves_equal_domains_and_moved_clusters():
    source, labels = clusters(0, apart=8.0)
    assert joint(source, labels, source) < 0.02
    assert joint(source, labels, clusters(1, apart=8.0, shift=0.5)[0]) < 0.02


def test_no_model_serves_labels_of_pure_chance():
    source, _ = clusters(0)
    chance = np.random.default_rng(1).integers(0, 3, size=len(source))
    assert joint(source, chance, clusters(1)[0]) > 0.25


def test_one_class_tells_nothing():
    source, _ = clusters(0)
    assert joint(source, np.zeros(len(source), dtype=np.int64), source) is None
