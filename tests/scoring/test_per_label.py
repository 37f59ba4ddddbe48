"""The per-label table counts what scikit-learn counts, and says what it does not know."""

import numpy as np
import pytest
from sklearn import metrics as sk

from autotl.scoring.per_label import per_label, set_sizes, together

SETS = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 0], [0, 0, 0]])
SAID = np.array([[0.9, 0.2, 0.1], [0.6, 0.7, 0.1], [0.7, 0.8, 0.2], [0.1, 0.6, 0.3], [0.8, 0.9, 0.1], [0.2, 0.1, 0.2]])


def test_each_label_has_its_own_threshold_and_figures():
    first, second, third = per_label(SETS, SAID, ("a", "b", "c"), thresholds=(0.65, 0.5, 0.5), seed=0)
    assert (first["support"], first["prevalence"], first["said"], first["threshold"]) == (3, 0.5, 3, 0.65)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(SETS[:, 0], SAID[:, 0] >= 0.65, average="binary")
    assert [first[name]["value"] for name in ("precision", "recall", "f1")] == pytest.approx([precision, recall, f1])
    assert second["average_precision"]["value"] == pytest.approx(sk.average_precision_score(SETS[:, 1], SAID[:, 1]))
    assert all(line["f1"]["low"] < line["f1"]["value"] < line["f1"]["high"] for line in (first, second))
    assert third["average_precision"]["value"] is None
    assert third["recall"]["value"] is None
    assert third["support"] == third["said"] == 0


def test_what_comes_together_is_counted():
    assert together(SETS) == [[3, 2, 0], [2, 3, 0], [0, 0, 0]]
    assert set_sizes(SETS) == [2, 2, 2]
    assert per_label(SETS[:0], SAID[:0], ("a",), thresholds=(0.5,), seed=0)[0]["prevalence"] is None
