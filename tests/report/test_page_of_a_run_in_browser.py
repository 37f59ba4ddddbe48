"""The pages of whole run folders in a headless Chromium: every figure is that of leaderboard.json, no name acts."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import Page, browser_page, find_browser
from pretend_runs import pretend_run
from sample import EVIL_NAMES, sample_values
from sample_evidence import sample_evidence, sample_examples

from autotl.api.standing import write_leaderboard
from autotl.cli.app import run
from autotl.report import render, wording
from autotl.run import Study

PROGRAM = find_browser()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium or Chrome is installed (apt-get install chromium)")

CELLS = "[...document.querySelectorAll('#board tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"
BLANK = """[...document.querySelectorAll('[data-chart]')].filter(place => {
  const marks = [...place.querySelectorAll('[class*=mark-] path, [class*=mark-] text, [class*=mark-] line')];
  return !marks.some(mark => { const box = mark.getBBox(); return box.width + box.height > 0; });
}).map(place => place.dataset.chart)"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    assert PROGRAM is not None
    with browser_page(PROGRAM, tmp_path_factory.mktemp("profile")) as page:
        yield page


def opened(browser: Page, file: Path, **look: Any) -> Page:
    browser.complaints.clear()
    browser.requests.clear()
    browser.open(file, **look)
    assert browser.complaints == []
    assert {request.split("?")[0] for request in browser.requests} == {file.as_uri()}
    return browser


def written(folder: Path, page: str) -> Path:
    file = folder / "report.html"
    file.write_text(page, encoding="utf-8")
    return file


def reported(path: Path) -> Path:
    assert run(["report", str(path)]) == 0
    return path / "report.html"


def test_every_figure_on_the_board_is_that_of_the_file_in_the_run_folder(browser, tmp_path):
    made = pretend_run(tmp_path / "run", wrong=(40, 60, 80, 120), tested={0: 30}, t1={"latency_ms": 9.0})
    page = opened(browser, reported(made.path))
    rows = json.loads((made.path / "leaderboard.json").read_text())["trials"]
    shown = page.evaluate(CELLS)
    assert [int(cells[-1]) for cells in shown] == [row["trial"] for row in rows]
    for cells, row in zip(shown, rows, strict=True):
        score = row["score"]
        for value in (score["value"], score["low"], score["high"]):
            assert wording.score(value) in cells[2]
        if row["test"]:
            assert wording.score(row["test"]["value"]) in cells[3]
        assert wording.megabytes(row["model_mb"]) in cells[4]
        assert wording.milliseconds(row["latency_ms"]) in cells[5]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_chart_is_blank(browser, tmp_path, scheme):
    page = opened(browser, written(tmp_path, render(sample_values())), scheme=scheme)
    assert page.evaluate(BLANK) == []


def test_charts_hold_the_figures_of_the_leaderboard(browser, tmp_path):
    page = opened(browser, written(tmp_path, render(sample_values())))
    drawings = json.loads(page.evaluate("document.getElementById('drawings').textContent"))
    drawn = drawings["rows"][drawings["charts"]["cost-latency"]["rows"]]
    rows = {row["trial"]: row for row in sample_values().leaderboard["trials"]}
    scored = [number for number, row in rows.items() if row["status"] == "complete" and row["score"]]
    assert sorted(point["trial"] for point in drawn) == sorted(scored)
    for point in drawn:
        assert point["score"] == rows[point["trial"]]["score"]["value"]
        assert point["latency"] == pytest.approx(rows[point["trial"]]["latency_ms"], rel=1e-3)


