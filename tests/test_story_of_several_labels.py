"""From a table with a column of 0 and 1 for each label to label sets for new rows: small, with everything real."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from autotl.cli.app import run

NAMES = ("heat", "power", "wear")
TASK = """\
name: faults
problem: multilabel
modality: table
data:
  target: {train: rows.csv, test: 0.25, validation: 0.25}
  columns: {label: [heat, power, wear]}
budget: {trials: 2, wall: 30m, seeds: 1}
baselines: [linear_probe, no_transfer]
weights: balanced
search_space: {backbone: pretrained_on_source, unfrozen_layers: 0, head: linear, epochs: 2}
"""


def rows(count: int, *, seed: int):
    """Three readings, each of which tells one label; some rows bear none, some several."""
    draws = np.random.default_rng(seed)
    sets = (draws.random((count, 3)) < (0.4, 0.3, 0.15)).astype(int)
    readings = draws.normal(size=(count, 4))
    readings[:, :3] += 2.5 * sets
    return readings, sets


def write(path: Path, readings, sets=None) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["a", "b", "c", "d", *(NAMES if sets is not None else ())])
        for number, row in enumerate(readings):
            table.writerow([f"{value:.4f}" for value in row] + ([] if sets is None else sets[number].tolist()))


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A finished search: the folder of the task, with the run in it."""
    place = tmp_path_factory.mktemp("sets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(place / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        write(place / "rows.csv", *rows(320, seed=0))
        (place / "task.yaml").write_text(TASK)
        assert run(["search", str(place / "task.yaml"), "--out", str(place / "run"), "--workers", "1"]) == 0
    return place


def test_trials_and_baselines_are_ranked_by_the_mean_average_precision(story):
    board = read(story / "run" / "leaderboard.json")
    assert board["metric"] == "average_precision"
    complete = [row for row in board["trials"] if row["status"] == "complete"]
    assert len(complete) == 4
    assert {row["baseline"] for row in complete} >= {"linear_probe", "no_transfer"}
    for row in complete:
        assert row["score"]["low"] < row["score"]["value"] < row["score"]["high"]
        assert {"macro_f1", "micro_f1", "hamming_loss", "subset_accuracy"} <= set(row["scores"])
    winner = next(row for row in board["trials"] if row["winner"])
    tested = winner["refit_test"] or winner["test"]
    assert tested["value"] > 0.6


def test_the_bundle_says_sets_by_thresholds_that_were_tuned_on_validation(story, capsys):
    bundle = read(story / "run" / "winner" / "bundle.json")
    assert bundle["problem"] == "multilabel"
    assert bundle["classes"] == list(NAMES)
    assert len(bundle["thresholds"]) == 3
    readings, sets = rows(200, seed=9)
    write(story / "new.csv", readings)
    assert run(["predict", str(story / "run"), str(story / "new.csv"), "--out", str(story / "said.csv")]) == 0
    with (story / "said.csv").open(newline="", encoding="utf-8") as file:
        said = list(csv.DictReader(file))
    assert list(said[0]) == ["input", "labels", "p_heat", "p_power", "p_wear"]
    probabilities = np.array([[float(row[f"p_{name}"]) for name in NAMES] for row in said])
    assert average_precision_score(sets, probabilities) > 0.6
    for row, of_labels in zip(said, probabilities, strict=True):
        named = [name for name, p, least in zip(NAMES, of_labels, bundle["thresholds"], strict=True) if p >= least]
        assert row["labels"] == "; ".join(named)


def test_the_evidence_tells_each_label_alone_and_which_come_together(story):
    figures = read(story / "run" / "winner" / "evidence" / "figures.json")
    assert figures["per_class"] is None
    told = figures["per_label"]
    assert told["split"] == "test"
    assert told["tuned_on"] == "cross-validation"
    assert [line["class"] for line in told["labels"]] == list(NAMES)
    assert all(0 < line["threshold"] < 1 for line in told["labels"])
    assert sum(told["sizes"]) == told["examples"] == 80
    assert told["together"][0][0] == told["labels"][0]["support"]
    assert figures["calibration_on_test"]["examples"] == 240  # decisions


def test_the_report_has_a_panel_of_labels_and_no_confusion_of_classes(story):
    page = (story / "run" / "report.html").read_text(encoding="utf-8")
    assert 'id="by-label"' in page
    assert "Threshold" in page
    assert 'id="confusion"' not in page
    assert ">none of them</th>" in page


def test_single_decisions_on_labels_are_shown_with_what_they_hang_on(story):
    found = read(story / "run" / "winner" / "evidence" / "examples.json")
    assert found["each"] == "label"
    assert found["explained"] > 0
    words = {*NAMES, *(f"not {name}" for name in NAMES)}
    assert all({each["true"], each["said"]} <= words for each in found["examples"])
    assert {each["said"] for each in found["examples"] if each["right"]} == set(NAMES)
    page = (story / "run" / "report.html").read_text(encoding="utf-8")
    assert "the surest of each label" in page


def test_the_card_says_where_the_thresholds_are(story):
    card = (story / "run" / "winner" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Not asked for: every label is said from a threshold of its own" in card


def test_two_trials_are_compared_on_the_same_examples(story, capsys):
    trials = [f"{story / 'run'}/{trial}" for trial in (0, 1)]
    assert run(["compare", *trials]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert re.search(r"On the same (80 test|240 validation) examples", told)  # test, where both trials were tested


def test_a_source_cannot_be_exported(story, capsys):
    assert run(["export-source", str(story / "run"), "--out", str(story / "source.autotl")]) == 2
    assert "faults is a 'problem: multilabel': an exported source is adapted by the classes" in capsys.readouterr().err
    assert not (story / "source.autotl").exists()


def test_the_model_leaves_autotl_with_its_thresholds(story):
    out = story / "exported"
    assert run(["export", str(story / "run"), "--format", "native", "--out", str(out)]) == 0
    described = read(out / "preprocess.json")
    assert described["thresholds"] == read(story / "run" / "winner" / "bundle.json")["thresholds"]
