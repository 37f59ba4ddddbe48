"""The main job in other settings: few labels, two classes, less is better, arrays, groups, a user's own network."""

import json

import numpy as np
import pytest

from autotl.cli.app import run

pytestmark = pytest.mark.slow

SPACE = """\
search_space:
  backbone: {backbone}
  image_size: 32
  tap: last
  unfrozen_layers: {{choice: [0, 2]}}
  learning_rate: {{log: [1.0e-3, 1.0e-2]}}
  views: 0
  epochs: 2
baselines: [{baselines}]
budget: {{trials: 2, wall: 5m}}
"""


def test_the_demo_learns_from_print_and_shows_what_the_gap_costs(tmp_path, capsys):
    assert run(["demo", "--out", str(tmp_path / "demo")]) == 0
    out = capsys.readouterr().out
    assert "the price of the domain gap" in out
    assert f"autotl predict {tmp_path / 'demo' / 'run' / 'winner'} DATA" in out
    content = json.loads((tmp_path / "demo" / "run" / "leaderboard.json").read_text())
    winner = next(row for row in content["trials"] if row["winner"])
    source_only = next(row for row in content["trials"] if row["baseline"] == "source_only")
    assert winner["plan"]["backbone"] == "efficientnet_lite0"
    assert winner["score"]["value"] > 0.9, "printed digits are easy"
    assert 0.15 < source_only["test"]["value"] < winner["score"]["value"] - 0.2, "handwritten ones are not"


def arrays(path, *, rows, classes=3, shift=0, seed=0):
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    pixels = draws.integers(0, 110, size=(rows, 24, 24, 3)) + shift
    pixels[np.arange(rows), 6:18, 6:18, labels] += 70
    np.savez(path, x=np.clip(pixels, 0, 255).astype(np.uint8), y=np.array(["red", "green", "blue"])[labels])


def search(place, task, *, backbone="small_cnn", baselines="linear_probe"):
    (place / "task.yaml").write_text(task + SPACE.format(backbone=backbone, baselines=baselines))
    assert run(["search", str(place / "task.yaml"), "--out", str(place / "run"), "--workers", "1"]) == 0
    content = json.loads((place / "run" / "leaderboard.json").read_text())
    return content, next(row for row in content["trials"] if row["winner"])


def test_a_few_labels_and_a_source_are_scored_by_cross_validation_on_the_few(tmp_path):
    arrays(tmp_path / "source.npz", rows=200)
    arrays(tmp_path / "target.npz", rows=200, shift=40, seed=1)
    task = "data: {target: {train: target.npz, labels: {per_class: 5}, test: 0.3}, source: {train: source.npz}}\n"
    content, winner = search(tmp_path, task)
    assert content["regime"] == "few_labels"
    assert winner["score"]["kind"] == "few_labels"
    with np.load(tmp_path / "run" / "trials" / str(winner["trial"]) / "outputs.npz") as outputs:
        assert len(outputs["validation"]) == 15


def test_two_classes_a_positive_one_and_a_metric_where_less_is_better(tmp_path):
    arrays(tmp_path / "data.npz", rows=200, classes=2)
    task = "data: {target: {train: data.npz, test: 0.2}}\nmetric: log_loss\npositive: red\nweights: balanced\n"
    content, winner = search(tmp_path, task)
    assert content["higher_is_better"] is False
    losses = [row["score"]["value"] for row in content["trials"] if row["status"] == "complete"]
    assert winner["score"]["value"] <= min(losses) * 1.5


def test_groups_stay_together_and_small_data_without_a_test_set_still_ship(tmp_path):
    from PIL import Image

    draws = np.random.default_rng(0)
    lines = ["path,label,patient"]
    for number in range(120):
        label = number % 2
        pixels = draws.integers(0, 110, size=(24, 24, 3))
        pixels[6:18, 6:18, label] += 70
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{number}.png")
        lines.append(f"{number}.png,{('ill', 'well')[label]},{number // 6}")
    (tmp_path / "data.csv").write_text("\n".join(lines))
    task = "data: {target: {train: data.csv}, columns: {group: patient}}\n"
    _content, winner = search(tmp_path, task)
    assert winner["test"] is None
    assert winner["score"]["kind"] == "cross_validation"
    assert (tmp_path / "run" / "winner" / "model.keras").is_file()


def test_a_users_own_network_is_searched_tapped_and_shipped(tmp_path):
    import keras

    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    for width in (8, 16):
        x = keras.layers.Conv2D(width, 3, strides=2, padding="same", activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    keras.Model(inputs, keras.layers.Dense(7, activation="softmax")(x)).save(tmp_path / "own.keras")
    arrays(tmp_path / "data.npz", rows=200)
    _, winner = search(tmp_path, "data: {target: {train: data.npz, test: 0.2}}\n", backbone="own.keras")
    assert winner["plan"]["backbone"] == {"saved": str(tmp_path / "own.keras")}
    assert (
        run(["predict", str(tmp_path / "run" / "winner"), str(tmp_path / "data.npz"), "--out", str(tmp_path / "p.csv")])
        == 0
    )
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 201
