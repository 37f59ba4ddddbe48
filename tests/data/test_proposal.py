"""What is proposed for data that nobody has described, and what is asked instead of guessed."""

import numpy as np
import pytest
from PIL import Image

from autotl.data.first_look import Asked
from autotl.data.proposal import propose
from autotl.errors import DataError
from autotl.task.template import as_mapping

ROWS = 600


def proposed(folder, *data, source=(), **asked):
    """(the proposal, what its task says, what it says of each key, sentences in one)."""
    paths = [folder / path for path in data]
    proposal = propose(paths, folder=folder, source=[folder / path for path in source], asked=Asked(**asked))
    comments = {line.key: " ".join([line.comment, *line.beside]) for line in proposal.lines}
    return proposal, as_mapping(proposal.lines), comments, " ".join(proposal.sentences)


def offered(proposal, key):
    """The value of a key that is only proposed."""
    return next(line.value for line in proposal.lines if line.key == key and line.is_proposed)


def write_table(path, columns):
    rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def machines(rows=ROWS, *, seed=0):
    """A table in which `heat` tells of a failure, `repair_cost` follows from it and `uid` numbers the rows."""
    draws = np.random.default_rng(seed)
    failed = (np.arange(rows) % 20 == 0).astype(int)
    return {
        "uid": [f"X{seed}{row:05}" for row in range(rows)],
        "number": list(range(rows)),
        "kind": draws.choice(["L", "M", "H"], rows).tolist(),
        "heat": np.round(draws.normal(size=rows) + failed, 3).tolist(),
        "sold": [f"2024-{1 + row % 12:02}-{1 + row % 28:02}" for row in draws.integers(0, 999, rows).tolist()],
        "repair_cost": np.round(failed * draws.uniform(50, 99, rows), 2).tolist(),
        "failure": np.where(failed == 1, "yes", "no").tolist(),
    }


def write_images(folder, counts, *, seed=0):
    draws = np.random.default_rng(seed)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = draws.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number:03}.png")


def write_signal(path, *, records=12, samples=400, first=0):
    lines = ["time,record,speed,vibration,state"]
    draws = np.random.default_rng(first)
    for record in range(first, first + records):
        for sample in range(samples):
            speed, vibration = draws.normal(size=2).round(3)
            lines.append(f"{sample / 100:.2f},r{record},{speed},{vibration},{('ok', 'worn')[record % 2]}")
    path.write_text("\n".join(lines))


# Tables ---------------------------------------------------------------------------------------------------------------


def test_a_table_is_proposed_without_identifiers_and_leaks_each_with_its_reason(tmp_path):
    write_table(tmp_path / "machines.csv", machines())
    proposal, says, comments, words = proposed(tmp_path, "machines.csv")
    assert proposal.modality == "table"
    assert says["data"]["target"] == {"train": "machines.csv", "labels": "all"}
    assert says["data"]["columns"] == {"label": "failure", "drop": ["uid", "number", "repair_cost"]}
    assert "identifier" in comments["data.columns.drop"]
    assert "tells the label by itself" in comments["data.columns.drop"]
    assert (says["positive"], says["metric"]) == ("yes", "average_precision")
    assert "give the label away: 'repair_cost'" in words
    assert proposal.questions == ()


def test_of_two_equal_columns_that_leak_both_are_dropped(tmp_path):
    table = machines()
    write_table(tmp_path / "machines.csv", {"cost_again": table["repair_cost"], **table})
    assert {"cost_again", "repair_cost"} <= set(proposed(tmp_path, "machines.csv")[1]["data"]["columns"]["drop"])


def test_where_no_name_tells_the_label_it_is_asked_for_with_the_candidates(tmp_path):
    table = machines()
    table["broke"] = table.pop("failure")
    write_table(tmp_path / "machines.csv", table)
    with pytest.raises(DataError, match=r"Name the label: --label COLUMN.*'kind' \(3 values\), .*'broke' \(2 values\)"):
        proposed(tmp_path, "machines.csv")
    assert proposed(tmp_path, "machines.csv", label="broke")[1]["data"]["columns"]["label"] == "broke"
    with pytest.raises(DataError, match="'brok' is no column.*Did you mean 'broke'"):
        proposed(tmp_path, "machines.csv", label="brok")
    of_quantity = proposed(tmp_path, "machines.csv", label="heat")[1]
    assert (of_quantity["problem"], of_quantity["metric"]) == ("regression", "rmse")


