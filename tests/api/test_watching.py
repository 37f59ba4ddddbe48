"""`watch` as people and cron call it: the verdict, its reasons, its exit codes."""

import json

import pytest
from bundles import make_bundle
from portrayed import portrayed_bundle
from pretend_rows import records

from autotl.cli.app import run


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return portrayed_bundle(tmp_path_factory.mktemp("watched") / "winner", "table")[0].path


def table(path, *, rows=200, seed=5, level="{}", kind=None):
    """Fresh rows; `level` rewrites that column."""
    fresh = records(rows, seed=seed)
    columns = {name: [cells.texts[code] for code in cells.codes] for name, cells in fresh.cells.items()}
    columns["level"] = [level.format(cell) if cell else "" for cell in columns["level"]]
    columns["kind"] = [kind or cell for cell in columns["kind"]]
    lines = [",".join(columns), *(",".join(cells) for cells in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines))
    return path


def watched(capsys, *arguments):
    code = run(["watch", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, " ".join(said.err.split())


def test_the_same_domain_is_fine_and_another_is_to_be_searched_again(bundle, tmp_path, capsys):
    code, out, _ = watched(capsys, bundle, table(tmp_path / "same.csv"), "--json")
    same = json.loads(out)
    assert code == 0
    assert same["verdict"] != "search_again", same["reasons"]
    assert same["examples"] == {"given": 200, "compared": 200, "left_out": 0, "skipped": []}
    assert sum(each["now"] for each in same["class_mix"]["classes"]) == pytest.approx(1)
    code, out, _ = watched(capsys, bundle, table(tmp_path / "other.csv", level="{}e2", kind="never seen"), "--json")
    other = json.loads(out)
    assert (code, other["verdict"]) == (0, "search_again")
    assert {"apart", "columns"} <= {reason["code"] for reason in other["reasons"]}
    assert other["columns"][0]["name"] in ("level", "kind")


def test_a_person_reads_the_verdict_first_and_every_figure_after_it(bundle, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    _, out, _ = watched(capsys, bundle, table(tmp_path / "other.csv", level="{}e2", kind="never seen"))
    assert out.startswith("Verdict: search_again\nSearch again, with these inputs as the target")
    for words in (
        "accuracy by ATC",
        "accuracy, measured",
        "A-distance",
        "unlike the training data",
        "Class mix",
        "calm",
    ):
        assert words in out


def test_cron_asks_for_a_verdict_and_gets_an_exit_code(bundle, tmp_path, capsys):
    other = table(tmp_path / "other.csv", level="{}e2", kind="never seen")
    code, out, said = watched(capsys, bundle, other, "--require", "look")
    assert code == 6
    assert "Verdict: search_again" in out
    assert said == "--require look: the verdict is search_again."
    assert watched(capsys, bundle, table(tmp_path / "same.csv"), "--require", "look")[0] == 0
    code, _, said = watched(capsys, bundle, other, "--require", "fin")
    assert (code, said) == (2, "--require fin: is no verdict to require. Allowed: fine, look. Did you mean 'fine'?")
    assert watched(capsys, bundle, other, "--require", "search_again")[0] == 2


def test_few_examples_are_said_to_be_few_and_fewer_are_refused(bundle, tmp_path, capsys):
    _, out, _ = watched(capsys, bundle, table(tmp_path / "few.csv", rows=30))
    assert "With 30 examples only large changes can be seen" in out
    code, _, said = watched(capsys, bundle, table(tmp_path / "fewer.csv", rows=9))
    assert (code, "9 examples are too few to compare. Give 10 or more." in said) == (4, True)


def test_a_bundle_without_a_portrait_says_how_to_get_one(tmp_path, capsys):
    code, _, said = watched(capsys, make_bundle(tmp_path / "old"), tmp_path)
    assert (code, "autotl promote RUN/TRIAL" in said) == (2, True)


def test_what_is_no_model_or_no_data_is_told(bundle, tmp_path, capsys):
    assert watched(capsys, "kitchen@production", tmp_path)[0] == 2
    assert watched(capsys, bundle, tmp_path / "nowhere.csv")[0] == 4
