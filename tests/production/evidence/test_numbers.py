import json

import numpy as np
import pytest

from autotl.production.evidence.numbers import MOST_POINTS, numbers_of


def figures(*, n=1000, groups=None, spoilt=None):
    draws = np.random.default_rng(0)
    labels = draws.uniform(0.0, 100.0, n)
    said = labels + draws.normal(0.0, 2.0, n) + (0.0 if spoilt is None else np.where(spoilt, 20.0, 0.0))
    return numbers_of(labels, said[:, None].astype(np.float32), groups, half_widths={"0.9": 3.29}, seed=0)


def test_figures_are_plain_json_and_hold_no_more_points_than_a_chart_shows():
    found = figures()
    assert json.loads(json.dumps(found)) == found
    assert (found["examples"], len(found["points"])) == (1000, MOST_POINTS)


def test_the_mean_explains_nothing_and_the_model_does():
    found = figures()
    assert found["of_the_mean"]["r2"] == pytest.approx(0.0, abs=1e-9)
    assert found["scores"]["r2"] > 0.95
    assert found["of_the_mean"]["spearman"] is None  # a constant has no order


def test_an_interval_held_as_often_as_normal_errors_say():
    (line,) = figures()["intervals"]
    assert line["held"] == pytest.approx(0.9, abs=0.02)


def test_where_it_is_worse_is_told_by_size_and_by_group():
    groups = np.arange(1000) % 25
    found = figures(groups=groups, spoilt=groups == 7)
    assert found["by_group"][0]["group"] == 7
    assert found["by_group"][0]["bias"] == pytest.approx(20.0, abs=1.0)
    assert [line["examples"] for line in found["by_size"]] == [200] * 5
    assert len(found["by_group"]) == 10
    assert figures()["by_group"] is None


def test_equal_numbers_have_one_size():
    found = numbers_of(np.full(20, 3.0), np.full((20, 1), 4.0, np.float32), None, half_widths={}, seed=0)
    (line,) = found["by_size"]
    assert (line["from"], line["to"], line["bias"]) == (3.0, 3.0, 1.0)
    assert found["scores"]["r2"] is None
