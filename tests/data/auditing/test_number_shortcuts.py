import numpy as np
import pytest

from autotl.data.auditing.number_shortcuts import number_shortcut_findings
from autotl.data.auditing.properties import Properties, Property


def told(labels, values, *, kind="origin", groups=None):
    properties = Properties(
        [Property("the width", np.asarray(values, dtype=float), kind)], "images", "sizes", "brightness", "Resize them."
    )
    return number_shortcut_findings(properties, labels, groups, classes=["age"], where="t")


def numbers(n=300):
    return np.random.default_rng(0).normal(50.0, 10.0, n)


@pytest.mark.parametrize(("kind", "words"), [("origin", "sizes tell 'age'"), ("appearance", "brightness alone tell")])
def test_a_property_that_explains_the_number_is_told(kind, words):
    labels = numbers()
    (found,) = told(labels, labels + np.random.default_rng(1).normal(0.0, 3.0, 300), kind=kind)
    assert (found.code, found.severity) == ("shortcut", "warning")
    assert words in found.message
    assert "the width explains 8" in found.message or "the width explains 9" in found.message


def test_chance_raises_no_alarm():
    assert not any(told(numbers(), np.random.default_rng(seed).normal(size=300)) for seed in range(1, 21))


def test_a_group_is_one_piece_of_evidence():
    groups = np.repeat(np.arange(6), 50)
    labels = np.repeat(np.random.default_rng(2).normal(size=6), 50) + numbers() * 0.001
    assert told(labels, groups) != []
    assert told(labels, groups, groups=groups) == []
