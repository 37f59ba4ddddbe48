"""A regression from task.yaml to predictions with intervals, by models that are small and real."""

import csv
import html
import io
import json
from pathlib import Path

import numpy as np
import pytest
from leaderboard_contract import problems

from autotl.cli.app import run
from autotl.production.bundle import open_bundle
from autotl.production.told import form_of

TABLE = """\
name: wear
problem: regression
data: {target: {train: wear.csv, test: 0.25}, columns: {label: wear, group: machine}}
search_space: {backbone: {choice: [boosted_trees, pretrained_on_source]}, epochs: 3, adaptation: auto}
baselines: [no_transfer, full_finetune]
budget: {trials: 2, wall: 30m, seeds: 1}
"""
WEAR = "data: {target: {train: wear.csv}, columns: {label: wear}}\n"
TEXT = """\
name: stars
problem: regression
metric: mae
data:
  target: {train: new.csv, labels: none, test: {labels_of: train}}
  source: {train: old.csv}
search_space: {backbone: bag_of_words}
budget: {trials: 1, wall: 3m}
"""


def write_table(path: Path, columns) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def wear(path: Path, *, rows: int = 400) -> None:
    """Machines whose wear follows from speed and load, written with a decimal comma."""
    draws = np.random.default_rng(0)
    speed, load = draws.uniform(10, 50, rows), draws.choice(["low", "high"], rows)
    amount = 100 + 3 * speed + 40 * (load == "high") + draws.normal(0, 5, rows)
    columns = {"speed": [f"{value:.2f}" for value in speed], "load": load, "wear": [f"{value:.3f}" for value in amount]}
    columns["wear"] = [value.replace(".", ",") for value in columns["wear"]]
    write_table(path, columns | {"machine": [f"m{row % 20}" for row in range(rows)]})


def stars(path: Path, *, seed: int, rows: int = 150) -> None:
    draws = np.random.default_rng(seed)
    good, all_words = draws.integers(0, 6, rows), ["the", "film", "was", "long", "and", "set", "by", "the", "sea"]
    texts = [" ".join([*draws.choice(all_words, 8), *["great"] * count, *["dull"] * (5 - count)]) for count in good]
    write_table(path, {"text": texts, "label": [f"{1 + 0.8 * count:.1f}" for count in good]})


def examples_in(place: Path):
    (kept,) = (place / "run").rglob("examples.json")
    return json.loads(kept.read_text())


def test_single_answers_are_shown_with_what_moves_the_number(table):
    kept = examples_in(table)
    assert (kept["each"], kept["split"]) == ("number", "test")
    furthest = kept["examples"][0]
    assert not furthest["right"]
    assert abs(furthest["said"] - furthest["true"]) == max(
        abs(each["said"] - each["true"]) for each in kept["examples"]
    )
    looked_into = [each for each in kept["examples"] if "before" in each]
    assert all(each["before"] == pytest.approx(each["said"], rel=1e-3) for each in looked_into)
    assert {each["place"] for each in looked_into} == {"speed", "load"}, "wear follows from both, and from nothing else"
    page = html.unescape((table / "run" / "report.html").read_text())
    assert "Furthest off" in page
    assert "Near the truth" in page


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return searched(tmp_path_factory.mktemp("table"), TABLE, lambda place: wear(place / "wear.csv"))


