"""Runs that are kept elsewhere: the copy holds what is told, and a search goes on from it alone."""

import json
import shutil
import threading
import time
import uuid
from contextlib import contextmanager

import fsspec
import pytest
from pretend_search import an_order

from autotl.errors import EnvironmentProblemError, NothingToResumeError, StorageError, UsageError
from autotl.run import RunFolder, Study, create_run, place, remote, run_to_resume
from autotl.run.folder import FORM, OWNER, STUDY
from autotl.run.place import FolderPlace, UrlPlace, place_of
from autotl.run.remote import RemoteRun
from autotl.run.study import reading
from autotl.search.events import TrialEnded
from autotl.search.journal import Journal
from autotl.search.proposer import Proposal

WHOLE_RUN = ["leaderboard.json", FORM, STUDY, "trials/0/curve.csv", "trials/0/plan.yaml"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOTL_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture(params=["memory", "file", "folder"])
def somewhere(request, tmp_path, monkeypatch):
    """The address of a place, of each kind."""
    if request.param == "memory":
        return f"memory://bucket-{uuid.uuid4().hex}/run"
    if request.param == "file":
        return f"file://{tmp_path}/shared/run"
    monkeypatch.setattr(place, "_file_system_type", lambda path: "nfs4")
    return tmp_path / "shared" / "run"


def a_proposal(number=0):
    plan = an_order().given[0]
    return Proposal(number, plan, None, 0.0)


@contextmanager
def journal_of(run, told):
    study = Study(run.path / STUDY)
    try:
        yield Journal(run, study, told.append, score_kind="validation", spent=lambda: 1.0)
    finally:
        study.close()


def trials_in_the_copy(where, tmp_path):
    copy = tmp_path / f"copy-{uuid.uuid4().hex}.db"
    place_of(where).get(STUDY, copy)
    with reading(copy) as study:
        return {row["trial"]: row["status"] for row in study.trials()}


def test_a_trial_is_shown_when_the_copy_holds_it_and_not_before(somewhere, tmp_path):
    copies = []

    def told_what_is_there(event):
        if isinstance(event, TrialEnded):
            copies.append(trials_in_the_copy(somewhere, tmp_path))

    run = create_run(somewhere)
    with run.owned():
        study = Study(run.path / STUDY)
        journal = Journal(run, study, told_what_is_there, score_kind="validation", spent=lambda: 1.0)
        for number in range(3):
            with journal.together():
                journal.started(a_proposal(number))
            with journal.together():
                journal.ended(number, "pruned", reason="stopped early after epoch 1", report=None)
        journal.tell_the_rest()
        study.close()
    assert len(copies) == 3
    assert all(copies[number][number] == "pruned" for number in range(3))


def test_everything_is_in_the_copy_in_the_end_and_nothing_else(somewhere):
    run = create_run(somewhere)
    with run.owned():
        told = []
        with journal_of(run, told) as journal, journal.together():
            journal.started(a_proposal())
            journal.ended(0, "pruned", reason="stopped early after epoch 1", report=None)
        run.write("going.txt", "soon gone")
        run.wait_for(run.mark())
        assert "going.txt" in place_of(somewhere).names()
        (run.path / "going.txt").unlink()
        run.write("leaderboard.json", json.dumps({"trials": []}))
    assert place_of(somewhere).names() == WHOLE_RUN
    assert place_of(somewhere).read(OWNER) is None


def test_a_new_machine_goes_on_from_the_copy_alone(somewhere, tmp_path):
    run = create_run(somewhere)
    with run.owned(), journal_of(run, []) as journal, journal.together():
        journal.started(a_proposal())
        journal.ended(0, "pruned", reason="stopped early after epoch 1", report=None)
    shutil.rmtree(run.path)
    fetched = run_to_resume(somewhere)
    with reading(fetched.path / STUDY) as study:
        assert [row["status"] for row in study.trials()] == ["pruned"]
    assert (fetched.trial(0) / "plan.yaml").is_file()


def test_a_place_that_holds_something_is_no_new_run_and_an_empty_one_no_old_one(somewhere):
    with pytest.raises(NothingToResumeError, match="holds no run"):
        run_to_resume(somewhere)
    with create_run(somewhere).owned():
        pass
    place_of(somewhere).put("task.yaml", _file_of(somewhere))
    with pytest.raises(UsageError, match="is not empty"):
        create_run(somewhere)


def _file_of(somewhere):
    run = RemoteRun(place_of(somewhere))
    return RunFolder(run.path).write("task.yaml", "name: x")


def test_a_run_that_somebody_works_on_is_not_taken_over_and_a_dead_ones_is(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "SECONDS_BETWEEN_BEATS", 0.2)
    where = f"file://{tmp_path}/shared/run"
    run = create_run(where)
    with run.owned(), journal_of(run, []):
        run.wait_for(run.mark())
        elsewhere = RemoteRun(FolderPlace(tmp_path / "shared" / "run"))
        elsewhere.path = tmp_path / "another machine"
        with pytest.raises(StorageError, match=r"is being worked on by process \d+ on"):
            elsewhere._refuse_if_alive()
    FolderPlace(tmp_path / "shared" / "run").put(OWNER, _left_behind(tmp_path))
    assert run_to_resume(where).path.is_dir(), "its owner gives no sign of life"


def _left_behind(tmp_path):
    path = tmp_path / "owner.json"
    path.write_text(json.dumps({"pid": 1, "host": "gone", "token": "x", "beat": 7}))
    return path


def test_a_search_whose_run_was_taken_over_stops(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "SECONDS_BETWEEN_BEATS", 0.1)
    there = FolderPlace(tmp_path / "shared" / "run")
    run = RemoteRun.create_at(there)
    with run.owned():
        Study(run.path / STUDY).close()
        there.put(OWNER, _left_behind(tmp_path))
        with pytest.raises(StorageError, match="taken over by process 1 on gone"):
            run.wait_for(run.mark())
    assert there.names() == [], "what the other one writes there is not overwritten"


class Outage:
    """A place that is out of reach for a while."""

    def __init__(self, place, seconds):
        self.place, self.until = place, time.monotonic() + seconds

    def __getattr__(self, name):
        if name == "put" and time.monotonic() < self.until:
            raise StorageError("the store: connection refused")
        return getattr(self.place, name)


def test_a_search_outlives_an_outage_of_its_store(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "SECONDS_BETWEEN_BEATS", 0.1)
    there = FolderPlace(tmp_path / "shared" / "run")
    run = RemoteRun.create_at(there)
    with run.owned():
        Study(run.path / STUDY).close()
        run.place = Outage(there, seconds=0.6)
        run.wait_for(run.mark())
    assert STUDY in there.names()


def test_a_store_that_stays_away_ends_the_search_and_says_where_everything_is(tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "SECONDS_BETWEEN_BEATS", 0.05)
    monkeypatch.setattr(remote, "PATIENCE", 0.3)
    run = RemoteRun.create_at(FolderPlace(tmp_path / "shared" / "run"))
    there = run.place
    with run.owned():
        Study(run.path / STUDY).close()
        run.place = Outage(there, seconds=60)
        with pytest.raises(StorageError, match=rf"autotl search --resume {run.path}"):
            run.wait_for(run.mark())
        run.place = there


def test_a_file_appears_in_one_step_also_where_the_store_writes_it_in_several(tmp_path):
    """A file system of which `put` takes its time: a reader finds the old content or the new."""
    there = UrlPlace(f"memory://slow-{uuid.uuid4().hex}/run")
    there._in_one_step = False
    (tmp_path / "small").write_bytes(b"a" * 10)
    there.put("x/file", tmp_path / "small")
    assert there.read("x/file") == b"a" * 10
    assert there.names() == ["x/file"]


def test_a_folder_on_this_machines_disk_is_worked_on_where_it_is(tmp_path):
    assert place_of(tmp_path / "run") is None
    run = create_run(tmp_path / "run")
    assert type(run) is RunFolder
    assert (run.is_safe(run.mark()), run.readable, run.shown) == (True, tmp_path / "run", str(tmp_path / "run"))


@pytest.mark.parametrize(
    ("url", "words"),
    [("s3://bucket/run", r"pip install 'autotl\[s3\]'"), ("nowhere://bucket/run", "nowhere:// is not known")],
)
def test_a_url_that_nothing_here_reaches_says_what_to_do(url, words, monkeypatch):
    def missing(asked):
        raise ImportError("Install s3fs to access S3") if asked.startswith("s3") else ValueError("Protocol not known")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(EnvironmentProblemError, match=words):
        place_of(url)


def test_no_thread_is_left(somewhere):
    before = threading.active_count()
    with create_run(somewhere).owned():
        assert threading.active_count() > before
    assert threading.active_count() == before
