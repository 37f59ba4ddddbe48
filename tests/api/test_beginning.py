"""A search begins with what did well elsewhere, and leaves what it found to later ones."""

import json
from dataclasses import replace

import numpy as np
import pytest

import autotl
from autotl.api import beginning, searching
from autotl.api.beginning import begin_with, keep_for_later, likeness_of, words_of
from autotl.data import load_data
from autotl.production.home import home_folder
from autotl.run import Study
from autotl.search.history import recall
from autotl.search.starting import PORTFOLIO

TASK = """\
name: {name}
data: {{target: {{train: data.npz, test: 0.2}}}}
budget: {{trials: 6, wall: 10m}}
search_space:
  backbone: small_cnn
  image_size: 32
  unfrozen_layers: {{choice: [2, 4]}}
  learning_rate: {{log: [1.0e-4, 1.0e-1]}}
  epochs: 3
"""


class StoppedError(BaseException):
    """Nothing of ours handles it."""


@pytest.fixture(autouse=True)
def no_portfolio(monkeypatch):
    """What is shipped changes with every recording."""
    monkeypatch.setattr(beginning, "shipped_portfolio", lambda modality: [])


@pytest.fixture
def a_task(tmp_path):
    def made(name, *, seed=0):
        folder = tmp_path / name
        folder.mkdir()
        pixels = np.random.default_rng(seed).integers(0, 255, (60, 16, 16, 3)).astype("uint8")
        np.savez(folder / "data.npz", x=pixels, y=np.array(["red", "green"])[np.arange(60) % 2])
        (folder / "task.yaml").write_text(TASK.format(name=name))
        return folder / "task.yaml"

    return made


def opened_with_data(path, **overrides):
    task = autotl.api.open_to_search(path, autotl.api.Overrides(**overrides))
    return task, load_data(task.task)


def a_row(number, rate, *, status="complete", baseline=None):
    plan = {"backbone": "small_cnn", "image_size": 32, "unfrozen_layers": 4, "learning_rate": rate, "epochs": 3}
    return {"trial": number, "status": status, "baseline": baseline, "plan": plan, "asked_batch_size": None}


def remembered(path, study, *rates, **overrides):
    task, data = opened_with_data(path, **overrides)
    keep_for_later(task, data, study, [a_row(number, rate) for number, rate in enumerate(rates)])


def test_what_one_search_found_the_next_one_begins_with(a_task, tmp_path):
    remembered(a_task("first"), Study(tmp_path / "first.db"), 0.01, 0.02, 0.03)
    task, data = opened_with_data(a_task("second", seed=1))
    found = begin_with(task, data, Study(tmp_path / "second.db"))
    assert [each.plan.learning_rate for each in found] == [0.01, 0.02]
    assert words_of(found) == "2 of first"


def test_a_clean_search_asks_nobody_and_leaves_nothing(a_task, tmp_path):
    first = a_task("first")
    remembered(first, Study(tmp_path / "first.db"), 0.01)
    task, data = opened_with_data(first, history=False)
    assert begin_with(task, data, Study(tmp_path / "second.db")) == []
    remembered(a_task("clean"), Study(tmp_path / "clean.db"), 0.05, history=False)
    assert [run.task for run in recall(home_folder())] == ["first"]


def test_a_run_that_ends_twice_is_remembered_once(a_task, tmp_path):
    path, study = a_task("first"), Study(tmp_path / "first.db")
    remembered(path, study, 0.01)
    remembered(path, study, 0.02, 0.01)
    (run,) = recall(home_folder())
    assert [trial.plan["learning_rate"] for trial in run.trials] == [0.02, 0.01]


def test_nothing_is_remembered_of_a_search_in_which_nothing_ended(a_task, tmp_path):
    task, data = opened_with_data(a_task("first"))
    keep_for_later(task, data, Study(tmp_path / "study.db"), [a_row(0, 0.01, status="failed")])
    assert recall(home_folder()) == []


def test_a_resumed_search_goes_on_with_the_plans_that_it_was_begun_with(a_task, tmp_path, monkeypatch):
    orders = []

    def told(order, *_, **__):
        orders.append(order)
        raise StoppedError

    monkeypatch.setattr(searching, "run_search", told)
    remembered(a_task("first"), Study(tmp_path / "first.db"), 0.01)
    second = a_task("second", seed=1)
    with pytest.raises(StoppedError):
        autotl.search(second, out=tmp_path / "run", workers=1)
    remembered(a_task("third", seed=2), Study(tmp_path / "third.db"), 0.09)  # ended meanwhile
    with pytest.raises(StoppedError):
        autotl.search(resume=tmp_path / "run", workers=1)
    rates = [[plan.learning_rate for plan in order.starting] for order in orders]
    assert rates == [[0.01], [0.01]]


def test_the_portfolio_is_for_searches_that_have_labels_to_judge_by(a_task, tmp_path, monkeypatch):
    ours = [{"backbone": "efficientnet_lite0", "learning_rate": 0.05}]
    monkeypatch.setattr(beginning, "shipped_portfolio", lambda modality: ours)
    task, data = opened_with_data(a_task("first"))
    (found,) = begin_with(task, data, Study(tmp_path / "with.db"))
    assert (found.origin, found.plan.learning_rate, found.plan.backbone.label) == (PORTFOLIO, 0.05, "small_cnn")
    hidden = replace(data, score_kind="label_free")
    assert begin_with(task, hidden, Study(tmp_path / "without.db")) == []


def test_tasks_are_compared_by_counts_and_a_digest_alone(a_task):
    _, data = opened_with_data(a_task("first"))
    found = likeness_of(data)
    assert (found.modality, found.regime, found.classes) == ("image", "labels", 2)
    assert found.imbalance == pytest.approx(0.5, abs=0.05)
    assert json.dumps(found.__dict__)
