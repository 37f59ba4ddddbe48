"""Private searches from the task to the report: on the protected examples themselves, and on a public source."""

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from leaderboard_contract import problems

pytest.importorskip("dp_accounting")

from autotl.cli.app import run
from autotl.data.images import array_digests
from autotl.run.ledger import read_ledger

SPACE = "search_space: {backbone: small_cnn, image_size: {choice: [16, 32]}, tap: last}\n"
PRIVACY = "privacy: {epsilon: 3, delta: 1.0e-5, protects: target}\n"
CLASSES = ("blue", "green", "red")


def photos(place: Path, rows: int, *, seed: int) -> np.ndarray:
    """Squares of three colours on noise."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(3, size=rows)
    pixels = draws.integers(0, 110, size=(rows, 24, 24, 3))
    for row, (left, top) in enumerate(draws.integers(2, 12, size=(rows, 2))):
        pixels[row, top : top + 10, left : left + 10, 2 - labels[row]] += 90
    np.savez(place, x=pixels.astype(np.uint8), y=np.array(CLASSES)[labels])
    return pixels.astype(np.uint8)


@pytest.fixture(scope="module")
def stories(tmp_path_factory):
    """A folder with two finished searches, `alone` and `beside` a public source; digests of what is protected."""
    place = tmp_path_factory.mktemp("privacy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(place / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        digests = array_digests(photos(place / "secret.npz", 1_000, seed=0))
        photos(place / "public.npz", 400, seed=1)
        head = f"classes: [{', '.join(CLASSES)}]\nbudget: {{trials: 5, wall: 30m}}\n" + PRIVACY + SPACE
        (place / "alone.yaml").write_text("name: alone\ndata: {target: {train: secret.npz}}\n" + head)
        source = "data: {target: {train: secret.npz}, source: {train: public.npz}}\n"
        (place / "beside.yaml").write_text("name: beside\n" + source + head)
        for name in ("alone", "beside"):
            assert run(["search", str(place / f"{name}.yaml"), "--out", str(place / name)]) == 0
    return place, digests


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["alone", "beside"])
def test_the_leaderboard_keeps_its_contract_and_the_budget_is_kept(stories, name):
    place, _ = stories
    content = read(place / name / "leaderboard.json")
    assert problems(content) == []
    assert len(content["trials"]) == 2, "the space has two plans"
    told = read(place / name / "winner" / "metrics.json")["privacy"]
    assert 2.9 < told["spent"] <= 3.0
    assert (told["epsilon"], told["delta"]) == (3.0, 1e-5)


def test_a_search_on_the_protected_examples_pays_for_all_it_does(stories):
    place, _ = stories
    spent = [(entry.purpose, entry.rows) for entry in read_ledger(place / "alone" / "ledger.jsonl")]
    trials = [("training", "train"), ("score", "validation")] * 2
    assert spent == [*trials, ("final", "all"), ("test", "test")]


def test_a_search_on_a_public_source_pays_for_the_model_that_ships_and_its_test_alone(stories):
    place, _ = stories
    spent = [(entry.purpose, entry.rows) for entry in read_ledger(place / "beside" / "ledger.jsonl")]
    assert spent == [("final", "all"), ("test", "test")]


@pytest.mark.parametrize("name", ["alone", "beside"])
def test_nothing_in_the_run_folder_tells_who_is_among_the_examples(stories, name):
    place, digests = stories
    files = [path for path in (place / name).rglob("*") if path.is_file() and "private" not in path.parts]
    names = {path.name for path in files}
    assert not names & {"inputs.json.gz", "examples.npz", "outputs.npz", "portrait.npz", "log.jsonl", "examples.json"}
    told = b"".join(path.read_bytes() for path in files)
    assert not any(digest[:12].encode() in told for digest in digests)
    assert not (place / name / "private" / "noise.key").exists(), "nobody needs it any more"


def test_nothing_that_was_counted_among_them_is_among_the_facts(stories):
    place, _ = stories
    with sqlite3.connect(place / "alone" / "study.db") as connection:
        facts = {name: json.loads(value) for name, value in connection.execute("SELECT * FROM autotl_facts")}
    assert "classes" not in json.dumps(facts["data"]["domains"])
    assert facts["findings"] == []
    assert not {"confusion", "evidence", "calibration", "gap"} & facts.keys()
    assert connection.execute("SELECT count(*) FROM autotl_epochs").fetchone() == (0,)


def test_the_model_that_ships_predicts_as_well_as_the_test_says(stories, capsys):
    place, _ = stories
    winner = next(row for row in read(place / "alone" / "leaderboard.json")["trials"] if row["winner"])
    photos(place / "fresh.npz", 400, seed=2)
    with np.load(place / "fresh.npz") as fresh:
        truth = fresh["y"].tolist()
    out = place / "fresh.csv"
    assert run(["predict", str(place / "alone" / "winner"), str(place / "fresh.npz"), "--out", str(out)]) == 0
    labels = [line.split(",")[1] for line in out.read_text().splitlines()[1:]]
    right = np.mean([label == true for label, true in zip(labels, truth, strict=True)])
    assert right == pytest.approx(winner["refit_test"]["value"], abs=0.12)
    assert right > 0.6


def test_report_leaderboard_and_card_say_what_was_spent(stories, capsys):
    place, _ = stories
    page = (place / "alone" / "report.html").read_text(encoding="utf-8")
    assert 'id="privacy"' in page
    assert "training of the model that ships" in page
    assert "Not shown: what it finds tells of protected examples." in page
    assert "Nothing was found." not in page
    assert run(["leaderboard", str(place / "alone")]) == 0
    assert "ε" in capsys.readouterr().out
    card = (place / "alone" / "winner" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "(3, 1e-05)-differential privacy, the search included" in card
    assert "one more look at protected examples" in card


def test_trials_are_compared_by_what_may_be_told_of_them(stories, capsys):
    place, _ = stories
    trials = read(place / "alone" / "leaderboard.json")["trials"]
    loser = next(row["trial"] for row in trials if not row["winner"])
    assert run(["compare", str(place / "alone"), f"{place / 'alone'}/{loser}"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "no answer to a single example, which would be one more look at protected ones, is kept of" in told


def test_plan_and_validate_tell_the_division_before_anything_is_spent(stories, capsys):
    place, _ = stories
    for verb in ("validate", "plan"):
        assert run([verb, str(place / "alone.yaml")]) == 0
        told = capsys.readouterr().out
        assert "Divided beforehand: 2 trials of epsilon" in told
        assert "composed, no example spends more than 3" in told
    assert run(["validate", str(place / "beside.yaml")]) == 0
    assert "rehearses on public examples" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["search", "--resume", "alone", "--trials", "9"], 3, "its budget of privacy is spent"),
        (["search", "alone.yaml", "--out", "s3://bucket/run"], 2, "--out does not go with 'privacy'"),
        (["search", "alone.yaml", "--no-refit"], 2, "--no-refit does not go with 'privacy'"),
        (["gap", "beside.yaml"], 3, "privacy: a gap is measured on protected examples"),
        (["export-source", "alone", "--out", "out.zip"], 2, "nothing more is computed from its examples"),
        (["watch", "alone/winner", "public.npz"], 2, "is private: a portrait of its training domain would be one more"),
        (["promote", "alone/0", "--alias", "a", "--reason", "r"], 2, ""),
    ],
)
def test_what_would_spend_more_is_refused(stories, capsys, monkeypatch, arguments, code, words):
    place, _ = stories
    monkeypatch.chdir(place)
    trials = read(place / "alone" / "leaderboard.json")["trials"]
    loser = next(row["trial"] for row in trials if not row["winner"])
    arguments = [argument.replace("alone/0", f"alone/{loser}") for argument in arguments]
    assert run(arguments) == code
    assert words in capsys.readouterr().err


def test_a_search_that_goes_on_keeps_the_division_that_it_was_begun_with(stories, tmp_path, capsys):
    place, _ = stories
    cut_off = tmp_path / "cut-off"
    shutil.copytree(place / "alone", cut_off)
    with sqlite3.connect(cut_off / "study.db") as connection:  # as a kill between its trials leaves it
        connection.execute("DELETE FROM autotl_facts WHERE name = 'finished'")
    assert run(["search", "--resume", str(cut_off), "--trials", "1"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "--trials 1: the budget of privacy was divided for 2 trials when the search was begun" in told


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (
            "{epsilon: 1.0e-6, delta: 1.0e-5, protects: target}",
            "privacy.epsilon: 1e-06 is so little that no noise keeps",
        ),
        ("{epsilon: 1.0e+6, delta: 1.0e-5, protects: target}", "privacy.epsilon: 1e+06 promises nothing to anybody"),
        ("{epsilon: 3, delta: 1.0e-300, protects: target}", "privacy.delta: 1e-300 is less than can be reckoned with"),
    ],
)
def test_a_budget_that_cannot_be_reckoned_with_is_refused_at_once(stories, capsys, budget, words):
    place, _ = stories
    task = place / "odd.yaml"
    task.write_text((place / "alone.yaml").read_text().replace(PRIVACY, f"privacy: {budget}\n"))
    assert run(["validate", str(task)]) == 3
    assert words in " ".join(capsys.readouterr().err.split())


def test_how_often_others_were_tested_on_the_protected_examples_is_not_told(stories):
    place, _ = stories
    with sqlite3.connect(place / "alone" / "study.db") as connection:
        facts = dict(connection.execute("SELECT * FROM autotl_facts"))
    assert json.loads(facts["test"])["uses"] is None
