"""Label sets as they are told: by thresholds, an empty one too, and guarded like any cell."""

import numpy as np

from autotl.production.told import OF_CLASSES, OfSets, form_of

NAMES = ("heat", "=power", "wear")
SAID = np.array([[0.9, 0.3, 0.1], [0.1, 0.2, 0.05], [0.6, 0.9, 0.31]], dtype=np.float32)
FORM = OfSets((0.5, 0.25, 0.3))


def test_a_label_is_said_from_its_own_threshold_on():
    assert FORM.sets(NAMES, SAID) == [["heat", "=power"], [], ["heat", "=power", "wear"]]
    assert FORM.labels(NAMES, SAID) == ["heat; =power", "", "heat; =power; wear"]


def test_rows_have_the_labels_and_every_probability():
    assert FORM.header(NAMES) == ["labels", "p_heat", "p_=power", "p_wear"]
    assert list(FORM.rows(NAMES, SAID))[1] == ["", "0.100000", "0.200000", "0.050000"]
    assert next(OfSets((0.95, 0.2, 1.0)).rows(NAMES, SAID))[0] == "'=power"  # no formula in a spreadsheet


def test_a_service_gives_sets_as_lists():
    first, second, _ = FORM.values(NAMES, SAID)
    assert first["labels"] == ["heat", "=power"]
    assert second["labels"] == []
    assert set(first["probabilities"]) == set(NAMES)


def test_a_bundle_says_in_which_form_it_is_told():
    assert form_of({"problem": "multilabel", "thresholds": [0.5, 0.25]}) == OfSets((0.5, 0.25))
    assert form_of({}) is OF_CLASSES
