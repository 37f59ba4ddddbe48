"""`--offline` opens no socket to the outside: the whole command runs where every attempt is refused and written down.

By hand, of any command and in any folder: see docs/security.md.
"""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from lonely_search import NO_NETWORK, alone

from autotl.api import Overrides
from autotl.backbones.availability import OFFLINE_SWITCHES, kept_offline, offline_by_environment


def test_a_search_asks_nothing_of_the_network(searched):
    assert (searched.run / "winner" / "bundle.json").is_file()
    assert searched.asked == []


def test_looking_at_its_results_does_neither(searched):
    for command in (["leaderboard", "run"], ["report", "run"], ["validate", "task.yaml", "--full"], ["doctor"]):
        assert alone(searched.home, *command) == []


@pytest.mark.parametrize("what", ["8.8.8.8", "example.com", "192.0.2.1"])
def test_an_attempt_would_be_refused_and_written_down(what, tmp_path):
    script = f"import socket\nsocket.create_connection(({what!r}, 80))"
    environment = {**os.environ, "PYTHONPATH": str(NO_NETWORK), "NO_NETWORK_LOG": str(tmp_path / "asked.txt")}
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert "no network in this test" in ended.stderr
    assert what in (tmp_path / "asked.txt").read_text()


def test_this_machine_can_still_be_reached(tmp_path):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        script = f"import socket\nsocket.create_connection(('localhost', {listening.getsockname()[1]}))"
        environment = {**os.environ, "PYTHONPATH": str(NO_NETWORK), "NO_NETWORK_LOG": str(tmp_path / "asked.txt")}
        subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert not (tmp_path / "asked.txt").exists()


def test_the_hubs_clients_are_told_for_as_long_as_it_lasts(monkeypatch):
    for name in OFFLINE_SWITCHES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with kept_offline():
        assert offline_by_environment()
        assert {os.environ[name] for name in OFFLINE_SWITCHES} == {"1"}
    assert not offline_by_environment()
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    assert "TRANSFORMERS_OFFLINE" not in os.environ


@pytest.mark.parametrize(("value", "told"), [("1", "1"), ("0", None)])
def test_the_variable_tells_them_before_they_are_imported(value, told):
    script = "import os, sys; sys.argv = ['autotl', '--version']\nfrom autotl.cli import main\ntry:\n    main()\n"
    script += "except SystemExit:\n    print(os.environ.get('HF_HUB_OFFLINE'))"
    environment = {name: text for name, text in os.environ.items() if name not in OFFLINE_SWITCHES}
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**environment, "AUTOTL_OFFLINE": value, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
    assert ended.stdout.splitlines()[-1] == str(told)


def test_it_is_off_unless_asked_for():
    assert Overrides().offline is False


def namespaces_allowed() -> bool:
    tools = shutil.which("unshare") and shutil.which("ip")
    return bool(tools) and subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not namespaces_allowed(), reason="this system lets nobody make a network of his own (unshare -rn)")
def test_the_demo_runs_on_a_machine_that_has_no_network_at_all(tmp_path):
    """The kernel itself has no way out here, whatever language a library opens its sockets in."""
    line = f"ip link set lo up && exec {sys.executable} -m autotl demo --out {tmp_path / 'demo'}"
    environment = {
        **os.environ,
        "AUTOTL_OFFLINE": "1",
        "NO_NETWORK_LOG": str(tmp_path / "asked.txt"),
        "PYTHONPATH": os.pathsep.join([str(NO_NETWORK), *sys.path]),
    }
    ended = subprocess.run(
        ["unshare", "-rn", "sh", "-c", line], capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert (tmp_path / "demo" / "run" / "report.html").is_file()
    assert not Path(tmp_path / "asked.txt").exists()