def searched(place: Path, task: str, write) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(place / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        patch.chdir(place)
        write(place)
        (place / "task.yaml").write_text(task)
        assert run(["search", "task.yaml", "--out", "run", "--workers", "1"]) == 0
    return place


def board_of(place: Path):
    return json.loads((place / "run" / "leaderboard.json").read_text())


def test_less_error_stands_higher(table):
    board = board_of(table)
    assert problems(board) == []
    assert (board["metric"], board["higher_is_better"]) == ("rmse", False)
    complete = [row for row in board["trials"] if row["status"] == "complete"]
    values = [row["score"]["value"] for row in complete]
    assert values[0] <= min(values) * 1.2  # the first, or tied with it and cheaper
    assert {"no_transfer", "full_finetune"} <= {row["baseline"] for row in board["trials"]}
    winner = complete[0]
    assert winner["scores"]["r2"] > 0.8
    assert winner["score"]["low"] < winner["score"]["value"] < winner["score"]["high"]
    assert winner["test"]["value"] < 20


def test_every_baseline_of_classes_is_one_of_numbers_too(table, capsys):
    (table / "auto.yaml").write_text(TABLE.replace("baselines: [no_transfer, full_finetune]\n", ""))
    assert run(["validate", str(table / "auto.yaml")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Baselines: linear_probe, no_transfer, full_finetune." in told


def test_no_method_and_no_setting_of_classes_was_searched(table):
    plans = [row["plan"] for row in board_of(table)["trials"]]
    assert {plan["adaptation"]["method"] for plan in plans} == {"none"}
    assert {plan.get("label_smoothing", 0.0) for plan in plans} == {0.0}


def test_predictions_come_with_an_interval_that_mostly_holds(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    assert run(["predict", "run", "wear.csv"]) == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(lines[0]) == ["input", "wear", "low_90%", "high_90%"]
    with Path("wear.csv").open(encoding="utf-8") as file:
        true = np.array([float(line["wear"].replace(",", ".")) for line in csv.DictReader(file)])
    low, said, high = (np.array([float(line[name]) for line in lines]) for name in ("low_90%", "wear", "high_90%"))
    assert np.corrcoef(true, said)[0, 1] > 0.9
    assert ((low <= true) & (true <= high)).mean() > 0.8


def test_a_service_answers_with_numbers(table):
    described = open_bundle(table / "run" / "winner").description
    (told,) = form_of(described).values(("wear",), np.array([[200.0]]))
    half_width = described["interval"]["half_width"]
    assert told["number"] == 200.0
    assert told["interval"] == {"level": 0.9, "low": 200.0 - half_width, "high": 200.0 + half_width}


def test_the_report_and_the_card_show_how_far_it_is_off(table):
    page = html.unescape((table / "run" / "report.html").read_text())
    for words in (
        "How far it is off",
        "predicted-and-true",
        "residuals",
        "Against saying the mean",
        "Intervals around",
    ):
        assert words in page
    for words in ("Confusion matrix", "divided by a temperature"):
        assert words not in page
    card = (table / "run" / "winner" / "MODEL_CARD.md").read_text()
    assert "numbers of 'wear'" in card
    assert "split-conformal" in card
    assert "| rmse |" in card


def test_the_model_leaves_autotl_and_says_the_same(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    assert run(["export", "run", "--format", "onnx", "--out", "out"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "of the numbers' spread at most" in told
    assert "the numbers agree to 100.000%" in told
    assert (table / "out" / "predict.py").is_file()


def test_what_it_learnt_from_is_what_it_was_made_for(table, capsys, monkeypatch):
    monkeypatch.chdir(table)
    assert run(["watch", "run", "wear.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "fine"
    assert found["examples"]["compared"] == 400
    assert [answer["name"] for answer in found["answers"]] == ["wear"]
    assert found["class_mix"] is None


def test_without_target_labels_the_source_chooses_and_the_test_tells(tmp_path):
    place = searched(
        tmp_path,
        TEXT,
        lambda place: [stars(place / f"{name}.csv", seed=seed) for seed, name in enumerate(("old", "new"))],
    )
    board = board_of(place)
    (winner,) = [row for row in board["trials"] if row["winner"]]
    assert board["metric"] == "mae"
    assert winner["scores"]["r2"] > 0.5
    assert winner["test"]["value"] < 1.0
    assert "These figures are about held-out examples of the source" in (place / "run" / "report.html").read_text()
    assert "held-out source examples" in (place / "run" / "report.html").read_text()
    card = (place / "run" / "winner" / "MODEL_CARD.md").read_text()
    assert "how often they hold on the target only a test tells" in card


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("12,5", "much"), "holds 'much' where numbers are learnt (in 1 row)"),
        (("12,5", ""), "column 'wear' is empty (in 1 row)"),
        (("12,5", "inf"), "holds 'inf', which is no number to learn"),
    ],
)
def test_a_label_that_is_no_number_is_told_with_its_line(tmp_path, capsys, change, words):
    text = "speed;wear\n1;10,5\n2;12,5\n" + "".join(f"{row};{row},5\n" for row in range(3, 60))
    (tmp_path / "wear.csv").write_text(text.replace(f";{change[0]}\n", f";{change[1]}\n", 1))
    (tmp_path / "task.yaml").write_text(
        "problem: regression\ndata: {target: {train: wear.csv}, columns: {label: wear}}\n"
    )
    assert run(["validate", str(tmp_path / "task.yaml")]) == 4
    told = " ".join(capsys.readouterr().err.split())
    assert "line 3" in told
    assert words in told


def test_so_few_numbers_are_warned_of(tmp_path, capsys):
    (tmp_path / "wear.csv").write_text("speed;wear\n1;10,5\n2;12,5\n3;14,5\n")
    (tmp_path / "task.yaml").write_text(f"problem: regression\n{WEAR}")
    assert run(["validate", str(tmp_path / "task.yaml")]) == 0
    assert "target has only 3 labelled examples" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("smoothing", "told"), [("0.1", True), ("0.0", False)])
def test_a_setting_that_numbers_have_no_use_for_is_told(tmp_path, capsys, smoothing, told):
    wear(tmp_path / "wear.csv", rows=60)
    space = f"search_space: {{label_smoothing: {smoothing}}}\n"
    (tmp_path / "task.yaml").write_text(f"problem: regression\n{space}{WEAR}")
    assert run(["validate", str(tmp_path / "task.yaml")]) == 0
    words = "label_smoothing has no effect on 'problem: regression'; every plan has 0."
    assert (words in " ".join(capsys.readouterr().out.split())) is told


def test_classes_that_are_quantities_are_refused_with_the_key_to_write(tmp_path, capsys):
    rows = "".join(f"{row};{row * 1.37:.2f}\n" for row in range(60))
    (tmp_path / "wear.csv").write_text("speed;wear\n" + rows)
    (tmp_path / "task.yaml").write_text(WEAR)
    assert run(["validate", str(tmp_path / "task.yaml")]) == 4
    told = " ".join(capsys.readouterr().err.split())
    assert "Write 'problem: regression'" in told
    assert told.count("wear.csv") <= 2  # and not a line for each "class"


def test_init_proposes_a_regression_where_labels_are_quantities(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draws = np.random.default_rng(0)
    speed = draws.uniform(0, 10, 120)
    columns = {"speed": [f"{value:.3f}" for value in speed], "load": draws.choice(["low", "high"], 120)}
    write_table(
        tmp_path / "wear.csv", columns | {"wear": [f"{3 * value + 7:.2f}" for value in speed + draws.normal(size=120)]}
    )
    assert run(["init", "wear.csv", "--label", "wear", "--out", "task.yaml"]) == 0
    written = (tmp_path / "task.yaml").read_text()
    assert "problem: regression" in written
    assert "metric: rmse" in written
    assert run(["validate", "task.yaml"]) == 0


@pytest.mark.parametrize("gate", ["accuracy>=0.9", "f1>=0.5"])
def test_a_gate_on_what_cannot_measure_numbers_is_refused_before_the_search(tmp_path, capsys, gate):
    wear(tmp_path / "wear.csv", rows=60)
    (tmp_path / "task.yaml").write_text(f"problem: regression\n{WEAR}")
    assert run(["search", str(tmp_path / "task.yaml"), "--require", gate]) == 2
    assert "cannot measure 'problem: regression'" in " ".join(capsys.readouterr().err.split())
