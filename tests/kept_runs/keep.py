"""Keeps a run folder of this version among the tests, where every later version must open it.

python tests/kept_runs/keep.py        # at a release; writes tests/kept_runs/VERSION.zip
"""

import csv
import os
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np

import autotl
from autotl.cli.app import run

PLACE = Path("/tmp/autotl-kept")  # its name stays in what is kept
MOODS = ("calm", "loud", "odd")
TELLING = (("quiet", "gentle", "slow"), ("bang", "crash", "scream"), ("clown", "banana", "moonwalk"))
USUAL = ("the", "film", "was", "a", "long", "story", "about", "people", "in", "some", "small", "town", "by", "sea")
TASK = """\
name: moods
data: {target: {train: train.csv, test: test.csv}}
search_space: {backbone: bag_of_words}
budget: {trials: 2, wall: 10m}
"""
REPORT = "report.html"  # a megabyte that `autotl report` writes anew


def main() -> None:
    """Searches a small task without a network and packs what it leaves, some tens of KB."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    write_texts(PLACE / "train.csv", rows=90, seed=0)
    write_texts(PLACE / "test.csv", rows=30, seed=1)
    (PLACE / "task.yaml").write_text(TASK)
    os.chdir(PLACE)
    os.environ |= {"AUTOTL_HOME": str(PLACE / "home"), "AUTOTL_CACHE_DIR": str(PLACE / "cache")}
    if code := run(["search", "task.yaml", "--out", "run", "--offline"]):
        sys.exit(code)
    kept = Path(__file__).with_name(f"{autotl.__version__}.zip")
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted([*PLACE.glob("*.csv"), PLACE / "task.yaml", *(PLACE / "run").rglob("*")]):
            if path.is_file() and path.name not in (REPORT, ".lock"):
                archive.write(path, path.relative_to(PLACE))


def write_texts(path: Path, *, rows: int, seed: int) -> None:
    """Reviews in which most, not all, words that tell a mood are told by the right one."""
    draws = np.random.default_rng(seed)
    labels = np.arange(rows) % len(MOODS)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for label in labels:
            told = label if draws.random() < 0.8 else draws.integers(len(MOODS))
            words = [*draws.choice(USUAL, 12), *draws.choice(TELLING[told], 2)]
            writer.writerow([" ".join(draws.permutation(words)), MOODS[label]])


if __name__ == "__main__":
    main()
