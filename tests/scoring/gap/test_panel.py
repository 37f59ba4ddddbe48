"""The whole panel, and what it says in words."""

import json

import numpy as np
import pytest
from gap_domains import CLASSES, clusters

from autotl.scoring.gap import TooFewRowsError, measure, sentences
from autotl.scoring.gap.plane import MOST_POINTS


def words_of(panel):
    return " ".join(sentences(panel))


def test_equal_domains_are_said_to_be_equal():
    source, labels = clusters(0)
    panel = measure(source, source, labels, CLASSES)
    assert panel["a_distance"] == 0.0
    assert panel["mmd"]["p_value"] > 0.9
    said = words_of(panel)
    assert "can hardly be told apart (A-distance 0.00 of 2)" in said
    assert "two samples of one distribution" in said
    assert "about the same as" in said


def test_different_domains_are_said_to_be_different_with_advice():
    source, labels = clusters(0)
    said = words_of(measure(source, clusters(1, shift=6.0)[0], labels, CLASSES))
    assert "can be told apart almost always (A-distance 2.00 of 2). Advice: adapt" in said
    assert "further apart than chance explains" in said
    assert "biased" in said


def test_the_map_is_small_and_the_panel_is_json():
    source, labels = clusters(0, rows=900)
    panel = measure(source, clusters(1, rows=30)[0], labels, CLASSES)
    assert len(panel["map"]["source"]) == MOST_POINTS
    assert len(panel["map"]["target"]) == 30
    assert 0 < panel["map"]["told"] <= 1
    assert json.loads(json.dumps(panel, allow_nan=False)) == panel


def test_the_same_features_give_the_same_panel():
    source, labels = clusters(0)
    target = clusters(1, shift=0.5)[0]
    assert measure(source, target, labels, CLASSES) == measure(source, target, labels, CLASSES)


def test_constant_features_say_that_nothing_can_be_compared():
    same = np.ones((20, 4))
    panel = measure(same, same, np.arange(20) % 3, CLASSES)
    assert panel["a_distance"] == 0.0
    assert "nothing can be compared" in words_of(panel)


def test_a_constant_column_changes_nothing():
    source, labels = clusters(0)
    target = clusters(1, shift=0.5)[0]
    wider = [np.column_stack([points, np.full(len(points), 7.0)]) for points in (source, target)]
    assert measure(*wider, labels, CLASSES)["a_distance"] == measure(source, target, labels, CLASSES)["a_distance"]


def test_examples_without_numbers_are_left_out_and_counted():
    source, labels = clusters(0)
    source[3, 2], source[5, 0] = np.nan, np.inf
    panel = measure(source, clusters(1)[0], labels, CLASSES)
    assert panel["rows"] == {"source": 298, "target": 300, "left_out": 2}
    assert "2 examples without finite features were left out" in words_of(panel)


def test_too_few_examples_are_refused_in_words():
    source, labels = clusters(0)
    with pytest.raises(TooFewRowsError, match="the target has 9 examples with features, 10 are needed"):
        measure(source, source[:9], labels, CLASSES)
    with pytest.raises(ValueError, match="source has 6, target has 5"):
        measure(source, source[:, :5], labels, CLASSES)


def test_one_class_has_a_panel():
    source, _ = clusters(0)
    panel = measure(source, clusters(1)[0], np.zeros(len(source), dtype=np.int64), ["only"])
    assert panel["adaptability"] is None
    assert panel["classes"][0]["source_rows"] == 300
    assert words_of(panel)


def test_a_source_without_labels_has_a_panel():
    source, _ = clusters(0)
    panel = measure(source, clusters(1)[0], np.full(len(source), -1), CLASSES)
    assert panel["label_shift"] is None
    assert words_of(panel)


def test_two_hundred_classes_have_a_panel():
    draws = np.random.default_rng(0)
    labels = np.arange(600) % 200
    source = draws.normal(size=(200, 10))[labels] * 5 + draws.normal(size=(600, 10))
    panel = measure(source, source[::2], labels, [f"class {number}" for number in range(200)])
    assert len(panel["label_shift"]["classes"]) == 200
    assert panel["label_shift"]["classes"][0]["low"] is None
    assert words_of(panel)


def test_fewer_examples_than_columns_are_compared_all_the_same():
    draws = np.random.default_rng(0)
    panel = measure(draws.normal(size=(20, 300)), draws.normal(size=(15, 300)) + 3, np.arange(20) % 3, CLASSES)
    assert panel["a_distance"] > 1.5
    assert panel["mmd"]["p_value"] < 0.05
