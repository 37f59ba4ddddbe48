"""The page as text: one file, everything in it, nothing of the data able to act."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from sample import CLASSES, EVIL_NAMES, evil_values, sample_values
from sample_evidence import sample_examples

from autotl.report import ReportValues, render, wording
from autotl.report.entries import read_entries
from autotl.report.vendor import libraries

MEGABYTE = 1_000_000
ADDRESSING = ("src", "href", "srcset", "action", "formaction", "data", "poster", "background", "xlink:href")


class Reading(HTMLParser):
    """What a browser would make of a page: its tags with attributes, its text, its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag == self._open else self._open

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            self.scripts[-1] += data
        elif self._open != "style":
            self.texts.append(data)


@pytest.fixture(scope="module")
def page() -> str:
    return render(sample_values())


@pytest.fixture(scope="module")
def evil_page() -> str:
    return render(evil_values())


def test_importing_the_report_is_light():
    code = "import sys, autotl.report; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"tensorflow", "keras", "ray", "optuna", "altair", "pandas", "sklearn"} & set(loaded)


def test_the_same_values_give_the_same_page(page):
    assert render(sample_values()) == page


@pytest.mark.parametrize("name", ["page", "evil_page"])
def test_a_page_is_small(name, request):
    assert len(request.getfixturevalue(name).encode("utf-8")) < 2 * MEGABYTE


def test_a_page_stays_small_however_large_the_run_is():
    sample = sample_values()
    template = sample.leaderboard["trials"][3]
    rows = [*sample.leaderboard["trials"], *({**template, "trial": number} for number in range(100, 2100))]
    classes = [f"a class with a long name {number}" for number in range(1000)]
    curve = [{"epoch": epoch, "train_loss": 1 / epoch, "score": 1 - 1 / epoch} for epoch in range(1, 301)]
    large = replace(
        sample,
        leaderboard={**sample.leaderboard, "trials": rows},
        curves={row["trial"]: curve for row in rows},
        confusion={"split": "test", "classes": classes, "matrix": [[3] * len(classes)] * len(classes)},
        data={"domains": [{"name": "target", "role": "target", "splits": {"train": dict.fromkeys(classes, 9)}}]},
        headline={**sample.headline, "sentences": ["x" * 100_000]},
    )
    page = render(large)
    assert len(page.encode("utf-8")) < 2 * MEGABYTE
    assert "leaderboard.csv and leaderboard.json hold them all" in page


@pytest.mark.parametrize("name", ["page", "evil_page"])
def test_a_page_refers_to_nothing_outside_itself(name, request):
    addresses = [
        value
        for _, attributes in Reading(request.getfixturevalue(name)).tags
        for attribute, value in attributes.items()
        if attribute in ADDRESSING and value
    ]
    assert addresses
    assert all(address.startswith(("#", "data:image/jpeg;base64,")) or address == "data:," for address in addresses)


def test_what_is_ours_in_a_page_holds_no_web_address(page):
    for library in libraries():
        page = page.replace(library.script, "")
    assert not re.findall(r"https?://", page)


