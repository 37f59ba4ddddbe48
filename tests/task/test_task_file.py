import pickle
import re
import subprocess
import sys
from datetime import timedelta

import pytest

from autotl.errors import TaskError
from autotl.task import PROBLEMS, LabelsOf, PerClass, read_task, task_from_mapping
from autotl.task.yaml_reader import parse_document

SMALLEST = "data: {target: {train: photos}}\n"
FULL = """\
name: kitchen-from-books
modality: image
data:
  target:
    train: data/kitchen
    validation: 0.1
    test: data/kitchen_test.csv
    labels: none
  source:
    - {name: books, train: [data/books.csv, data/more], validation: data/books_val}
    - {name: dvd, train: data/dvd.npz}
  columns: {input: path, label: 12, group: product_id, drop: [a, b]}
classes: shared
metric: macro_f1
budget: {trials: 60, wall: 1h30m}
search_space:
  backbone:
    choice: [MobileNetV2, ../my/backbone.keras]
start_with: [{backbone: MobileNetV2, learning_rate: 1e-3}]
resources: {cpus_per_trial: 2, gpus_per_trial: 0.5}
seed: 7
baselines: [linear_probe, no_transfer]
weights: balanced
audit: {allow: [leak], rare: drop, merge: {"cat ": NO}}
encoding: latin-1
deterministic: true
"""


@pytest.fixture
def write(tmp_path):
    def write_task(text: str):
        file = tmp_path / "task.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write_task


def mistakes_in(file) -> list[str]:
    with pytest.raises(TaskError) as caught:
        read_task(file)
    assert caught.value.exit_code == 3
    return [line.removeprefix(str(file)) for line in caught.value.mistakes]


def test_what_is_left_out_has_its_default(write):
    task = read_task(write(SMALLEST))
    assert task.name == task.folder.name
    assert (task.data.target.labels, task.data.target.validation, task.data.target.test) == ("all", None, None)
    assert (task.budget.trials, task.budget.wall, task.seed) == (50, timedelta(hours=1), 0)
    assert (task.modality, task.metric, task.search_space, task.start_with) == (None, None, None, ())
    assert (task.resources.gpus_per_trial, task.baselines, task.weights) == ("auto", "auto", "none")


def test_every_key_is_read(write):
    task = read_task(write(FULL))
    assert task.data.target.train == ("data/kitchen",)
    assert task.data.target.labels == "none"
    assert [source.name for source in task.data.source] == ["books", "dvd"]
    assert task.data.source[0].train == ("data/books.csv", "data/more")
    assert task.data.source[0].validation == ("data/books_val",)
    assert task.data.columns.label == "12"
    assert task.data.columns.drop == ("a", "b")
    assert task.budget.wall == timedelta(minutes=90)
    assert task.start_with == ({"backbone": "MobileNetV2", "learning_rate": 1e-3},)
    assert task.baselines == ("linear_probe", "no_transfer")
    assert task.audit.merge == {"cat ": "NO"}


@pytest.mark.parametrize("text", [SMALLEST, FULL])
def test_the_resolved_task_reads_back_to_an_equal_one(write, text):
    task = read_task(write(text))
    again = read_task(write(task.as_yaml()))
    assert again.model_dump() == task.model_dump()


def test_the_resolved_task_holds_what_the_data_decided(write):
    value = parse_document(read_task(write(SMALLEST)).as_yaml(metric="accuracy").encode(), file="t").value
    assert value["metric"] == "accuracy"
    assert value["budget"] == {"trials": 50, "wall": "1h", "seeds": 3}


def test_values_inside_raw_mappings_keep_their_place(write):
    file = write(FULL)
    task = read_task(file)
    assert task.where("search_space.backbone.choice[1]") == f"{file}:18:27: search_space.backbone.choice[1]"
    assert task.where("start_with[0].learning_rate") == f"{file}:19:53: start_with[0].learning_rate"
    assert task.where_key("data.source[1].name") == f"{file}:11:8: data.source[1]"


