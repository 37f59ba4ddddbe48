"""Several labels per example, from the files of each modality to what a search learns from, and what is refused."""

import csv

import numpy as np
import pytest
from PIL import Image

from autotl.data import check_quickly, load_data
from autotl.errors import DataError
from autotl.task import task_from_mapping

NAMES = ("heat", "power", "wear")


def marks(rows=120, *, seed=0):
    draws = np.random.default_rng(seed)
    return (draws.random((rows, 3)) < (0.4, 0.3, 0.15)).astype(int)


def written(row, separator="|"):
    return separator.join(name for name, is_borne in zip(NAMES, row, strict=True) if is_borne)


@pytest.fixture
def write_rows(tmp_path):
    def write(name, columns):
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(columns)
            rows.writerows(zip(*columns.values(), strict=True))
        return tmp_path / name

    return write


def columns_of(sets, *, separator="|"):
    draws = np.random.default_rng(1)
    return {
        "x": [f"{value:.3f}" for value in draws.normal(size=len(sets))],
        "z": [f"{value:.3f}" for value in draws.normal(size=len(sets))],
        "faults": [written(row, separator) for row in sets],
    }


def a_task(folder, train, *, source=None, columns=None, modality="table", **keys):
    data = {"target": {"train": train, "test": "none"}, "columns": columns or {"label": "faults"}}
    data |= {} if source is None else {"source": source}
    task = {"name": "n", "modality": modality, "problem": "multilabel", "data": data, **keys}
    return task_from_mapping(task, folder=folder)


def codes_of(task):
    return {finding.code: finding.severity for finding in check_quickly(task)}


def message_of(task):
    (message,) = (finding.message for finding in check_quickly(task) if finding.severity == "error")
    return message


def test_a_table_of_lists_becomes_marks_in_the_order_of_the_names(tmp_path, write_rows):
    sets = marks()
    write_rows("t.csv", columns_of(sets))
    data = load_data(a_task(tmp_path, "t.csv"))
    assert data.classes == NAMES
    assert (data.labels == sets).all()
    assert data.problem.name == "multilabel"
    assert data.metric == "average_precision"
    assert [column.name for column in data.inputs[0].schema.columns] == ["x", "z"]
    for fold in data.folds:
        assert (data.labels[fold.validation].sum(axis=0) > 0).all()


def test_columns_of_0_and_1_say_the_same_as_lists(tmp_path, write_rows):
    sets = marks()
    write_rows("lists.csv", columns_of(sets))
    flags = {name: column for name, column in columns_of(sets).items() if name != "faults"}
    write_rows("flags.csv", flags | {name: sets[:, at] for at, name in enumerate(NAMES)})
    listed = load_data(a_task(tmp_path, "lists.csv"))
    flagged = load_data(a_task(tmp_path, "flags.csv", columns={"label": list(NAMES)}))
    assert (listed.labels == flagged.labels).all()
    assert listed.inputs[0].digests == flagged.inputs[0].digests


def test_texts_images_and_signals_have_their_sets(tmp_path, write_rows):
    sets = marks(60)
    texts = [f"machine {number} says {written(row, ' ')} today" for number, row in enumerate(sets)]
    write_rows("texts.csv", {"text": texts, "label": [written(row, ";") for row in sets]})
    draws = np.random.default_rng(0)
    for row in range(60):
        Image.fromarray(draws.integers(0, 255, (8, 8, 3)).astype(np.uint8)).save(tmp_path / f"{row}.png")
    write_rows("images.csv", {"path": [f"{row}.png" for row in range(60)], "label": [written(row) for row in sets]})
    np.savez(tmp_path / "signal.npz", x=draws.normal(size=(60, 32, 1)), y=sets, y_names=np.array(NAMES))
    of_each = {"text": ("texts.csv", "label"), "image": ("images.csv", "label"), "signal": ("signal.npz", "y")}
    for modality, (path, label) in of_each.items():
        data = load_data(a_task(tmp_path, path, columns={"label": label}, modality=modality))
        assert data.classes == NAMES, modality
        assert (data.labels == sets).all(), modality


def test_samples_of_a_long_table_give_their_windows_the_labels_of_half_of_them(tmp_path, write_rows):
    sets = marks(40)
    samples = np.repeat(sets, 16, axis=0)
    level = np.random.default_rng(0).normal(size=len(samples))
    columns = {
        "time": range(len(samples)),
        "unit": [f"u{row // 16}" for row in range(len(samples))],
        "level": level,
        "faults": [written(row) for row in samples],
    }
    write_rows("long.csv", columns)
    data = load_data(a_task(tmp_path, "long.csv", modality="signal", window=16))
    assert (data.labels == sets).all()