def test_the_policy_names_every_script_and_allows_nothing_else(page):
    reading = Reading(page)
    policy = next(a["content"] for _, a in reading.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    running = [script for script in reading.scripts if not script.startswith("{")]
    assert rules["default-src"] == "'none'"
    assert len(running) == len(libraries()) + 1
    assert len(rules["script-src"].split()) == len(running)
    assert all(source.startswith("'sha256-") for source in f"{rules['script-src']} {rules['style-src']}".split())
    assert "unsafe" not in policy
    assert not any("style" in attributes for _, attributes in reading.tags)  # the policy would refuse them


def test_no_name_becomes_markup(evil_page):
    like_it = replace(sample_values(), partial="stopped", examples=sample_examples("words", CLASSES))
    honest, evil = Reading(render(like_it)), Reading(evil_page)
    assert {tag for tag, _ in evil.tags} <= {tag for tag, _ in honest.tags}
    assert {name for _, attributes in evil.tags for name in attributes} <= {
        name for _, attributes in honest.tags for name in attributes
    }
    assert [tag for tag, _ in evil.tags if tag in ("meta", "script", "link", "style")] == [
        tag for tag, _ in honest.tags if tag in ("meta", "script", "link", "style")
    ]
    assert evil.scripts[1:] == honest.scripts[1:]  # the first holds the data


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_an_evil_name_is_shown_as_it_is_written(name, evil_page):
    text = "\n".join(Reading(evil_page).texts)
    assert text.count(wording.visible(name)) >= 8  # setting, notes, findings, headline, space, versions …


def test_a_page_can_be_written_as_utf8_and_holds_no_raw_controls(evil_page):
    evil_page.encode("utf-8")
    assert not set("\0\x1b\u202e\ud800") & set(evil_page)


def test_data_for_the_charts_is_json_that_a_browser_accepts(evil_page):
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    (data,) = [script for script in Reading(evil_page).scripts if script.startswith("{")]
    drawings = json.loads(data, parse_constant=refuse)
    assert "confusion" in drawings["charts"]
    assert not re.search(r"[<>&]", data)


def test_every_figure_of_the_leaderboard_is_on_the_page(page):
    board = page[page.index('id="board"') : page.index("</table>", page.index('id="board"'))]
    rows = re.findall(r"<tr class=.*?</tr>", board, re.S)
    entries = read_entries(sample_values().leaderboard)
    assert len(rows) == len(entries)
    for row, entry in zip(rows, entries, strict=True):
        text = " ".join(Reading(row).texts)
        figures = [
            figure for interval in (entry.score, entry.test) if interval for figure in (interval.value, *interval.ends)
        ]
        for figure in figures:
            assert wording.score(figure) in text
        for words in (
            str(entry.trial),
            entry.backbone,
            entry.recipe,
            wording.magnitude(entry.params),
            wording.megabytes(entry.model_mb),
            wording.milliseconds(entry.latency_ms),
            wording.duration(entry.total_seconds),
            entry.reason or "",
            entry.baseline or "",
        ):
            assert words in text
        assert (entry.status in text) == (entry.status != "complete")
        assert ("winner" in text) == entry.winner


def test_the_headline_opens_the_page(page):
    text = " ".join(" ".join(Reading(page).texts).split())
    sentence = sample_values().headline["sentences"][0]
    assert text.index("cifar10-subset", 40) < text.index(sentence) < text.index("Every trial of the run")
    for figure in ("0.783", "0.781", "+0.312", "0.741 to 0.818, corrected for selection (0.806 before selection)"):
        assert text.index(figure) < text.index("Every trial of the run")


def test_a_stranger_finds_model_reason_risk_cost_and_runners_up_before_the_leaderboard(page):
    text = " ".join(" ".join(Reading(page).texts).split())
    opening = text[: text.index("Every trial of the run")]
    rows = sample_values().leaderboard["trials"]
    for words in (
        f"Recommended: trial {rows[0]['trial']}",
        "Why this one",
        sample_values().headline["sentences"][1],
        "What could be wrong",
        "This test set has been read 2 times",
        "What it costs",
        "the whole search, in money",
        "0.96 EUR",
        "Runners-up",
        *(f"trial {row['trial']}" for row in rows[1:4]),
    ):
        assert words in opening


def test_money_is_on_the_page_only_where_the_user_gave_a_price(page):
    assert "0.96 EUR at 2.40 EUR an hour" in page
    without = render(replace(sample_values(), price=None))
    assert "money" not in without.replace("".join(library.script for library in libraries()), "")
    assert "The bill" not in without


def test_importance_says_how_much_it_can_be_trusted(page):
    assert "That is few: read it as a hint" in page
    none = {"trials": 7, "needed": 20, "best_share": None, "parameters": []}
    assert "Not told: 7 trials of the space ran to their end" in render(replace(sample_values(), importance=none))


def test_a_run_that_is_still_going_names_its_leader_and_no_winner():
    rows = [row | {"winner": False, "tie_group": None} for row in sample_values().leaderboard["trials"]]
    going = {**sample_values().leaderboard, "trials": rows}
    page = render(ReportValues(task={"name": "pets"}, leaderboard=going, partial="Its search has not ended"))
    assert page.index("Its search has not ended") < page.index(f"No winner yet: trial {rows[0]['trial']} leads")
    assert "Recommended" not in page


def test_a_partial_run_says_so_first():
    page = render(replace(sample_values(), partial="stopped by SIGINT after 9 of 24 trials"))
    assert page.index("This run is not complete.") < page.index("stopped by SIGINT after 9 of 24 trials")
    assert "This run is not complete." not in render(sample_values())


def test_a_run_without_a_winner_still_has_a_page():
    failed = [row | {"winner": False} for row in sample_values().leaderboard["trials"] if row["status"] == "failed"]
    page = render(ReportValues(task={"name": "nothing"}, leaderboard={"metric": "accuracy", "trials": failed}))
    assert "No model has won" in page
    assert "out of memory, twice" in page


def test_a_run_that_was_stopped_before_its_first_trial_still_has_a_page():
    assert "No model has won" in render(ReportValues(task={}, leaderboard={"trials": []}, partial="stopped by SIGTERM"))


def test_a_label_free_score_has_no_interval_and_says_what_it_is():
    sample = sample_values()
    rows = [
        row
        | {"score": row["score"] and {"value": row["score"]["value"], "low": None, "high": None, "kind": "label_free"}}
        for row in sample.leaderboard["trials"]
    ]
    page = render(replace(sample, leaderboard={**sample.leaderboard, "trials": rows}, headline={}))
    assert page.count("label-free</span>") == sum(row["score"] is not None for row in rows)
    assert "accuracy, label free" in page


def test_the_houses_behind_a_source_of_statistics_are_told():
    sample = sample_values()
    houses = [
        {
            "source": "both",
            "house": "north",
            "examples": 1240,
            "measured": {"accuracy": 0.875, "examples": 248},
            "noise": None,
        },
        {"source": "both", "house": "south", "examples": 150, "measured": None, "noise": "ε = 3, δ = 1e-05"},
    ]
    page = render(replace(sample, data={**sample.data, "houses": houses}))
    assert "Houses behind the source" in page
    assert "87.5 % of 248" in page
    assert "ε = 3, δ = 1e-05" in page
    assert "Houses behind the source" not in render(sample)