def test_a_task_pickles_with_its_places(write):
    task = pickle.loads(pickle.dumps(read_task(write(FULL))))
    assert task.where("seed").endswith("task.yaml:21:7: seed")
    assert task.resolve("data/kitchen") == task.folder / "data/kitchen"


def test_paths_are_relative_to_the_file(write, tmp_path):
    task = read_task(write(SMALLEST))
    assert task.resolve("photos") == tmp_path / "photos"
    assert task.resolve("/elsewhere") == task.resolve("/elsewhere").absolute()


def test_a_task_needs_no_file(tmp_path):
    task = task_from_mapping({"data": {"target": {"train": "photos"}}}, folder=tmp_path, name="demo")
    assert task.name == "demo"
    assert task.resolve("photos") == tmp_path / "photos"
    assert task.where("data.target") == "data.target"


def test_the_message_of_the_design(write):
    file = write("data:\n  target:\n    train: photos\n    labels: non\n")
    assert mistakes_in(file) == [
        ":4:13: data.target.labels: 'non' is not known. Allowed: all, none, {per_class: N}. Did you mean 'none'?"
    ]


def test_all_mistakes_are_told_at_once_one_line_each_in_the_order_of_the_file(write):
    lines = mistakes_in(
        write(
            "name: a/b\n"
            "modality: imag\n"
            "metrik: accuracy\n"
            "data:\n"
            "  target: {train: photos, validation: 1.2, lables: all}\n"
            "  source: {name: a, train: b, train: c}\n"
            "metric: acuracy\n"
            "budget: {trials: '60', wall: 30}\n"
            "resources: {cpus_per_trial: 0, gpus_per_trial: 1.5, precision: bfloat}\n"
            "limits: {latency_ms: -1}\n"
            "seed: true\n"
            "baselines: [linear_prob]\n"
            "deterministic: yes\n"
            "audit: {rare: dro}\n"
            "privacy: {epsilon: 0, delta: 2}\n"
        )
    )
    expected = [
        (":1:7: name: 'a/b' cannot name a folder", ""),
        (":2:11: modality: 'imag' is not known.", "Did you mean 'image'?"),
        (":3:1: 'metrik' is not known.", "Did you mean 'metric'?"),
        (":5:39: data.target.validation: 1.2 is not a share", ""),
        (":5:44: data.target: 'lables' is not known.", "Did you mean 'labels'?"),
        (":6:31: data.source: 'train' is written twice, first in line 6.", ""),
        (":7:9: metric: 'acuracy' is not known.", "Did you mean 'accuracy'?"),
        (":8:18: budget.trials: must be a whole number, not '60'.", ""),
        (":8:30: budget.wall: 30 is not a duration. Write 90s, 30m, 2h", ""),
        (":9:29: resources.cpus_per_trial: must be above 0, not 0.", ""),
        (":9:48: resources.gpus_per_trial: 1.5 is not allowed.", ""),
        (":9:64: resources.precision: 'bfloat' is not known.", "Did you mean 'bfloat16'?"),
        (":10:22: limits.latency_ms: must be above 0, not -1.", ""),
        (":11:7: seed: must be a whole number, not true.", ""),
        (":12:12: baselines: 'linear_prob' is not known.", "Did you mean 'linear_probe'?"),
        (":13:16: deterministic: must be true or false, not 'yes'.", ""),
        (":14:15: audit.rare: 'dro' is not known.", "Did you mean 'drop'?"),
        (":15:10: privacy.protects: is missing. Write for example 'protects: target'.", ""),
        (":15:20: privacy.epsilon: must be above 0, not 0.", ""),
        (":15:30: privacy.delta: must be below 1, not 2.", ""),
    ]
    assert len(lines) == len(expected)
    for line, (begins, ends) in zip(lines, expected, strict=True):
        assert line.startswith(begins)
        assert line.endswith(ends)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: x\n", "data: is missing. Write for example 'data: {target: {train: photos/train}}'."),
        ("data: {target: {}}\n", "data.target.train: is missing."),
        ("data: photos\n", "data: must be a mapping, not 'photos'. Its keys: columns, source, target."),
        ("- 1\n", ":1:1: a task is a mapping"),
        ("labels: none\n" + SMALLEST, "'labels' is not known."),
        ("labels: none\n" + SMALLEST, "It belongs under data.target."),
        ("data: {target: {train: a}, seed: 3}\n", "It belongs at the top of the file."),
        ("data: {target: {train: []}}\n", "data.target.train: [] is not a path."),
        ("data: {target: {train: [a, a]}}\n", "names a path twice"),
        ("data: {target: {train: a, labels: none}}\n", "data.target.labels: 'none' needs a labelled source."),
        ("data: {target: {train: a}}\nprivacy:\n", "privacy: is empty, and would protect nobody."),
        ("data: {target: {train: a, labels: {per_class: 0}}}\n", "per_class must be a whole number above 0, not 0."),
        ("data: {target: {train: a, labels: {per_class: 1}}}\n", "one label a class leaves none to score on."),
        ("data: {target: {train: a, validation: 0}}\n", "0 leaves no example to choose a model by."),
        ("data: {target: {train: a, validation: 0.5, test: 0.5}}\n", "leaves nothing to train on"),
        ("data: {target: {train: a, test: {labels_of: train}}}\n", "{labels_of: train} needs labels: none"),
        ("data: {target: {train: a, test: {labels_of: tra}}}\n", "Allowed: a path, a share of the rows, none,"),
        ("data: {target: {train: a}, source: {name: b}}\n", "has no examples. Write exactly one of train, exported"),
        ("data: {target: {train: a}, source: {train: b, exported: c}}\n", "has train and exported. Write exactly one"),
        ("data: {target: {train: a}, source: [{train: b}, {train: c}]}\n", "several sources need a name each"),
        ("data: {target: {train: a}, source: {name: target, train: b}}\n", "'target' is the target's own name"),
        (SMALLEST + "classes: shard\n", "Did you mean 'shared'?"),
        (SMALLEST + "classes: [cat]\n", "must name two or more different classes"),
        ("data: {target: {train: a, test: 0.85}}\n", "0.85 beside validation: 0.2 leaves nothing to train on"),
        (SMALLEST + "encoding: utf8x\n", "'utf8x' is not a text encoding."),
        (SMALLEST + "encoding: hex\n", "'hex' is not a text encoding. Common ones: utf-8, latin-1"),
        (SMALLEST + "encoding: undefined\n", "'undefined' is not a text encoding."),
        (SMALLEST + "search_space: 3\n", "search_space: 3 is neither a space's name, a path, nor a mapping"),
        (SMALLEST + "start_with: [1]\n", "start_with: [1] is neither a file nor a list of plans"),
        (SMALLEST + "tasks: 3\n", "tasks: must be a list, not 3."),
        (SMALLEST + "seed: *x\n", "the alias '*x' is refused"),
    ],
)
def test_a_mistake_says_where_what_was_seen_and_what_to_write(write, text, words):
    lines = mistakes_in(write(text))
    assert any(words in line for line in lines), lines
    assert all(line.startswith(":") for line in lines)
    assert not any("\n" in line for line in lines)


