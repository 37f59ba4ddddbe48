"""What a study holds is on disk at once, in one file with Optuna's own tables."""

import json
import sqlite3
import subprocess
import sys

import pytest

from autotl.errors import StorageError
from autotl.run import Study

READ = """
import json, sqlite3, sys
rows = sqlite3.connect(sys.argv[1]).execute("SELECT number, status, row FROM autotl_trials").fetchall()
print(json.dumps(rows))
"""


@pytest.fixture
def study(tmp_path):
    study = Study(tmp_path / "study.db")
    yield study
    study.close()


def seen_by_another_process(path):
    answer = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


def test_trials_come_back_in_the_order_of_their_numbers(study):
    for number in (10, 2, 1):
        study.put_trial(number, "complete", {"trial": number, "score": {"value": number / 16}})
    assert [row["trial"] for row in study.trials()] == [1, 2, 10]
    assert study.trials()[2]["score"] == {"value": 0.625}


def test_a_trial_that_ends_replaces_its_running_row(study):
    study.put_trial(0, "running", {"trial": 0, "status": "running"})
    study.put_trial(0, "failed", {"trial": 0, "status": "failed", "reason": "größer als erlaubt"})
    assert study.trials() == [{"trial": 0, "status": "failed", "reason": "größer als erlaubt"}]


def test_learning_curves_come_back_by_trial_and_epoch(study):
    study.put_epoch(3, 2, 0.5, 0.75)
    study.put_epoch(3, 1, 1.5, 0.25)
    study.put_epoch(1, 1, 2.0, 0.125)
    assert study.curves() == {
        1: [{"epoch": 1, "train_loss": 2.0, "score": 0.125}],
        3: [{"epoch": 1, "train_loss": 1.5, "score": 0.25}, {"epoch": 2, "train_loss": 0.5, "score": 0.75}],
    }


def test_facts_are_plain_json_and_the_last_word_counts(study):
    study.put_fact("seconds", 1)
    study.put_fact("seconds", {"search": 1.5})
    study.put_fact("headline", ["Trial 1 won."])
    assert study.facts() == {"seconds": {"search": 1.5}, "headline": ["Trial 1 won."]}


@pytest.mark.parametrize("status", ["complete", "failed", "pruned"])
def test_another_process_sees_a_finished_trial_while_the_study_is_open(study, status):
    study.put_trial(4, status, {"trial": 4})
    assert seen_by_another_process(study.path) == [[4, status, '{"trial": 4}']]


def test_a_finished_trial_is_in_the_database_file_itself_not_only_in_its_log(study, tmp_path):
    study.put_trial(4, "complete", {"trial": 4})
    copy = tmp_path / "copy.db"
    copy.write_bytes(study.path.read_bytes())  # what a crash that loses the write-ahead log would leave
    assert seen_by_another_process(copy) == [[4, "complete", '{"trial": 4}']]


def test_a_closed_study_is_one_file_and_opens_again(tmp_path):
    study = Study(tmp_path / "study.db")
    study.put_trial(0, "complete", {"trial": 0})
    study.close()
    assert [path.name for path in tmp_path.iterdir()] == ["study.db"]
    again = Study(tmp_path / "study.db")
    assert again.trials() == [{"trial": 0}]
    again.close()


def test_a_file_that_is_no_database_is_a_storage_error(tmp_path):
    (tmp_path / "study.db").write_bytes(b"no database, and long enough to be sure of that" * 30)
    with pytest.raises(StorageError, match=r"study\.db cannot be opened: file is not a database"):
        Study(tmp_path / "study.db")


def test_a_lost_table_is_a_storage_error_that_names_the_file(study):
    with sqlite3.connect(study.path) as other:
        other.execute("DROP TABLE autotl_facts")
    with pytest.raises(StorageError, match=r"study\.db: no such table"):
        study.facts()


def test_what_is_written_together_is_there_together_or_not_at_all(study):
    def half() -> None:
        with study.transaction():
            study.put_trial(0, "complete", {"trial": 0})
            raise InterruptedError

    with pytest.raises(InterruptedError):
        half()
    assert study.trials() == []
    with study.transaction():
        study.put_trial(0, "complete", {"trial": 0})
        study.put_epoch(0, 1, 0.5, 0.5)
        assert seen_by_another_process(study.path) == []
    assert seen_by_another_process(study.path) == [[0, "complete", '{"trial": 0}']]


def test_what_was_flushed_needs_no_log_beside_the_database(tmp_path):
    study = Study(tmp_path / "study.db")
    study.put_fact("begun", True)
    study.flush()
    study.put_fact("later", True)
    (tmp_path / "after").mkdir()
    (tmp_path / "after" / "study.db").write_bytes((tmp_path / "study.db").read_bytes())  # a power cut takes the log
    again = Study(tmp_path / "after" / "study.db")
    assert again.facts() == {"begun": True}
    again.close()
    study.close()
