"""Bad texts, tables, signals and saved networks end with their exit code, a message that teaches, and no run folder."""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from autotl.cli.app import run

TREES = "search_space: {backbone: boosted_trees}\n"
FOREST = "search_space: {backbone: random_forest}\n"
WORDS = "search_space: {backbone: bag_of_words}\n"


GUESSED = pytest.param("", id="guessed")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def task(text: str) -> None:
    Path("task.yaml").write_text(text, encoding="utf-8")


def fails(capsys, code, *words, command=("search", "task.yaml")):
    capsys.readouterr()
    assert run(list(command)) == code
    message = capsys.readouterr().err
    for word in words:
        assert word in message, message
    assert "Traceback" not in message
    assert not Path("runs").exists(), "nothing half-written"
    return message


def passes(capsys, command=("validate", "task.yaml", "--full")):
    assert run(list(command)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def write_table(path, columns, encoding="utf-8"):
    with Path(path).open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def numbers(rows=60, seed=0):
    return [f"{value:.4f}" for value in np.random.default_rng(seed).normal(size=rows)]


def labels(rows=60, names=("good", "bad")):
    return [names[row % len(names)] for row in range(rows)]


def sentences(rows=60):
    words = [
        "the",
        "film",
        "plot",
        "was",
        "a",
        "long",
        "and",
        "very",
        "slow",
        "story",
        "about",
        "some",
        "people",
        "in",
        "town",
    ]
    draws = np.random.default_rng(0)
    return [" ".join(draws.choice(words, 9)) + f" {row}" for row in range(rows)]


def windows(rows=60, samples=64, channels=1, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, samples, channels)).astype(np.float32)


# Encoding -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", [pytest.param("modality: text\n", id="told"), GUESSED])
def test_a_text_table_in_another_encoding_names_line_byte_and_setting(place, capsys, modality):
    texts = sentences()
    texts[2] = "un café très long et bien ennuyeux"
    write_table("t.csv", {"text": texts, "label": labels()}, encoding="latin-1")
    task(f"data: {{target: {{train: t.csv}}}}\n{modality}{WORDS}")
    message = fails(capsys, 4, "t.csv: line 4: byte 0xe9 is not utf-8", "'encoding: latin-1'")
    assert "bag_of_words" not in message, "what cannot be read says nothing about the space"
    task(f"data: {{target: {{train: t.csv}}}}\nencoding: latin-1\n{WORDS}")
    passes(capsys)


def test_text_files_in_another_encoding_are_told_each_with_line_and_byte(place, capsys):
    for name in ("good", "bad"):
        (place / "texts" / name).mkdir(parents=True)
        for row, text in enumerate(sentences(30)):
            (place / "texts" / name / f"{row}.txt").write_text(f"{name}\n{text}")
    (place / "texts" / "good" / "3.txt").write_bytes(b"first line\nun caf\xe9 bien long")
    task(f"data: {{target: {{train: texts}}}}\n{WORDS}")
    fails(capsys, 4, "good/3.txt: the text is not utf-8: line 2, byte 0xe9", "encoding: latin-1", "broken_text")
    task(f"data: {{target: {{train: texts}}}}\naudit: {{allow: [broken_text]}}\n{WORDS}")
    passes(capsys)


@pytest.mark.parametrize("encoding", ["hex", "utf-9"])
def test_an_encoding_that_is_none_is_refused_by_the_task(place, capsys, encoding):
    write_table("t.csv", {"text": sentences(), "label": labels()})
    task(f"data: {{target: {{train: t.csv}}}}\nencoding: {encoding}\n{WORDS}")
    fails(capsys, 3, "task.yaml:2", encoding, "utf-8, latin-1")


# Class names ----------------------------------------------------------------------------------------------------------


def test_class_names_are_kept_as_written_from_the_table_to_the_predictions(place, capsys):
    """What other readers turn into missing values, booleans and numbers."""
    names = ("NA", "NO", "1e3", "😀", "nan", "007")
    draws = np.random.default_rng(0)
    truth = labels(120, names)
    shifted = [f"{draws.normal() + 3 * names.index(name):.4f}" for name in truth]
    write_table("t.csv", {"a": shifted, "b": numbers(120), "kind": labels(120, ("NA", "", "NO")), "class": truth})
    task(f"data: {{target: {{train: t.csv}}}}\nbaselines: none\nbudget: {{trials: 9, wall: 3m}}\n{TREES}")
    arguments = ["--out", "run", "--workers", "1", "--no-refit", "--trials", "0", "--baselines", "no_transfer"]
    assert run(["search", "task.yaml", *arguments]) == 0, capsys.readouterr().err
    described = json.loads(Path("run/winner/bundle.json").read_text(encoding="utf-8"))
    assert set(described["classes"]) == set(names)
    kind = next(column for column in described["preprocessing"]["schema"]["columns"] if column["name"] == "kind")
    assert kind["categories"] == ["NA", "NO"]
    assert run(["predict", "run/winner", "t.csv", "--out", "p.csv"]) == 0
    with Path("p.csv").open(newline="", encoding="utf-8") as file:
        said = list(csv.DictReader(file))
    assert [row["input"] for row in said] == [f"row {row}" for row in range(120)]
    assert {row["label"] for row in said} <= set(names)
    assert np.mean([row["label"] == name for row, name in zip(said, truth, strict=True)]) > 0.6
    assert set(said[0]) == {"input", "label", "probability", *(f"p_{name}" for name in names)}