def test_a_run_whose_every_name_is_evil_runs_no_script(browser, tmp_path):
    """Names as they come out of a run folder: task, backbones, methods, classes, paths, reasons, prices, settings."""
    made = pretend_run(tmp_path / "run", wrong=tuple(range(40, 40 + len(EVIL_NAMES))), tested={0: 30})
    study = Study(made.path / "study.db")
    facts, rows = study.facts(), study.trials()
    for name, row in zip(EVIL_NAMES, rows, strict=True):
        plan = {
            "backbone": {"saved": name},
            "head": {"name": name},
            "adaptation": {"method": name, name: name},
            name: name,
        }
        row |= {"plan": {**row["plan"], **plan}, "reason": name, "baseline": name, "scores": {name: 0.5}}
        row["status"] = "failed" if row["trial"] % 7 == 3 else row["status"]
        study.put_trial(row["trial"], row["status"], row)
    confusion = {"split": "test", "classes": list(EVIL_NAMES), "matrix": [[3] * len(EVIL_NAMES)] * len(EVIL_NAMES)}
    wild = {
        "task": {**facts["task"], "name": EVIL_NAMES[0], "metric": EVIL_NAMES[1]},
        "headline": {**facts["headline"], "sentences": list(EVIL_NAMES)},
        "setting": {"name": EVIL_NAMES[2], "sentences": list(EVIL_NAMES)},
        "data": {"notes": list(EVIL_NAMES), "broken": [[name, name] for name in EVIL_NAMES], "domains": {}},
        "findings": [{"code": name, "severity": name, "message": name, "examples": [name]} for name in EVIL_NAMES],
        "confusion": confusion,
        "space": {name: {"choice": list(EVIL_NAMES)} for name in EVIL_NAMES},
        "price": {"an_hour": 2.0, "currency": EVIL_NAMES[3]},
        "timing": {"stages": [{"stage": name, "seconds": 1.0} for name in EVIL_NAMES]},
        "reproduce": list(EVIL_NAMES),
        "versions": {name: name for name in EVIL_NAMES},
        "not_shipped": EVIL_NAMES[4],
        "evidence": {**sample_evidence(EVIL_NAMES), "note": EVIL_NAMES[5]},
    }
    made.write("winner/evidence/examples.json", json.dumps(sample_examples("cells", EVIL_NAMES)))
    for name, value in wild.items():
        study.put_fact(name, value)
    write_leaderboard(made, rows, study.facts())
    study.close()
    page = opened(browser, reported(made.path))
    said = page.evaluate("document.body.textContent")
    assert all(wording.visible(name) in said for name in EVIL_NAMES)
    assert page.evaluate("document.querySelectorAll('iframe, object, link[rel=stylesheet], main img').length") == 0
    assert page.evaluate(BLANK) == []


@pytest.mark.parametrize(
    ("partial", "statuses"), [("Its search has not ended", ("running", "complete")), ("stopped by SIGINT", ("failed",))]
)
def test_a_run_that_is_going_or_failed_says_so_at_its_top(browser, tmp_path, partial, statuses):
    sample = sample_values()
    rows = [
        {**row, "winner": False, "tie_group": None, "status": statuses[place % len(statuses)]}
        for place, row in enumerate(sample.leaderboard["trials"])
    ]
    going = replace(sample, leaderboard={**sample.leaderboard, "trials": rows}, headline={}, partial=partial)
    page = opened(browser, written(tmp_path, render(going)))
    banner = "document.querySelector('.banner')"
    assert partial in page.evaluate(f"{banner}.textContent")
    assert page.evaluate(f"{banner}.getBoundingClientRect().bottom") < 500, "seen without scrolling"


def press(page: Page, key: str) -> None:
    text = {"Enter": "\r", " ": " "}.get(key, "")
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key=key, text=text if kind == "keyDown" else "")


def test_the_board_is_sorted_and_filtered_from_the_keyboard_and_says_what_it_did(browser, tmp_path):
    page = opened(browser, written(tmp_path, render(sample_values())))
    status = "document.getElementById('shown')"
    assert page.evaluate(f"{status}.getAttribute('role')") == "status"
    page.evaluate("document.querySelector('[data-key=latency] button').focus()")
    press(page, "Enter")
    assert page.evaluate("document.querySelector('[data-key=latency]').ariaSort") == "ascending"
    assert page.evaluate(f"{status}.textContent") == "30 of 30, by Latency ↑"
    assert page.evaluate("document.querySelectorAll('#board [aria-sort]').length") == 1
    page.evaluate("document.querySelector('[data-show=tied]').focus()")
    press(page, " ")
    tied = sum(row["tie_group"] is not None for row in sample_values().leaderboard["trials"])
    assert page.evaluate(f"{status}.textContent") == f"{tied} of 30, by Latency ↑"
    assert page.evaluate("document.querySelector('[data-show=tied]').ariaPressed") == "true"


def test_everything_that_takes_a_click_can_be_reached_and_has_a_name(browser, tmp_path):
    page = opened(browser, written(tmp_path, render(sample_values())))
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, a, input, select, summary')].filter(each => each.checkVisibility())"
        ".filter(each => each.tabIndex < 0 || !(each.textContent.trim() || each.labels?.length || each.ariaLabel))"
        ".map(each => each.outerHTML)"
    )
    assert unnamed == []


def test_paper_holds_the_verdict_every_trial_and_every_chart(browser, tmp_path):
    page = opened(browser, written(tmp_path, render(sample_values())), media="print")
    assert page.evaluate(BLANK) == []
    said = page.evaluate("document.body.innerText")
    for words in ("Recommended", "What could be wrong", "Runners-up", "What came of each choice", "How to reproduce"):
        assert words in said
    answer = page.call("Page.printToPDF", printBackground=True)
    assert len(answer["data"]) > 50_000
    assert re.match("JVBERi", answer["data"]), "a PDF"
