"""The dashboard serves this machine alone, and a copy: what a run holds cannot be changed through it."""

import sys
from types import ModuleType

import pytest
from pretend_runs import pretend_run

from autotl.api import dashboard
from autotl.cli.app import run
from autotl.errors import UsageError
from autotl.run import Study


@pytest.fixture
def served(monkeypatch):
    """What an installed optuna-dashboard would be asked to serve."""
    calls = []
    module = ModuleType("optuna_dashboard")

    def run_server(storage, *, host, port):
        with_trials = Study(dashboard.Path(storage.removeprefix("sqlite:///")))
        calls.append({"host": host, "port": port, "trials": len(with_trials.trials()), "storage": storage})
        with_trials.put_fact("deleted", True)
        with_trials.close()

    module.run_server = run_server
    monkeypatch.setitem(sys.modules, "optuna_dashboard", module)
    monkeypatch.setattr(dashboard.importlib.util, "find_spec", lambda name: module)
    return calls


def test_a_copy_is_served_on_the_loopback_address_and_the_run_stays_as_it_was(served, tmp_path, capsys):
    folder = pretend_run(tmp_path / "run").path
    before = (folder / "study.db").read_bytes()
    assert run(["dashboard", str(folder), "--port", "8123"]) == 0
    (call,) = served
    assert (call["host"], call["port"], call["trials"]) == ("127.0.0.1", 8123, 3)
    assert (folder / "study.db").read_bytes() == before
    assert str(folder) not in call["storage"]
    assert "http://127.0.0.1:8123/" in capsys.readouterr().out


def test_a_port_that_is_taken_asks_for_another(served, tmp_path, monkeypatch, capsys):
    def taken(*_, **__):
        raise OSError(98, "Address already in use")

    sys.modules["optuna_dashboard"].run_server = taken
    assert run(["dashboard", str(pretend_run(tmp_path / "run").path)]) == 7
    assert "Address already in use. Choose another: --port N" in capsys.readouterr().err


def test_without_the_extra_the_line_to_install_it_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dashboard.importlib.util, "find_spec", lambda name: None)
    assert run(["dashboard", str(pretend_run(tmp_path / "run").path)]) == 7
    assert "pip install 'autotl[dashboard]'" in capsys.readouterr().err


def test_what_is_no_run_is_told_first(tmp_path):
    with pytest.raises(UsageError, match="no run folder"):
        dashboard.show_dashboard(tmp_path, ready=str)