def test_hidden_sets_stay_hidden_and_permuting_them_changes_nothing(tmp_path, write_rows):
    sets = marks()
    write_rows("source.csv", columns_of(marks(seed=5)))
    columns = columns_of(sets)
    found = []
    for order in (np.arange(120), np.random.default_rng(3).permutation(120)):
        write_rows("t.csv", columns | {"faults": [columns["faults"][row] for row in order]})
        target = {"train": "t.csv", "labels": "none", "test": {"labels_of": "train"}}
        task = task_from_mapping(
            {
                "name": "n",
                "modality": "table",
                "problem": "multilabel",
                "data": {"target": target, "source": {"train": "source.csv"}, "columns": {"label": "faults"}},
            },
            folder=tmp_path,
        )
        found.append(load_data(task))
    first, second = found
    assert (first.labels[first.domain_of == 0] == -1).all()
    assert (first.labels == second.labels).all()
    assert first.inputs[0].digests == second.inputs[0].digests
    assert first.test.open_labels().sum() == second.test.open_labels().sum() == sets.sum()


def test_a_share_of_every_label_is_set_aside_as_the_test(tmp_path, write_rows):
    sets = marks(700)
    write_rows("t.csv", columns_of(sets))
    assert load_data(a_task(tmp_path, "t.csv")).test is None
    mapping = {"name": "n", "modality": "table", "problem": "multilabel"}
    given = {"target": {"train": "t.csv"}, "columns": {"label": "faults"}}
    tested = load_data(task_from_mapping({**mapping, "data": given}, folder=tmp_path)).test
    share = tested.open_labels().sum(axis=0) / sets.sum(axis=0)
    assert share == pytest.approx([0.2, 0.2, 0.2], abs=0.03)


def test_an_unknown_class_in_a_list_is_refused_with_its_row(tmp_path, write_rows):
    columns = columns_of(marks())
    columns["faults"][7] = "heat|waer"
    write_rows("t.csv", columns)
    task = a_task(tmp_path, "t.csv", classes=list(NAMES))
    assert codes_of(task) == {"unknown_class": "error"}
    assert "line 9: 'waer' in 'faults' is none of the task's classes." in message_of(task)
    assert "Did you mean 'wear'?" in message_of(task)


def test_mixed_separators_are_refused_with_both_lines(tmp_path, write_rows):
    columns = columns_of(marks())
    columns["faults"][:3] = ["heat|wear", "", "heat;wear"]
    write_rows("t.csv", columns)
    assert "line 4: column 'faults' separates labels by ';' on line 4 and by '|' on line 2." in message_of(
        a_task(tmp_path, "t.csv")
    )


def test_a_flag_that_is_none_is_refused_with_its_line(tmp_path, write_rows):
    sets = marks()
    columns = {"x": range(120), **{name: list(sets[:, at]) for at, name in enumerate(NAMES)}}
    columns["wear"][3] = 7
    write_rows("t.csv", columns)
    task = a_task(tmp_path, "t.csv", columns={"label": list(NAMES)})
    assert "line 5: column 'wear' holds '7' where 0 or 1" in message_of(task)


def test_one_label_everywhere_is_advised_to_be_a_classification(tmp_path, write_rows):
    columns = columns_of(marks()) | {"faults": [NAMES[row % 3] for row in range(120)]}
    write_rows("t.csv", columns)
    task = a_task(tmp_path, "t.csv")
    assert codes_of(task) == {"one_label_each": "warning"}
    (finding,) = check_quickly(task)
    assert (
        "every example of target bears exactly one label. If that is how it is, write 'problem: class"
        in finding.message
    )


def test_one_name_alone_needs_no_sets(tmp_path, write_rows):
    write_rows("t.csv", columns_of(marks()) | {"faults": ["heat" if row % 2 else "" for row in range(120)]})
    assert "need ≥ 2 labels, found only 'heat'. Of one label write 'problem: classification'." in message_of(
        a_task(tmp_path, "t.csv")
    )


