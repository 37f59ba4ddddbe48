"""From a folder of images to predictions: the main job on a tiny task, with everything real but the size."""

import contextlib
import csv
import html
import io
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
from leaderboard_contract import problems
from PIL import Image

from autotl.cli.app import run
from autotl.production.evidence import gathering

TASK = """\
name: colours
data:
  target: {train: photos, test: 0.2, validation: 0.2}
budget: {trials: 3, wall: 30m}
baselines: [linear_probe, no_transfer]
search_space:
  backbone: small_cnn
  image_size: 32
  tap: last
  unfrozen_layers: {choice: [0, 3]}
  learning_rate: {log: [1.0e-3, 1.0e-2]}
  head: linear
  dropout: 0.0
  views: {choice: [0, 1]}
  epochs: 3
"""


def photographs(folder: Path, *, per_class: int = 60) -> None:
    """Blurred blobs of three colours on noise."""
    draws = np.random.default_rng(0)
    for index, name in enumerate(("blue", "green", "red")):
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            pixels = draws.integers(0, 110, size=(24, 24, 3))
            left, top = draws.integers(2, 12, size=2)
            pixels[top : top + 10, left : left + 10, 2 - index] += 45
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number:03d}.png")


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A finished search: (folder of the task, run folder)."""
    place = tmp_path_factory.mktemp("story")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(place / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        patch.setattr(gathering, "gather", noting_the_time(gathering.gather, place / "clock.json"))
        photographs(place / "photos")
        (place / "task.yaml").write_text(TASK)
        assert run(["search", str(place / "task.yaml"), "--out", str(place / "run"), "--workers", "1"]) == 0
    return place, place / "run"


@pytest.fixture(scope="module")
def again(story):
    """The same search once more with a gate that nothing can pass: run folder, blocks of features before it, its exit
    code and what it complained of."""
    place, _ = story
    blocks, said = blocks_of_features(place), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.setenv("AUTOTL_HOME", str(place / "another home"))  # the history of the first would begin this one
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        words = ["--out", str(place / "again"), "--workers", "1", "--require", "accuracy>=1.01"]
        code = run(["search", str(place / "task.yaml"), *words])
    return place / "again", blocks, code, said.getvalue()


def blocks_of_features(place: Path) -> dict[Path, int]:
    """The files in the feature store, and their inodes."""
    return {path: path.stat().st_ino for path in (place / "cache" / "features" / "float32").glob("??/*/*")}


def noting_the_time(gather, file):
    """Writes down how much of the command's time the gathering of evidence is told to be spent and left."""

    def noted(winner, *, spent, left):
        file.write_text(json.dumps({"spent": spent, "left": left}))
        return gather(winner, spent=spent, left=left)

    return noted


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def shipped_on_test(winner):
    """The test figure of the weights that ship: the retrained ones, or the trial's own."""
    return winner["refit_test"] or winner["test"]


def test_the_run_folder_is_complete_and_exactly_so(story):
    _, folder = story
    assert {path.name for path in folder.iterdir()} == {
        "task.yaml", "space.yaml", "study.db", "trials", "leaderboard.json", "leaderboard.csv", "winner", "report.html",
        "log.jsonl", "examples.npz", "inputs.json.gz", "run.json", ".lock",
    }  # fmt: skip
    assert {path.name for path in (folder / "winner").iterdir()} == {
        "model.keras", "bundle.json", "metrics.json", "MODEL_CARD.md", "evidence", "portrait.npz",
    }  # fmt: skip
    rows = read(folder / "leaderboard.json")["trials"]
    for row in rows:
        files = {path.name for path in (folder / "trials" / str(row["trial"])).iterdir()}
        assert {"plan.yaml", "curve.csv", "log.txt"} <= files
        if row["status"] == "complete":
            assert {"outputs.npz", "weights.npz"} <= files


def test_the_leaderboard_keeps_its_contract(story):
    _, folder = story
    content = read(folder / "leaderboard.json")
    assert problems(content) == []
    rows = content["trials"]
    assert sum(row["winner"] for row in rows) == 1
    assert {row["baseline"] for row in rows} >= {"no_transfer", "linear_probe"}
    assert sum(row["baseline"] is None and row["baseline_of"] is None for row in rows) <= 3
    winner = next(row for row in rows if row["winner"])
    assert winner["score"]["kind"] == "cross_validation", "29 validation images are too few for a hold-out"
    assert winner["test"]["low"] <= winner["test"]["value"] <= winner["test"]["high"]
    assert winner["latency_ms"] > 0
    assert winner["latency_estimated"] is False


def test_the_study_opens_in_optuna_and_holds_no_unfinished_trial(story):
    _, folder = story
    study = optuna.load_study(study_name="colours", storage=f"sqlite:///{folder / 'study.db'}")
    assert len(study.trials) >= 5
    assert all(trial.state.is_finished() for trial in study.trials)
    with sqlite3.connect(folder / "study.db") as connection:
        assert connection.execute("SELECT count(*) FROM autotl_trials WHERE status = 'running'").fetchone() == (0,)


def test_outputs_name_their_examples_and_tested_trials_alone_hold_test_outputs(story):
    _, folder = story
    for row in read(folder / "leaderboard.json")["trials"]:
        if row["status"] != "complete":
            continue
        with np.load(folder / "trials" / str(row["trial"]) / "outputs.npz", allow_pickle=False) as outputs:
            assert len(outputs["validation_ids"]) == len(outputs["validation"]) == 144
            assert outputs["validation"].dtype == np.float16
            assert ("test" in outputs.files) == (row["test"] is not None)


