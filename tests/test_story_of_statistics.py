"""Three houses: two write sums over their images, the third searches on them with images that nobody has labelled."""

import html
import json
import zipfile

import numpy as np
import pytest
from leaderboard_contract import problems
from test_story_of_source_free import photographs

from autotl.cli.app import run

HOUSE_OF_THE_TARGET = """\
name: dark
data:
  target: {train: dark, labels: none, test: {labels_of: train}}
  source:
    - {name: north, statistics: north.statistics.zip}
    - {name: south, statistics: south.statistics.zip}
budget: {trials: 6, wall: 4m, seeds: 1}
"""


def told(capsys):
    return " ".join(capsys.readouterr().out.split())


def complained(capsys):
    return " ".join(capsys.readouterr().err.split())


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    """The folder of the third house with the files of the other two, whose images are elsewhere."""
    sources, target = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(sources / "home"))
        patch.setenv("AUTOTL_CACHE_DIR", str(sources / "cache"))
        patch.chdir(sources)
        photographs(sources / "north", rows=240, seed=0)
        photographs(sources / "south", rows=150, seed=2, scale=0.9)
        photographs(target / "dark", rows=90, seed=1, scale=0.5, tint=(0, 12, 20))
        like = ["--backbone", "small_cnn", "--image-size", "32"]
        for house in ("north", "south"):
            path = str(target / f"{house}.statistics.zip")
            assert run(["statistics", house, "--out", path, *like]) == 0
            like = ["--like", path]
    (target / "task.yaml").write_text(HOUSE_OF_THE_TARGET)
    return sources, target


@pytest.fixture(scope="module")
def searched(houses, tmp_path_factory):
    """The run folder of the third house."""
    home, target = tmp_path_factory.mktemp("home"), houses[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTL_HOME", str(home))
        patch.setenv("AUTOTL_CACHE_DIR", str(home / "cache"))
        assert run(["search", str(target / "task.yaml"), "--out", str(target / "run"), "--workers", "1"]) == 0
    return target / "run"


def test_no_example_is_in_the_files(houses):
    for path in houses[1].glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            assert sorted(archive.namelist()) == ["held_out.f64", "learn.f64", "statistics.json"]
            assert b"secret" not in b"".join(archive.read(name) for name in archive.namelist())


def test_files_are_added_and_what_cannot_be_is_refused(houses, tmp_path, capsys):
    one, other = (str(houses[1] / f"{house}.statistics.zip") for house in ("north", "south"))
    both = tmp_path / "both.statistics.zip"
    assert run(["statistics", "--add", one, other, "--out", str(both)]) == 0
    assert "north (240 examples), south (150 examples)" in told(capsys)
    assert run(["statistics", "--add", one, str(both), "--out", str(tmp_path / "c.zip")]) == 4
    assert "holds the house 'north'" in complained(capsys)
    assert run(["statistics", "--add", one, other, "--out", str(both)]) == 2
    assert "is there already and is not overwritten" in complained(capsys)
    assert run(["statistics", one, "--out", str(tmp_path / "c.zip"), "--epsilon", "3"]) == 2
    assert "--delta, --clip is missing" in complained(capsys)
    hopeless = ["--epsilon", "1e-7", "--delta", "1e-8", "--clip", "1"]
    assert run(["statistics", one, "--out", str(tmp_path / "c.zip"), *hopeless]) == 2
    assert "so little that no noise keeps them" in complained(capsys)


def test_under_noise_no_rows_are_drawn_from_all(houses, tmp_path, capsys):
    task, out = tmp_path / "task.yaml", str(tmp_path / "c.zip")
    noisy = ["--backbone", "small_cnn", "--image-size", "32", "--epsilon", "50", "--delta", "1e-5", "--clip", "20"]
    of = f"data: {{target: {{train: {houses[0] / 'north'}, %s}}}}\n"
    for asked in ("test: 0.2", "labels: {per_class: 20}"):
        task.write_text(of % asked)
        assert run(["statistics", str(task), "--out", out, *noisy]) == 2
        assert "with noise one more must move no other" in complained(capsys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("autotl.data.summary.TEST_FROM_ROWS", 100)  # a test of a fifth would be drawn else
        task.write_text(of % "labels: all")
        assert run(["statistics", str(task), "--out", out, *noisy]) == 0
    examples = int(told(capsys).split(" examples)")[0].rsplit("(", 1)[1])
    assert abs(examples - 240) < 12, "all of them, but for the noise"


def test_validate_knows_the_files(houses, capsys):
    task = houses[1] / "task.yaml"
    assert run(["validate", str(task)]) == 0
    said = told(capsys)
    assert "heads are solved from them" in said
    assert "Baselines: source_only." in said
    wrong = task.with_name("wrong.yaml")
    wrong.write_text(HOUSE_OF_THE_TARGET.replace("south.statistics", "north.statistics"))
    assert run(["validate", str(wrong)]) == 4
    assert "holds the house 'north', which 'north.statistics.zip' holds already" in complained(capsys)
    wrong.write_text(HOUSE_OF_THE_TARGET + "search_space: {backbone: MobileNetV2, adaptation: [mcc], head: linear}\n")
    assert run(["validate", str(wrong)]) == 3
    assert "search_space.backbone: statistics bring their own" in complained(capsys)
    wrong.write_text(HOUSE_OF_THE_TARGET + "search_space: {head: linear}\n")
    assert run(["validate", str(wrong)]) == 3
    assert "over statistics heads are solved. Allowed: lda, ridge." in complained(capsys)
    wrong.write_text(HOUSE_OF_THE_TARGET + "search_space: {adaptation: mcc}\n")
    assert run(["validate", str(wrong)]) == 3
    assert "'mcc' needs the source's examples" in complained(capsys)


def test_every_method_that_sums_are_enough_for_was_tried(searched):
    content = json.loads((searched / "leaderboard.json").read_text())
    assert problems(content) == []
    assert content["regime"] == "label_free"
    rows = content["trials"]
    assert all(row["status"] == "complete" for row in rows), [row["reason"] for row in rows]
    assert {row["plan"]["adaptation"]["method"] for row in rows} == {
        "none", "standardize", "coral", "linear_ot", "label_shift",
    }  # fmt: skip
    assert {row["plan"]["head"]["name"] for row in rows} <= {"lda", "ridge"}
    assert all(0 <= row["scores"]["source_accuracy"] <= 1 for row in rows)
    (plain,) = [row for row in rows if row["baseline"] == "source_only"]
    assert plain["scores"]["source_accuracy"] > 0.6


def test_the_winner_is_not_worse_than_the_source_alone(searched):
    rows = json.loads((searched / "leaderboard.json").read_text())["trials"]
    winner = next(row for row in rows if row["winner"])
    plain = next(row for row in rows if row["baseline"] == "source_only")
    assert winner["test"]["value"] >= plain["test"]["value"] - 0.02


def test_the_report_says_what_the_source_is(searched):
    page = html.unescape((searched / "report.html").read_text(encoding="utf-8"))
    assert "Of the source north there are counts, sums and products of 128 features of small_cnn" in page
    assert "houses and their examples: south (150)" in page
    assert "Source accuracy is expected, not counted" in page
    assert "Houses behind the source" in page
    assert "as sums over them make expect" in page
    assert "its head was solved from the source's sums" in page


def test_its_bundle_predicts(searched, capsys):
    assert run(["predict", str(searched / "winner"), str(searched.parent / "dark" / "red")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "input,label,probability,p_blue,p_green,p_red"
    assert len(lines) == 31
    probabilities = np.array([line.split(",")[3:] for line in lines[1:]], dtype=float)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)
