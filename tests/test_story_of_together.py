"""Two tasks in one file, from images to predictions: searched alone and together, and each model stands alone."""

import csv
import json

import numpy as np
import pytest
from leaderboard_contract import problems
from PIL import Image

from autotl.cli.app import run

FILE = """\
tasks:
  - {name: colours, data: {target: {train: colours, test: 0.3}}}
  - {name: places, data: {target: {train: places, test: none}}}
budget: {trials: 3, wall: 30m, seeds: 1}
baselines: none
search_space:
  backbone: small_cnn
  image_size: 32
  tap: last
  unfrozen_layers: 0
  learning_rate: {log: [3.0e-3, 3.0e-2]}
  head: {hidden: {units: 16}}
  dropout: 0.0
  views: 0
  epochs: 2
"""


def pictures(folder, names, draw, *, per_class=24):
    """Blobs on noise, in class folders."""
    draws = np.random.default_rng(len(names))
    for index, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            pixels = draws.integers(0, 110, size=(24, 24, 3))
            draw(pixels, index)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number:03d}.png")


def a_colour(pixels, index):
    pixels[6:16, 6:16, index] += 70


def a_place(pixels, index):
    pixels[12 * index : 12 * index + 10, 6:16] += 70


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A finished series: its folder."""
    place = tmp_path_factory.mktemp("together")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(place / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        pictures(place / "colours", ("red", "green", "blue"), a_colour)
        pictures(place / "places", ("high", "low"), a_place)
        (place / "both.yaml").write_text(FILE)
        words = ["search", str(place / "both.yaml"), "--out", str(place / "out"), "--workers", "1", "--no-refit"]
        assert run(words) == 0
        yield place / "out"


def board_of(story, name):
    return json.loads((story / name / "leaderboard.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["colours", "places"])
def test_each_task_is_learnt_alone_and_in_either_way_together(story, name):
    content = board_of(story, name)
    assert problems(content) == []
    rows = content["trials"]
    assert {row["status"] for row in rows} == {"complete"}
    assert sorted(str(row["plan"].get("together")) for row in rows) == ["None", "uncertainty", "uniform"]


@pytest.mark.parametrize("name", ["colours", "places"])
def test_the_report_and_the_index_say_which_is_kept_and_what_it_gains(story, name):
    headline = json.loads((story / name / "winner" / "metrics.json").read_text())["headline"]
    other = {"colours": "places", "places": "colours"}[name]
    assert any(f"together with {other}" in sentence for sentence in headline["sentences"])
    page = (story / name / "report.html").read_text(encoding="utf-8")
    assert "Was it worth learning it together?" in page
    index = (story / "index.html").read_text(encoding="utf-8")
    assert f"The gain of learning it together with {other} " in index


def test_both_kinds_are_tested_beside_each_other(story):
    tested = [row for row in board_of(story, "colours")["trials"] if row["test"]]
    assert {row["plan"].get("together") is None for row in tested} == {True, False}
    assert all(row["test"] is None for row in board_of(story, "places")["trials"])


def test_a_model_learnt_together_names_the_classes_of_its_own_task(story, tmp_path, monkeypatch):
    """Whichever kind won: the one that learnt both tasks is signed off, and predicts alone."""
    monkeypatch.setenv("AUTOTL_HOME", str(tmp_path / "home"))
    learnt = next(row["trial"] for row in board_of(story, "places")["trials"] if row["plan"].get("together"))
    words = ["promote", f"{story / 'places'}/{learnt}", "--alias", "production", "--reason", "to see it alone"]
    assert run(words) == 0
    assert run(["predict", "places@production", str(story.parent / "places"), "--out", str(tmp_path / "said.csv")]) == 0
    with (tmp_path / "said.csv").open() as file:
        said = list(csv.DictReader(file))
    assert len(said) == 48
    assert {line["label"] for line in said} <= {"high", "low"}


def test_each_run_knows_the_tasks_beside_it_by_its_own_record(story):
    written = (story / "colours" / "task.yaml").read_text(encoding="utf-8")
    assert "places" in written
    assert run(["search", "--resume", str(story)]) == 3  # nothing to resume: it is finished