def test_numbers_under_a_name_of_labels_are_a_quantity_unless_a_column_of_classes_has_such_a_name(tmp_path):
    draws = np.random.default_rng(0)
    table = {"x": draws.normal(size=300), "z": draws.normal(size=300), "target": draws.normal(size=300)}
    table["machine"] = [f"m{row // 6}" for row in range(300)]
    write_table(tmp_path / "t.csv", table)
    says = proposed(tmp_path, "t.csv")[1]
    assert (says["problem"], says["data"]["columns"]["label"]) == ("regression", "target")
    assert says["data"]["columns"]["group"] == "machine"
    write_table(tmp_path / "t.csv", {**table, "species": [("ash", "oak")[row % 2] for row in range(300)]})
    says = proposed(tmp_path, "t.csv")[1]
    assert (says.get("problem"), says["data"]["columns"]["label"]) == (None, "species")


def test_lists_of_names_are_proposed_as_several_labels(tmp_path):
    draws = np.random.default_rng(0)
    sets = [";".join(name for name in ("heat", "wear", "dust") if draws.random() < 0.4) for _ in range(300)]
    write_table(tmp_path / "t.csv", {"x": draws.normal(size=300), "z": draws.normal(size=300), "label": sets})
    task = proposed(tmp_path, "t.csv")[1]
    assert (task["problem"], task["metric"]) == ("multilabel", "average_precision")


def test_a_table_of_one_row_names_or_none_is_said_to_be_empty(tmp_path):
    (tmp_path / "empty.csv").write_text("a,label\n")
    with pytest.raises(DataError, match="holds no rows"):
        proposed(tmp_path, "empty.csv")