def test_a_refused_value_is_not_judged_a_second_time(write):
    assert len(mistakes_in(write(SMALLEST + "seed: *x\n"))) == 1


def test_names_may_look_like_numbers_and_truth_values(write):
    task = read_task(write("name: 007\npositive: 1e3\ndata: {target: {train: a}, columns: {label: true, input: NO}}\n"))
    assert (task.name, task.positive) == ("007", "1e3")
    assert (task.data.columns.label, task.data.columns.input) == ("true", "NO")


@pytest.mark.parametrize(
    ("problem", "name"), [(problem.name, name) for problem in PROBLEMS.values() for name in problem.metrics]
)
def test_every_metric_of_a_problem_is_allowed(write, problem, name):
    assert read_task(write(SMALLEST + f"problem: {problem}\nmetric: {name}\n")).metric == name


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("problem: regresion", ":2:10: problem: 'regresion' is not known. Allowed: classification, multilabel, regr"),
        ("problem: [regression]", ":2:10: problem: ['regression'] is not known."),
        ("metric: mae", ":2:9: metric: 'mae' cannot measure 'problem: classification'. Allowed: accuracy, "),
        ("problem: regression\nmetric: f1", ":3:9: metric: 'f1' cannot measure 'problem: regression'. Allowed: rmse, "),
        ("problem: regression\npositive: yes", ":3:11: positive: has no meaning where numbers are learnt"),
        ("problem: regression\nweights: balanced", ":3:10: weights: has no meaning where numbers are learnt"),
        ("problem: regression\naudit: {rare: drop}", ":3:15: audit.rare: has no meaning where numbers are learnt"),
        ("problem: multilabel\npositive: yes", ":3:11: positive: has no meaning where every label"),
    ],
)
def test_what_does_not_go_with_a_problem_is_told_where_it_stands(write, written, words):
    (line,) = mistakes_in(write(f"{SMALLEST}{written}\n"))
    assert line.startswith(words)


