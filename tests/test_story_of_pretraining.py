"""A network pretrained on the source, from task.yaml to predictions; the target's hidden labels change nothing."""

import csv
import html
import json

import numpy as np
import pytest

from autotl.cli.app import run

TASK = """\
name: machines
data:
  target: {train: new.csv, labels: none, test: {labels_of: train}}
  source: {train: known.csv}
budget: {trials: 1, wall: 5m}
baselines: [source_only]
search_space: {backbone: pretrained_on_source, unfrozen_layers: 1, epochs: 2, learning_rate: 0.003}
"""


def write_table(path, *, rows, seed, shift=0.0, permuted=False):
    draws = np.random.default_rng(seed)
    numbers = draws.normal(size=(rows, 4)) + shift
    kinds = np.array(["bolt", "nut", "gear"])[draws.integers(0, 3, rows)]
    worn = (numbers[:, 0] - shift + np.sin(2 * (numbers[:, 1] - shift)) + 0.7 * (kinds == "gear") > 0.3).astype(int)
    labels = np.array(["fine", "worn"])[np.random.default_rng(5).permutation(worn) if permuted else worn]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["heat", "speed", "noise", "load", "part", "label"])
        for row, kind, label in zip(numbers, kinds, labels, strict=True):
            writer.writerow([*map("{:.4f}".format, row), kind, label])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The same search with true and with permuted target labels: two run folders."""
    folders = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("true", "permuted"):
            place = tmp_path_factory.mktemp(name)
            patch.setenv("AUTOTL_HOME", str(place / "home"))
            patch.setenv("AUTOTL_CACHE_DIR", str(place / "cache"))
            write_table(place / "known.csv", rows=500, seed=0)
            write_table(place / "new.csv", rows=300, seed=1, shift=0.2, permuted=name == "permuted")
            (place / "task.yaml").write_text(TASK)
            assert run(["search", str(place / "task.yaml"), "--out", str(place / "run"), "--workers", "1"]) == 0
            folders.append(place / "run")
    return folders


def rows_of(folder):
    return json.loads((folder / "leaderboard.json").read_text())["trials"]


def test_the_network_is_pretrained_once_and_every_plan_names_its_file(runs):
    files = list((runs[0].parent / "cache" / "pretrained").glob("*.npz"))
    assert len(files) == 1
    for row in rows_of(runs[0]):
        assert row["plan"]["backbone"] == {"pretrained_on_source": str(files[0])}
    assert "pretrained_on_source: trained on the sources' labels" in html.unescape(
        (runs[0] / "report.html").read_text()
    )


def test_what_the_source_teaches_serves_the_target(runs):
    winner = next(row for row in rows_of(runs[0]) if row["winner"])
    assert winner["test"]["value"] > 0.75


def test_permuting_the_hidden_labels_changes_nothing_but_the_test(runs):
    own = {"seconds", "memory_mb", "gpu_mb", "latency_ms", "test", "refit_test", "plan"}
    one, other = ([{key: row[key] for key in row if key not in own} for row in rows_of(folder)] for folder in runs)
    assert one == other
    names = [next((folder.parent / "cache" / "pretrained").glob("*.npz")).name for folder in runs]
    assert names[0] == names[1], "the digest of what was pretrained on knows no hidden label"


def test_the_model_predicts_from_a_table_with_its_columns_in_any_order(runs, tmp_path, capsys):
    with (runs[0].parent / "new.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = ["part", "noise", "load", "speed", "heat", "remark"]
    with (tmp_path / "today.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", restval="none")
        writer.writeheader()
        writer.writerows(rows)
    assert run(["predict", str(runs[0] / "winner"), str(tmp_path / "today.csv"), "--out", str(tmp_path / "p.csv")]) == 0
    with (tmp_path / "p.csv").open(newline="") as file:
        said = [row["label"] for row in csv.DictReader(file)]
    right = np.mean([label == row["label"] for label, row in zip(said, rows, strict=True)])
    winner = next(row for row in rows_of(runs[0]) if row["winner"])
    assert right == pytest.approx((winner["refit_test"] or winner["test"])["value"], abs=0.02)
    (tmp_path / "bad.csv").write_text("part,noise,load,speed\nbolt,1,2,3\n")
    assert run(["predict", str(runs[0] / "winner"), str(tmp_path / "bad.csv")]) == 4
    assert "heat" in capsys.readouterr().err