def test_groups_are_proposed_and_set_aside_where_they_cannot_be_divided(tmp_path):
    table = machines()
    table["patient_id"] = [row // 3 for row in range(ROWS)]
    write_table(tmp_path / "a.csv", table)
    assert proposed(tmp_path, "a.csv")[1]["data"]["columns"]["group"] == "patient_id"
    table["patient_id"] = [row // 300 for row in range(ROWS)]
    write_table(tmp_path / "b.csv", table)
    proposal, says, comments, words = proposed(tmp_path, "b.csv")
    assert "group" not in says["data"]["columns"]
    assert offered(proposal, "data.columns.group") == "patient_id"
    assert "only 2 of them" in comments["data.columns.group"]
    assert "'patient_id' looks like a group, but only 2 of them" in words


def test_groups_on_both_sides_of_a_given_split_are_set_aside(tmp_path):
    for name, seed in (("train", 0), ("test", 1)):
        write_table(tmp_path / f"{name}.csv", {**machines(seed=seed), "patient": [row // 3 for row in range(ROWS)]})
    proposal, says, comments, words = proposed(tmp_path, "train.csv")
    assert says["data"]["target"]["test"] == "test.csv"
    assert "group" not in says["data"]["columns"]
    assert "some stand in train and in test" in comments["data.columns.group"]
    assert "Grouped by" not in words
    assert proposal.questions == ()


def test_a_test_without_labels_is_no_test(tmp_path):
    table = machines()
    write_table(tmp_path / "train.csv", table)
    write_table(tmp_path / "test.csv", {name: cells for name, cells in machines(seed=1).items() if name != "failure"})
    _, says, _, words = proposed(tmp_path, "train.csv")
    assert "test" not in says["data"]["target"]
    assert "has no column 'failure'" in words


def test_copies_in_the_test_are_a_question_where_they_are_many_and_a_detail_where_they_are_few(tmp_path):
    train, test = machines(), machines(seed=1)
    write_table(tmp_path / "few" / "train.csv", train)
    copied = {name: [*cells[:-3], *train[name][:3]] for name, cells in test.items()}
    write_table(tmp_path / "few" / "test.csv", copied)
    proposal, says, comments, _ = proposed(tmp_path / "few", "train.csv")
    assert says["audit"] == {"allow": ["leak"]}
    assert "0.5%" in comments["audit.allow"]
    assert proposal.questions == ()
    write_table(tmp_path / "many" / "train.csv", train)
    write_table(
        tmp_path / "many" / "test.csv", {name: [*cells[:-99], *train[name][:99]] for name, cells in test.items()}
    )
    proposal, says, _, _ = proposed(tmp_path / "many", "train.csv")
    assert "audit" not in says
    assert offered(proposal, "audit.allow") == ["leak"]
    assert "examples both in target train and in target test: 99" in proposal.questions[0]


def test_a_column_that_only_names_splits_is_not_learnt_from(tmp_path):
    write_table(tmp_path / "a.csv", {**machines(), "part": ["train"] * 500 + ["test"] * 100})
    _, says, _, words = proposed(tmp_path, "a.csv")
    assert "part" in says["data"]["columns"]["drop"]
    assert "only says to which split" in words


def test_another_encoding_is_found_and_said(tmp_path):
    text = "text,label\n" + "".join(f"Zwölf Äpfel kosten heute {n} Euro,{('ja', 'nein')[n % 2]}\n" for n in range(60))
    (tmp_path / "a.csv").write_bytes(text.encode("cp1252"))
    _, says, _, words = proposed(tmp_path, "a.csv")
    assert says["encoding"] == "cp1252"
    assert "Check a few accents" in words
    (tmp_path / "b.csv").write_bytes(text.encode("utf-16"))
    assert proposed(tmp_path, "b.csv")[1]["encoding"] == "utf-16"


# Texts ----------------------------------------------------------------------------------------------------------------


def reviews(count=80):
    return [f"I bought number {number} a week ago and it broke at once" for number in range(count)]


def test_a_table_of_texts_names_its_input_and_what_is_not_read(tmp_path):
    columns = {"stars": [1, 5] * 40, "body": reviews(), "verdict": ["bad", "good"] * 40}
    write_table(tmp_path / "a.csv", columns)
    _, says, _, words = proposed(tmp_path, "a.csv")
    assert says["modality"] == "text"
    assert says["data"]["columns"] == {"input": "body", "label": "verdict"}
    assert "not read: stars" in words


def test_the_one_column_beside_the_texts_is_the_label(tmp_path):
    write_table(tmp_path / "a.csv", {"text": reviews(), "mood": ["bad", "good"] * 40})
    assert proposed(tmp_path, "a.csv")[1]["data"]["columns"] == {"input": "text", "label": "mood"}


def test_remarks_in_a_table_are_a_question_until_the_modality_is_named(tmp_path):
    write_table(tmp_path / "a.csv", {**machines(), "remark": reviews(ROWS), "a": [0.5] * ROWS, "b": [1.5] * ROWS})
    with pytest.raises(DataError, match="modality is not clear.*--modality"):
        proposed(tmp_path, "a.csv")
    assert proposed(tmp_path, "a.csv", modality="text")[1]["data"]["columns"]["input"] == "remark"
    assert "remark" in proposed(tmp_path, "a.csv", modality="table")[1]["data"]["columns"]["drop"]


def test_folders_of_texts_tell_their_classes_and_encoding(tmp_path):
    for name in ("good", "bad"):
        (tmp_path / "texts" / name).mkdir(parents=True)
        for number, text in enumerate(reviews(30)):
            (tmp_path / "texts" / name / f"{number}.txt").write_text(f"{text} {name}: naïve", encoding="cp1252")
    _, says, _, _ = proposed(tmp_path, "texts")
    assert (says["modality"], says["encoding"]) == ("text", "cp1252")
    assert "columns" not in says["data"]


# Images ---------------------------------------------------------------------------------------------------------------


def test_folders_of_images_with_splits(tmp_path):
    for split, count in (("train", 30), ("val", 12), ("test", 11)):
        write_images(tmp_path / "pets" / split, {"cat": count, "dog": count}, seed=count)
    _, says, _, words = proposed(tmp_path, "pets")
    assert says["name"] == "pets"
    paths = {"train": "pets/train", "validation": "pets/val", "test": "pets/test"}
    assert says["data"]["target"] == {**paths, "labels": "all"}
    assert "Test: 22 examples, pets/test." in words


def test_classes_that_differ_in_case_are_merged_and_a_single_example_is_left_out(tmp_path):
    write_images(tmp_path / "pets", {"cat": 30, "Cat": 5, "dog": 30, "eel": 1})
    _, says, comments, words = proposed(tmp_path, "pets")
    assert says["audit"] == {"merge": {"Cat": "cat"}, "rare": "drop"}
    assert "allow: [label_twins]" in comments["audit.merge"]
    assert "taken for one" in words


def test_where_nothing_helps_all_that_stood_in_the_way_is_told(tmp_path):
    write_images(tmp_path / "pets", {"cat": 30, "eel": 1})
    with pytest.raises(DataError, match=r"'eel' of target has a single example(.|\n)*found only 'cat'"):
        proposed(tmp_path, "pets")


def test_a_likely_typo_is_offered_not_decided(tmp_path):
    write_images(tmp_path / "pets", {"tulip": 60, "tulpi": 2, "rose": 60})
    proposal, says, _, _ = proposed(tmp_path, "pets")
    assert "audit" not in says
    assert offered(proposal, "audit.merge") == {"tulpi": "tulip"}


def test_a_few_broken_images_are_allowed_and_many_are_not(tmp_path):
    write_images(tmp_path / "pets", {"cat": 30, "dog": 30})
    (tmp_path / "pets" / "cat" / "000.png").write_bytes(b"broken")
    _, says, _, words = proposed(tmp_path, "pets")
    assert says["audit"]["allow"] == ["broken_image"]
    assert "1 of 60 files (1.7%) are broken" in words
    for number in range(10):
        (tmp_path / "pets" / "cat" / f"{number:03}.png").write_bytes(b"broken")
    assert "audit" not in proposed(tmp_path, "pets")[1]


def test_sources_have_names_and_classes_that_not_all_domains_have_are_left_out(tmp_path):
    write_images(tmp_path / "photos", {"cat": 12, "dog": 12})
    write_images(tmp_path / "sketches", {"cat": 12, "dog": 12, "owl": 12}, seed=1)
    _, says, comments, _ = proposed(tmp_path, "photos", source=["sketches"])
    assert says["data"]["source"] == [{"name": "sketches", "train": "sketches"}]
    assert says["classes"] == "shared"
    assert "owl" in comments["classes"]


def test_a_target_without_class_folders_learns_from_the_source(tmp_path):
    write_images(tmp_path / "photos", {".": 12})
    write_images(tmp_path / "sketches", {"cat": 12, "dog": 12}, seed=1)
    assert proposed(tmp_path, "photos", source=["sketches"])[1]["data"]["target"]["labels"] == "none"
    with pytest.raises(DataError, match="no class folders"):
        proposed(tmp_path, "photos")


def test_a_table_of_image_paths_beside_its_files(tmp_path):
    write_images(tmp_path / "photos", {".": 24})
    columns = {"file": [f"{number:03}.png" for number in range(24)], "species": ["cat", "dog"] * 12}
    write_table(tmp_path / "photos" / "labels.csv", columns)
    _, says, _, _ = proposed(tmp_path, "photos")
    assert (says["modality"], says["data"]["target"]["train"]) == ("image", "photos/labels.csv")
    assert says["data"]["columns"] == {"input": "file", "label": "species"}


# Arrays and signals ---------------------------------------------------------------------------------------------------


def test_arrays_are_told_by_their_shape(tmp_path):
    names = np.array(["ok", "worn"] * 30)
    draws = np.random.default_rng(0)
    np.savez(tmp_path / "images.npz", x=draws.integers(0, 255, (60, 8, 8, 3)).astype(np.uint8), y=names)
    _, says, _, _ = proposed(tmp_path, "images.npz")
    assert (says["modality"], says["data"]["columns"]) == ("image", {"input": "x", "label": "y"})
    windows = draws.normal(size=(60, 128)).astype(np.float32)
    np.savez(tmp_path / "windows.npz", signals_train=windows, fault_train=names, machine_train=np.arange(60) // 4)
    _, says, _, _ = proposed(tmp_path, "windows.npz", label="fault")
    assert says["modality"] == "signal"
    assert says["data"]["columns"] == {"input": "signals", "label": "fault", "group": "machine"}
    with pytest.raises(DataError, match=r"no member is surely the labels.*--label MEMBER"):
        proposed(tmp_path, "windows.npz")
    np.savez(tmp_path / "unsure.npz", x=draws.normal(size=(60, 28, 20)), y=names)
    with pytest.raises(DataError, match="--modality"):
        proposed(tmp_path, "unsure.npz")
    assert proposed(tmp_path, "unsure.npz", modality="signal")[0].modality == "signal"


def test_arrays_of_numbers_or_of_marks_are_no_classes(tmp_path):
    draws = np.random.default_rng(0)
    windows = draws.normal(size=(200, 128)).astype(np.float32)
    wear = windows.std(axis=1)
    np.savez(tmp_path / "wear.npz", x=windows, y=wear, machine=np.arange(200) // 4)
    _, says, _, _ = proposed(tmp_path, "wear.npz")
    assert (says["problem"], says["metric"]) == ("regression", "rmse")
    assert says["data"]["columns"] == {"input": "x", "label": "y", "group": "machine"}
    np.savez(tmp_path / "faults.npz", x=windows, y=draws.integers(0, 2, (200, 3)), unit=np.arange(200) // 4)
    _, says, _, _ = proposed(tmp_path, "faults.npz")
    assert (says["problem"], says["metric"]) == ("multilabel", "average_precision")
    np.savez(tmp_path / "counts.npz", x=windows, y=draws.integers(0, 3, (200, 3)))
    with pytest.raises(DataError, match=r"no member is surely the labels.*--label MEMBER"):
        proposed(tmp_path, "counts.npz")
    with pytest.raises(DataError, match="'y' is no member of one name or number a row, nor of marks 0 and 1"):
        proposed(tmp_path, "counts.npz", label="y")


def test_a_long_table_of_samples_is_cut_into_windows(tmp_path):
    write_signal(tmp_path / "bench.csv")
    with pytest.raises(DataError, match=r"Name the label.*'state' \(2 values\)"):
        proposed(tmp_path, "bench.csv")
    proposal, says, comments, words = proposed(tmp_path, "bench.csv", label="state")
    assert says["modality"] == "signal"
    assert says["data"]["columns"] == {"label": "state", "time": "time", "unit": "record"}
    assert says["window"] == 64
    assert "0.64 in 'time'" in comments["window"]
    assert offered(proposal, "stride") == 32
    assert "--modality table" in words


def test_one_single_record_cannot_be_divided(tmp_path):
    write_signal(tmp_path / "bench.csv", records=1, samples=2_000)
    lines = (tmp_path / "bench.csv").read_text().splitlines()
    lines = [
        lines[0],
        *(f"{line.rpartition(',')[0]},{('ok', 'worn')[n // 200 % 2]}" for n, line in enumerate(lines[1:])),
    ]
    (tmp_path / "bench.csv").write_text("\n".join(line.replace(",r0", "").replace(",record", "") for line in lines))
    with pytest.raises(DataError, match="one single record.*tells records apart"):
        proposed(tmp_path, "bench.csv", label="state")


def test_records_of_a_signal_that_stand_in_the_test_are_a_question(tmp_path):
    write_signal(tmp_path / "train.csv", records=12)
    write_signal(tmp_path / "test.csv", records=6, first=8)
    proposal, says, _, _ = proposed(tmp_path, "train.csv", label="state")
    assert "groups both in target train and in target test: 4" in proposal.questions[0]
    assert offered(proposal, "audit.allow") == ["leak"]
    assert "audit" not in says


# Real data ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "modality", "label", "metric"),
    [
        ("ai4i2020/ai4i2020.csv", "table", "Machine failure", "average_precision"),
        ("imdb_reviews", "text", "label", "accuracy"),
        ("amazon_reviews/books.csv", "text", "label", "accuracy"),
        ("cwru_bearing/windows_load0.npz", "signal", "y", "accuracy"),
        ("cwru_bearing/features.csv", "table", "fault", "balanced_accuracy"),
        ("flowers", "image", None, "accuracy"),
        ("cifar10", "image", None, "accuracy"),
        ("chest_xray", "image", None, "balanced_accuracy"),
        ("digits/mnist.npz", "image", "y", "accuracy"),
        ("digits/usps.npz", "image", "y", "accuracy"),
        ("digits/png/usps_1800", "image", None, "accuracy"),
    ],
)
def test_real_data_are_told_for_what_they_are(shared_data, path, modality, label, metric):
    proposal, says, _, _ = proposed(shared_data, path)
    assert (proposal.modality, says["metric"]) == (modality, metric)
    assert says["data"].get("columns", {}).get("label") == label
    assert proposal.questions == ()


def test_the_columns_of_ai4i_that_give_a_failure_away_are_dropped(shared_data):
    _, says, _, _ = proposed(shared_data, "ai4i2020/ai4i2020.csv")
    assert says["data"]["columns"]["drop"] == ["UDI", "Product ID", "TWF", "HDF", "PWF", "OSF"]
    assert says["positive"] == "1"


def test_classes_that_one_load_of_the_bearings_lacks_are_left_out(shared_data):
    _, says, _, _ = proposed(shared_data, "cwru_bearing/windows_load3.npz", source=["cwru_bearing/windows_load0.npz"])
    assert says["classes"] == "shared"
