"""The law that counts most: labels declared unknown are not read. Permuting them changes nothing but the test.

With a few labels a class it holds for all the others, as long as the same few are drawn.
"""

import csv
import json
import sqlite3
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from autotl.cli.app import run
from autotl.data import UNKNOWN, load_data
from autotl.task import read_task

TASK = """\
name: hidden
data:
  target: {train: target, labels: none, test: {labels_of: train}}
  source: {train: source}
budget: {trials: 1, wall: 4m}
baselines: [source_only]
search_space: {backbone: small_cnn, image_size: 32, tap: last, unfrozen_layers: all, backbone_rate_ratio: 1.0, views: 0,
  epochs: 8, head: linear, learning_rate: 0.003}
"""
FEW = TASK.replace("labels: none, test: {labels_of: train}", "labels: {per_class: 4}, test: 0.0")
CLASSES = ("blue", "green", "red")


def photographs(folder: Path, *, rows: int, seed: int, brighter: int = 0, permuted: bool = False) -> None:
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % len(CLASSES)
    folders = np.random.default_rng(5).permutation(labels) if permuted else labels
    for number in range(rows):
        pixels = draws.integers(0, 110, size=(24, 24, 3)) + brighter
        pixels[6:18, 6:18, 2 - labels[number]] += 70
        place = folder / CLASSES[folders[number]]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(place / f"{number:03d}.png")
    (folder / CLASSES[folders[0]] / "broken.png").write_bytes(b"no image at all")
    (folder / CLASSES[folders[1]] / "notes.txt").write_text("left alone")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same search with true and with permuted target labels: two run folders."""
    folders = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("true", "permuted"):
            place = tmp_path_factory.mktemp(name)
            patch.setenv("AUTOTL_HOME", str(place / "home"))
            patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
            patch.chdir(place)
            photographs(place / "source", rows=150, seed=0)
            photographs(place / "target", rows=120, seed=1, brighter=40, permuted=name == "permuted")
            (place / "task.yaml").write_text(TASK + "audit: {allow: [broken_image]}\n")
            assert run(["search", "task.yaml", "--out", "run", "--workers", "1"]) == 0
            folders.append(place / "run")
    return folders


def known_few(task):
    """The digests of the target examples whose labels the search may know."""
    data = load_data(read_task(task))
    digests = data.inputs[0].digests
    return {digests[row] for row in np.flatnonzero(data.labels[: len(digests)] != UNKNOWN).tolist()}


def exchange_hidden_labels(task, *, wanted):
    """Moves target files between class folders, two at a time, wherever the same few stay known."""
    files = sorted((task.parent / "target").glob("*/[0-9]*.png"))
    known, exchanged = known_few(task), 0
    for one, other in zip(files, reversed(files), strict=True):
        if exchanged == wanted:
            return
        if one.parent == other.parent or not (one.exists() and other.exists()):
            continue
        _swap(one, other)
        if known_few(task) == known:
            exchanged += 1
        else:
            _swap(one, other)
    pytest.fail(f"only {exchanged} pairs could be exchanged")


def _swap(one, other):
    """Each file keeps its place; the contents change it."""
    these, those = one.read_bytes(), other.read_bytes()
    one.write_bytes(those)
    other.write_bytes(these)


@pytest.fixture(scope="module")
def few_runs(tmp_path_factory):
    """The same search with a few labels a class, and with others of the hidden ones exchanged."""
    folders = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("true_few", "exchanged"):
            place = tmp_path_factory.mktemp(name)
            patch.setenv("AUTOTL_HOME", str(place / "home"))
            patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
            patch.chdir(place)
            photographs(place / "source", rows=150, seed=0)
            photographs(place / "target", rows=120, seed=1, brighter=40)
            (place / "task.yaml").write_text(FEW + "audit: {allow: [broken_image]}\n")
            if name == "exchanged":
                exchange_hidden_labels(place / "task.yaml", wanted=12)
            assert run(["search", "task.yaml", "--out", "run", "--workers", "1"]) == 0
            folders.append(place / "run")
    return folders


def test_with_a_few_labels_the_others_change_nothing(few_runs):
    boards = [json.loads((folder / "leaderboard.json").read_text()) for folder in few_runs]
    assert {board["regime"] for board in boards} == {"few_labels"}
    one, other = (board["trials"] for board in boards)
    assert [without(row) for row in one] == [without(row) for row in other]
    assert {row["score"]["kind"] for row in one if row["tie_group"]} == {"few_labels"}
    test_every_trial_left_the_same_behind(few_runs)
    test_the_bundle_is_the_same_model(few_runs)


def test_with_a_few_labels_the_others_are_no_evidence_either(few_runs):
    one, other = (folder / "winner" / "evidence" for folder in few_runs)
    assert sorted(path.name for path in one.iterdir()) == sorted(path.name for path in other.iterdir())
    for name in ("figures.json", "calibration.json", "examples.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def rows_of(folder):
    return json.loads((folder / "leaderboard.json").read_text())["trials"]


def without(row, *keys):
    times = {"seconds", "memory_mb", "gpu_mb", "latency_ms", "latency_estimated", "test", "refit_test"}
    return {key: value for key, value in row.items() if key not in {*times, *keys}}


def test_the_leaderboard_is_the_same_but_for_the_test(runs):
    one, other = (rows_of(folder) for folder in runs)
    assert [without(row) for row in one] == [without(row) for row in other]
    true, permuted = (next(row for row in rows if row["winner"])["test"]["value"] for rows in (one, other))
    assert true > permuted + 0.15, "only the test saw the labels"


def test_every_trial_left_the_same_behind(runs):
    for row in rows_of(runs[0]):
        one, other = (folder / "trials" / str(row["trial"]) for folder in runs)
        assert (one / "plan.yaml").read_bytes() == (other / "plan.yaml").read_bytes()
        assert (one / "curve.csv").read_bytes() == (other / "curve.csv").read_bytes()
        for name in ("outputs.npz", "weights.npz"):
            with np.load(one / name) as these, np.load(other / name) as those:
                assert these.files == those.files
                for member in these.files:
                    assert np.array_equal(these[member], those[member]), (name, member)


def test_the_study_holds_the_same_trials_and_findings(runs):
    held = []
    for folder in runs:
        with sqlite3.connect(folder / "study.db") as connection:
            values = connection.execute("SELECT trial_id, objective, value FROM trial_values ORDER BY 1, 2").fetchall()
            steps = connection.execute(
                "SELECT trial_id, step, intermediate_value FROM trial_intermediate_values ORDER BY 1, 2"
            ).fetchall()
            facts = dict(connection.execute("SELECT name, value FROM autotl_facts WHERE name IN ('findings', 'data')"))
        data = json.loads(facts["data"])
        held.append((values, steps, facts["findings"], data))
    assert held[0] == held[1]
    assert "broken" in held[0][2]


def test_no_log_names_a_hidden_folder(runs):
    for folder in runs:
        said = (folder / "log.jsonl").read_text(encoding="utf-8")
        assert not any(f"{name}/" in line for line in said.splitlines() if "target" in line for name in CLASSES)


def test_only_what_is_told_of_the_test_differs_in_the_evidence(runs):
    calibrations = [(folder / "winner" / "evidence" / "calibration.json").read_bytes() for folder in runs]
    assert calibrations[0] == calibrations[1]
    one, other = (json.loads((folder / "winner" / "evidence" / "figures.json").read_text()) for folder in runs)
    assert one["thresholds"] == other["thresholds"]
    assert [rule["threshold"] for rule in one["abstaining"]["rules"]] == [
        rule["threshold"] for rule in other["abstaining"]["rules"]
    ]
    outside = [[split["outside"] for split in each["unlike"]["splits"]] for each in (one, other)]
    assert outside[0] == outside[1]
    assert one["per_class"] != other["per_class"], "which is of the test"


def test_the_bundle_is_the_same_model(runs):
    bundles = [json.loads((folder / "winner" / "bundle.json").read_text()) for folder in runs]
    assert bundles[0]["provenance"]["data"] == bundles[1]["provenance"]["data"]
    one, other = (
        keras.saving.load_model(folder / "winner" / "model.keras", compile=False, safe_mode=True) for folder in runs
    )
    assert one.count_params() > 0
    for these, those in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(these, those)


def test_predictions_are_the_same(runs, tmp_path):
    said = []
    for number, folder in enumerate(runs):
        out = tmp_path / f"{number}.csv"
        assert run(["predict", str(folder / "winner"), str(runs[0].parent / "source"), "--out", str(out)]) == 0
        with out.open(newline="") as file:
            said.append(list(csv.reader(file)))
    assert said[0] == said[1]
