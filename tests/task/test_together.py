"""Several tasks in one file: what each of them is, where its mistakes are, and what cannot be learnt together."""

from datetime import timedelta
from pathlib import Path

import pytest

from autotl.errors import TaskError
from autotl.task import companions_of, names_in, read_task, task_from_mapping, tasks_of
from autotl.task.yaml_reader import parse_document

THREE = """\
modality: text
tasks:
  - {name: books, data: {target: {train: books.csv}}}
  - name: dvd
    data: {target: {train: dvd.csv, labels: {per_class: 5}}, columns: {input: text, label: 1}}
    metric: macro_f1
    positive: yes
  - {name: kitchen, data: {target: {train: kitchen.csv}}}
metric: accuracy
budget: {trials: 9, wall: 10m}
seed: 4
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "reviews.yaml"
        path.write_text(text)
        return path

    return write


def test_each_task_has_its_own_data_and_the_others_beside_it(written):
    books, dvd, kitchen = tasks_of(read_task(written(THREE)))
    assert [each.name for each in (books, dvd, kitchen)] == ["books", "dvd", "kitchen"]
    assert dvd.data.target.train == ("dvd.csv",)
    assert [each.name for each in dvd.tasks] == ["books", "kitchen"]
    assert not dvd.holds_several


def test_what_stands_beside_the_tasks_holds_for_each_unless_it_says_otherwise(written):
    books, dvd, _ = tasks_of(read_task(written(THREE)))
    assert (books.metric, dvd.metric) == ("accuracy", "macro_f1")
    assert (books.positive, dvd.positive) == (None, "yes")
    assert books.modality == dvd.modality == "text"
    assert books.seed == dvd.seed == 4


def test_names_of_columns_and_classes_are_text_in_every_task(written):
    task = read_task(written(THREE.replace("positive: yes", "positive: 1")))
    assert task.tasks[1].positive == task.tasks[1].data.columns.label == "1"


def test_the_time_is_divided_evenly_and_trials_are_each_tasks_own(written):
    for task in tasks_of(read_task(written(THREE))):
        assert task.budget.wall == timedelta(seconds=200)
        assert task.budget.trials == 9


def test_companions_stand_as_if_alone(written):
    dvd, kitchen = companions_of(tasks_of(read_task(written(THREE)))[0])
    assert (dvd.name, kitchen.name) == ("dvd", "kitchen")
    assert dvd.tasks == kitchen.tasks == ()
    assert dvd.data.target.labels.per_class == 5


def test_a_file_with_data_of_its_own_is_one_task_with_companions(written):
    path = written("data: {target: {train: a.csv}}\n" + THREE)
    task = read_task(path)
    assert tasks_of(task) == [task]
    assert task.name == "reviews"
    assert names_in(path) == []
    assert [each.name for each in companions_of(task)] == ["books", "dvd", "kitchen"]


def test_the_names_in_a_file(written, tmp_path):
    assert names_in(written(THREE)) == ["books", "dvd", "kitchen"]
    assert names_in(tmp_path / "missing.yaml") == []
    assert names_in(written("tasks: 3\n")) == []
    assert names_in(written(THREE + "metrik: f1\n")) == ["books", "dvd", "kitchen"]


def test_a_place_in_a_task_is_the_place_in_the_file(written):
    _, dvd, _ = tasks_of(read_task(written(THREE)))
    assert dvd.where("data.target.labels").endswith("reviews.yaml:5:45: tasks[1].data.target.labels")
    assert dvd.where("budget.trials").endswith("reviews.yaml:10:18: budget.trials")
    books, kitchen = companions_of(dvd)
    assert books.where("data.target.train").endswith(": tasks[0].data.target.train")
    assert kitchen.where("data.target.train").endswith(": tasks[2].data.target.train")


def test_what_a_run_writes_down_is_read_back_as_the_same_task(written, tmp_path):
    _, dvd, _ = tasks_of(read_task(written(THREE)))
    again = task_from_mapping(parse_document(dvd.as_yaml().encode(), file="task.yaml").value, folder=tmp_path)
    assert again.as_yaml() == dvd.as_yaml()
    assert [each.name for each in companions_of(again)] == ["books", "kitchen"]


def test_the_example_lists_four_tasks_with_few_labels():
    example = Path(__file__).parents[2] / "examples" / "reviews_together" / "task.yaml"
    tasks = tasks_of(read_task(example))
    assert [each.name for each in tasks] == ["books", "dvd", "electronics", "kitchen"]
    assert {each.data.target.labels.per_class for each in tasks} == {25}
    assert {each.budget.wall for each in tasks} == {timedelta(minutes=15)}


ONE = "{name: books, data: {target: {train: b.csv}}}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"tasks: [{ONE}]\n", "1:8: tasks: one task has no other to be learnt together with."),
        (f"tasks: [{ONE}, {ONE.replace('b.', 'c.')}]\n", "tasks[1].name: 'books' names two tasks. Choose another."),
        (f"name: books\ndata: {{target: {{train: a}}}}\ntasks: [{ONE}]\n", "tasks[0].name: 'books' names two tasks."),
        (
            f"tasks: [{ONE}, {{name: dvd, data: {{target: {{train: d, labels: none}}, source: {{train: s}}}}}}]\n",
            "tasks[1].data.source: a task that is learnt together with others has no source:",
        ),
        (
            f"data: {{target: {{train: a}}, source: {{train: s}}}}\ntasks: [{ONE}]\n",
            "1:36: data.source: a task that is learnt together with others has no source:",
        ),
        (
            f"tasks: [{ONE}, {ONE.replace('books', 'dvd')}]\nprivacy: {{epsilon: 1, delta: 1e-5, protects: target}}\n",
            "2:10: privacy: the other tasks' labels would be learnt from unprotected.",
        ),
        (f"tasks: [{ONE}, {{name: dvd}}]\n", "tasks[1].data: is missing."),
        ("tasks: []\n", "1:8: tasks: lists no task. Write two or more"),
        (
            f"tasks: [{ONE}, {{name: dvd, data: {{target: {{train: d, labels: none}}}}}}]\n",
            "tasks[1].data.target.labels: 'none' needs a labelled source. Write all or {per_class: N}.",
        ),
        (f"tasks: [{ONE}, {{name: dvd, dat: 3}}]\n", "'dat' is not known. Allowed: data, metric, name, positive."),
    ],
)
def test_what_cannot_be_learnt_together_is_refused_where_it_stands(written, text, words):
    with pytest.raises(TaskError) as caught:
        read_task(written(text))
    assert words in str(caught.value)
