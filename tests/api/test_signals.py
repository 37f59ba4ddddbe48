"""A search that is told to stop writes what it has and ends with the signal's exit code."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from autotl.api import searching
from autotl.cli.app import run

TASK = """\
name: stopped
data: {target: {train: data.npz, test: 0.2}}
budget: {trials: 500, wall: 10m}
baselines: [linear_probe]
search_space: {backbone: small_cnn, image_size: 32, tap: last, unfrozen_layers: {choice: [2, 4]}, views: 0, epochs: 3,
  head: linear, learning_rate: {log: [1.0e-3, 1.0e-2]}}
"""
LONGEST_WAIT = 300.0


def write_data(folder):
    draws = np.random.default_rng(0)
    labels = np.arange(120) % 2
    pixels = draws.integers(0, 110, size=(120, 16, 16, 3))
    pixels[np.arange(120), 4:12, 4:12, labels] += 90
    np.savez(folder / "data.npz", x=pixels.astype(np.uint8), y=np.array(["red", "green"])[labels])
    (folder / "task.yaml").write_text(TASK)


def wait_for(condition, process):
    end = time.time() + LONGEST_WAIT
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.time() < end, "the search never came so far"
        time.sleep(0.1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_search_with_everything_written(tmp_path, number, code):
    write_data(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "autotl", "search", "task.yaml", "--out", "run", "--workers", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: any((tmp_path / "run" / "trials").glob("[1-9]*/weights.npz")), process)
        process.send_signal(number)
        _, errors = process.communicate(timeout=LONGEST_WAIT)
    finally:
        process.kill()
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert f"stopped by {number.name}" in errors
    rows = json.loads((tmp_path / "run" / "leaderboard.json").read_text())["trials"]
    assert {"complete"} <= {row["status"] for row in rows} <= {"complete", "pruned"}
    assert all(row["reason"] == "interrupted" for row in rows if row["status"] == "pruned" and row["epochs"] == 0)
    assert (tmp_path / "run" / "report.html").is_file()
    assert not (tmp_path / "run" / "winner").exists()
    assert sorted(path.name for path in (tmp_path / "run").glob("study.db*")) == ["study.db"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_data_are_read_ends_the_command_with_nothing_written(tmp_path, monkeypatch, capsys, number):
    """Sent from inside the reading, for from outside nobody knows when that is."""
    monkeypatch.chdir(tmp_path)
    write_data(tmp_path)
    monkeypatch.setattr(searching, "load_data", lambda _: (os.kill(os.getpid(), number), time.sleep(LONGEST_WAIT)))
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert run(["search", "task.yaml", "--out", "run"]) == 128 + number
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert f"stopped by {number.name} before the first trial; nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_sigterm_ends_any_command_in_order(monkeypatch, capsys):
    tidied = []

    def terminated(*_):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(LONGEST_WAIT)
        finally:
            tidied.append(True)

    monkeypatch.setattr("autotl.api.write_report", terminated)
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert run(["report", "somewhere"]) == 143
    finally:
        signal.signal(signal.SIGTERM, before)
    assert tidied
    assert "Traceback" not in capsys.readouterr().err