# Texts ----------------------------------------------------------------------------------------------------------------


def test_empty_texts_are_skipped_up_to_one_in_a_hundred_and_refused_beyond(place, capsys):
    texts = sentences(200)
    texts[7] = " \t\u200b"
    write_table("t.csv", {"text": texts, "label": labels(200)})
    task(f"data: {{target: {{train: t.csv}}}}\nmodality: text\n{WORDS}")
    assert "1 of 200 texts (0.50%) are broken and were skipped: row 7: the text is empty" in passes(capsys)
    texts[8] = texts[9] = ""
    write_table("t.csv", {"text": texts, "label": labels(200)})
    fails(capsys, 4, "3 of 200 texts (1.5%) are broken", "row 7: the text is empty", "allow: [broken_text]")


def test_nothing_but_empty_texts_is_told_even_where_they_are_allowed(place, capsys):
    write_table("t.csv", {"text": [" "] * 40, "label": labels(40)})
    task(f"data: {{target: {{train: t.csv}}}}\nmodality: text\naudit: {{allow: [broken_text]}}\n{WORDS}")
    fails(capsys, 4, "task.yaml:1:", "none of 40 texts of target train can be used")


def test_a_text_of_a_hundred_thousand_characters_is_a_text(place, capsys):
    texts = sentences()
    texts[5] = "slow story " * 9_091
    assert len(texts[5]) > 100_000
    write_table("t.csv", {"text": texts, "label": labels()})
    task(f"data: {{target: {{train: t.csv}}}}\nmodality: text\n{WORDS}")
    shown = json.loads(passes(capsys, ["validate", "task.yaml", "--full", "--json"]))
    assert shown["data"]["examples"]["characters"][2] == len(texts[5])


def test_texts_without_a_text_column_name_the_columns_there_are(place, capsys):
    write_table("t.csv", {"remark": sentences(), "label": labels()})
    task(f"data: {{target: {{train: t.csv}}}}\nmodality: text\n{WORDS}")
    fails(capsys, 4, "task.yaml:1:", "t.csv: no input column is named. Its columns: remark, label", "{input: NAME}")
    task(f"data: {{target: {{train: t.csv}}, columns: {{input: remarks}}}}\nmodality: text\n{WORDS}")
    fails(capsys, 4, "'remarks'", "Did you mean 'remark'?")
    task(f"data: {{target: {{train: t.csv}}, columns: {{input: remark}}}}\n{WORDS}")
    passes(capsys)


def test_texts_without_a_label_column_name_the_columns_there_are(place, capsys):
    write_table("t.csv", {"text": sentences(), "stars": labels()})
    task(f"data: {{target: {{train: t.csv}}}}\nmodality: text\n{WORDS}")
    fails(capsys, 4, "no label column is named. Its columns: text, stars", "{label: NAME}")


def test_rows_without_a_label_are_told_with_their_line(place, capsys):
    named = labels()
    named[10] = " "
    write_table("t.csv", {"text": sentences(), "label": named})
    task(f"data: {{target: {{train: t.csv}}}}\nmodality: text\n{WORDS}")
    fails(capsys, 4, "line 12: 1 rows have no label")


# Tables ---------------------------------------------------------------------------------------------------------------


def test_constant_and_empty_columns_are_left_out_and_told(place, capsys):
    columns = {"a": numbers(), "same": ["7"] * 60, "missing": [""] * 60, "label": labels()}
    write_table("t.csv", columns)
    task(f"data: {{target: {{train: t.csv}}}}\n{TREES}")
    shown = json.loads(passes(capsys, ["validate", "task.yaml", "--full", "--json"]))
    assert shown["data"]["examples"]["columns"] == {"a": "numeric"}
    said = " ".join(found["message"] for found in shown["findings"])
    assert "column 'same': every cell is '7'. It was left out." in said
    assert "column 'missing': all 60 cells are empty. It was left out." in said
    write_table("t.csv", {name: cells for name, cells in columns.items() if name != "a"})
    fails(capsys, 4, "no column of t.csv is left to learn from", "'same'")


