"""The index page of several tasks: every task is on it, nothing foreign runs, and it needs no script."""

import re
from html.parser import HTMLParser

import pytest
from browser import browser_page, find_browser
from sample import EVIL_NAMES

from autotl.report.series_page import SeriesEntry, render_series
from autotl.run.study import SPENT

PROGRAM = find_browser()


def row(**values):
    plan = {"backbone": "boosted_trees", "adaptation": {"method": "none"}}
    usual = {"trial": 0, "status": "complete", "winner": True, "plan": plan, "scores": {}, "baseline": None}
    return {**usual, "score": {"value": 0.91, "low": 0.88, "high": 0.94}, "baseline_of": None, **values}


def entry(name="pumps", **values):
    facts = {
        "task": {"modality": "table", "metric": "accuracy"},
        "setting": {"name": "supervised"},
        "headline": {"sentences": ["Trial 0 won."], "corrected": {"value": 0.9, "low": 0.87, "high": 0.93}},
        SPENT: 61.0,
    }
    board = {"trials": [row()], "metric": "accuracy", "higher_is_better": True}
    return SeriesEntry(name, **{"leaderboard": board, "facts": facts, "report": f"{name}/report.html", **values})


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_a_finished_task_has_its_figures_and_leads_to_its_report():
    page = render_series("series-1", [entry()])
    assert '<a href="pumps/report.html">' in page
    assert "table · supervised · 1 trial · 1 min" in words(page)
    for word in ("Trial 0 won.", "0.900", "boosted_trees"):
        assert word in words(page)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (SeriesEntry("fans"), "waits for its turn"),
        (SeriesEntry("fans", error="fans.csv: a file has gone"), "could not be searched fans.csv: a file has gone"),
        (entry("fans", stopped="stopped by SIGINT"), "not complete"),
        (entry("fans", leaderboard={"trials": [row(winner=False)], "metric": "accuracy"}), "no usable model"),
    ],
    ids=["waiting", "failed", "stopped", "without a winner"],
)
def test_what_is_not_well_is_said(given, word):
    page = render_series("series-1", [entry(), given])
    assert word in words(page).replace("  ", " ")
    assert "1 done" in words(page)


class Markup(HTMLParser):
    """The elements of a page with their attributes' names, and where its links lead."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.links = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, [name for name, _ in attrs]))
        self.links += [value for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_foreign_words_are_text(name):
    def page(words):
        return Markup(render_series(words, [SeriesEntry(words, error=words), entry(name="pumps", stopped=words)]))

    assert page(name).elements == page("harmless").elements
    assert page(name).links == page("harmless").links == ["data:,", "pumps/report.html"]  # an empty icon, the report


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium or Chrome is installed (apt-get install chromium)")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_without_a_complaint_and_asks_for_nothing(tmp_path, width):
    file = tmp_path / "index.html"
    file.write_text(render_series("series-1", [entry(), *(SeriesEntry(name, error=name) for name in EVIL_NAMES)]))
    assert PROGRAM is not None
    with browser_page(PROGRAM, tmp_path / "profile") as page:
        page.load(file, width=width)
        assert page.complaints == []
        assert [request for request in page.requests if not request.startswith("file:")] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_was_gained_by_learning_tasks_together_stands_with_each():
    found = {
        "kept": "together",
        "companions": ["fans", EVIL_NAMES[0]],
        "validation": {"value": 0.04, "low": 0.01, "high": 0.07, "examples": 200},
        "test": {"value": 0.03, "low": -0.01, "high": 0.06, "examples": 50},
    }
    whole = entry()
    page = render_series("series-1", [entry(facts={**whole.facts, "together": found}), entry("fans")])
    said = words(page)
    assert "Kept: what was learnt together. The gain of learning it together with fans" in said
    assert (
        "is clear: +0.040 (+0.010 to +0.070) on 200 validation examples; +0.030 (−0.010 to +0.060) on 50 test" in said
    )
    assert words(page).count("Kept:") == 1
    assert EVIL_NAMES[0] not in page
