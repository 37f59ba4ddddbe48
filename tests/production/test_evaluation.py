"""The test set has one reader, and each of its uses is counted."""

import ast
import json
import multiprocessing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import autotl
from autotl.data import UNKNOWN, SealedTest
from autotl.production.evaluation import USES, count_on_test, count_use, evaluate_on_test
from autotl.production.home import home_folder
from autotl.trial.scorer import Scorer

PACKAGE = Path(autotl.__file__).parent


def certain(*classes, width=2):
    """Probabilities of a model that says exactly these classes."""
    return np.eye(width, dtype=np.float32)[list(classes)]


class PretendWorkshop:
    """Its models' weights are their predictions; it remembers when it was asked for them."""

    def __init__(self, steps):
        self.scorer = Scorer("accuracy")
        self.steps = steps

    def trained(self, plan, weights):
        def predict_inputs(inputs):
            self.steps.append("predicted")
            return weights[0]

        return SimpleNamespace(predict_inputs=predict_inputs)


class WatchedTest(SealedTest):
    """Notes when its labels are opened."""

    def __init__(self, labels, steps):
        super().__init__(SimpleNamespace(), np.array(labels), "fingerprint", "given", ("owl",))
        self.steps = steps

    def open_labels(self):
        self.steps.append("opened")
        return super().open_labels()


def places_where(condition):
    """Functions of the package, as `module:function`, in which some node of the syntax fulfils the condition."""
    found = set()
    for file in PACKAGE.rglob("*.py"):
        module = file.relative_to(PACKAGE).as_posix()
        tree = ast.parse(file.read_text(encoding="utf-8"))
        owners = {}  # node -> the innermost function around it, for outer functions are walked first
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]:
            owners |= dict.fromkeys(ast.walk(function), function.name)
        found |= {f"{module}:{owners.get(node, '')}" for node in ast.walk(tree) if condition(node)}
    return found


def names(opener):
    """Whether a node calls for the method, be it by text as in `getattr(test, "open_labels")`."""
    return lambda node: (
        (isinstance(node, ast.Constant) and node.value == opener)
        or (isinstance(node, ast.Attribute) and node.attr == opener)
    )


def test_one_function_opens_the_labels():
    assert places_where(names("open_labels")) == {"production/evaluation.py:predict_and_open"}


def test_the_same_one_tells_classes_that_only_the_test_has():
    assert places_where(names("open_unknown_classes")) == {"production/evaluation.py:predict_and_open"}


def test_no_module_reaches_past_the_seal():
    def reaches(node):
        private = isinstance(node, ast.Attribute) and node.attr in ("_labels", "_unknown_classes")
        return private and not (isinstance(node.value, ast.Name) and node.value.id == "self")

    assert places_where(reaches) == set()


def test_labels_are_opened_once_and_after_every_prediction():
    steps = []
    models = {"3": (None, [certain(0, 1)]), "refit": (None, [certain(1, 1)])}
    result = evaluate_on_test(models, WatchedTest([0, 1], steps), PretendWorkshop(steps))
    assert steps == ["predicted", "predicted", "opened"]
    assert {name: figure["value"] for name, figure in result.figures.items()} == {"3": 1.0, "refit": 0.5}
    assert (result.uses, result.protocol, result.strangers) == (1, "given", ("owl",))


def test_a_count_of_right_answers_is_a_use_and_opens_after_the_prediction_too():
    steps = []

    def predict(inputs):
        steps.append("predicted")
        return certain(0, 1, 1)

    counted = count_on_test(predict, WatchedTest([0, 1, 0], steps), noise=lambda: 5)
    assert steps == ["predicted", "opened"]
    assert (counted.right, counted.rows, counted.uses) == (2 + 5, 3, 1)


def test_an_evaluation_of_several_models_is_one_use():
    models = {name: (None, [certain(0, 1)]) for name in ("0", "1", "refit")}
    uses = [evaluate_on_test(models, WatchedTest([0, 1], []), PretendWorkshop([])).uses for _ in range(3)]
    assert uses == [1, 2, 3]


def test_uses_are_counted_for_each_test_set_by_itself():
    assert [count_use(fingerprint) for fingerprint in ("a", "b", "a", "a", "b")] == [1, 1, 2, 3, 2]
    assert json.loads((home_folder() / USES).read_text()) == {"a": 3, "b": 2}


def test_uses_of_several_processes_are_all_counted():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        counts = pool.map(count_use, ["same"] * 12, chunksize=1)
    assert sorted(counts) == list(range(1, 13))


def test_a_damaged_count_starts_anew_instead_of_ending_the_run():
    home_folder().mkdir(parents=True)
    (home_folder() / USES).write_text("{")
    assert count_use("a") == 1
    assert count_use("a") == 2


def test_a_home_that_cannot_be_written_is_told_of_instead_of_ending_the_run(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTOTL_HOME", str(tmp_path / "file" / "home"))
    assert count_use("a") == 1
    assert "could not be counted" in caplog.text


def test_a_test_set_is_counted_as_used_even_where_the_evaluation_fails():
    with pytest.raises(KeyError):
        evaluate_on_test({"3": (None, {})}, WatchedTest([0, 1], []), PretendWorkshop([]))
    assert count_use("fingerprint") == 2


@pytest.mark.parametrize("metric", ["accuracy", "balanced_accuracy", "macro_f1"])
def test_labels_that_no_model_can_name_count_as_misses(metric):
    labels = np.array([0, 1, 0, 1] * 5)
    right = certain(*labels)
    hidden = np.where(np.arange(20) % 5 == 4, UNKNOWN, labels)
    scorer = Scorer(metric)
    assert scorer.on_test(labels, right)["value"] == pytest.approx(1.0)
    assert scorer.on_test(hidden, right)["value"] < 1.0


def test_a_fifth_of_unknown_labels_costs_a_fifth_of_accuracy():
    labels = np.array([0, 1, 0, 1, UNKNOWN] * 8)
    figure = Scorer("accuracy").on_test(labels, certain(*np.where(labels == UNKNOWN, 0, labels)))
    assert figure["value"] == pytest.approx(0.8)
    assert figure["low"] < 0.8 < figure["high"]