def test_a_column_that_copies_the_label_is_a_leak_unless_it_is_allowed(place, capsys):
    copied = ["1" if name == "good" else "0" for name in labels()]
    write_table("t.csv", {"a": numbers(), "verdict code": copied, "label": labels()})
    task(f"data: {{target: {{train: t.csv}}}}\n{TREES}")
    fails(capsys, 4, "column 'verdict code' copies the label", '{drop: ["verdict code"]}', "audit: {allow: [leak]}")
    task(f"data: {{target: {{train: t.csv}}}}\naudit: {{allow: [leak]}}\n{TREES}")
    assert "Allowed by audit.allow" in passes(capsys)
    task(f"data: {{target: {{train: t.csv}}, columns: {{drop: ['verdict code']}}}}\n{TREES}")
    assert "copies the label" not in passes(capsys)


def test_tables_with_other_columns_name_both(place, capsys):
    write_table("a.csv", {"speed": numbers(), "load": numbers(seed=1), "label": labels()})
    write_table("b.csv", {"speed": numbers(seed=2), "Load": numbers(seed=3), "label": labels()})
    task(f"data: {{target: {{train: a.csv}}, source: {{train: b.csv}}}}\n{TREES}")
    fails(capsys, 4, "a.csv and b.csv differ", "b.csv lacks 'load'", "a.csv lacks 'Load'")
    task(f"data: {{target: {{train: a.csv, validation: b.csv}}}}\n{TREES}")
    fails(capsys, 4, "b.csv: has no column 'load'", "Did you mean 'Load'?")


def test_cells_of_a_validation_table_that_do_not_fit_are_told_with_their_line(place, capsys):
    write_table("a.csv", {"speed": numbers(), "label": labels()})
    write_table("b.csv", {"speed": ["fast"] * 60, "label": labels()})
    task(f"data: {{target: {{train: a.csv, validation: b.csv}}}}\n{TREES}")
    fails(capsys, 4, "column 'speed': 60 of 60 cells do not fit, such as line 2: 'fast'", "Expected a number")


def test_a_table_cut_off_in_the_middle_names_the_line(place, capsys):
    write_table("t.csv", {"a": numbers(), "b": numbers(seed=1), "label": labels()})
    content = Path("t.csv").read_text()
    Path("t.csv").write_text(content[: content.rindex(",", 0, len(content) - 10)])
    task(f"data: {{target: {{train: t.csv}}}}\nmodality: table\n{TREES}")
    fails(capsys, 4, "t.csv: line 61: has 1 cells, the header has 3. Is the line cut off?")


# Signals --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", [pytest.param("modality: signal\n", id="told"), GUESSED])
def test_windows_of_unequal_length_are_refused_in_words(place, capsys, modality):
    ragged = np.empty(60, dtype=object)
    ragged[:] = [np.zeros(64 + row % 3, dtype=np.float32) for row in range(60)]
    np.savez("w.npz", x=ragged, y=np.array(labels()))
    task(f"data: {{target: {{train: w.npz}}}}\n{modality}{FOREST}")
    message = fails(capsys, 4, "w.npz: 'x'", "unequal length", "Cut or pad them to one length")
    assert "random_forest" not in message


def test_not_a_number_in_a_signal_is_skipped_up_to_one_in_a_hundred_and_refused_beyond(place, capsys):
    values = windows(200)
    values[7, 30, 0] = np.nan
    np.savez("w.npz", x=values, y=np.array(labels(200)))
    task(f"data: {{target: {{train: w.npz}}}}\n{FOREST}")
    said = passes(capsys)
    assert "1 of 200 windows (0.50%) are broken and were skipped: row 7: the window holds values that are no" in said
    assert "the first at sample 30: NaN" in said
    values[8, 0, 0] = np.inf
    values[9, 63, 0] = -np.inf
    np.savez("w.npz", x=values, y=np.array(labels(200)))
    fails(capsys, 4, "3 of 200 windows (1.5%) are broken", "row 8", "infinite", "allow: [broken_window]")


def test_domains_with_windows_of_other_shapes_name_both(place, capsys):
    np.savez("a.npz", x=windows(samples=64), y=np.array(labels()))
    np.savez("b.npz", x=windows(samples=96, seed=1), y=np.array(labels()))
    expected = ("a.npz 64 samples x 1 channel", "b.npz 96 samples x 1 channel")
    for target in ("{train: a.npz}, source: {train: b.npz}", "{train: [a.npz, b.npz]}", "{train: a.npz, test: b.npz}"):
        task(f"data: {{target: {target}}}\n{FOREST}")
        fails(capsys, 4, *expected)


