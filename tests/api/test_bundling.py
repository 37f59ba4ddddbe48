"""A trial that did not win is promoted from the weights that it kept, and predicts as it did in its run."""

import csv
import io
import json

import numpy as np
import pytest

from autotl import api, leaderboard
from autotl.api.asked import write_what_was_asked
from autotl.api.reopening import reopen_task
from autotl.api.standing import write_leaderboard
from autotl.api.watching import watch
from autotl.data import load_data
from autotl.errors import GateNotMetError, StorageError, UsageError
from autotl.plan.fields import parse_plan
from autotl.run import RunFolder, Study, trial_files
from autotl.run.scored_examples import ScoredExamples, split_of, write_scored_examples
from autotl.run.study import ENDED

TASK = """\
name: boxes
data:
  target: {train: boxes.csv, validation: 0.3, test: new_boxes.csv}
  columns: {label: kind}
"""
PLAN = {"backbone": "boosted_trees"}
WINNER, OTHER = 0, 1


def write_boxes(path, *, seed, rows=300):
    draws = np.random.default_rng(seed)
    widths, heights = draws.normal(size=(2, rows))
    kinds = np.where(widths + 0.3 * draws.normal(size=rows) > heights, "wide", "high")
    lines = [f"{width:.4f},{height:.4f},{kind}" for width, height, kind in zip(widths, heights, kinds, strict=True)]
    path.write_text("\n".join(["width,height,kind", *lines]) + "\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of two trials of boosted trees, as a search would leave it, its winner not shipped."""
    from board_trials import row as board_row

    from autotl.trial.outcome import Job

    folder = tmp_path_factory.mktemp("boxes")
    write_boxes(folder / "boxes.csv", seed=0)
    write_boxes(folder / "new_boxes.csv", seed=1, rows=120)
    (folder / "task.yaml").write_text(TASK)
    opened = api.open_task(folder / "task.yaml", api.Overrides())
    data = load_data(opened.task)
    run = RunFolder.create(folder / "run")
    study = Study(run.path / "study.db")
    write_what_was_asked(opened, data, run, study)
    workshop = reopen_task(run).workshop_order(data)()
    rows, outputs = [], {}
    for number, rate in ((WINNER, 0.1), (OTHER, 0.02)):
        written = PLAN | {"learning_rate": rate}
        plan = parse_plan(written, where="test", folder=folder, modality="table").canonical()
        ending = [*workshop.train([Job(number, plan)])][-1].ending
        assert ending.status == "complete", ending.reason
        trial_files.write_outputs(run.trial(number), ending.outputs)
        trial_files.write_weights(run.trial(number), ending.weights)
        outputs[number] = ending.outputs
        rows.append(board_row(number, plan=plan.as_dict(), score=ending.score, scores=ending.scores, flops=number))
    examples = {"metric": opened.metric, "outputs": outputs, "labels": data.labels, "groups": None, "seed": 0}
    ranked = leaderboard.rank(rows, higher_is_better=opened.higher_is_better, **examples)
    assert ranked[0]["trial"] == WINNER
    study.put_fact("headline", leaderboard.headline(ranked, **examples))
    study.put_fact(ENDED, "trials")
    scored = outputs[WINNER].rows
    digests = [digest for inputs in data.inputs for digest in inputs.digests]
    validation = split_of([digests[row] for row in scored], data.labels[scored], None)
    write_scored_examples(run, ScoredExamples(data.classes, 1, scored, validation))
    write_leaderboard(run, ranked, study.facts())
    study.close()
    expected = workshop.trained(plan, trial_files.read_weights(run.trial(OTHER))).predict_inputs(data.test.inputs)
    return folder, expected


def promote(place, **more):
    return api.promote(place / "run" / str(OTHER), **{"alias": "production", "reason": "smaller", **more})


def test_it_predicts_as_in_its_run_and_its_own_figures_are_told(made):
    folder, expected = made
    done = promote(folder, evaluate=True, require=["test.accuracy>=0.5", "accuracy>=0.5", "latency_ms<=10000"])
    assert done.is_new
    assert "which did not win" in done.sentences[0]
    predictions = api.predict("boxes@production", folder / "new_boxes.csv")
    np.testing.assert_array_equal(predictions.probabilities.argmax(axis=1), expected.argmax(axis=1))
    record = done.version.record
    assert (record["source"]["trial"], record["source"]["winner"], record["source"]["shipped"]) == (1, False, "trial")
    kinds = [row["kind"] for row in csv.DictReader(io.StringIO((folder / "new_boxes.csv").read_text()))]
    share = np.mean([said == kind for said, kind in zip(predictions.labels, kinds, strict=True)])
    assert record["metric"] == "accuracy"
    assert record["figures"]["test"]["value"] == pytest.approx(share)
    own = next(row for row in api.read_leaderboard(folder / "run")["trials"] if row["trial"] == OTHER)
    assert record["figures"]["corrected"]["value"] <= own["score"]["value"] + 1e-9
    card = (done.version.bundle_folder / "MODEL_CARD.md").read_text()
    for words in (
        "a person chose it",
        "own weights ship",
        "Required and met: test.accuracy>=0.5",
        "use 1 of this test",
    ):
        assert words in card


def test_it_is_watched_by_the_portrait_of_its_training_domain(made, tmp_path):
    folder, _ = made
    promote(folder)
    lines = (folder / "new_boxes.csv").read_text().splitlines()
    moved = [lines[0], *(f"{float(line.split(',')[0]) + 5:.4f},{line.split(',', 1)[1]}" for line in lines[1:])]
    (tmp_path / "moved.csv").write_text("\n".join(moved))
    assert watch("boxes@production", folder / "new_boxes.csv").verdict.name != "search_again"
    watched = watch("boxes@production", tmp_path / "moved.csv")
    assert watched.verdict.name == "search_again"
    assert watched.found.columns[0].name == "width"


def test_without_evaluate_the_test_set_stays_closed_and_its_gate_unmet(made, tmp_path):
    folder, _ = made
    with pytest.raises(GateNotMetError, match=r"test\.accuracy>=0\.1: it is not measured"):
        promote(folder, require=["test.accuracy>=0.1"])
    assert api.list_models() == []
    done = promote(folder)
    assert done.version.record["figures"]["test"] is None
    assert "Test: not measured" in (done.version.bundle_folder / "MODEL_CARD.md").read_text()
    from autotl.production.home import home_folder

    assert not (home_folder() / "test_uses.json").exists()


def test_a_winner_that_was_not_shipped_is_made_from_its_weights(made):
    folder, _ = made
    done = api.promote(folder / "run", alias="production", reason="the search was stopped")
    assert (done.version.record["source"]["trial"], done.version.record["source"]["winner"]) == (WINNER, True)
    card = (done.version.bundle_folder / "MODEL_CARD.md").read_text()
    assert "Trial 0 won" in card
    assert "a person chose it" not in card


def test_data_that_have_changed_or_moved_are_told(made, tmp_path):
    folder, _ = made
    other = tmp_path / "other"
    other.mkdir()
    write_boxes(other / "boxes.csv", seed=3)
    write_boxes(other / "new_boxes.csv", seed=1, rows=120)
    with pytest.raises(StorageError, match=r"are not those that .*run was searched on"):
        promote(folder, folder=other)
    with pytest.raises(UsageError, match="--folder DIR"):
        promote(folder, folder=tmp_path / "nowhere")
    assert json.loads((folder / "run" / "leaderboard.json").read_text())["task"] == "boxes"