@pytest.mark.parametrize(("written", "labels"), [("faults", ("faults",)), ("[TWF, HDF]", ("TWF", "HDF")), ("null", ())])
def test_label_columns_may_be_several_where_an_example_has_several_labels(write, written, labels):
    task = read_task(
        write(f"name: n\nproblem: multilabel\ndata: {{target: {{train: a}}, columns: {{label: {written}}}}}\n")
    )
    assert task.data.columns.labels == labels


@pytest.mark.parametrize(
    ("problem", "written", "words"),
    [
        ("classification", "[a, b]", "several label columns are several labels per example. Write 'problem: multi"),
        ("regression", "[a, b]", "several label columns are several labels per example."),
        ("multilabel", "[a]", "['a'] must name two or more different columns of 0 and 1, one a label."),
        ("multilabel", "[a, a]", "['a', 'a'] must name two or more different columns of 0 and 1, one a label."),
        ("multilabel", "{a: b}", "{'a': 'b'} is not a column, nor a list of columns of 0 and 1."),
    ],
)
def test_label_columns_that_make_no_sense_are_refused(write, problem, written, words):
    text = f"name: n\nproblem: {problem}\ndata: {{target: {{train: a}}, columns: {{label: {written}}}}}\n"
    (line,) = mistakes_in(write(text))
    assert f": data.columns.label: {words}" in line


def test_labels_per_class_need_classes(write):
    text = "problem: regression\ndata: {target: {train: a, labels: {per_class: 5}}, source: {train: b}}\n"
    (line,) = mistakes_in(write(text))
    assert line.startswith(":2:35: data.target.labels: per_class has no meaning where numbers are learnt")


@pytest.mark.parametrize(
    ("written", "read"),
    [("{per_class: 5}", PerClass(per_class=5)), ("all", "all")],
)
def test_labels_take_their_three_forms(write, written, read):
    assert read_task(write(f"data: {{target: {{train: a, labels: {written}}}}}\n")).data.target.labels == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("score", ("score",)),
        ("[score, latency_ms]", ("score", "latency_ms")),
        ("[score, model_mb]", ("score", "model_mb")),
    ],
)
def test_goals_begin_with_the_score(write, written, read):
    assert read_task(write(f"{SMALLEST}goals: {written}\n")).goals == read


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (
            "[score, latency]",
            "'latency' is not known. Allowed: latency_ms, model_mb, score. Did you mean 'latency_ms'?",
        ),
        ("[latency_ms, score]", "must begin with score and name no goal twice"),
        ("[score, score]", "must begin with score and name no goal twice"),
    ],
)
def test_other_goals_are_refused(write, written, words):
    with pytest.raises(TaskError, match=re.escape(words)):
        read_task(write(f"{SMALLEST}goals: {written}\n"))


def test_the_transductive_protocol_is_read(write):
    task = read_task(write("data: {target: {train: a, labels: none, test: {labels_of: train}}, source: {train: b}}\n"))
    assert task.data.target.test == LabelsOf(labels_of="train")


