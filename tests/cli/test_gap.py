"""`autotl gap` on tiny data: what it says, as words and as JSON, and what it refuses."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from autotl.cli.app import run

TABLE = """\
name: machines
data:
  target: {train: target.csv, labels: none}
  source: [{name: old, train: old.csv}]
"""
TWO_SOURCES = TABLE.replace("]\n", ", {name: older, train: older.csv}]\n")


def machines(path, *, hotter, seed, rows=80):
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % 2
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["heat", "speed", "label"])
        for label in labels:
            writer.writerow(
                [f"{draws.normal() + hotter:.4f}", f"{draws.normal() + 3 * label:.4f}", ("calm", "loud")[label]]
            )


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    machines(tmp_path / "target.csv", hotter=5.0, seed=0)
    machines(tmp_path / "old.csv", hotter=0.0, seed=1)
    machines(tmp_path / "older.csv", hotter=5.0, seed=2)
    return tmp_path


def write(place, text):
    (place / "task.yaml").write_text(text)


def test_it_says_how_far_apart_the_domains_are_and_by_which_column(place, capsys):
    write(place, TABLE)
    assert run(["gap", "task.yaml"]) == 0
    said = capsys.readouterr()
    assert "Compared by the table's columns." in said.out
    assert "can be told apart almost always" in said.out
    assert "1 of 2 columns moved: heat" in said.out
    assert said.err == ""


def test_each_source_is_compared_and_all_of_them_together(place, capsys):
    write(place, TWO_SOURCES)
    assert run(["gap", "task.yaml", "--json"]) == 0
    sources = json.loads(capsys.readouterr().out)["sources"]
    assert [each["source"] for each in sources] == ["all sources", "old", "older"]
    together, old, older = (each["a_distance"] for each in sources)
    assert older < together < old
    assert sources[1]["columns"][0]["name"] == "heat"
    assert run(["gap", "task.yaml"]) == 0
    assert "older against the target" in capsys.readouterr().out


def test_hidden_labels_change_nothing(place, capsys):
    write(place, TABLE)
    said = []
    for _ in range(2):
        assert run(["gap", "task.yaml", "--json"]) == 0
        said.append(capsys.readouterr().out)
        text = (place / "target.csv").read_text()
        (place / "target.csv").write_text(text.replace("calm", "?").replace("loud", "calm").replace("?", "loud"))
    assert said[0] == said[1]


def test_texts_and_pictures_are_compared_without_a_network(place, capsys):
    words = {"target": ("grand", "dull"), "old": ("fine", "poor")}
    for name, (good, bad) in words.items():
        lines = [f"a {good} film {number},good\na {bad} film {number},bad\n" for number in range(30)]
        (place / f"{name}.csv").write_text("text,label\n" + "".join(lines))
    write(place, TABLE.replace("name: machines", "name: films\nmodality: text\nsearch_space: {backbone: bag_of_words}"))
    assert run(["gap", "task.yaml"]) == 0
    assert "Compared by the words of the texts." in capsys.readouterr().out
    draws = np.random.default_rng(0)
    for folder, brightness in (("dark", 30), ("bright", 200)):
        for name in ("cat", "dog"):
            (place / folder / name).mkdir(parents=True)
            for number in range(20):
                pixels = np.clip(draws.normal(brightness, 20, size=(16, 16, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / folder / name / f"{number}.png")
    pictures = "data: {target: {train: dark, labels: none}, source: [{name: day, train: bright}]}\n"
    write(place, f"{pictures}search_space: {{backbone: small_cnn}}\n")
    assert run(["gap", "task.yaml"]) == 0
    said = capsys.readouterr().out
    assert "Compared by pictures of 16 pixels a side." in said
    assert "almost always (A-distance 2.00 of 2)" in said


def test_signals_are_compared_by_their_classical_features(place, capsys):
    draws, labels = np.random.default_rng(0), np.repeat(["ok", "worn"], 30)
    for name, pitch in (("target", 5), ("old", 11)):
        waves = np.sin(np.linspace(0, pitch, 64)) + 0.1 * draws.normal(size=(60, 64))
        np.savez(place / f"{name}.npz", x=waves.astype(np.float32), y=labels)
    write(place, TABLE.replace(".csv", ".npz").replace("name: machines", "name: hums\nmodality: signal"))
    assert run(["gap", "task.yaml"]) == 0
    assert "classical features of the windows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("task", "code", "words"),
    [
        ("data: {target: {train: target.csv}}", 3, "has no source, so there is no gap to measure"),
        ("data: {target: {train: nowhere.csv}, source: [{name: old, train: old.csv}]}", 4, "nowhere.csv"),
    ],
)
def test_what_cannot_be_compared_is_refused_on_stderr(place, capsys, task, code, words):
    write(place, task)
    assert run(["gap", "task.yaml", "--json"]) == code
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""


def test_a_target_of_nine_rows_is_too_small(place, capsys):
    machines(place / "target.csv", hotter=0.0, seed=0, rows=9)
    write(place, TABLE)
    assert run(["gap", "task.yaml"]) == 4
    assert "the target has 9 examples, 10 are needed" in capsys.readouterr().err
