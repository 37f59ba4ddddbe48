"""Serving from start to signal: what is pinned, what is refused before anything is loaded, how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from bundles import make_bundle
from pretend_runs import pretend_run

from autotl.api import promote, serving
from autotl.cli.app import run
from autotl.production.bundle import MODEL
from autotl.production.home import home_folder

ROOT = Path(__file__).parents[2]
SERVER = """
import sys
sys.path += ["tests", "tests/production", "tests/production/serving"]
from pretend_served import by_mean
from autotl.api import serving
from autotl.cli.app import run
from autotl.production.serving.served import Served
serving._Named.load = lambda self: Served(self.bundle, self.name, self.version, self.asked_for, by_mean)
sys.exit(run(["serve", *sys.argv[1:]]))
"""


@pytest.fixture
def registry(tmp_path):
    """Two versions of `kitchen`, the first in production."""
    for name in ("a", "b"):
        pretend_run(tmp_path / name)
        make_bundle(tmp_path / name / "winner", model=name, preprocessing={"reads": "strings"}, modality="text")
        promote(tmp_path / name, alias="production" if name == "a" else "staging", reason="good")
    return tmp_path


class Server:
    """A server in a process of its own, its model pretended."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", SERVER, *arguments, "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )
        self.said = []
        while not self.said or " takes requests" not in self.said[-1]:
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            self.said.append(line)
        self.address = self.said[-1].split("/v1")[0]

    def get(self, path):
        return json.load(urllib.request.urlopen(self.address + path, timeout=10))

    def predict(self, *texts):
        body = json.dumps({"instances": texts}).encode()
        request = urllib.request.Request(self.address + "/v1/predict", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=10))

    def stop(self, number):
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_promoted_model_is_served_until_a_signal_ends_it(registry, number, code):
    server = Server("kitchen@production")
    assert (
        "Serving kitchen:1. That is what kitchen@production is now; restart to follow it elsewhere." in server.said[0]
    )
    assert server.address.startswith("http://127.0.0.1:")
    assert server.predict("a fine kettle")["model"]["version"] == 1
    promote("kitchen:2", alias="production", reason="better")
    told = server.get("/v1/model")
    assert (told["model"]["version"], told["asked_for"]) == (1, "kitchen@production")
    ended, said = server.stop(number)
    assert ended == code
    assert "requests that had arrived were answered" in said
    assert "Traceback" not in said


def test_a_bundle_that_nobody_promoted_has_no_version(registry):
    server = Server(str(registry / "a" / "winner"), "--host", "localhost")
    assert "which nobody promoted" in server.said[0]
    assert server.get("/v1/model")["model"]["version"] is None
    assert server.stop(signal.SIGTERM)[0] == 143


def test_an_address_that_others_reach_is_said(registry):
    server = Server("kitchen:2", "--host", "0.0.0.0")
    assert "no login and no encryption" in " ".join(server.said)
    server.stop(signal.SIGTERM)


def typed(capsys, *arguments):
    code = run([str(argument) for argument in arguments])
    return code, " ".join(capsys.readouterr().err.split())


def test_what_cannot_be_served_is_told_before_anything_is_loaded(registry, capsys, monkeypatch):
    monkeypatch.setattr(serving._Named, "load", lambda self: pytest.fail("it was loaded"))
    code, said = typed(capsys, "serve", "kitchen@prod")
    assert (code, "no alias 'prod'. Allowed: production, staging." in said) == (2, True)
    assert typed(capsys, "serve", "kitchen:7")[0] == 2
    assert typed(capsys, "serve", registry)[0] == 2
    assert typed(capsys, "serve", "kitchen:1", "--host", "no.such.host.invalid")[0] == 2
    assert typed(capsys, "serve", "kitchen:1", "--max-instances", "0")[0] == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = typed(capsys, "serve", "kitchen:1", "--port", taken.getsockname()[1])
    assert (code, "Choose another: --port N" in said) == (7, True)


def test_a_file_that_was_changed_on_disk_is_named_and_not_served(registry, capsys):
    path = home_folder() / "registry" / "kitchen" / "versions" / "1" / "bundle" / MODEL
    path.chmod(0o644)
    path.write_bytes(b"something else")
    code, said = typed(capsys, "serve", "kitchen@production")
    assert (code, str(path) in said) == (8, True)


def test_a_bundle_of_another_version_is_told(tmp_path, capsys):
    code, said = typed(capsys, "serve", make_bundle(tmp_path, format=2, versions={"autotl": "9.0"}))
    assert (code, "autotl 9.0; this version reads format 1" in said) == (8, True)


def test_without_the_extra_the_line_to_install_it_is_told(registry, capsys, monkeypatch):
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda name: None)
    assert typed(capsys, "serve", "kitchen:1") == (
        7,
        "serving is an extra that is not installed: pip install 'autotl[serve]'",
    )
