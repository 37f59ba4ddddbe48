"""A source whose labels mean nothing: the search runs, keeps its report, says so and names no winner."""

import json
from pathlib import Path

import numpy as np
import pytest
from leaderboard_contract import problems
from PIL import Image

from autotl.cli.app import run

TASK = """\
name: useless
data:
  target: {train: target, labels: none}
  source: {train: source}
budget: {trials: 1, wall: 4m}
baselines: [source_only]
search_space: {backbone: small_cnn, image_size: 32, tap: last, unfrozen_layers: all, backbone_rate_ratio: 1.0, views: 0,
  epochs: 2, head: linear, learning_rate: 0.003, adaptation: none}
"""
CLASSES = ("blue", "green", "red")


def noise(folder: Path, *, rows: int, seed: int) -> None:
    draws = np.random.default_rng(seed)
    for number in range(rows):
        place = folder / CLASSES[number % len(CLASSES)]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draws.integers(0, 255, size=(24, 24, 3)).astype(np.uint8)).save(place / f"{number:03d}.png")


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """The exit status and the run folder."""
    place = tmp_path_factory.mktemp("useless")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(place / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        patch.chdir(place)
        noise(place / "source", rows=150, seed=0)
        noise(place / "target", rows=60, seed=1)
        (place / "task.yaml").write_text(TASK)
        return run(["search", "task.yaml", "--out", "run", "--workers", "1"]), place / "run"


def test_no_winner_is_named(ended):
    status, folder = ended
    assert status == 5
    content = json.loads((folder / "leaderboard.json").read_text())
    assert problems(content) == []
    assert [row["status"] for row in content["trials"]] == ["complete", "complete"]
    assert not any(row["winner"] for row in content["trials"])
    assert all(row["reason"].startswith("may not win: the source teaches nothing") for row in content["trials"])
    assert not (folder / "winner").exists()


def test_the_report_is_kept_and_says_why(ended):
    page = (ended[1] / "report.html").read_text(encoding="utf-8")
    assert "No model won: the source teaches nothing" in page
    assert "Are its labels shuffled?" in page
    assert "Picked without target labels" in page
