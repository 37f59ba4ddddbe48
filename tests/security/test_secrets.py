"""What is passed on names nobody and no place: no value of the environment, no user, no host, no absolute path."""

import json
import re
import socket
import zipfile

import pytest
from lonely_search import SECRET, USER


def passed_on(searched):
    """Name and content of everything that leaves the house: report, leaderboard, bundle, card, evidence."""
    folders = [searched.run / name for name in ("report.html", "leaderboard.json", "leaderboard.csv", "winner")]
    paths = [path for folder in folders for path in ([folder] if folder.is_file() else sorted(folder.rglob("*")))]
    for path in paths:
        if path.is_file():
            yield path.relative_to(searched.run).as_posix(), path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    yield from ((f"{path.name}/{name}", archive.read(name)) for name in archive.namelist())


@pytest.mark.parametrize("kind", ["a value of the environment", "the user's name", "the user's folder", "the host"])
def test_nothing_that_is_passed_on_holds(kind, searched):
    word = {
        "a value of the environment": SECRET,
        "the user's name": USER,
        "the user's folder": str(searched.home.parent),
        "the host": socket.gethostname(),
    }[kind]
    contents = dict(passed_on(searched))
    assert {"report.html", "winner/bundle.json", "winner/MODEL_CARD.md", "leaderboard.json"} <= set(contents)
    whole_word = re.compile(rb"(?<![\w-])" + re.escape(word.encode()) + rb"(?![\w-])")
    assert [name for name, content in contents.items() if whole_word.search(without_scripts(content))] == []


def without_scripts(content: bytes) -> bytes:
    """A page without the libraries in it, whose short names could be a host's."""
    return re.sub(rb"<script\b.*?</script>", b"", content, flags=re.DOTALL)


def test_neither_do_the_files_of_trials_and_the_log(searched):
    paths = [path for path in searched.run.rglob("*") if path.is_file() and path.name not in ("study.db", ".lock")]
    holding = [path.name for path in paths if SECRET.encode() in path.read_bytes()]
    assert holding == []
    assert len(paths) > 10


def test_the_database_says_where_the_data_were_because_a_resumed_run_must_find_them(searched):
    """Keep it at home: what is passed on is the report and `winner/`."""
    content = (searched.run / "study.db").read_bytes()
    assert str(searched.home).encode() in content
    assert SECRET.encode() not in content


def test_the_versions_are_all_that_a_bundle_tells_of_its_machine(searched):
    description = json.loads((searched.run / "winner" / "bundle.json").read_text())
    assert set(description["versions"]) >= {"autotl", "python"}
    assert not any("/" in str(value) for value in description["versions"].values())
