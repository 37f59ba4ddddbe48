"""The page as a person sees it, in a headless Chromium: it draws, it sorts, it says nothing to anybody."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from browser import Page, browser_page, find_browser
from sample import CLASSES, evil_values, sample_values
from sample_evidence import sample_examples, sample_numbers

from autotl.report import render

PROGRAM = find_browser()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium or Chrome is installed (apt-get install chromium)")

CHARTS = {
    "comparison",
    "curves-score",
    "curves-loss",
    "cost-latency",
    "cost-size",
    "cost-seconds",
    "confusion",
    "reliability",
    "risk-coverage",
    "threshold-0-precision",
    "threshold-0-roc",
    "columns",
    "best-by-backbone",
    "best-by-unfrozen",
    "score-by-learning-rate",
    "importance",
    "parallel",
    "wall-time",
    "trial-time",
}
MARKS = ".picture rect, .signal rect, .weight rect, mark.for"
VISIBLE_TRIALS = (
    "[...document.querySelectorAll('#board tbody tr')].filter(row => row.checkVisibility())"
    ".map(row => Number(row.querySelector('.trial').textContent))"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    assert PROGRAM is not None
    with browser_page(PROGRAM, tmp_path_factory.mktemp("profile")) as page:
        yield page


@cache
def rendered(name: str) -> str:
    return render(sample_values() if name == "sample" else evil_values())


def show(browser: Page, name: str, folder: Path, **look: object) -> Page:
    file = folder / "report.html"
    file.write_text(rendered(name), encoding="utf-8")
    browser.complaints.clear()
    browser.requests.clear()
    browser.open(file, **look)  # type: ignore[arg-type]
    return browser


@pytest.mark.parametrize("name", ["sample", "evil"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_every_chart_is_drawn_without_a_complaint_or_a_request(browser, tmp_path, name, width, scheme):
    page = show(browser, name, tmp_path, width=width, scheme=scheme)
    drawn = page.evaluate(
        "[...document.querySelectorAll('[data-drawn=yes] svg')].map(s => s.closest('[data-chart]').dataset.chart)"
    )
    assert set(drawn) >= CHARTS
    assert page.evaluate("document.querySelectorAll('[data-chart]:not([data-drawn])').length") == 0
    assert page.evaluate("[...document.querySelectorAll('.drawing svg')].every(s => s.querySelector('[class*=mark-]'))")
    assert page.complaints == []
    assert {request.split("?")[0] for request in page.requests} == {(tmp_path / "report.html").as_uri()}


@pytest.mark.parametrize("name", ["sample", "evil"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_a_page_never_scrolls_sideways(browser, tmp_path, name, width):
    page = show(browser, name, tmp_path, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_slider_picks_a_line_of_the_table_and_says_it(browser, tmp_path):
    page = show(browser, "sample", tmp_path)
    advice = "document.querySelector('.slider output').textContent"
    picked = "document.querySelector('.prices tr[aria-current] th').textContent"
    assert page.evaluate(picked) == "1", "at first both errors cost the same"
    page.evaluate(
        "{ const slider = document.querySelector('.slider input');"
        " slider.value = 4; slider.dispatchEvent(new Event('input')); }"
    )
    assert page.evaluate(picked) == "100"
    assert page.evaluate(advice).startswith(
        "A miss costs 100 false alarms: call it “airplane” from a probability of 0.010"
    )
    assert page.evaluate("document.querySelectorAll('.prices tr[aria-current]').length") == 1


def test_lines_to_compare_numbers_with_are_drawn(browser, tmp_path):
    values = sample_values()
    file = tmp_path / "report.html"
    file.write_text(render(replace(values, evidence={"numbers": sample_numbers(), "note": None})), encoding="utf-8")
    browser.complaints.clear()
    browser.open(file)
    for chart, mark in (("predicted-and-true", "line"), ("residuals", "rule")):
        drawn = f"[...document.querySelectorAll('[data-chart={chart}] svg .role-mark"
        assert page_count(browser, f"{drawn}.mark-{mark} > *')]") == 1
        assert page_count(browser, f"{drawn}.mark-symbol > *')]") == 60
    assert browser.complaints == []


@pytest.mark.parametrize("kind", ["picture", "words", "stretches", "cells"])
def test_examples_of_each_kind_are_shown_marked_and_unmarked(browser, tmp_path, kind):
    file = tmp_path / "report.html"
    shown = replace(sample_values(), examples=sample_examples(kind, CLASSES))
    file.write_text(render(shown), encoding="utf-8")
    browser.complaints.clear()
    browser.open(file, width=390)
    marks = f"[...document.querySelectorAll('#examples :is({MARKS})')]"
    look = "getComputedStyle(mark)"
    is_coloured = f"(mark.tagName !== 'MARK' || {look}.backgroundColor !== 'rgba(0, 0, 0, 0)')"
    coloured = f"{marks}.filter(mark => {look}.visibility === 'visible' && {is_coloured})"
    assert page_count(browser, coloured) > 0
    browser.evaluate("document.getElementById('show-maps').click()")
    assert page_count(browser, coloured) == 0
    assert browser.evaluate("document.documentElement.scrollWidth") <= 390
    assert browser.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert browser.complaints == []


def page_count(page, elements):
    return page.evaluate(f"{elements}.length")


def test_the_policy_would_stop_a_script_that_got_in(browser, tmp_path):
    page = show(browser, "sample", tmp_path)
    page.evaluate(
        "{ const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s); }"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in complaint for complaint in page.complaints)


def test_a_click_on_a_header_sorts_and_a_second_click_turns_it_round(browser, tmp_path):
    page = show(browser, "sample", tmp_path)
    page.evaluate("document.getElementById('unfold').click()")
    page.evaluate("document.querySelector('[data-key=trial] button').click()")
    assert page.evaluate(VISIBLE_TRIALS) == list(range(30))
    page.evaluate("document.querySelector('[data-key=trial] button').click()")
    assert page.evaluate(VISIBLE_TRIALS) == list(reversed(range(30)))
    assert page.evaluate("document.querySelector('[data-key=trial]').ariaSort") == "descending"


def test_rows_without_a_figure_sort_last_in_both_directions(browser, tmp_path):
    page = show(browser, "sample", tmp_path)
    page.evaluate("document.getElementById('unfold').click()")
    scoreless = {row["trial"] for row in sample_values().leaderboard["trials"] if row["score"] is None}
    for _ in range(2):
        page.evaluate("document.querySelector('[data-key=score] button').click()")
        assert set(page.evaluate(VISIBLE_TRIALS)[-len(scoreless) :]) == scoreless


def test_filters_show_what_they_name(browser, tmp_path):
    page = show(browser, "sample", tmp_path)
    rows = sample_values().leaderboard["trials"]
    assert len(page.evaluate(VISIBLE_TRIALS)) == 12  # folded until asked for more
    page.evaluate("document.querySelector('[data-show=failed]').click()")
    assert set(page.evaluate(VISIBLE_TRIALS)) == {row["trial"] for row in rows if row["status"] == "failed"}
    page.evaluate("document.querySelector('[data-show=baseline]').click()")
    assert set(page.evaluate(VISIBLE_TRIALS)) == {row["trial"] for row in rows if row["baseline"] or row["baseline_of"]}
    page.evaluate("document.querySelector('[data-show=all]').click()")
    page.evaluate(
        "{ const find = document.getElementById('find');"
        " find.value = 'VGG16 hand'; find.dispatchEvent(new Event('input')); }"
    )
    assert set(page.evaluate(VISIBLE_TRIALS)) == {27, 28}


def test_paper_shows_every_trial_in_light_colours_whatever_the_screen_has(browser, tmp_path):
    page = show(browser, "sample", tmp_path, scheme="dark", media="print")
    assert len(page.evaluate(VISIBLE_TRIALS)) == 30
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
