"""Texts, tables and signals from task.yaml to predictions, by models that need no network: real but for the size."""

import csv
import html
import json
from pathlib import Path

import numpy as np
import pytest
from leaderboard_contract import problems

from autotl.cli.app import run

CLASSES = ("calm", "loud", "odd")
TEXT = """\
name: moods
data: {target: {train: train.csv, test: test.csv}}
search_space: {backbone: bag_of_words}
budget: {trials: 2, wall: 3m}
"""
TABLE = """\
name: machines
data:
  target: {train: target.csv, labels: none, test: {labels_of: train}}
  source: {train: source.csv}
search_space: {backbone: boosted_trees}
budget: {trials: 2, wall: 3m}
"""
SIGNAL = """\
name: hums
data: {target: {train: windows.npz, test: 0.25}}
modality: signal
search_space: {backbone: random_forest}
baselines: none
budget: {trials: 1, wall: 3m}
"""


def write_table(path: Path, columns) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def names_of(labels) -> list[str]:
    return [CLASSES[label] for label in labels]


def moods(path: Path, *, rows: int, seed: int) -> None:
    """Reviews in which most, not all, words that tell a mood are told by the right one."""
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % 3
    usual = [
        "the",
        "film",
        "was",
        "a",
        "long",
        "story",
        "about",
        "people",
        "who",
        "lived",
        "in",
        "some",
        "small",
        "town",
        "by",
        "sea",
    ]
    telling = (["quiet", "gentle", "slow"], ["bang", "crash", "scream"], ["clown", "banana", "moonwalk"])
    texts = []
    for label in labels:
        told = label if draws.random() < 0.9 else draws.integers(3)
        texts.append(" ".join(draws.permutation([*draws.choice(usual, 12), *draws.choice(telling[told], 2)])))
    write_table(path, {"text": texts, "label": names_of(labels)})


def machines(path: Path, *, rows: int, seed: int, shift: float = 0.0, permuted: bool = False) -> None:
    draws = np.random.default_rng(seed)
    labels = draws.integers(3, size=rows)
    told = np.random.default_rng(5).permutation(labels) if permuted else labels
    speed = draws.normal(size=rows) + 1.5 * labels + shift
    torque = draws.normal(size=rows) - 1.5 * (labels == 2)
    columns = {
        "id": [f"{number}" for number in range(rows)],
        "speed": [f"{value:.4f}" if number % 17 else "" for number, value in enumerate(speed)],
        "torque": [f"{value:.4f}" for value in torque],
        "grade": [("L", "NA", "M")[index] for index in (labels + (draws.random(rows) < 0.5)) % 3],
        "sold": [f"2024-{month:02}-11" for month in draws.integers(1, 13, size=rows)],
        "label": names_of(told),
    }
    write_table(path, columns)


def hums(path: Path, *, rows: int) -> None:
    draws = np.random.default_rng(0)
    labels = np.arange(rows) % 3
    pitch = 0.04 + 0.05 * labels[:, None]
    tones = np.sin(2 * np.pi * pitch * np.arange(128) + draws.uniform(0, 6, (rows, 1)))
    np.savez(path, x=(tones + draws.normal(size=tones.shape)).astype(np.float32), y=np.array(names_of(labels)))


