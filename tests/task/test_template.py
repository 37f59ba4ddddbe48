import textwrap

import pytest

from autotl.task import Task, read_task
from autotl.task.template import KEYS, WIDTH, Line, as_mapping, render_template

LINES = (
    Line("data.target.train", "photos/train"),
    Line("name", "pets"),
    Line("data.columns.drop", ["id", "a: b, #c"], beside=("an identifier", "")),
    Line("data.target.test", 0.2, "left out: a fifth", is_proposed=True),
    Line("audit.merge", {"Cat": "cat"}, "they differ in case"),
    Line("budget", {"trials": 30, "wall": "30m"}),
    Line("positive", "1", is_proposed=True),
)
# for later, or for experts
NOT_SHOWN = {"goals", "limits", "privacy", "tasks", "deterministic", "start_with", "resources"}


def read(tmp_path, lines):
    text = render_template(lines, heading=["a heading"])
    (tmp_path / "task.yaml").write_text(text, encoding="utf-8")
    return text, read_task(tmp_path / "task.yaml")


def test_a_file_says_what_its_lines_say_and_nothing_that_is_only_proposed(tmp_path):
    _, task = read(tmp_path, LINES)
    assert as_mapping(LINES) == {
        "name": "pets",
        "data": {"target": {"train": "photos/train"}, "columns": {"drop": ["id", "a: b, #c"]}},
        "audit": {"merge": {"Cat": "cat"}},
        "budget": {"trials": 30, "wall": "30m"},
    }
    assert task.model_dump() == Task.model_validate(as_mapping(LINES)).model_dump()


def test_taking_the_sign_away_makes_a_proposal_true(tmp_path):
    text, _ = read(tmp_path, LINES)
    (tmp_path / "task.yaml").write_text(text.replace("# test: 0.2", "test: 0.2").replace("# positive", "positive"))
    task = read_task(tmp_path / "task.yaml")
    assert task.data.target.test == 0.2
    assert task.positive == "1"


def test_a_mapping_whose_keys_are_all_proposed_is_proposed_itself(tmp_path):
    text, task = read(tmp_path, [LINES[0], Line("audit.allow", ["leak"], is_proposed=True)])
    assert "# audit:" in text
    assert task.audit.allow == ()


@pytest.mark.parametrize("name", ["NO", "1e3", "012", "a\nb", "x: y", "- z", "é🐈", "'", '"', "#", "{a}", " ", "null"])
def test_any_name_comes_back_as_it_is(tmp_path, name):
    columns = [Line("data.columns.label", name), Line("data.columns.drop", [f"{name}{name}"])]
    _, task = read(tmp_path, [LINES[0], *columns, Line("audit.merge", {f"{name}!": name})])
    assert task.data.columns.label == name
    assert task.data.columns.drop == (f"{name}{name}",)
    assert task.audit.merge == {f"{name}!": name}


def test_every_key_has_a_comment_and_none_reaches_too_far(tmp_path):
    long = Line("metric", "accuracy", "word " * 60)
    text, task = read(tmp_path, [*LINES, long])
    assert task.metric == "accuracy"
    assert max(map(len, text.splitlines())) <= WIDTH
    for row in text.splitlines():
        if row.strip() and not row.strip().startswith(("#", "- ", "Cat")):
            assert "#" in row or "metric" in row, row


def test_every_key_of_a_task_is_in_the_template_or_left_out_on_purpose():
    shown = {key.split(".")[0] for key in KEYS}
    assert shown | NOT_SHOWN == set(Task.model_fields)
    assert not shown & NOT_SHOWN
    assert all(textwrap.shorten(words, 90) == words for words in KEYS.values())