def test_reading_a_task_imports_nothing_heavy():
    code = (
        "import sys, autotl.task, autotl.data\n"
        "heavy = {'pandas', 'sklearn', 'scipy', 'keras', 'tensorflow', 'ray', 'optuna', 'pyarrow', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


EXPORTED = "data: {{target: {{train: a, labels: {labels}}}, source: {source}}}\n"


@pytest.mark.parametrize(
    ("labels", "source", "words"),
    [
        ("all", "{exported: b.zip}", "an exported source needs 'labels: none'"),
        ("{per_class: 5}", "{exported: b.zip}", "an exported source needs 'labels: none'"),
        ("none", "{exported: b.zip, validation: 0.2}", "an exported source has no examples to hold out"),
        ("none", "[{name: x, exported: b.zip}, {name: y, train: c}]", "it stands alone"),
        ("none", "{exported: b.zip, train: c}", "Write exactly one of train, exported, statistics"),
    ],
)
def test_an_exported_source_goes_with_an_unlabelled_target_alone(write, labels, source, words):
    with pytest.raises(TaskError, match=words):
        read_task(write(EXPORTED.format(labels=labels, source=source)))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{statistics: b.zip, validation: 0.2}", "a source of statistics has no examples to hold out"),
        ("[{name: x, statistics: b.zip}, {name: y, train: c}]", "a source of examples does not stand beside"),
        ("[{name: x, statistics: b.zip}, {name: y, exported: c}]", "it stands alone"),
        ("[{statistics: b.zip}, {statistics: c.zip}]", "several sources need a name each"),
    ],
)
def test_statistics_stand_beside_statistics_alone(write, source, words):
    with pytest.raises(TaskError, match=words):
        read_task(write(EXPORTED.format(labels="none", source=source)))


def test_examples_beside_statistics_are_told_the_command_that_makes_sums_of_them(write):
    source = "[{name: x, statistics: b.zip}, {name: y, train: my photos}, {name: z, train: [d, e]}]"
    text = f"data: {{target: {{train: a, labels: none}}, columns: {{label: kind}}, source: {source}}}\n"
    with pytest.raises(TaskError) as refused:
        read_task(write(text))
    told = str(refused.value)
    assert (
        "`autotl statistics 'my photos' --like b.zip --name y --label kind --out y.statistics.zip`, and put "
        "{name: y, statistics: y.statistics.zip} here" in told
    )
    assert "`autotl statistics DATA --like b.zip --name z --label kind" in told


@pytest.mark.parametrize("problem", ["regression", "multilabel"])
def test_statistics_need_one_class_an_example(write, problem):
    text = f"problem: {problem}\n" + EXPORTED.format(labels="none", source="{statistics: b.zip}")
    with pytest.raises(TaskError, match=r"data.source.*statistics: sums over a source are kept by class, and"):
        read_task(write(text))


@pytest.mark.parametrize("labels", ["none", "all", "{per_class: 5}"])
def test_statistics_are_read_whatever_is_known_of_the_target(write, labels):
    task = read_task(write(EXPORTED.format(labels=labels, source="{statistics: b.zip}")))
    assert [source.statistics for source in task.data.source] == ["b.zip"]


def test_an_exported_source_is_read(write):
    task = read_task(write(EXPORTED.format(labels="none", source="{exported: b.zip}")))
    assert [source.exported for source in task.data.source] == ["b.zip"]


@pytest.mark.parametrize("written", ["2.40 EUR", "3", "0.5", "1.25$"])
def test_a_price_is_an_amount_and_maybe_its_currency(write, written):
    file = write(f"{SMALLEST}resources: {{price_per_hour: {written}}}\n")
    assert read_task(file).resources.price_per_hour == written


@pytest.mark.parametrize("written", ["true", "-1", "cheap", "[1]", "<b>", "1 2", "$3"])
def test_what_is_no_price_is_refused(write, written):
    (line,) = mistakes_in(write(f"{SMALLEST}resources: {{price_per_hour: {written}}}\n"))
    assert line.startswith(":2:29: resources.price_per_hour: ")
    assert line.endswith("is no price. Write an amount and, if you like, its currency: 2.40 EUR.")
