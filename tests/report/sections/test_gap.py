"""The domain gap on the page: figures before and after, a map of each, and nothing where there is no source."""

from dataclasses import replace

from gap_domains import CLASSES, clusters
from sample import sample_values

from autotl.report import charts, render, sections
from autotl.scoring.gap import measure

SOURCE, LABELS = clusters(0)
GAP = {
    "features": "efficientnet_lite0 <b>",
    "before": measure(SOURCE, clusters(1, shift=6.0)[0], LABELS, CLASSES),
    "after": measure(SOURCE, clusters(1)[0], LABELS, CLASSES),
}


def test_the_page_shows_the_figures_before_and_after():
    page = render(replace(sample_values(), gap=GAP))
    assert "How far apart the domains are" in page
    assert "can be told apart almost always" in page
    assert "efficientnet_lite0 &lt;b&gt;" in page
    assert 'data-chart="map-before"' in page
    assert 'data-chart="map-after"' in page


def test_a_run_without_a_source_has_no_such_section():
    assert 'id="gap"' not in render(sample_values())


def test_a_measure_that_neither_panel_has_is_left_out():
    without = {when: GAP[when] | {"label_shift": None, "adaptability": None} for when in ("before", "after")}
    names = [before.name for before, _ in sections.gap(GAP | without).figures]
    assert {"label shift", "joint error"}.isdisjoint(names)
    assert "A-distance" in names


def test_a_map_draws_each_example_and_its_table_the_centres():
    before, _ = charts.maps(GAP)
    assert len(before.rows) == len(SOURCE) + 300
    centres = {row["domain"]: row["x"] for row in before.table}
    assert abs(centres["source"] - centres["target"]) > 2
    assert charts.maps({}) == []