@pytest.mark.parametrize(("borne", "words"), [(0, "no example bears"), (1, "a single example bears"), (120, "every")])
def test_labels_that_none_one_or_all_bear_are_found_and_may_be_dropped(tmp_path, write_rows, borne, words):
    sets = marks()
    sets[:, 2] = np.arange(120) < borne
    flags = {name: sets[:, at] for at, name in enumerate(NAMES)}
    write_rows("t.csv", {"x": np.random.default_rng(0).normal(size=120), **flags})
    task = a_task(tmp_path, "t.csv", columns={"label": list(NAMES)})
    assert codes_of(task)["rare_class"] == "error"
    assert words in message_of(task)
    dropped = a_task(tmp_path, "t.csv", columns={"label": list(NAMES)}, audit={"rare": "drop"})
    assert load_data(dropped).classes == ("heat", "power")


def test_few_bearers_twins_and_slips_are_told_of_labels_too(tmp_path, write_rows):
    columns = columns_of(marks())
    columns["faults"][:3] = ["Heat", "heat|Heat", "powre|power"]
    write_rows("t.csv", columns)
    assert codes_of(a_task(tmp_path, "t.csv"))["label_twins"] == "error"
    merged = a_task(tmp_path, "t.csv", audit={"merge": {"Heat": "heat", "powre": "power"}})
    assert codes_of(merged) == {}
    assert load_data(merged).labels[2].tolist() == [0, 1, 0]


def test_domains_with_other_labels_need_a_word(tmp_path, write_rows):
    write_rows("t.csv", columns_of(marks()))
    others = marks(seed=2)
    others[:, 2] = 0
    write_rows("s.csv", columns_of(others))
    task = a_task(tmp_path, "t.csv", source={"train": "s.csv"})
    assert "nobody of source bears 'wear'" in message_of(task)
    assert load_data(a_task(tmp_path, "t.csv", source={"train": "s.csv"}, classes="shared")).classes == NAMES[:2]


def test_a_column_that_follows_from_a_label_is_a_leak(tmp_path, write_rows):
    sets = marks(400)
    write_rows("t.csv", columns_of(sets) | {"alarm": ["on" if row[1] else "off" for row in sets]})
    with pytest.raises(DataError, match="column 'alarm' copies the label 'power'"):
        load_data(a_task(tmp_path, "t.csv"))


def test_a_label_that_reads_like_a_missing_value_is_told(tmp_path, write_rows):
    cells = ["heat|wear", "nan", "wear", "heat", "", "nan"] * 20
    write_rows("t.csv", columns_of(marks()) | {"faults": cells})
    (told,) = [finding for finding in check_quickly(a_task(tmp_path, "t.csv")) if finding.code == "word_for_none"]
    assert "40 examples of target bear the label 'nan', which reads like a missing value" in told.message


def test_class_folders_hold_one_label_each(tmp_path):
    (tmp_path / "photos" / "heat").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "heat" / "1.png")
    assert "names of folders are no labels of 'problem: multilabel'" in message_of(
        a_task(tmp_path, "photos", columns={}, modality="image")
    )


def test_a_named_label_that_nobody_bears_is_told_once_and_dropped_where_that_is_allowed(tmp_path, write_rows):
    write_rows("t.csv", columns_of(marks()))
    named = [*NAMES, "smoke"]
    message = message_of(a_task(tmp_path, "t.csv", classes=named))
    assert "classes[3]: no example bears 'smoke'." in message
    assert "write 'audit: {rare: drop}'" in message
    assert load_data(a_task(tmp_path, "t.csv", classes=named, audit={"rare": "drop"})).classes == NAMES


def test_names_that_differ_in_case_are_called_labels(tmp_path, write_rows):
    columns = columns_of(marks())
    columns["faults"][:20] = ["Heat"] * 20
    write_rows("t.csv", columns)
    assert "the labels 'heat'" in message_of(a_task(tmp_path, "t.csv"))


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.full((60, 3), 2), "row 0: 'y' holds 2 as a mark of label 0. Marks are 0 and 1."),
        (np.zeros(60, dtype=int), "Labels are lists as text, shape (n,), or marks 0 and 1, shape (n, labels)."),
    ],
)
def test_an_array_that_holds_no_marks_is_refused_with_what_it_should_hold(tmp_path, y, words):
    np.savez(tmp_path / "t.npz", x=np.zeros((60, 32)), y=y)
    assert words in message_of(a_task(tmp_path, "t.npz", columns={"label": "y"}, modality="signal"))


def test_empty_cells_among_lists_lead_to_the_problem_that_they_are_labels_of(tmp_path, write_rows):
    write_rows("t.csv", columns_of(marks()))
    task = a_task(tmp_path, "t.csv", problem="classification")
    assert "Where an example may bear several labels, or none, write 'problem: multilabel'." in message_of(task)
