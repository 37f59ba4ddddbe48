"""What a task under a privacy budget may ask."""

from pathlib import Path

import pytest

from autotl.task import is_protected, refused_privately, task_from_mapping

PRIVACY = {"epsilon": 3.0, "delta": 1e-5, "protects": "target"}


def a_task(*, protects="target", target=None, source=None, **values):
    data = {"target": {"train": "a", **(target or {})}}
    if source is not None:
        data["source"] = source
    written = {"name": "t", "data": data, "privacy": {**PRIVACY, "protects": protects}, **values}
    return task_from_mapping(written, folder=Path())


def test_a_plain_task_may_be_private():
    assert refused_privately(a_task(), "image") == []
    assert refused_privately(a_task(protects="source", target={"labels": "none"}, source={"train": "b"}), "text") == []


def test_a_task_without_a_budget_is_asked_nothing():
    assert (
        refused_privately(task_from_mapping({"name": "t", "data": {"target": {"train": "a"}}}, folder=Path()), "table")
        == []
    )


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (a_task(protects="source"), "privacy.protects: 'source' needs a source"),
        (a_task(target={"labels": "none"}, source={"train": "b"}), "privacy.protects: 'target' is for a target whose"),
        (a_task(target={"labels": {"per_class": 5}}), "data.target.labels: with 'privacy' write all or none"),
        (
            a_task(protects="source", target={"labels": "none"}, source={"exported": "b"}),
            "data.source[0].exported: 'exported' was made of examples without reckoning",
        ),
        (a_task(metric="macro_f1"), "metric: 'macro_f1' is not counted with noise yet"),
        (a_task(weights="balanced"), "weights: 'balanced' weighs by how many examples a class has"),
        (a_task(modality="table"), "privacy: a table's columns are described by its rows"),
        (a_task(limits={"latency_ms": 5.0}), "limits.latency_ms: is measured on examples"),
        (a_task(goals=["score", "model_mb"]), "goals: a private search looks for the score alone"),
        (a_task(audit={"allow": ["leak"]}), "audit.allow: 'leak' would let an example stand in training and in the"),
        (a_task(privacy={**PRIVACY, "epsilon": 21.0}), "privacy.epsilon: 21 promises nothing to anybody"),
        (a_task(privacy={**PRIVACY, "delta": 1e-13}), "privacy.delta: 1e-13 is less than can be reckoned with"),
        (a_task(baselines=["linear_probe"]), "baselines: every baseline would spend"),
    ],
)
def test_what_cannot_be_reckoned_is_refused_by_a_line_that_says_what_to_do(task, words):
    (line,) = refused_privately(task, None)
    assert line.startswith(words)
    assert line.endswith((".", "}."))


def test_what_the_data_are_is_refused_where_only_they_tell():
    (line,) = refused_privately(a_task(), "table")
    assert "a table's columns" in line


def test_who_is_protected():
    assert [is_protected(a_task(), name) for name in ("target", "books")] == [True, False]
    of_source = a_task(protects="source", source={"train": "b"})
    assert [is_protected(of_source, name) for name in ("target", "books")] == [False, True]