def test_the_report_tells_the_winner_and_loads_nothing_from_outside(story):
    _, folder = story
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "colours" in page
    assert "default-src 'none'" in html.unescape(page)
    assert len(page) < 2_000_000


def test_predictions_after_a_reload_are_identical_and_as_good_as_the_test_says(story, capsys):
    place, folder = story
    first, second = place / "first.csv", place / "second.csv"
    for out in (first, second):
        assert run(["predict", str(folder / "winner"), str(place / "photos"), "--out", str(out)]) == 0
    assert first.read_bytes() == second.read_bytes()
    with first.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 180
    assert set(rows[0]) == {"input", "label", "probability", "p_blue", "p_green", "p_red"}
    right = sum(row["input"].split("/")[0] == row["label"] for row in rows) / len(rows)
    winner = next(row for row in read(folder / "leaderboard.json")["trials"] if row["winner"])
    assert right >= shipped_on_test(winner)["low"] - 0.05


def test_predicting_says_nothing_on_stderr(story):
    place, folder = story
    command = [sys.executable, "-m", "autotl", "predict", str(folder / "winner"), str(place / "photos")]
    done = subprocess.run([*command, "--out", str(place / "quiet.csv")], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert len((place / "quiet.csv").read_text().splitlines()) == 181


def test_the_shipped_model_says_what_the_trainer_said(story):
    """The bundle on the test images gives the accuracy that the leaderboard reports."""
    place, folder = story
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        from autotl.data import load_data
        from autotl.production.bundle import open_bundle
        from autotl.task import read_task

        data = load_data(read_task(place / "task.yaml"))
        bundle = open_bundle(folder / "winner")
        model = bundle.load_model()
        said = model.predict(model.reading(data.test.inputs, np.arange(len(data.test.inputs))))
    accuracy = float((said.argmax(axis=1) == data.test.open_labels()).mean())
    winner = next(row for row in read(folder / "leaderboard.json")["trials"] if row["winner"])
    assert accuracy == pytest.approx(shipped_on_test(winner)["value"])
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)


def test_a_second_search_computes_no_activation_again_and_finds_the_same(story, again):
    place, folder = story
    second, before, *_ = again
    after = blocks_of_features(place)
    assert {path for path in after if path.suffix == ".npy"}
    assert after.keys() == before.keys()
    arrays = [path for path in before if path.suffix == ".npy"]
    assert [after[path] for path in arrays] == [before[path] for path in arrays], "a block was written anew"
    one, other = (read(path / "leaderboard.json")["trials"] for path in (folder, second))
    for key in ("trial", "plan", "score", "tie_group", "winner", "test"):
        assert [row[key] for row in one] == [row[key] for row in other], key


def test_leaderboard_and_report_are_read_from_the_folder_alone(story, capsys):
    _, folder = story
    assert run(["leaderboard", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == read(folder / "leaderboard.json")
    assert run(["leaderboard", str(folder), "--csv"]) == 0
    assert capsys.readouterr().out.startswith("trial,status,winner")
    assert run(["leaderboard", str(folder)]) == 0
    assert "small_cnn" in capsys.readouterr().out
    (folder / "report.html").unlink()
    assert run(["report", str(folder)]) == 0
    assert (folder / "report.html").is_file()


def test_the_evidence_is_of_the_model_that_ships(story):
    _, folder = story
    figures, found = (read(folder / "winner" / "evidence" / name) for name in ("figures.json", "examples.json"))
    winner = next(row for row in read(folder / "leaderboard.json")["trials"] if row["winner"])
    curve = figures["abstaining"]["curves"][-1]
    assert (curve["split"], figures["abstaining"]["split"]) == ("test", "cross-validation")
    assert curve["accuracy"] == pytest.approx(shipped_on_test(winner)["value"])
    assert {split["split"] for split in figures["unlike"]["splits"]} == {"cross-validation", "test"}
    assert found["explained"] >= 3
    for example in found["examples"]:
        assert example["thumbnail"].startswith("data:image/jpeg;base64,")
        if "before" in example:
            assert example["before"] == pytest.approx(example["probability"], abs=1e-3)
    card = (folder / "winner" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "## Inputs unlike the training data\n\nBy the features that its head reads" in card


def test_evidence_is_gathered_in_what_is_left_of_the_commands_time(story):
    place, _ = story
    clock = read(place / "clock.json")
    assert clock["spent"] > 0
    assert clock["spent"] + clock["left"] == pytest.approx(1800, abs=1)


def test_a_changed_bundle_is_refused(story, tmp_path, capsys):
    import shutil

    place, folder = story
    copy = tmp_path / "winner"
    shutil.copytree(folder / "winner", copy)
    content = bytearray((copy / "model.keras").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "model.keras").write_bytes(content)
    assert run(["predict", str(copy), str(place / "photos")]) == 8
    assert "not the file that was written" in capsys.readouterr().err


def test_a_gate_that_is_not_met_ends_with_6_and_everything_written(again):
    folder, _, code, said = again
    assert code == 6
    assert "accuracy>=1.01" in said
    assert (folder / "report.html").is_file()
    assert (folder / "winner" / "model.keras").is_file()
