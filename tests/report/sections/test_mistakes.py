"""The confusion matrix, checked against counts worked out by hand."""

from autotl.report.sections import matrix
from autotl.report.sections.mistakes import MOST_CLASSES


def test_recall_reads_rows_and_precision_reads_columns():
    cut = matrix({"split": "test", "classes": ["a", "b"], "matrix": [[8, 2], [4, 6]]})
    assert (cut.recalls, cut.precisions) == (["0.80", "0.60"], ["0.67", "0.75"])
    assert (cut.right, cut.examples) == (14, 20)
    assert cut.pairs == [("b", "a", 4), ("a", "b", 2)]


def test_of_many_classes_those_with_the_most_mistakes_are_kept_in_their_order():
    size = MOST_CLASSES + 5
    counts = [[9 if i == j else 0 for j in range(size)] for i in range(size)]
    counts[33][2] = 5
    cut = matrix({"classes": [str(number) for number in range(size)], "matrix": counts})
    assert len(cut.classes) == MOST_CLASSES
    assert cut.classes[2] == "2"
    assert cut.classes[-1] == "33"
    assert (cut.right, cut.examples, cut.classes_in_all) == (9 * size, 9 * size + 5, size)
