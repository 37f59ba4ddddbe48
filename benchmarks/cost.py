"""Whether `autotl plan` says what searches take, and whether `wall` is kept: small real searches, each told before.

python -m benchmarks.cost [--only flowers …] [--runs FOLDER] [--wall 20m] [--tight 90s]

Every example with a sample report is searched twice: with a time that ends nothing, and with one that does. The
machine's log starts empty, so the first prediction knows nothing of it and each later one what those before it took.
`--runs` keeps the folders and compares what is there already.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autotl.run.folder import STUDY
from autotl.run.study import reading
from benchmarks.sample_reports import ROOT, SAMPLES
from benchmarks.shared import parser, use_own_home

TRIALS = {"flowers": 6, "handwritten-digits": 4, "movie-reviews": 4, "fault-detection": 16, "bearing-faults": 4}
FOUND = "compared.json"
WITHIN = 2.0


@dataclass(frozen=True)
class Compared:
    """One search: predicted and taken.

    Attributes:
        learnt_from: trials that the machine had trained before.
        wall: what the command was given, in seconds.
        trial: predicted median seconds of a trial, and the median taken; 0 where none ended.
        memory: megabytes, likewise.
    """

    name: str
    learnt_from: int
    wall: float
    predicted: float
    took: float
    ended: str
    trial: tuple[float, float]
    disk: tuple[float, float]
    memory: tuple[float, float]


def main() -> None:
    """Searches, compares, prints."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--only", nargs="*", choices=sorted(TRIALS), default=sorted(TRIALS))
    arguments.add_argument("--runs", type=Path, default=None, help="keep the folders here")
    arguments.add_argument("--wall", default="20m")
    arguments.add_argument("--tight", default="90s")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        runs = (given.runs or Path(temporary)).resolve()
        found = []
        for name in given.only:
            for label, wall in (("free", given.wall), ("tight", given.tight)):
                compared = _compared(name, runs / name, label, wall, home=runs / "home", shared=given.shared.resolve())
                found.append(compared)
                print(_line(compared), flush=True)
        print(_summary(found))


def _compared(name: str, folder: Path, label: str, wall: str, *, home: Path, shared: Path) -> Compared:
    kept = folder / label / FOUND
    if kept.is_file():
        return Compared(**json.loads(kept.read_text(encoding="utf-8")))
    if not folder.exists():
        folder.mkdir(parents=True)
        SAMPLES[name].place(folder, shared)
    options = ["--trials", str(TRIALS[name]), "--wall", wall]
    planned = json.loads(_autotl(folder, home, "plan", "task.yaml", "--json", *options))
    before, started = _bytes_in(folder / "cache"), time.monotonic()
    _autotl(folder, home, "search", "task.yaml", "--out", label, "--all-trials", *options)
    took = time.monotonic() - started
    with reading(folder / label / STUDY) as study:
        rows, facts = study.trials(), study.facts()
    searched = [row for row in rows if row["baseline"] is None and row["status"] == "complete"]
    seconds = sorted(sum(row["seconds"].values()) for row in searched)
    held = max((row["memory_mb"] or 0.0 for row in rows), default=0.0)
    compared = Compared(
        name=f"{name}, {label}",
        learnt_from=planned["learnt_from"],
        wall=planned["wall_seconds"],
        predicted=planned["seconds"],
        took=took,
        ended=str(facts["ended_because"]),
        trial=(planned["trial_seconds"][1], seconds[len(seconds) // 2] if seconds else 0.0),
        disk=(planned["disk_bytes"], float(_bytes_in(folder / "cache") - before)),
        memory=(planned["memory_mb"], 900.0 + planned["workers"] * held),
    )
    kept.write_text(json.dumps(asdict(compared)), encoding="utf-8")
    return compared


def _autotl(folder: Path, home: Path, *arguments: str) -> str:
    """A command in the folder, with a log and a store of the benchmark's own; a search may end without a winner."""
    environment = {
        **os.environ,
        "AUTOTL_HOME": str(home),
        "AUTOTL_CACHE_DIR": str(folder / "cache"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "autotl", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode not in (0, 5):
        raise SystemExit(f"autotl {' '.join(arguments)} ended with {ran.returncode}:\n{ran.stderr[-2000:]}")
    return ran.stdout


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _line(found: Compared) -> str:
    return (
        f"{found.name}: predicted {found.predicted:.0f} s (from {found.learnt_from} trials), took {found.took:.0f} s "
        f"of {found.wall:.0f}; ended by {found.ended[:30]}; a trial {found.trial[0]:.1f} / {found.trial[1]:.1f} s; "
        f"disk {found.disk[0] / 1e6:.0f} / {found.disk[1] / 1e6:.0f} MB; "
        f"memory {found.memory[0]:.0f} / {found.memory[1]:.0f} MB"
    )


def _summary(found: list[Compared]) -> str:
    def share(pairs: list[tuple[float, float]]) -> str:
        known = [(one, other) for one, other in pairs if other > 0]
        close = sum(max(one / other, other / max(one, 1e-9)) <= WITHIN for one, other in known)
        return f"{close} of {len(known)}"

    late = [each.took - each.wall for each in found if each.ended == "budget"]
    kept = sum(seconds <= max(30.0, 0.05 * each.wall) for seconds, each in zip(late, _by_time(found), strict=True))
    figures: dict[str, Any] = {
        "the whole command": [(each.predicted, each.took) for each in found],
        "a trial": [each.trial for each in found],
        "disk": [each.disk for each in found],
        "memory": [each.memory for each in found],
    }
    told = "; ".join(f"{what} {share(pairs)}" for what, pairs in figures.items())
    return (
        f"within a factor of {WITHIN:g}: {told}\n"
        f"wall kept to 5 % or 30 s: {kept} of {len(late)} that it ended, latest {max(late, default=0.0):+.0f} s"
    )


def _by_time(found: list[Compared]) -> list[Compared]:
    return [each for each in found if each.ended == "budget"]


if __name__ == "__main__":
    main()
