"""The figures of a gap are the same ones in the same order, whatever was measured."""

from gap_domains import CLASSES, clusters

from autotl.report.gap_figures import figures
from autotl.scoring.gap import measure

SOURCE, LABELS = clusters(0)


def test_the_figures_of_two_gaps_stand_in_the_same_order():
    far, near = (figures(measure(SOURCE, clusters(1, shift=shift)[0], LABELS, CLASSES)) for shift in (6.0, 0.0))
    assert [figure.name for figure in far] == [figure.name for figure in near]
    assert far[0].value == "2.00"
    assert float(near[0].value) < 0.3
