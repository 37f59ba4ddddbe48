"""`autotl plan` prints what a search would take, and data alone where that is asked for."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from autotl.cli.app import run

TASK = "name: pets\ndata: {target: {train: photos}}\nbudget: {trials: 5}\nsearch_space: {backbone: small_cnn}\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(12):
            pixels = (number * 20, 0, int(name == "dog"))
            Image.new("RGB", (16, 16), pixels).save(tmp_path / "photos" / name / f"{number}.png")
    (tmp_path / "task.yaml").write_text(TASK)
    return tmp_path


def test_it_says_what_a_search_would_take_and_writes_nothing(place, capsys):
    assert run(["plan", "task.yaml", "--price", "2.40 EUR"]) == 0
    out = capsys.readouterr().out
    for words in ("5 trials and ", "A trial takes ", "Disk: ", "Memory: ", "Cost: ", "Estimated from "):
        assert words in out
    assert sorted(path.name for path in place.iterdir()) == ["photos", "task.yaml"]


def test_json_is_data_alone(place, capsys):
    assert run(["plan", "task.yaml", "--json", "--trials", "2"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["schema"], told["asked"], told["cost"]) == (1, 2, None)
    assert told["seconds"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--price", "much"], 2, "--price 'much' is no price"),
        (["--wall", "soon"], 2, "--wall"),
        (["--baselines", "probe"], 2, "'probe' is not known"),
    ],
)
def test_wrong_usage_is_told(place, capsys, arguments, code, words):
    assert run(["plan", "task.yaml", *arguments]) == code
    assert words in capsys.readouterr().err


def test_it_imports_neither_tensorflow_nor_ray(place):
    code = (
        "import sys; from autotl.cli.app import run; run(['plan', 'task.yaml']); "
        "print(sorted({'tensorflow', 'keras', 'ray', 'optuna'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
