"""Checkpoints that KerasHub does not load, from task.yaml to predictions: real but for their size, never downloaded.

One of texts every time; one of images by `pytest -m slow tests/test_story_of_encoders.py`. What is its own (pixels, its
preprocessor) is also in tests/backbones/test_hugging_face.py and tests/production/test_encoder_serving.py.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from encoder_folders import image_folder, skip_without_torch, text_folder
from leaderboard_contract import problems
from moods import write_moods
from PIL import Image

from autotl import api
from autotl.cli.app import run
from autotl.errors import EnvironmentProblemError, StorageError, UsageError
from autotl.production.bundle import open_bundle

TEXTS = """\
name: moods
data: {target: {train: train.csv, test: test.csv}}
budget: {trials: 2, wall: 30m}
baselines: none
start_with: [{backbone: mpnet, sequence_length: 16, tap: E2, learning_rate: 0.02, epochs: 20}]
search_space:
  backbone: mpnet
  sequence_length: 16
  join: none
  tap: {choice: [E2, last]}
  unfrozen_layers: 0
  head: linear
  learning_rate: 0.02
  epochs: 20
  adaptation: none
"""
IMAGES = """\
name: lights
data: {target: {train: photos, test: 0.25}}
budget: {trials: 1, wall: 30m}
baselines: none
search_space:
  backbone: {hugging_face: vit}
  image_size: 32
  tap: last
  unfrozen_layers: 0
  head: linear
  learning_rate: 0.02
  views: 0
  epochs: 20
  adaptation: none
"""


def write_lights(folder: Path, *, per_class: int = 30) -> None:
    """Noise with more red in it, or more blue."""
    draws = np.random.default_rng(0)
    for index, name in enumerate(("red", "blue")):
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            pixels = draws.integers(0, 120, size=(32, 32, 3))
            pixels[:, :, 2 * index] += 100
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number:02d}.png")


def searched(place: Path, task: str) -> Path:
    """The run folder of a search in this folder."""
    (place / "task.yaml").write_text(task)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(place / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        assert (
            run(["search", str(place / "task.yaml"), "--out", str(place / "run"), "--workers", "1", "--offline"]) == 0
        )
    return place / "run"


@pytest.fixture(scope="module")
def moods(tmp_path_factory) -> Path:
    skip_without_torch()
    place = tmp_path_factory.mktemp("moods")
    text_folder(place / "mpnet", hidden_size=32)
    write_moods(place / "train.csv", rows=240, seed=0)
    write_moods(place / "test.csv", rows=60, seed=1)
    return searched(place, TEXTS)


@pytest.fixture(scope="module")
def lights(tmp_path_factory) -> Path:
    skip_without_torch()
    place = tmp_path_factory.mktemp("lights")
    image_folder(place / "vit")
    write_lights(place / "photos")
    return searched(place, IMAGES)


def winner_of(folder: Path):
    content = json.loads((folder / "leaderboard.json").read_text())
    assert problems(content) == []
    return next(row for row in content["trials"] if row["winner"])


@pytest.mark.parametrize("which", ["moods", pytest.param("lights", marks=pytest.mark.slow)])
def test_a_checkpoint_is_searched_tested_and_shipped(which, request):
    folder = request.getfixturevalue(which)
    winner = winner_of(folder)
    assert (winner["refit_test"] or winner["test"])["value"] > 0.8
    assert winner["params"] > 7_000
    assert winner["latency_ms"] > 0
    names = {path.name for path in (folder / "winner" / "encoder").iterdir()}
    own = {"moods": {"tokenizer.json", "tokenizer_config.json"}, "lights": {"preprocessor_config.json"}}[which]
    assert names == {"config.json", "model.safetensors", *own}
    network = {"moods": "mpnet", "lights": "vit at 32 px"}[which]
    assert f"<bdi>{network}</bdi>" in (folder / "report.html").read_text(encoding="utf-8")


def test_the_bundle_predicts_new_texts(moods, tmp_path):
    write_moods(tmp_path / "new.csv", rows=40, seed=2)
    out = tmp_path / "predictions.csv"
    assert run(["predict", str(moods), str(tmp_path / "new.csv"), "--out", str(out)]) == 0
    said = [row["label"] for row in csv.DictReader(out.open(encoding="utf-8"))]
    assert np.mean([label == ("good", "bad")[row % 2] for row, label in enumerate(said)]) > 0.8


@pytest.mark.slow
def test_the_bundle_predicts_new_images(lights, tmp_path):
    write_lights(tmp_path / "new", per_class=5)
    out = tmp_path / "predictions.csv"
    assert run(["predict", str(lights), str(tmp_path / "new"), "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert np.mean([Path(row["input"]).parent.name == row["label"] for row in rows]) > 0.8


@pytest.mark.slow
def test_the_bundle_says_the_same_of_an_image_alone_and_beside_others(lights):
    from autotl.production.prediction import read_inputs

    bundle = open_bundle(lights / "winner")
    inputs, _ = read_inputs(bundle, lights.parent / "photos")
    model = bundle.load_model()
    together = model.predict(bundle.reading(inputs, np.arange(len(inputs))))
    alone = [model.predict(bundle.reading(inputs, np.array([row]))) for row in range(5)]
    np.testing.assert_allclose(np.concatenate(alone), together[:5], atol=1e-5)


def test_a_model_without_torch_says_what_it_needs(moods, monkeypatch):
    monkeypatch.setattr("autotl.production.encoder_serving.find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblemError, match=r"PyTorch, which is not installed.*pip install torch"):
        open_bundle(moods / "winner").load_model()


def test_no_file_of_the_encoder_may_be_changed_or_added(moods, tmp_path):
    copy = tmp_path / "winner"
    for path in (moods / "winner").rglob("*"):
        if path.is_file():
            (copy / path.relative_to(moods / "winner")).parent.mkdir(parents=True, exist_ok=True)
            (copy / path.relative_to(moods / "winner")).write_bytes(path.read_bytes())
    assert open_bundle(copy).has_encoder
    (copy / "encoder" / "modeling_mine.py").write_text("print('hello')")
    with pytest.raises(StorageError, match=r"modeling_mine\.py is missing or not the file"):
        open_bundle(copy)
    (copy / "encoder" / "modeling_mine.py").unlink()
    (copy / "encoder" / "config.json").write_text("{}")
    with pytest.raises(StorageError, match=r"config\.json is missing or not the file"):
        open_bundle(copy)


def test_formats_that_cannot_hold_it_say_so(moods, tmp_path):
    with pytest.raises(UsageError, match=r"runs on PyTorch.*autotl predict"):
        api.export(str(moods), format="saved_model", out=tmp_path / "exported")


def test_one_that_is_promoted_predicts_from_the_registry(moods, tmp_path):
    words = ["promote", str(moods), "--alias", "production", "--reason", "tried"]
    assert run(words) == 0
    write_moods(tmp_path / "new.csv", rows=4, seed=3)
    assert run(["predict", "moods@production", str(tmp_path / "new.csv"), "--out", str(tmp_path / "said.csv")]) == 0
