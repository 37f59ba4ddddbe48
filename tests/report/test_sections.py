"""What the sections say, checked against values worked out by hand."""

from typing import Any

import pytest

from autotl.report import sections
from autotl.report.entries import read_entries, recipe_words


def entry_row(trial: int, **own: Any) -> dict[str, Any]:
    """A complete trial's row with only what the test is about."""
    plan = {"backbone": "MobileNetV2", "unfrozen_layers": 0, "head": {"name": "linear"}, **own.pop("plan", {})}
    return {"trial": trial, "status": "complete", "plan": plan, "score": {"value": 0.5}, **own}


def board_of(*rows: dict[str, Any]) -> sections.Board:
    return sections.board(read_entries({"trials": list(rows)}))


def test_ranks_count_scored_trials_only():
    entries = read_entries({"trials": [entry_row(4), entry_row(2), entry_row(3, status="failed", score=None)]})
    assert [(entry.trial, entry.rank) for entry in entries] == [(4, 1), (2, 2), (3, None)]


def test_a_tie_needs_two():
    board = board_of(entry_row(1, tie_group=1), entry_row(2, tie_group=1), entry_row(3, tie_group=2))
    assert board.ties == {"1": 1}


def test_reasons_are_gathered_the_most_frequent_first():
    failed = {"status": "failed", "score": None}
    board = board_of(
        entry_row(1, **failed, failure="out of memory"),
        entry_row(2, **failed, failure="diverged"),
        entry_row(3, **failed, failure="diverged"),
    )
    assert board.failures == [("diverged", [2, 3]), ("out of memory", [1])]


def test_of_a_long_board_the_winner_baselines_and_best_of_each_choice_are_never_left_out():
    rows = [entry_row(number) for number in range(sections.MOST_ROWS + 50)]
    rows[-1]["winner"] = True
    rows[-2]["baseline"] = "no_transfer"
    rows[-4]["plan"] = {**rows[-4]["plan"], "unfrozen_layers": "all"}
    board = board_of(*rows)
    assert [entry.trial for entry in board.entries[sections.MOST_ROWS :]] == [196, 198, 199]
    assert board.left_out == 47


def test_a_board_of_one_score_still_has_a_scale():
    board = board_of(entry_row(1))
    assert board.scale is not None
    assert board.scale.position(0.5) == 50


def test_recall_reads_rows_and_precision_reads_columns():
    matrix = sections.matrix({"split": "test", "classes": ["a", "b"], "matrix": [[8, 2], [4, 6]]})
    assert (matrix.recalls, matrix.precisions) == (["0.80", "0.60"], ["0.67", "0.75"])
    assert (matrix.right, matrix.examples) == (14, 20)
    assert matrix.pairs == [("b", "a", 4), ("a", "b", 2)]


def test_of_many_classes_those_with_the_most_mistakes_are_kept_in_their_order():
    size = sections.MOST_CLASSES + 5
    counts = [[9 if i == j else 0 for j in range(size)] for i in range(size)]
    counts[33][2] = 5
    matrix = sections.matrix({"classes": [str(number) for number in range(size)], "matrix": counts})
    assert len(matrix.classes) == sections.MOST_CLASSES
    assert matrix.classes[2] == "2"
    assert matrix.classes[-1] == "33"
    assert (matrix.right, matrix.examples, matrix.classes_in_all) == (9 * size, 9 * size + 5, size)


def test_the_space_is_counted_over_proposed_trials_only():
    space = {
        "backbone": {"choice": ["MobileNetV2", "VGG16"]},
        "learning_rate": {"log": [1e-4, 1e-2]},
        "head": {"choice": {"linear": {}, "hidden": {"units": {"choice": [128, 512]}}}},
        "epochs": 9,
    }
    rows = [
        entry_row(1, plan={"learning_rate": 2e-4, "head": {"name": "hidden", "units": 128}}),
        entry_row(2, plan={"learning_rate": 5e-3}),
        entry_row(3, baseline="linear_probe", plan={"backbone": "VGG16"}),
    ]
    lines = {line.name: line for line in sections.dimensions(space, read_entries({"trials": rows}))}
    assert lines["backbone"].tried == [("MobileNetV2", 2), ("VGG16", 0)]
    assert lines["learning_rate"].tried == [("0.0002 … 0.005", 2)]
    assert lines["head"].tried == [("linear", 1), ("hidden", 1)]
    assert lines["head › hidden › units"].tried == [("128", 1), ("512", 0)]
    assert (lines["epochs"].how, lines["epochs"].choices) == ("fixed", ["9"])


def test_a_domain_without_labels_shows_its_total_alone():
    (domain,) = sections.domains(
        {"domains": [{"name": "t", "role": "target", "splits": {"train": 40, "test": {"a": 3}}}]}
    )
    assert (domain.splits, domain.totals, domain.classes) == (["train", "test"], [40, 3], [("a", [None, 3])])


def test_the_gravest_finding_comes_first_and_examples_are_cut():
    findings = [
        {"code": "a", "severity": "info", "message": "", "examples": []},
        {"code": "b", "severity": "error", "message": "", "examples": [str(number) for number in range(14)]},
    ]
    first, second = sections.findings_by_severity(findings)
    assert (first["code"], len(first["examples"]), first["more"], second["code"]) == ("b", 10, 4, "a")


def test_a_backbone_that_a_path_leads_to_goes_by_its_last_part():
    (entry,) = read_entries({"trials": [entry_row(1, plan={"backbone": {"preset": "../weights/bert_small"}})]})
    assert entry.backbone == "bert_small"


def test_further_settings_are_flattened_to_the_names_of_the_task_file():
    task = {"name": "x", "data": {"target": {"labels": "none"}, "source": [{"name": "books"}]}, "baselines": []}
    assert sections.further_settings(task) == [
        ("data.target.labels", "none"),
        ("data.source.0.name", "books"),
        ("baselines", "none"),
    ]


def test_a_network_pretrained_on_the_source_goes_by_its_word_and_not_by_a_path_of_this_machine():
    row = {"trial": 3, "plan": {"backbone": {"pretrained_on_source": "/home/ann/cache/pretrained/83db.npz"}}}
    (entry,) = read_entries({"trials": [row]})
    assert entry.backbone == "pretrained_on_source"
    assert sections.winner_plan(entry) == [("backbone", "pretrained_on_source")]


@pytest.mark.parametrize(
    ("crop", "words"), [("none", "frozen · linear"), ("content", "frozen · crop content · linear")]
)
def test_a_recipe_names_a_crop(crop, words):
    plan = {"backbone": "VGG16", "crop": crop, "unfrozen_layers": 0, "head": {"name": "linear"}, "tap": "last"}
    assert recipe_words(plan) == words
