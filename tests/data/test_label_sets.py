"""Label sets as marks: what is counted, dealt and learnt of them."""

import numpy as np

from autotl.data.examples import UNKNOWN, is_known
from autotl.data.label_lists import as_text
from autotl.data.label_sets import LabelSets

KIND = LabelSets()
NAMES = ("heat", "wear")
TEXTS = [as_text(names) for names in (("heat",), (), ("wear", "heat"), ("wear",), ())]


def test_sets_become_marks_and_labels_that_are_left_out_are_no_mark():
    assert KIND.read(TEXTS, NAMES).tolist() == [[1, 0], [0, 0], [1, 1], [0, 1], [0, 0]]
    assert KIND.read(TEXTS, ("wear",)).tolist() == [[0], [0], [1], [1], [0]]
    assert len(KIND.usable(TEXTS, ("wear",))) == 5


def test_hidden_sets_are_unknown_and_empty_ones_are_not():
    hidden = KIND.unknown(3, NAMES)
    assert (hidden == UNKNOWN).all()
    assert not is_known(hidden).any()
    assert is_known(KIND.read(TEXTS, NAMES)).all()


def test_written_lists_are_read_and_what_was_read_stays():
    texts = KIND.written(["wear;heat", ""], [2, 3], column="faults")
    assert texts == [as_text(NAMES), as_text(())]
    assert KIND.written(texts, [2, 3], column="faults") == texts


def test_a_window_bears_what_half_of_its_samples_bear():
    samples = [as_text(names) for names in [("heat",)] * 3 + [("heat", "wear")] * 2 + [()] * 5]
    told, mixed = KIND.of_windows(samples, [np.arange(0, 3), np.arange(1, 5), np.arange(4, 10), np.arange(6, 10)])
    assert told == (as_text(("heat",)), as_text(NAMES), as_text(()), as_text(()))
    assert mixed == (1, 2)


def test_a_report_counts_labels_and_those_without():
    assert KIND.counted(KIND.read(TEXTS, NAMES), NAMES) == {"classes": {"heat": 2, "wear": 2}, "without": 2}
    assert KIND.counted(KIND.unknown(2, NAMES), NAMES) == {}


def test_there_is_something_to_learn_where_a_label_divides_the_examples():
    marks = KIND.read(TEXTS, NAMES)
    assert KIND.nothing_to_learn(marks, NAMES) is None
    assert "no label of 'heat', 'wear'" in str(KIND.nothing_to_learn(np.zeros_like(marks), NAMES))
    assert KIND.nothing_to_learn(np.ones_like(marks), NAMES) is not None
    assert KIND.nothing_to_learn(KIND.unknown(2, NAMES), NAMES) is not None
