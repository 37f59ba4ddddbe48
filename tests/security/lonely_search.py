"""One real search in a process of its own, out of reach of any network, by somebody with a name and a secret."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

NO_NETWORK = Path(__file__).parents[1] / "no_network"
USER = "ada-lovelace"
SECRET = "hunter2-and-more"
TASK = """\
name: secretive
modality: table
data: {target: {train: rows.csv, test: 0.2}}
budget: {trials: 1}
search_space: {backbone: boosted_trees}
baselines: none
"""


@dataclass(frozen=True)
class Searched:
    """What came of it: the user's folder, the run in it, and what was asked of the network, line by line."""

    home: Path
    run: Path
    asked: list[str]


def alone(home: Path, *command: str) -> list[str]:
    """Runs `autotl` in the user's folder where the outside cannot be reached; returns what was asked of it."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "USER": USER,
        "LOGNAME": USER,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AUTOTL_HOME": str(home / "registry"),
        "AUTOTL_CACHE_DIR": str(home / "cache"),
        "NO_NETWORK_LOG": str(home / "asked.txt"),
        "PYTHONPATH": os.pathsep.join([str(NO_NETWORK), *sys.path]),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "autotl", *command],
        capture_output=True,
        text=True,
        cwd=home,
        env=environment,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    log = home / "asked.txt"
    return log.read_text().splitlines() if log.is_file() else []
