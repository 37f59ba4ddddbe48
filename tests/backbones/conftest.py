"""Fixtures of this room's tests."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

RUNS_WHAT_IT_READS = """
import json, os, sys, traceback
import keras
for line in sys.stdin:
    order = json.loads(line)
    os.chdir(order["folder"])
    try:
        exec(order["program"], {})
        print(json.dumps(None), flush=True)
    except BaseException:
        print(json.dumps(traceback.format_exc()), flush=True)
"""


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, Path], None]]:
    """Runs a program in a folder, in a process that has Keras and never sees autotl: one for all tests, since Keras
    takes its time to start."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUNS_WHAT_IT_READS],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    pipes = process.stdin, process.stdout

    def run(program: str, folder: Path) -> None:
        program += "\nimport sys; assert not any(name.split('.')[0] == 'autotl' for name in sys.modules)"
        pipes[0].write(json.dumps({"program": program, "folder": str(folder)}) + "\n")
        pipes[0].flush()
        said = pipes[1].readline()
        assert said, "the process has died"
        error = json.loads(said)
        assert error is None, error

    yield run
    process.stdin.close()
    process.wait()


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach another machine fails, as it does in a closed network."""

    def refuse(*_arguments: object, **_keywords: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
