"""The run folder is never mixed up with another, and its files are whole or not there."""

import os
from datetime import datetime
from pathlib import Path

import pytest

from autotl.errors import StorageError, UsageError
from autotl.run import RunFolder, default_path
from autotl.run.folder import LOCK, OWNER, STUDY, write_whole, written_whole

NOON = datetime(2026, 3, 4, 12, 0, 5)


def break_before_the_rename(monkeypatch):
    """The disk fills up after the bytes were handed over and before they are safe."""

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    run = RunFolder.create(tmp_path / "runs" / "flowers")
    assert run.path.is_dir()
    assert run.trial(7).parent.is_dir()
    assert run.trial(7).name == "7"


def test_an_empty_folder_may_become_a_run(tmp_path):
    (tmp_path / "mine").mkdir()
    assert RunFolder.create(tmp_path / "mine").path == tmp_path / "mine"


@pytest.mark.parametrize("name", ["notes.txt", ".hidden"])
def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path, name):
    (tmp_path / name).write_text("keep me")
    with pytest.raises(UsageError, match=r"is not empty\. Choose another --out"):
        RunFolder.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_run_is_not_made_twice_in_one_place(tmp_path):
    RunFolder.create(tmp_path / "run")
    with pytest.raises(UsageError, match="is not empty"):
        RunFolder.create(tmp_path / "run")


def test_a_file_where_the_folder_should_be_is_a_storage_error(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageError, match="taken cannot be created"):
        RunFolder.create(tmp_path / "taken")


def test_only_a_folder_with_a_study_opens_as_a_run(tmp_path):
    with pytest.raises(UsageError, match=rf"no run folder: there is no {STUDY}"):
        RunFolder.open(tmp_path)
    (tmp_path / STUDY).touch()
    assert RunFolder.open(tmp_path).has(STUDY)


def test_what_was_written_is_read_back(tmp_path):
    run = RunFolder(tmp_path)
    assert run.write("winner/MODEL_CARD.md", "# Blumen äöü\n") == tmp_path / "winner" / "MODEL_CARD.md"
    assert run.read("winner/MODEL_CARD.md").decode() == "# Blumen äöü\n"
    assert not run.has("report.html")


def test_others_may_read_what_was_written(tmp_path):
    path = write_whole(tmp_path / "report.html", b"<p>")
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_write_that_fails_leaves_the_old_content_and_no_rest(tmp_path, monkeypatch):
    write_whole(tmp_path / "leaderboard.json", b"old")
    break_before_the_rename(monkeypatch)
    with pytest.raises(StorageError, match=r"leaderboard\.json could not be written \(1,000 bytes\): No space left"):
        write_whole(tmp_path / "leaderboard.json", b"n" * 1000)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"leaderboard.json": b"old"}


def test_a_first_write_that_fails_leaves_no_file(tmp_path, monkeypatch):
    break_before_the_rename(monkeypatch)
    with pytest.raises(StorageError):
        write_whole(tmp_path / "leaderboard.json", b"new")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_no_file_and_stays_an_interrupt(tmp_path, monkeypatch):
    def interrupt(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "leaderboard.json", b"new")
    assert list(tmp_path.iterdir()) == []


def test_the_default_path_holds_task_and_time(tmp_path):
    assert default_path("flowers", tmp_path, now=NOON) == tmp_path / "flowers-20260304-120005"


def test_two_runs_within_one_second_have_two_folders(tmp_path):
    paths = []
    for _ in range(3):
        paths.append(default_path("flowers", tmp_path, now=NOON))
        paths[-1].mkdir()
    assert [path.name.removeprefix("flowers-20260304-120005") for path in paths] == ["", "-2", "-3"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("my task", "my-task"),
        ("../../etc", "etc"),
        ("Blumen äöü", "Blumen"),
        ("🌷", "task"),
        ("a\0b", "a-b"),
        ("x" * 300, "x" * 64),
    ],
)
def test_no_task_name_leads_out_of_the_runs_folder(tmp_path, name, slug):
    path = default_path(name, tmp_path, now=NOON)
    assert path == tmp_path / f"{slug}-20260304-120005"


def test_text_that_utf8_cannot_hold_is_written_with_its_escape(tmp_path):
    folder = RunFolder.create(tmp_path / "run")
    folder.write("leaderboard.csv", "photos/caf\udce9.png")
    assert folder.read("leaderboard.csv") == b"photos/caf\\udce9.png"


def test_a_run_has_one_owner_at_a_time_and_says_who_it_is(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    with run.owned(), pytest.raises(StorageError, match=f"worked on by process {os.getpid()} on"), run.owned():
        pass
    assert not run.has(OWNER)
    with run.owned():
        assert run.has(OWNER)


def test_the_lock_of_a_process_that_is_gone_is_nobodys(tmp_path):
    run = RunFolder.create(tmp_path / "run")
    (run.path / LOCK).touch()
    (run.path / OWNER).write_text('{"pid": 1, "host": "elsewhere"}')
    with run.owned():
        assert str(os.getpid()) in (run.path / OWNER).read_text()


@pytest.fixture
def winner(tmp_path):
    """A folder that was written before, and what is in it now is told by `content(winner)`."""
    (tmp_path / "winner").mkdir()
    (tmp_path / "winner" / "model").write_text("old")
    return tmp_path / "winner"


def content(folder):
    """What is in it, with nothing beside it left behind."""
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return (folder / "model").read_text()


def write_anew(place, broken_off=None):
    with written_whole(place) as folder:
        folder.mkdir()
        (folder / "model").write_text("new")
        assert (place / "model").read_text() == "old"
        if broken_off is not None:
            raise broken_off


def test_a_folder_gets_its_name_whole_in_the_place_of_another(winner):
    write_anew(winner)
    assert content(winner) == "new"


@pytest.mark.parametrize("broken_off", [KeyboardInterrupt, OSError("disk full"), SystemExit(143)])
def test_a_folder_that_was_not_finished_leaves_the_one_before_and_nothing_of_itself(winner, broken_off):
    with pytest.raises((KeyboardInterrupt, StorageError, SystemExit)):
        write_anew(winner, broken_off)
    assert content(winner) == "old"


def test_a_folder_keeps_the_one_before_where_it_cannot_take_its_name(winner, monkeypatch):
    renamed = Path.replace

    def refuses(path, target):
        if path.name == ".winner":
            raise OSError(5, "Input/output error")
        return renamed(path, target)

    monkeypatch.setattr(Path, "replace", refuses)
    with pytest.raises(StorageError, match="Input/output"):
        write_anew(winner)
    assert content(winner) == "old"
