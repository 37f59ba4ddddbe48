"""Evidence is of the right examples and the right model, and what goes wrong with it loses no winner."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest

from autotl.data.examples import UNKNOWN, Fold
from autotl.data.texts import texts_of
from autotl.production.evidence import gathering
from autotl.production.evidence.gathering import Winner, gather
from autotl.task.problem import CLASSIFICATION

ROWS = 120
SOURCE = np.arange(ROWS, 2 * ROWS)
TRAINED, HELD_OUT = SOURCE[:80], SOURCE[80:]
TRUTH = np.arange(2 * ROWS) % 2


def text_of(row):
    return f"{['bad', 'good'][TRUTH[row]]} text {row}"


def probabilities(labels, *, wrong=4):
    """Sure of the labels, but for the first few."""
    labels = np.where(np.arange(len(labels)) < wrong, 1 - labels, labels)
    return np.where(np.eye(2)[labels] > 0, 0.9, 0.1).astype(np.float32)


class Model:
    """A serving model, or a learner, that looks for one word."""

    def predict(self, what):
        if what.dtype == object:
            return probabilities(np.array([int("good" in text) for text in what]), wrong=0)
        features = np.random.default_rng(0).normal(size=(2 * ROWS, 5))
        return probabilities(TRUTH[what], wrong=0), features[what]

    def look_at(self, inputs):
        return probabilities(np.zeros(len(inputs), dtype=np.int64)), np.random.default_rng(1).normal(
            size=(len(inputs), 5)
        )


def winner(*, test=None, shipped="trial", model=None, score_kind="label_free"):
    """A search without target labels: the target's rows first, then the source's."""
    domains = [texts_of([text_of(row) for row in rows], map(str, rows)) for rows in (np.arange(ROWS), SOURCE)]
    data = SimpleNamespace(
        classes=("bad", "good"),
        modality="text",
        problem=CLASSIFICATION,
        setting="transductive" if score_kind == "label_free" else "inductive",
        score_kind=score_kind,
        adaptation_rows=np.arange(ROWS),
        target_rows=np.arange(ROWS),
        labels=np.where(np.arange(2 * ROWS) < ROWS, UNKNOWN, TRUTH),
        groups=None,
        inputs=tuple(domains),
        domain_of=np.repeat([0, 1], ROWS),
        test=None if test is None else SimpleNamespace(inputs=domains[0]),
    )
    tested = None
    if test is not None:
        said = {"9": probabilities(TRUTH[:ROWS], wrong=60), "7": probabilities(TRUTH[:ROWS], wrong=7)}
        tested = SimpleNamespace(probabilities=said, labels=TRUTH[:ROWS], protocol=test)
    outputs = SimpleNamespace(
        rows=HELD_OUT, validation=probabilities(TRUTH[HELD_OUT]), target=probabilities(TRUTH[:ROWS], wrong=0)
    )
    bench = SimpleNamespace(
        folds=lambda plan: (Fold(train=TRAINED, validation=HELD_OUT),), trained=lambda plan, weights: Model()
    )
    ships = SimpleNamespace(
        test=tested,
        refit=SimpleNamespace(shipped=shipped),
        calibration={"temperature": 1.25},
        model=model or Model(),
    )
    return Winner(7, None, data, outputs, [], ships, "accuracy", 1, 0, lambda: bench)


def gathered(of):
    return gather(of, spent=100.0, left=100.0)


def test_without_a_test_all_is_of_the_sources_held_out_examples():
    found = gathered(winner())
    assert found.figures["per_class"]["split"] == found.examples["split"] == "source validation"
    assert found.figures["calibration_on_test"] is None
    assert [split["split"] for split in found.figures["unlike"]["splits"]] == ["source validation", "target inputs"]
    ids = {int(example["id"]) for example in found.examples["examples"]}
    assert ids <= set(HELD_OUT.tolist()), "the model did not learn from any of them"
    assert found.examples["mistakes"] == 4
    right = [example for example in found.examples["examples"] if example["right"]]
    assert {example["place"] for example in right if example["said"] == "good"} == {"good"}
    rule = found.figures["abstaining"]["rules"][0]
    assert [each["split"] for each in rule["on"]] == ["source validation", "target inputs"]
    assert rule["on"][1]["accuracy"] is None, "nobody knows the target's labels"


def test_probabilities_are_those_that_ship():
    cooler = 0.9 ** (1 / 1.25)
    found = gathered(winner())
    expected = cooler / (cooler + 0.1 ** (1 / 1.25))
    assert found.examples["examples"][0]["probability"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("protocol", "target_too"), [("given", True), ("labels_of_train", False)])
def test_an_opened_test_is_what_counts_and_the_same_inputs_are_told_once(protocol, target_too):
    found = gathered(winner(test=protocol))
    assert found.figures["per_class"]["split"] == found.examples["split"] == "test"
    assert found.examples["mistakes"] == 7, "those of the winner, not of the baseline that was tested beside it"
    splits = [split["split"] for split in found.figures["unlike"]["splits"]]
    assert splits == ["source validation", "test", *(["target inputs"] if target_too else [])]


def test_without_a_test_a_retrained_model_is_not_asked_about_what_it_learnt_from(monkeypatch):
    asked = []

    class Own(Model):
        def predict(self, what):
            asked.append(len(what))
            return super().predict(what)

    monkeypatch.setattr(gathering, "serving_model", lambda learner, reading, *, temperature: Own())
    monkeypatch.setattr(gathering, "own_reading", lambda form: None)
    monkeypatch.setattr(gathering, "form_of", lambda plan, data: None)
    found = gathered(winner(shipped="refit", model=Broken()))
    assert asked
    assert found.examples["explained"] == len(found.examples["examples"])


class Broken:
    """A model that cannot be asked any more."""

    def predict(self, what):
        raise MemoryError("no memory is left")


def test_what_cannot_be_had_is_left_out_logged_and_told(caplog):
    with caplog.at_level(logging.ERROR):
        found = gathered(winner(model=Broken()))
    assert found.failed == ["What single answers hang on could not be had: MemoryError: no memory is left."]
    assert found.examples is None
    assert found.figures["per_class"] is not None
    assert found.figures["unlike"] is not None
    assert "no memory is left" in caplog.text


def test_a_source_whose_examples_are_not_here_leaves_only_what_the_test_tells():
    bare = winner(test="given")
    bare.outputs.rows, bare.outputs.validation = HELD_OUT[:0], np.zeros((0, 2), dtype=np.float32)
    bench = bare.bench()
    bench.folds = lambda plan: (Fold(train=SOURCE[:0], validation=SOURCE[:0]),)
    found = gathered(bare)
    assert found.figures["unlike"] is found.figures["abstaining"] is found.figures["thresholds"] is None
    assert found.figures["per_class"]["split"] == "test"
    assert found.examples["split"] == "test"