def searched(tmp_path_factory, name: str, task: str, write) -> Path:
    """The folder of a finished search; the run lies in `run`."""
    place = tmp_path_factory.mktemp(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(place / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
        patch.chdir(place)
        write(place)
        (place / "task.yaml").write_text(task)
        assert run(["search", "task.yaml", "--out", "run", "--workers", "1"]) == 0
    return place


@pytest.fixture(scope="module")
def text_story(tmp_path_factory):
    def write(place):
        moods(place / "train.csv", rows=180, seed=0)
        moods(place / "test.csv", rows=150, seed=1)

    return searched(tmp_path_factory, "text", TEXT, write)


@pytest.fixture(scope="module")
def table_stories(tmp_path_factory):
    """The same search with true and with permuted target labels."""

    def write(place, permuted):
        machines(place / "source.csv", rows=240, seed=0)
        machines(place / "target.csv", rows=150, seed=1, shift=0.3, permuted=permuted)

    return [
        searched(tmp_path_factory, f"table{permuted}", TABLE, lambda place, permuted=permuted: write(place, permuted))
        for permuted in (False, True)
    ]


@pytest.fixture(scope="module")
def signal_story(tmp_path_factory):
    return searched(tmp_path_factory, "signal", SIGNAL, lambda place: hums(place / "windows.npz", rows=240))


@pytest.fixture(params=["text", "table", "signal"])
def story(request):
    """Each story's folder, by what its data are."""
    if request.param == "table":
        return request.getfixturevalue("table_stories")[0]
    return request.getfixturevalue(f"{request.param}_story")


def rows_of(place: Path):
    return json.loads((place / "run" / "leaderboard.json").read_text(encoding="utf-8"))["trials"]


def winner_of(place: Path):
    return next(row for row in rows_of(place) if row["winner"])


def described(place: Path):
    return json.loads((place / "run" / "winner" / "bundle.json").read_text(encoding="utf-8"))


def predicted(place: Path, data: str, out: Path) -> list[dict[str, str]]:
    assert run(["predict", str(place / "run" / "winner"), str(place / data), "--out", str(out)]) == 0
    with out.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_run_folder_is_complete_and_exactly_so(story):
    assert {path.name for path in (story / "run").iterdir()} == {
        "task.yaml", "space.yaml", "study.db", "trials", "leaderboard.json", "leaderboard.csv", "winner", "report.html",
        "log.jsonl", "examples.npz", "inputs.json.gz", "run.json", ".lock",
    }  # fmt: skip
    files = {path.name for path in (story / "run" / "winner").iterdir()}
    model = "native" if "native" in described(story) else "model.keras"
    assert files - {"tokenizer.json"} == {
        model,
        "bundle.json",
        "metrics.json",
        "MODEL_CARD.md",
        "evidence",
        "portrait.npz",
    }
    for row in rows_of(story):
        files = {path.name for path in (story / "run" / "trials" / str(row["trial"])).iterdir()}
        assert {"plan.yaml", "curve.csv", "log.txt", "outputs.npz", "weights.npz"} <= files


def test_the_leaderboard_keeps_its_contract(story):
    content = json.loads((story / "run" / "leaderboard.json").read_text(encoding="utf-8"))
    assert problems(content) == []
    winner = winner_of(story)
    assert [row["status"] for row in content["trials"]] == ["complete"] * len(content["trials"])
    assert winner["plan"]["unfrozen_layers"] == 0
    assert winner["test"]["low"] <= winner["test"]["value"] <= winner["test"]["high"]
    assert winner["latency_ms"] > 0
    assert winner["params"] > 0
    assert winner["score"]["value"] > 0.6, "a third would be chance"


def test_equal_plans_run_once(story):
    plans = [json.dumps({**row["plan"], "seed": 0}, sort_keys=True) for row in rows_of(story)]
    assert len(set(plans)) == len(plans)


def test_the_report_tells_the_winner_and_loads_nothing_from_outside(story):
    page = (story / "run" / "report.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in html.unescape(page)
    assert winner_of(story)["plan"]["backbone"] in page


def test_a_card_says_what_the_model_is(story):
    card = (story / "run" / "winner" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert all(name in card for name in CLASSES)
    assert winner_of(story)["plan"]["backbone"] in card


DATA = {"moods": "test.csv", "machines": "target.csv", "hums": "windows.npz"}


def true_labels(place: Path, data: str) -> list[str]:
    if data.endswith(".npz"):
        with np.load(place / data) as arrays:
            return arrays["y"].tolist()
    with (place / data).open(newline="", encoding="utf-8") as file:
        return [row["label"] for row in csv.DictReader(file)]


def test_predictions_after_a_reload_are_identical_and_as_good_as_the_test_says(story, tmp_path):
    data = DATA[described(story)["task"]]
    first, second = (predicted(story, data, tmp_path / name) for name in ("1.csv", "2.csv"))
    assert first == second
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()
    truth = true_labels(story, data)
    assert len(first) == len(truth)
    assert set(first[0]) == {"input", "label", "probability", *(f"p_{name}" for name in CLASSES)}
    right = float(np.mean([row["label"] == name for row, name in zip(first, truth, strict=True)]))
    winner = winner_of(story)
    tested = (winner["refit_test"] or winner["test"])["value"]
    if data == "windows.npz":  # a quarter of them was the test; the others were trained on
        assert right >= tested - 1e-9
    else:
        assert right == pytest.approx(tested, abs=1e-9), "the test itself, from raw files through the shipped model"


def evidence(place: Path, name: str):
    return json.loads((place / "run" / "winner" / "evidence" / name).read_text(encoding="utf-8"))


def test_evidence_of_the_winner_tells_what_the_leaderboard_tells(story):
    figures, winner = evidence(story, "figures.json"), winner_of(story)
    tested = (winner["refit_test"] or winner["test"])["value"]
    lines = figures["per_class"]["classes"]
    assert figures["per_class"]["split"] == "test"
    found = sum(line["recall"]["value"] * line["support"] for line in lines)
    assert found / sum(line["support"] for line in lines) == pytest.approx(tested)
    curves = {curve["split"]: curve for curve in figures["abstaining"]["curves"]}
    assert curves["test"]["accuracy"] == pytest.approx(tested)
    assert len(curves) == 2
    assert figures["calibration_on_test"]["examples"] == curves["test"]["examples"]
    assert figures["thresholds"] is None, "the classes are even"
    assert (figures["unlike"] is None) == ("hums" != described(story)["task"] != "machines"), "words have no distance"


def test_every_example_says_what_its_answer_hangs_on(story):
    found = evidence(story, "examples.json")
    assert found["split"] == "test"
    assert found["explained"] == len(found["examples"]) >= 3
    for example in found["examples"]:
        assert example["right"] == (example["true"] == example["said"])
        assert example["before"] == pytest.approx(example["probability"], abs=1e-3), "the bundle says what was tested"
        assert example["after"] <= example["before"] + 1e-6
    page = (story / "run" / "report.html").read_text(encoding="utf-8")
    assert 'id="examples"' in page
    assert run(["report", str(story / "run"), "--without-examples"]) == 0
    assert "pass this page on only" not in (story / "run" / "report.html").read_text(encoding="utf-8")
    (story / "run" / "report.html").write_text(page, encoding="utf-8")


def test_the_words_that_tell_a_mood_decide(text_story):
    right = [example for example in evidence(text_story, "examples.json")["examples"] if example["right"]]
    telling = {"calm": {"quiet", "gentle", "slow"}, "loud": {"bang", "crash", "scream"}}
    telling["odd"] = {"clown", "banana", "moonwalk"}
    assert len(right) == 3
    assert all(example["place"] in telling[example["said"]] for example in right)


def test_columns_that_tell_nothing_come_last(table_stories):
    columns = evidence(table_stories[0], "figures.json")["columns"]["columns"]
    assert [line["column"] for line in columns][-1] == "sold"
    assert columns[0]["drop"] > 0.05


def test_hidden_labels_change_no_rule_that_was_drawn_without_them(table_stories):
    one, other = (evidence(place, "figures.json") for place in table_stories)
    calibrations = [evidence(place, "calibration.json") for place in table_stories]
    assert calibrations[0] == calibrations[1]
    rules = [[(rule["threshold"], rule["on"][:1]) for rule in each["abstaining"]["rules"]] for each in (one, other)]
    assert rules[0] == rules[1]
    shares = [[split["outside"] for split in each["unlike"]["splits"]] for each in (one, other)]
    assert shares[0] == shares[1]
    assert one["per_class"] != other["per_class"], "which is of the test"


def test_hidden_labels_change_nothing_but_the_test(table_stories):
    times = {"seconds", "memory_mb", "gpu_mb", "latency_ms", "latency_estimated", "test", "refit_test"}
    one, other = ([{key: row[key] for key in row if key not in times} for row in rows_of(p)] for p in table_stories)
    assert one == other
    true, permuted = (winner_of(place)["test"]["value"] for place in table_stories)
    assert true > permuted + 0.15, "only the test saw the labels"
    for row in one:
        here, there = (place / "run" / "trials" / str(row["trial"]) for place in table_stories)
        for name in ("plan.yaml", "curve.csv"):
            assert (here / name).read_bytes() == (there / name).read_bytes()
        for name in ("outputs.npz", "weights.npz"):
            with np.load(here / name) as these, np.load(there / name) as those:
                assert these.files == those.files
                for member in these.files:
                    assert np.array_equal(these[member], those[member]), (name, member)
    bundles = [described(place) for place in table_stories]
    for key in ("native", "preprocessing", "classes", "schema", "temperature", "plan"):
        assert bundles[0][key] == bundles[1][key], key
    for path in (table_stories[0] / "run" / "winner" / "native").iterdir():
        assert path.read_bytes() == (table_stories[1] / "run" / "winner" / "native" / path.name).read_bytes()


def test_a_table_ships_the_columns_it_learnt_from_and_no_label_or_number(table_stories):
    columns = described(table_stories[0])["preprocessing"]["schema"]["columns"]
    assert [(column["name"], column["kind"]) for column in columns] == [
        ("speed", "numeric"), ("torque", "numeric"), ("grade", "categorical"), ("sold", "date"),
    ]  # fmt: skip
    assert next(column for column in columns if column["name"] == "grade")["categories"] == ["L", "M", "NA"]


def test_a_changed_native_model_is_refused(table_stories, tmp_path, capsys):
    import shutil

    place = table_stories[0]
    copy = shutil.copytree(place / "run" / "winner", tmp_path / "winner")
    (copy / "native" / "extra.txt").write_text("added")
    assert run(["predict", str(copy), str(place / "target.csv")]) == 8
    assert "not the file that was written" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["text_story", "signal_story"])
def test_leaderboard_and_report_are_read_from_the_folder_alone(request, name, capsys):
    place = request.getfixturevalue(name)
    assert run(["leaderboard", str(place / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == rows_of(place)
    assert run(["leaderboard", str(place / "run")]) == 0
    assert winner_of(place)["plan"]["backbone"] in capsys.readouterr().out
    before = (place / "run" / "report.html").read_text(encoding="utf-8")
    assert run(["report", str(place / "run")]) == 0
    assert len((place / "run" / "report.html").read_text(encoding="utf-8")) == pytest.approx(len(before), rel=0.01)
