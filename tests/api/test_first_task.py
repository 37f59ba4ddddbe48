"""`autotl init DATA` on each kind of data writes a commented task that a search runs as it is."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import autotl.api as api
from autotl.cli.app import run
from autotl.errors import DataError, UsageError
from autotl.task import read_task


def image_folders(place: Path) -> list[str]:
    draws = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 12)):
        for number, name in enumerate(("cat", "dog")):
            folder = place / "pets" / split / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = draws.integers(0, 110, (24, 24, 3))
                pixels[6:18, 6:18, number] += 100
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{index}.png")
    return ["pets"]


def text_of(name: str, number: int) -> str:
    words = {"good": "lovely and bright", "bad": "dull and broken"}[name]
    return f"Number {number} of this kind was {words} when it came to us"


def text_folders(place: Path) -> list[str]:
    for name in ("good", "bad"):
        (place / "reviews" / name).mkdir(parents=True)
        for number in range(30):
            (place / "reviews" / name / f"{number}.txt").write_text(text_of(name, number))
    return ["reviews"]


def text_table(place: Path) -> list[str]:
    rows = [f"{text_of(name, number)},{number % 5},{name}" for number in range(40) for name in ("good", "bad")]
    (place / "reviews.csv").write_text("\n".join(["body,stars,sentiment", *rows]))
    return ["reviews.csv"]


def record_table(place: Path) -> list[str]:
    """With an identifier, a date, missing cells, and a cost that only a failure causes."""
    draws = np.random.default_rng(0)
    lines = ["uid,kind,heat,sold,repair_cost,failure"]
    for row in range(240):
        failed = row % 8 == 0
        heat = f"{draws.normal() + 2 * failed:.3f}" if row % 17 else ""
        cost = f"{draws.uniform(50, 99):.2f}" if failed else "0"
        lines.append(f"X{row:05},{'LMH'[row % 3]},{heat},2024-{1 + row % 12:02}-{1 + row % 28:02},{cost},{int(failed)}")
    (place / "machines.csv").write_text("\n".join(lines))
    return ["machines.csv"]


def long_table(place: Path) -> list[str]:
    draws = np.random.default_rng(0)
    lines = ["time,record,vibration,label"]
    for record in range(12):
        for sample in range(320):
            value = np.sin(sample * (0.3 + 0.6 * (record % 2))) + 0.1 * draws.normal()
            lines.append(f"{sample / 100:.2f},r{record},{value:.3f},{('ok', 'worn')[record % 2]}")
    (place / "bench.csv").write_text("\n".join(lines))
    return ["bench.csv"]


def image_array(place: Path) -> list[str]:
    draws, labels = np.random.default_rng(0), np.arange(48) % 2
    pixels = draws.integers(0, 110, (48, 24, 24, 3))
    pixels[np.arange(48), 6:18, 6:18, labels] += 100
    np.savez(place / "pets.npz", x=pixels.astype(np.uint8), y=np.array(["cat", "dog"])[labels])
    return ["pets.npz"]


def window_array(place: Path) -> list[str]:
    draws, labels = np.random.default_rng(0), np.arange(60) % 2
    clock = np.arange(128)
    windows = np.sin(clock * (0.3 + 0.6 * labels[:, None])) + 0.1 * draws.normal(size=(60, 128))
    np.savez(place / "bench.npz", x=windows.astype(np.float32), y=np.array(["ok", "worn"])[labels])
    return ["bench.npz"]


KINDS = {
    "image folders": (image_folders, "image"),
    "image array": (image_array, "image"),
    "text folders": (text_folders, "text"),
    "text table": (text_table, "text"),
    "table": (record_table, "table"),
    "long table": (long_table, "signal"),
    "window array": (window_array, "signal"),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def uncommented(text: str) -> list[str]:
    """Lines with no comment beside or above them."""
    lines = text.splitlines()
    before = ["", *lines]
    return [line for line, above in zip(lines, before, strict=False) if "#" not in line and above.strip()[:1] != "#"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_data_gives_a_commented_task_that_is_valid(place, capsys, kind):
    make, modality = KINDS[kind]
    assert run(["init", *make(place)]) == 0
    out = capsys.readouterr().out
    assert "examples to learn from" in out
    assert out.splitlines()[-1].endswith("Read it, then: autotl search task.yaml")
    task = read_task(place / "task.yaml")
    assert task.modality == modality
    text = (place / "task.yaml").read_text()
    assert str(place) not in text, "paths are relative to the file"
    assert [line for line in uncommented(text) if not line.strip().startswith(("- ", "train:", "test:"))] == []
    assert run(["validate", "task.yaml", "--json"]) == 0
    api.validate("task.yaml", full=False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_search_runs_what_was_written_unchanged(place, kind):
    make, _ = KINDS[kind]
    assert run(["init", *make(place), "--out", "task.yaml"]) == 0
    options = [
        "--trials",
        "1",
        "--baselines",
        "no_transfer",
        "--wall",
        "4m",
        "--workers",
        "1",
        "--out",
        "run",
        "--no-refit",
    ]
    assert run(["search", "task.yaml", *options]) == 0
    rows = json.loads((place / "run" / "leaderboard.json").read_text())["trials"]
    assert any(row["winner"] for row in rows)
    assert all(row["status"] != "failed" for row in rows)


@pytest.mark.slow
def test_a_table_is_searched_unchanged_by_the_classical_baseline(place):
    assert run(["init", *record_table(place)]) == 0
    options = [
        "--trials",
        "0",
        "--baselines",
        "no_transfer",
        "--wall",
        "2m",
        "--workers",
        "1",
        "--out",
        "run",
        "--no-refit",
    ]
    assert run(["search", "task.yaml", *options]) == 0
    (row,) = json.loads((place / "run" / "leaderboard.json").read_text())["trials"]
    assert row["winner"]
    assert row["baseline"] == "no_transfer"


def test_paths_start_at_the_folder_of_the_file(place):
    (place / "tasks").mkdir()
    written = api.write_task(image_folders(place), out="tasks/pets.yaml")
    assert read_task(written.path).data.target.train == ("../pets/train",)
    assert api.validate(written.path).description["domains"]["target"]["test"] == {"rows": 24}


def test_a_file_that_is_there_is_never_overwritten(place, capsys):
    (place / "task.yaml").write_text("mine")
    assert run(["init", *image_folders(place)]) == 2
    assert "task.yaml is there already" in capsys.readouterr().err
    assert (place / "task.yaml").read_text() == "mine"
    with pytest.raises(UsageError, match="there is no folder nowhere"):
        api.write_task("pets", out="nowhere/task.yaml")


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["pet"], 4, "Did you mean 'pets'?"),
        (["pets", "--modality", "imgae"], 2, "Did you mean 'image'?"),
        (["pets", "--label", "species"], 4, "Leave out --label"),
        (["pets", "--source", "nothing"], 4, "nothing: there is no such file"),
        (["empty"], 4, "the folder holds no file"),
        ([], 2, "DATA"),
    ],
)
def test_what_cannot_be_told_is_said_and_nothing_is_written(place, capsys, arguments, code, word):
    image_folders(place)
    (place / "empty").mkdir()
    assert run(["init", *arguments]) == code
    assert word in capsys.readouterr().err
    assert not (place / "task.yaml").exists()


def test_a_choice_that_only_a_person_can_make_is_told_beside_the_file(place):
    image_folders(place)
    for index in range(6):
        source = place / "pets" / "train" / "cat" / f"{index}.png"
        (place / "pets" / "test" / "cat" / f"{index}.png").write_bytes(source.read_bytes())
    with pytest.raises(DataError, match=r"6, such as (.|\n)*task\.yaml was written\. Settle this") as caught:
        api.write_task("pets")
    assert caught.value.exit_code == 4
    text = (place / "task.yaml").read_text()
    assert "# audit:" in text
    (place / "task.yaml").write_text(
        text.replace("# audit:", "audit:").replace("# allow:", "allow:").replace("# - leak", "- leak")
    )
    assert api.validate("task.yaml", full=False).sentences
    assert read_task("task.yaml").audit.allow == ("leak",)


def test_looking_imports_no_tensorflow_and_no_pandas(place):
    make = "; ".join(
        f"test_first_task.{make.__name__}(Path('.'))" for make in (image_folders, record_table, long_table)
    )
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_first_task
{make}
from autotl.cli.app import run
for number, data in enumerate(("pets", "machines.csv", "bench.csv")):
    assert run(["init", data, "--out", f"{{number}}.yaml"]) == 0
print([name for name in ("tensorflow", "keras", "pandas", "sklearn", "ray") if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "[]"
