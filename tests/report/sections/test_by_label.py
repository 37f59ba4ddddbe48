"""The panel of labels: every one with its figures, the worst where there are many, and which come together."""

import numpy as np

from autotl.report.sections import by_label
from autotl.report.sections.by_label import MOST_LABELS, MOST_TOGETHER
from autotl.scoring.per_label import per_label, set_sizes, together


def evidence(*, labels=3, n=200, note=None):
    draws = np.random.default_rng(0)
    sets = (draws.random((n, labels)) < np.linspace(0.4, 0.1, labels)).astype(np.int64)
    said = np.clip(0.5 * sets + 0.5 * draws.random((n, labels)), 0.01, 0.99)
    names = [f"label {index}" for index in range(labels)]
    figures = {
        "split": "test",
        "examples": n,
        "tuned_on": "validation",
        "labels": per_label(sets, said, names, thresholds=[0.5] * labels, seed=0),
        "together": together(sets),
        "sizes": set_sizes(sets),
    }
    return {"per_label": figures, "note": note}


def test_every_label_has_a_line_with_its_threshold():
    found = by_label(evidence(note="alike"))
    assert [line.name for line in found.lines] == ["label 0", "label 1", "label 2"]
    assert all(line.threshold == 0.5 and line.average_precision.low < 1 for line in found.lines)
    assert sum(found.sizes) == found.examples == 200
    assert found.together.counts[0][0] == found.lines[0].support
    assert found.note == "alike"


def test_of_many_labels_the_worst_are_shown():
    found = by_label(evidence(labels=MOST_LABELS + 5, n=60))
    assert len(found.lines) == MOST_LABELS
    assert found.left_out == 5
    values = [line.average_precision.value for line in found.lines if line.average_precision]
    assert values == sorted(values)
    assert len(found.together.names) == MOST_TOGETHER
    assert found.together.left_out == MOST_LABELS + 5 - MOST_TOGETHER


def test_without_several_labels_there_is_no_panel():
    assert by_label({}) is None
    assert by_label({"per_label": None}) is None