@pytest.mark.parametrize("modality", ["modality: signal\n", ""], ids=["told", "guessed"])
def test_a_long_table_of_samples_needs_a_window(place, capsys, modality):
    rows = 600
    columns = {"time": [str(row / 100) for row in range(rows)], "machine": labels(rows, ("m1", "m2"))}
    write_table("s.csv", {**columns, "force": numbers(rows), "label": labels(rows, ("m1", "m2"))})
    columns = "columns: {time: time, unit: machine}"
    task(f"data: {{target: {{train: s.csv}}, {columns}}}\n{modality}{FOREST}")
    fails(capsys, 4, "s.csv: holds single samples. Write 'window: N'")


def test_samples_that_are_words_name_line_and_column(place, capsys):
    force = numbers(600)
    force[4] = "high"
    write_table("s.csv", {"force": force, "label": ["a"] * 300 + ["b"] * 300})
    task(f"data: {{target: {{train: s.csv}}}}\nwindow: 16\n{FOREST}")
    fails(capsys, 4, "s.csv: line 6: column 'force': 'high' is no number", "drop: [force]")


# Saved networks -------------------------------------------------------------------------------------------------------


def a_task_for_a_saved_network(name="own.keras", kind="table"):
    if kind == "signal":
        np.savez("w.npz", x=windows(samples=64, channels=2), y=np.array(labels()))
    elif kind == "text":
        write_table("t.csv", {"text": sentences(), "label": labels()})
    else:
        cells = {f"n{column}": numbers(seed=column) for column in range(3)}
        write_table("t.csv", {**cells, "grade": labels(60, ("L", "M", "H")), "label": labels()})
    data = "w.npz" if kind == "signal" else "t.csv"
    task(
        f"data: {{target: {{train: {data}}}}}\nmodality: {kind}\nsearch_space: {{backbone: {{saved: {name}}}}}\n"
        "baselines: none\nbudget: {trials: 1}\n"
    )


def saved_network(shape, name="own.keras"):
    import keras

    layers = [keras.Input(shape), keras.layers.Dense(4, name="hidden"), keras.layers.Dense(2, name="classes")]
    keras.Sequential(layers).save(name)


@pytest.mark.parametrize("name", ["own.keras", "own.h5"])
def test_a_saved_network_for_other_columns_names_both_shapes(place, capsys, name):
    saved_network((9,), name)
    a_task_for_a_saved_network(name)
    fails(capsys, 3, name, "takes an input of shape (9,); rows of this table have shape (6,)")


def test_a_saved_network_for_other_windows_names_both_shapes(place, capsys):
    saved_network((128, 1))
    a_task_for_a_saved_network(kind="signal")
    expected = "takes an input of shape (128, 1); windows of 64 samples and 2 channels have shape (64, 2)"
    fails(capsys, 3, "own.keras", expected)


def test_a_saved_network_of_numbers_reads_no_texts(place, capsys):
    saved_network((16,))
    a_task_for_a_saved_network(kind="text")
    fails(capsys, 3, "own.keras reads no texts", "all_minilm_l6_v2")


def test_a_saved_network_with_a_lambda_layer_is_refused_before_it_runs(place, capsys):
    import keras

    ran = place / "ran"
    source = f"lambda x: open({str(ran)!r}, 'w') and x"
    keras.Sequential([keras.Input((6,)), keras.layers.Lambda(eval(source)), keras.layers.Dense(2)]).save("own.keras")
    ran.unlink(missing_ok=True)
    a_task_for_a_saved_network()
    fails(capsys, 3, "own.keras: it has Lambda layers", "hold Python code", "keras.ops")
    assert not ran.exists()


def test_a_saved_network_that_would_unpack_to_gigabytes_is_refused(place, capsys):
    saved_network((6,))
    with zipfile.ZipFile("own.keras") as good:
        config, metadata = good.read("config.json"), good.read("metadata.json")
    with zipfile.ZipFile("own.keras", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("config.json", config)
        bomb.writestr("metadata.json", metadata)
        bomb.writestr("model.weights.h5", bytes(100 << 20))
    assert Path("own.keras").stat().st_size < 1 << 20
    a_task_for_a_saved_network()
    fails(capsys, 3, "own.keras: its members declare 1048", "more than the")


def test_a_model_for_another_kind_of_data_is_refused_with_its_place(place, capsys):
    write_table("t.csv", {"a": numbers(), "label": labels()})
    task(f"data: {{target: {{train: t.csv}}}}\nmodality: table\n{WORDS}")
    fails(capsys, 3, "task.yaml:3:", "bag_of_words", "boosted_trees")
