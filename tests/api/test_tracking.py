"""Runs and versions in MLflow, in a store of the test's own: switched on by hand, and what is shown is true."""

import importlib.util
import json
import os

import pytest
from bundles import make_bundle
from pretend_runs import pretend_run

from autotl.api import tracking
from autotl.api.tracking import open_tracking
from autotl.cli.app import run
from autotl.errors import EnvironmentProblemError

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="the extra [mlflow] is missing")


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    """A store with its tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("mlflow") / "store.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
        open_tracking()
    return path


@pytest.fixture
def store(empty_store, tmp_path, monkeypatch):
    """The client of an empty store, with a current folder of its own."""
    path = tmp_path / "store.db"
    path.write_bytes(empty_store.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    return open_tracking().client


def runs_of(store, task="kitchen"):
    return store.search_runs([store.get_experiment_by_name(task).experiment_id], max_results=1000)


def raising(error):
    def raises(*_, **__):
        raise error

    return raises


def promote(what, *more, alias="production", reason="beats the old one"):
    return run(["promote", str(what), "--alias", alias, "--reason", reason, *more])


def test_a_run_has_a_child_for_every_trial_with_its_plan_and_figures(store, tmp_path):
    folder = pretend_run(tmp_path / "first", wrong=(40, 80), t1={"status": "failed", "failure": "out of memory"}).path
    (folder / "trials" / "0" / "curve.csv").write_text("epoch,train_loss,score\n1,0.9,0.5\n2,0.4,nan\n")
    assert "first is in MLflow" in open_tracking().add_run(folder)
    content = json.loads((folder / "leaderboard.json").read_text())
    found = {each.data.tags.get("autotl.trial", "parent"): each for each in runs_of(store)}
    assert set(found) == {"parent", "0", "1"}
    parent, best, failed = found["parent"], found["0"], found["1"]
    row = content["trials"][0]
    assert best.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert best.data.metrics["score.value"] == parent.data.metrics["score.value"] == row["score"]["value"]
    assert best.data.metrics["train_loss"] == 0.4
    assert best.data.params["backbone"] == str(row["plan"]["backbone"])
    assert parent.data.params["metric"] == "accuracy"
    assert (failed.info.status, failed.data.tags["autotl.failure"]) == ("FAILED", "out of memory")
    assert "leaderboard.json" in {each.path for each in store.list_artifacts(parent.info.run_id)}


def test_a_run_that_is_there_is_not_written_twice(store, tmp_path):
    folder = pretend_run(tmp_path / "first").path
    open_tracking().add_run(folder)
    before = len(runs_of(store))
    assert "already" in open_tracking().add_run(folder)
    assert len(runs_of(store)) == before


def test_a_promoted_version_appears_with_alias_and_reason_and_goes_back_with_it(store, tmp_path, capsys):
    for name in ("a", "b"):
        folder = pretend_run(tmp_path / name, tested={0: 1}).path
        make_bundle(folder / "winner", model=name)
        open_tracking().add_run(folder)
        assert promote(folder, "--mlflow", reason=f"{name} is better") == 0
    assert "kitchen@production is version 2 in MLflow's registry" in capsys.readouterr().out
    version = store.get_model_version_by_alias("kitchen", "production")
    assert (str(version.version), version.description, version.tags["autotl.version"]) == ("2", "b is better", "2")
    assert version.source.endswith("versions/2/bundle")
    assert store.get_run(version.run_id).data.tags["autotl.run"] == "b"
    assert run(["rollback", "--alias", "production", "--reason", "misses pans", "--mlflow"]) == 0
    version = store.get_model_version_by_alias("kitchen", "production")
    assert version.tags["autotl.version"] == "1"
    assert "misses pans" in version.tags["autotl.rollback.production"]


def test_without_the_option_nothing_is_sent_wherever_the_variable_points(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr(tracking, "open_tracking", lambda **_: pytest.fail("MLflow was asked"))
    make_bundle(pretend_run(tmp_path / "a", tested={0: 1}).path / "winner")
    assert promote(tmp_path / "a") == 0


def test_an_mlflow_that_does_not_answer_is_told_before_anything_is_signed_off(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://name:secret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    make_bundle(pretend_run(tmp_path / "a", tested={0: 1}).path / "winner")
    assert promote(tmp_path / "a", "--mlflow") == 7
    said = capsys.readouterr().err
    assert "MLflow at http://127.0.0.1:9:" in said
    assert run(["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"] == []


def test_an_mlflow_that_refuses_is_told_in_a_line(store, tmp_path, monkeypatch):
    from mlflow.exceptions import MlflowException

    folder, opened = pretend_run(tmp_path / "first").path, open_tracking()
    monkeypatch.setattr(opened.client, "create_run", raising(MlflowException("no room\nat all")))
    with pytest.raises(EnvironmentProblemError, match=r"MLflow at sqlite:.*: no room$"):
        opened.add_run(folder)


def test_a_fault_of_ours_is_not_laid_at_mlflow_s_door(store, tmp_path, monkeypatch):
    folder, opened = pretend_run(tmp_path / "first").path, open_tracking()
    monkeypatch.setattr(opened.client, "create_run", raising(KeyError("score")))
    with pytest.raises(KeyError, match="score"):
        opened.add_run(folder)


def test_offline_and_an_mlflow_elsewhere_exclude_each_other(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    assert run(["search", str(tmp_path / "task.yaml"), "--mlflow", "--offline"]) == 2
    assert "--offline forbids that" in capsys.readouterr().err


def test_without_the_extra_the_line_to_install_it_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tracking.importlib.util, "find_spec", lambda name: None)
    assert run(["search", str(tmp_path / "task.yaml"), "--mlflow"]) == 7
    assert "pip install 'autotl[mlflow]'" in capsys.readouterr().err


def test_mlflow_s_makers_are_told_nothing(store, monkeypatch):
    monkeypatch.delenv(tracking.NO_TELEMETRY)
    open_tracking()
    assert os.environ[tracking.NO_TELEMETRY] == "true"
