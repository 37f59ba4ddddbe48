"""Two houses: one exports a model without an example, the other adapts it to images that nobody has labelled."""

import html
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from leaderboard_contract import problems
from PIL import Image

from autotl.cli.app import run

CLASSES = ("blue", "green", "red")
HOUSE_OF_THE_SOURCE = """\
name: bright
data: {target: {train: bright}}
budget: {trials: 1, wall: 4m}
baselines: none
search_space: {backbone: small_cnn, image_size: 32, tap: last, unfrozen_layers: all, backbone_rate_ratio: 1.0, views: 0,
  epochs: 6, head: linear, learning_rate: 0.003, adaptation: none}
"""
HOUSE_OF_THE_TARGET = """\
name: dark
data:
  target: {train: dark, labels: none, test: {labels_of: train}}
  source: {exported: bright.source.zip}
budget: {trials: 4, wall: 4m}
search_space: {unfrozen_layers: 4}
"""


def photographs(folder: Path, *, rows: int, seed: int, scale: float = 1.0, tint=(0, 0, 0)) -> None:
    draws = np.random.default_rng(seed)
    for number in range(rows):
        label = number % len(CLASSES)
        pixels = draws.integers(0, 120, size=(24, 24, 3))
        pixels[6:18, 6:18, 2 - label] += 60
        place = folder / CLASSES[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray((scale * pixels + np.array(tint)).astype(np.uint8)).save(place / f"secret {number:03d}.png")


def told(capsys):
    return " ".join(capsys.readouterr().out.split())


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    """The folders of both, with a finished search in the first."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(source / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(source / "cache"))
        patch.chdir(source)
        photographs(source / "bright", rows=240, seed=0)
        photographs(target / "dark", rows=90, seed=1, scale=0.5, tint=(0, 12, 20))
        (source / "task.yaml").write_text(HOUSE_OF_THE_SOURCE)
        (target / "task.yaml").write_text(HOUSE_OF_THE_TARGET)
        assert run(["search", "task.yaml", "--out", "run", "--workers", "1", "--no-refit"]) == 0
    return source, target


@pytest.fixture(scope="module")
def exported(houses):
    """What came out of the first house, carried into the second."""
    source, target = houses
    path = target / "bright.source.zip"
    assert run(["export-source", str(source / "run"), "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def adapted(houses, exported, tmp_path_factory):
    """The run folder of the second house, which has nothing of the first but the file."""
    source, target = houses
    (source / "bright").rename(source / "locked away")
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(home))
        patch.setenv("AUTOTL_CACHE_DIR", str(home / "cache"))
        assert run(["search", str(target / "task.yaml"), "--out", str(target / "run"), "--workers", "1"]) == 0
    (source / "locked away").rename(source / "bright")
    return target / "run"


def test_the_file_is_told_to_whoever_decides_whether_it_may_leave(houses, exported, tmp_path, capsys):
    other = tmp_path / "again.source.zip"
    assert run(["export-source", str(houses[0] / "run"), "--out", str(other), "--trial", "0"]) == 0
    said = told(capsys)
    assert "It holds no example, no text, no file name" in said
    assert "names and counts of 3 classes" in said
    assert "source: {exported: again.source.zip}" in said
    assert json.loads(zipfile.ZipFile(exported).read("source.json"))["classes"] == list(CLASSES)
    assert b"secret" not in b"".join(
        zipfile.ZipFile(exported).read(name) for name in zipfile.ZipFile(exported).namelist()
    )


def test_what_cannot_be_exported_is_refused_with_the_reason(houses, exported, tmp_path, capsys):
    folder = str(houses[0] / "run")
    assert run(["export-source", folder, "--out", str(exported)]) == 2
    assert "is there already and is not overwritten" in " ".join(capsys.readouterr().err.split())
    assert run(["export-source", folder, "--out", str(tmp_path / "a.zip"), "--trial", "7"]) == 2
    assert "there is no trial 7" in " ".join(capsys.readouterr().err.split())
    assert run(["export-source", folder, "--out", str(tmp_path / "a.zip"), "--folder", str(tmp_path / "x")]) == 2
    assert "Name it: --folder DIR" in " ".join(capsys.readouterr().err.split())


def test_validate_knows_the_file(houses, exported, capsys):
    task = houses[1] / "task.yaml"
    assert run(["validate", str(task), "--full"]) == 0
    said = told(capsys)
    assert "3 classes" in said
    assert "nothing is learnt anew" in said
    assert "Baselines: source_only." in said
    wrong = task.with_name("wrong.yaml")
    wrong.write_text(HOUSE_OF_THE_TARGET.replace("bright.source.zip", "brigth.source.zip"))
    assert run(["validate", str(wrong)]) == 4
    assert "Did you mean 'bright.source.zip'" in " ".join(capsys.readouterr().err.split())


def test_every_method_that_needs_no_source_was_tried(adapted):
    content = json.loads((adapted / "leaderboard.json").read_text())
    assert problems(content) == []
    assert content["regime"] == "label_free"
    rows = content["trials"]
    assert {row["plan"]["adaptation"]["method"] for row in rows} == {
        "none", "standardize", "shot", "label_shift", "tent",
    }  # fmt: skip
    assert all(row["status"] == "complete" for row in rows)
    (untouched,) = [row for row in rows if row["baseline"] == "source_only"]
    assert untouched["scores"]["changed"] == 0.0
    assert untouched["epochs"] == 0
    assert not any(name.startswith("source_") for row in rows for name in row["scores"])


def test_the_winner_is_not_worse_than_the_model_as_it_came(adapted):
    rows = json.loads((adapted / "leaderboard.json").read_text())["trials"]
    winner = next(row for row in rows if row["winner"])
    untouched = next(row for row in rows if row["baseline"] == "source_only")
    assert winner["test"]["value"] >= untouched["test"]["value"] - 0.02
    assert winner["refit_test"] is None


def test_the_report_says_that_the_source_is_not_here(adapted):
    page = html.unescape((adapted / "report.html").read_text(encoding="utf-8"))
    assert "The source is an exported model, trained on" in page
    assert "the source's examples are not here, so there is nothing to retrain on" in page
    assert "bright.source.zip" in page


def test_its_bundle_predicts(adapted, capsys):
    assert run(["predict", str(adapted / "winner"), str(adapted.parent / "dark" / "red")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "input,label,probability,p_blue,p_green,p_red"
    assert len(lines) == 31


def test_another_file_in_the_place_of_the_exported_one_ends_no_later_reading_of_the_run(adapted, capsys):
    """What a run found can be read without the file that it started from."""
    assert run(["leaderboard", str(adapted)]) == 0
    assert run(["report", str(adapted)]) == 0
    assert "report.html" in capsys.readouterr().out
