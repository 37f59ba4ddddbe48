"""Prints what a long search leaves behind: memory, open files, processes, threads, folders.

python -m benchmarks.reliability.soak                  # 500 trials of every kind, pretended training
python -m benchmarks.reliability.soak --trials 60 --real   # heads and small networks that are trained
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.reliability.pretend import MISFORTUNES, NO_MEMORY, SLOW, TRAINED
from benchmarks.reliability.watched import Watched

WARM = 50  # trials, of those after the misfortunes, after which memory is compared
MOST_GROWTH = 0.05
KINDS = (*MISFORTUNES, NO_MEMORY, SLOW)
TRIALS_A_ROUND = 60  # one misfortune of each kind among so many
SECONDS_BETWEEN_LOOKS = 0.1
SHARED = Path("/dev/shm")


@dataclass(frozen=True)
class Held:
    """What the search's process and those below it hold at one moment."""

    trials: int  # that have ended
    driver_mb: float
    worker_mb: float  # the largest
    files: int  # open, of the driver
    threads: int  # of the driver
    processes: int


@dataclass
class Soak:
    """A search that is watched from its first trial to its last."""

    search: Watched
    looks: list[Held] = field(default_factory=list)

    def run(self) -> int:
        """Its exit code."""
        assert self.search.process is not None
        while self.search.process.poll() is None:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            try:
                self.looks.append(self._look())
            except psutil.Error:
                continue  # a worker that ends while it is looked at
        return self.search.wait()

    def _look(self) -> Held:
        assert self.search.process is not None
        driver = psutil.Process(self.search.process.pid)
        children = driver.children(recursive=True)
        workers = [each for each in children if "ResourceTrainable" in " ".join(each.cmdline())]
        ended = self.search.ask("SELECT COUNT(*) FROM autotl_trials WHERE status != 'running'")
        return Held(
            int(ended[0][0]) if ended else 0,
            _own_mb(driver),
            max((_own_mb(each) for each in workers), default=0.0),
            driver.num_fds(),
            driver.num_threads(),
            len(children),
        )

    def between(self, first: int, last: int) -> list[Held]:
        """Looks while so many trials had ended, a worker being there."""
        return [each for each in self.looks if first <= each.trials < last and each.worker_mb > 0]


def main() -> None:
    """Runs it and prints a table; exits with 1 where something grew or stayed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--trials", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--real", action="store_true", help="train networks instead of pretending to")
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="autotl-soak-"))
    search = Watched(folder / "task", given.real, trials=given.trials)
    temporary = Path(tempfile.mkdtemp(prefix="soak-", dir="/tmp"))  # Ray's sockets need a short path
    before = _left_behind(folder, temporary)
    search.environment |= {"TMPDIR": str(temporary), "AUTOTL_PRETEND_SECONDS": "0.002"}
    first = _mix(search, given.trials, is_real=given.real)
    search.start("--start-with", "plans.json")
    soak, began = Soak(search), time.monotonic()
    code = soak.run()
    seconds = time.monotonic() - began
    problems = [*([] if code == 0 else [f"exit code {code}: {search.words()}"]), *search.faults()]
    problems += _print_table(soak, first + WARM, given.trials, seconds)
    time.sleep(5.0)  # for Ray's processes to notice
    problems += [f"left behind: {name}" for name in sorted(_left_behind(folder, temporary) - before)]
    print("\n".join(["", *(problems or ["nothing grew, nothing was left behind"])]))
    if problems:
        raise SystemExit(1)
    shutil.rmtree(folder)
    shutil.rmtree(temporary)


def _mix(search: Watched, trials: int, *, is_real: bool) -> int:
    """Has the search begin with misfortunes and go on with heads that are trained side by side and plans that are
    trained alone; how many misfortunes there are. They come first, for some cost a worker its life, and what grows is
    measured of one that lives."""
    task = (search.folder / "task.yaml").read_text()
    mixed = task.replace("unfrozen_layers: {choice: [2, 4]}", "unfrozen_layers: {choice: [0, 2, 4]}")
    (search.folder / "task.yaml").write_text(mixed.replace("wall: 30m", "wall: 3h"))
    plans: list[dict[str, Any]] = []
    alike = {"backbone": "small_cnn", "image_size": 32, "epochs": 5}
    for number in range(0 if is_real else trials // TRIALS_A_ROUND):
        rate = 0.001 * (1 + number)  # equal plans would be trained once
        plans += [{**alike, "unfrozen_layers": 2, "weight_decay": decay, "learning_rate": rate} for decay in KINDS]
    (search.folder / "plans.json").write_text(json.dumps(plans))
    return len(plans)


def _print_table(soak: Soak, first: int, trials: int, seconds: float) -> list[str]:
    looks = soak.between(first, trials)
    if len(looks) < 2:
        return ["the search was over before it could be looked at twice"]
    print(f"{trials} trials in {seconds:.0f} s; {len(looks)} looks from trial {first} on\n")
    print("| | at the beginning | at the end | growth |\n|---|---|---|---|")
    problems = []
    for name, unit in (("driver_mb", "MB"), ("worker_mb", "MB"), ("files", ""), ("threads", ""), ("processes", "")):
        begun, ended = (_middle([getattr(each, name) for each in part]) for part in _ends(looks))
        growth = ended / begun - 1.0
        print(f"| {name.replace('_mb', '')} | {begun:.0f} {unit} | {ended:.0f} {unit} | {growth:+.1%} |")
        if growth > MOST_GROWTH:
            problems.append(f"{name} grew by {growth:.1%}")
    return problems


def _ends(looks: Sequence[Held]) -> tuple[Sequence[Held], Sequence[Held]]:
    """The first and the last tenth."""
    share = max(1, len(looks) // 10)
    return looks[:share], looks[-share:]


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _own_mb(process: psutil.Process) -> float:
    held = process.memory_info()
    return (held.rss - getattr(held, "shared", 0)) / (1 << 20)


def _left_behind(folder: Path, temporary: Path) -> set[str]:
    """Temporary folders, shared memory, and processes that belong to the search."""
    found = {f"folder {path.name}" for path in temporary.iterdir()}
    found |= {f"shared memory {path.name}" for path in SHARED.glob("*")} if SHARED.exists() else set()
    for process in psutil.process_iter(["pid", "name", "environ"]):
        environment = process.info["environ"] or {}
        if environment.get(TRAINED, "").startswith(str(folder)) and process.pid != os.getpid():
            found.add(f"process {process.info['name']}")
    return found


if __name__ == "__main__":
    main()
