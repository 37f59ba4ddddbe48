"""Wrong input ends with its exit code, a message that teaches, and nothing half-written."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autotl.cli.app import run

GOOD = """\
name: pets
data:
  target: {train: photos}
search_space: {backbone: small_cnn}
"""


def photographs(folder: Path, classes=("cat", "dog"), per_class: int = 12) -> None:
    draws = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(per_class):
            pixels = draws.integers(0, 255, size=(16, 16, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a good task in it, as the current folder."""
    monkeypatch.chdir(tmp_path)
    photographs(tmp_path / "photos")
    (tmp_path / "task.yaml").write_text(GOOD)
    return tmp_path


def fails(capsys, arguments, code, *words):
    assert run(arguments) == code
    message = capsys.readouterr().err
    for word in words:
        assert word in message, message
    assert not Path("runs").exists(), "nothing half-written"
    return message


def write(place, text):
    (place / "task.yaml").write_text(text)


def test_a_good_task_is_said_to_be_fine_and_in_which_setting(place, capsys):
    assert run(["validate", "task.yaml"]) == 0
    out = capsys.readouterr().out
    assert "inductive" in out
    assert "fine" in out
    assert run(["validate", "task.yaml", "--full", "--json"]) == 0


def test_a_typo_in_the_task_names_line_column_and_the_likely_key(place, capsys):
    write(place, GOOD.replace("target:", "traget:"))
    fails(capsys, ["search", "task.yaml"], 3, "task.yaml:3:3", "traget", "target")


def test_an_unknown_backbone_has_a_menu_and_a_guess(place, capsys):
    write(place, GOOD.replace("small_cnn", "efficientnet_lite_0"))
    fails(
        capsys, ["search", "task.yaml"], 3, "task.yaml:4:", "efficientnet_lite_0", "Did you mean 'efficientnet_lite0'?"
    )


def test_an_impossible_cut_names_the_layers_there_are(place, capsys):
    write(place, GOOD.replace("{backbone: small_cnn}", "{backbone: MobileNetV2, unfrozen_layers: {choice: [0, 4000]}}"))
    fails(capsys, ["search", "task.yaml"], 3, "task.yaml:4:", "unfrozen_layers.choice[1]", "4000", "104", "all")


def test_every_mistake_of_a_space_is_told_at_once(place, capsys):
    space = (
        "{backbone: small_cnn, learning_rate: {log: [1, 0.1]}, dropout: 2, hed: linear, adaptation: {choice: [dam]}}"
    )
    write(place, GOOD.replace("{backbone: small_cnn}", space))
    message = fails(capsys, ["validate", "task.yaml"], 3, "learning_rate", "dropout", "hed", "head", "dam")
    assert len(message.strip().splitlines()) == 4


def test_a_missing_folder_is_named_with_its_neighbour(place, capsys):
    write(place, GOOD.replace("train: photos", "train: fotos"))
    fails(capsys, ["search", "task.yaml"], 4, "fotos", "photos")


def test_one_class_is_not_a_task(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    photographs(tmp_path / "photos", classes=("cat",))
    write(tmp_path, GOOD)
    fails(capsys, ["search", "task.yaml"], 4, "2 classes", "cat")


def test_too_many_broken_images_stop_before_anything_is_written(place, capsys):
    (place / "photos" / "cat" / "0.png").write_text("this is text")
    fails(capsys, ["search", "task.yaml"], 4, "cat/0.png")


def test_a_disk_without_room_is_told_by_validate_and_refused_before_anything_is_written(place, capsys, monkeypatch):
    usage = type(shutil.disk_usage("."))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 10**6, 10**6))
    fails(capsys, ["search", "task.yaml"], 8, "trials and models in runs/pets-", "and 1,000,000 are free", "--out")
    assert run(["validate", "task.yaml"]) == 0
    assert "Too little: runs: the search may write" in capsys.readouterr().out


