"""A search in a process of its own, watched from outside: when to strike, and what is left afterwards."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import xxhash

from autotl.run.folder import LEADERBOARD_JSON, LOCK, OWNER, REPORT, STUDY, WINNER
from benchmarks.reliability.pretend import TRAINED

LONGEST_WAIT = 900.0
TRIALS = 10
TASK = """\
name: chaos
data: {target: {train: data.npz, test: 0.2}}
budget: {trials: %d, wall: 30m, seeds: 1}
seed: 3
search_space:
  backbone: small_cnn
  image_size: 32
  unfrozen_layers: {choice: [2, 4]}
  learning_rate: {log: [1.0e-5, 1.0]}
  head: linear
  views: 0
  epochs: %d
"""


@dataclass
class Watched:
    """A task, its run, and the processes that search it.

    Args:
        is_real: train for real; else training is pretended (`benchmarks.reliability.pretend`).
    """

    folder: Path
    is_real: bool = False
    trials: int = TRIALS
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    said: str = ""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draws, labels = np.random.default_rng(0), np.arange(80) % 2
        pixels = draws.integers(0, 110, size=(80, 16, 16, 3))
        pixels[np.arange(80), 4:12, 4:12, labels] += 90
        np.savez(self.folder / "data.npz", x=pixels.astype(np.uint8), y=np.array(["red", "green"])[labels])
        (self.folder / "task.yaml").write_text(TASK % (self.trials, 9 if self.is_real else 5))

    @property
    def run(self) -> Path:
        """The run folder."""
        return self.folder / "run"

    def start(self, *words: str) -> None:
        """Begins the search."""
        self._start("task.yaml", "--out", "run", "--workers", "1", *words)

    def resume(self, *words: str) -> None:
        """Goes on with it."""
        self._start("--resume", "run", *words)

    def _start(self, *words: str) -> None:
        module = "autotl" if self.is_real else "benchmarks.reliability.pretend"
        with (self.folder / "said.txt").open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, "search", *words],
                cwd=self.folder,
                env={**os.environ, **self.variables()},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def variables(self) -> dict[str, str]:
        """Of its environment, and that of machines that it runs on."""
        places = {"AUTOTL_HOME": "home", "AUTOTL_CACHE_DIR": "cache", TRAINED: "trained.jsonl"}
        return {
            **{name: str(self.folder / place) for name, place in places.items()},
            **self.environment,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)]),
        }

    def wait_until(self, condition: Callable[[], Any], *, while_it_runs: bool = True) -> bool:
        """Waits for it; False where the search ended before.

        Raises:
            TimeoutError: neither happens.
        """
        assert self.process is not None
        end = time.monotonic() + LONGEST_WAIT
        while not condition():
            if while_it_runs and self.process.poll() is not None:
                return False
            if time.monotonic() > end:
                raise TimeoutError(f"{self.folder}: what was waited for never came; {self.words()}")
            time.sleep(0.02)
        return True

    def wait(self) -> int:
        """Its exit code, when it has ended."""
        assert self.process is not None
        return self.process.wait(LONGEST_WAIT)

    def strike(self, number: int) -> None:
        """Sends a signal to the search itself."""
        assert self.process is not None
        self.process.send_signal(number)

    def strike_everything(self, number: int) -> None:
        """Sends a signal to all processes that it started, and to itself."""
        assert self.process is not None
        search = psutil.Process(self.process.pid)
        for each in [*search.children(recursive=True), search]:
            try:
                each.send_signal(number)
            except psutil.NoSuchProcess:
                continue

    def kill(self) -> None:
        """The search's process is gone at once; its workers notice."""
        self.strike(signal.SIGKILL)
        self.wait()

    def kill_everything(self) -> None:
        """All processes that it started are gone at once."""
        if self.process is None or self.process.poll() is not None:
            return
        self.strike_everything(signal.SIGKILL)
        self.wait()

    def words(self) -> str:
        """The end of what it has said so far."""
        path = self.folder / "said.txt"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def trained(self) -> list[dict[str, Any]]:
        """Epochs that were trained: trial, epoch, process and moment of each."""
        if self.is_real:
            return []
        path = self.folder / "trained.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def progress(self) -> int:
        """How far the search is: a number that grows with every epoch."""
        if not self.is_real:
            return len(self.trained())
        found = self.ask("SELECT COUNT(*) FROM autotl_epochs")
        return int(found[0][0]) if found else 0

    def repeated_epochs(self) -> int:
        """Epochs that were trained more than once."""
        counts = Counter((each["trial"], each["epoch"]) for each in self.trained())
        return sum(count - 1 for count in counts.values())

    def rows(self) -> dict[int, dict[str, Any]]:
        """Our rows by trial number."""
        return {number: json.loads(row) for number, row in self.ask("SELECT number, row FROM autotl_trials")}

    def ended(self) -> dict[int, tuple[Any, ...]]:
        """What is shown of trials that came to their own end, and the digest of what they left."""
        shown = {}
        for number, row in self.rows().items():
            if row["status"] == "running" or row["reason"] in ("interrupted", "the search broke off"):
                continue
            outputs = self.run / "trials" / str(number) / "outputs.npz"
            digest = xxhash.xxh3_64_hexdigest(outputs.read_bytes()) if outputs.exists() and not self.is_real else None
            shown[number] = (row["status"], row["plan"], row["score"], row["epochs"], row["failure"], digest)
        return shown

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database says; nothing before there is one."""
        if not (self.run / STUDY).exists():
            return []
        try:
            connection = sqlite3.connect(f"file:{self.run / STUDY}?mode=ro", uri=True, timeout=10)
            try:
                return connection.execute(statement).fetchall()
            finally:
                connection.close()
        except sqlite3.OperationalError:  # its tables are not made yet
            return []

    def faults(self, *, is_over: bool = True) -> list[str]:
        """What is wrong with the run, on disk and in its database; nothing if it is as it should be."""
        return [*self._faults_of_trials(is_over), *self._faults_of_files()]

    def _faults_of_trials(self, is_over: bool) -> list[str]:
        found, rows = [], self.rows()
        states = dict(self.ask("SELECT number, state FROM trials"))
        proposed = [
            row for row in rows.values() if row["repeat_of"] is None
        ]  # the best few are trained again in the end
        keys = [json.dumps({**row["plan"], "seed": 0}, sort_keys=True) for row in proposed]
        searched = sum(row["baseline"] is None and row["status"] != "skipped" for row in proposed)
        running = [number for number, row in rows.items() if row["status"] == "running"]
        left = [number for number, state in states.items() if state in ("RUNNING", "WAITING")]
        found += [f"trials {running} are running in our table"] if running else []
        found += [f"trials {left} are running in Optuna's tables"] if left else []
        found += ["two trials have one plan"] if len(set(keys)) < len(keys) else []
        found += [f"the numbers are {sorted(states)}"] if sorted(states) != list(range(len(states))) else []
        found += ["a trial of ours is none of Optuna's"] if not set(rows) <= set(states) else []
        found += [f"{searched} trials of {self.trials}"] if is_over and searched != self.trials else []
        found += ["a negative duration"] if any(min(row["seconds"].values()) < 0 for row in rows.values()) else []
        for number, row in rows.items():
            steps = [step for (step,) in self.ask(f"SELECT epoch FROM autotl_epochs WHERE number = {number}")]
            found += [f"trial {number} told epochs {steps}"] if steps != list(range(1, row["epochs"] + 1)) else []
        whole = self.ask("PRAGMA integrity_check")
        return found + ([f"the database: {whole}"] if whole != [("ok",)] else [])

    def _faults_of_files(self) -> list[str]:
        found = []
        hidden = [path for path in self.run.rglob(".*") if path.name not in (LOCK, OWNER)]
        found += [f"left behind: {[path.name for path in hidden]}"] if hidden else []
        for path in self.run.rglob("*.npz"):
            if not zipfile.is_zipfile(path) or zipfile.ZipFile(path).testzip() is not None:
                found.append(f"{path.name} of trial {path.parent.name} is damaged")
        try:
            json.loads((self.run / LEADERBOARD_JSON).read_text())
        except (OSError, ValueError) as error:
            found.append(f"{LEADERBOARD_JSON}: {error}")
        report = self.run / REPORT
        if not report.exists() or not report.read_text(encoding="utf-8").rstrip().endswith("</html>"):
            found.append("no whole report")
        if (self.run / WINNER).exists() and not (self.run / WINNER / "bundle.json").exists():
            found.append("half a bundle")
        if (self.run / OWNER).exists():
            found.append("it still has an owner")
        return found