def test_a_folder_that_is_not_empty_is_never_written_into(place, capsys):
    (place / "full").mkdir()
    (place / "full" / "notes.txt").write_text("mine")
    fails(capsys, ["search", "task.yaml", "--out", "full"], 2, "not empty")
    assert [path.name for path in (place / "full").iterdir()] == ["notes.txt"]
    fails(capsys, ["demo", "--out", "full"], 2, "not empty")


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["search"], 2, "name a task"),
        (["search", "nothing.yaml"], 3, "nothing.yaml"),
        (["search", "task.yaml", "--wall", "soon"], 2, "--wall"),
        (["search", "task.yaml", "--require", "beauty>=1"], 2, "--require"),
        (["search", "task.yaml", "--baselines", "lineer_probe"], 2, "lineer_probe"),
        (["search", "task.yaml", "--start-with", "plans.yaml"], 3, "plans.yaml"),
        (["leaderboard", "photos"], 2, "no run folder"),
        (["predict", "photos", "photos"], 2, "no model bundle"),
        (["fly"], 2, "fly"),
    ],
)
def test_wrong_usage_has_its_code_and_says_what(place, capsys, arguments, code, word):
    fails(capsys, arguments, code, word)


def test_given_plans_are_checked_with_their_place(place, capsys):
    (place / "plans.yaml").write_text(
        "- {backbone: small_cnn, unfrozen_layers: 2}\n- {backbone: small_cnn, epoch: 3}\n"
    )
    fails(capsys, ["search", "task.yaml", "--start-with", "plans.yaml"], 3, "plans.yaml:2", "epoch", "epochs")


def test_one_task_alone_has_no_other_to_be_learnt_together_with(place, capsys):
    write(place, "tasks: [{name: a, data: {target: {train: photos}}}]\n")
    fails(capsys, ["search", "task.yaml"], 3, "tasks", "Add a second one")


def test_a_limit_that_no_backbone_can_meet_is_told_before_anything_is_trained(place, capsys):
    write(place, GOOD + "limits: {model_mb: 0.01}\n")
    fails(capsys, ["validate", "task.yaml"], 3, "limits.model_mb: no backbone of the space is that small", "small_cnn")


def test_no_backbone_at_hand_offline_says_what_to_install(place, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(place / "keras"))
    write(place, GOOD.replace("small_cnn", "VGG16"))
    fails(capsys, ["search", "task.yaml", "--offline"], 7, "VGG16")


def test_help_imports_nothing_heavy():
    command = [sys.executable, "-X", "importtime", "-m", "autotl", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "search" in done.stdout
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {
        "tensorflow",
        "keras",
        "ray",
        "optuna",
        "pandas",
        "sklearn",
        "scipy",
        "altair",
        "transformers",
    }


def test_validate_counts_the_examples_that_plans_are_scored_on(place, capsys):
    assert run(["validate", "task.yaml"]) == 0
    assert "With 24 examples to score on" in capsys.readouterr().out
    photographs(place / "held", per_class=3)
    write(place, GOOD.replace("train: photos", "train: photos, validation: held"))
    assert run(["validate", "task.yaml"]) == 0
    assert "With 6 examples to score on" in capsys.readouterr().out


def test_groups_of_class_folders_are_refused_with_their_place_and_a_way_out(place, capsys):
    write(place, GOOD.replace("photos}", "photos}\n  columns: {group: owner}"))
    fails(
        capsys, ["validate", "task.yaml"], 4, "task.yaml:3:19", "'owner'", "folder, which has no columns", "Name a CSV"
    )


def test_a_hand_made_network_is_refused_by_validate_in_words(place, capsys):
    write(place, GOOD.replace("small_cnn", "mine.keras"))
    for members, word in (({}, "metadata.json"), ({"metadata.json": "{}", "model.weights.h5": "x"}, "without layers")):
        with zipfile.ZipFile(place / "mine.keras", "w") as archive:
            archive.writestr("config.json", '{"class_name": "Sequential", "config": {"layers": []}}')
            for name, content in members.items():
                archive.writestr(name, content)
        fails(capsys, ["validate", "task.yaml"], 3, "mine.keras", word)
