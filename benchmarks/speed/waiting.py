"""What one waits for before anything is trained: seconds from the command to its last word.

python -m benchmarks.speed.waiting [--files 10000] [--repetitions 5]

`autotl --help`, and `autotl validate` on a task of so many image files in two class folders. What `leaderboard` and
`report` take on long searches is `benchmarks.speed.report`.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

TASK = "name: waiting\ndata: {target: {train: photos}}\n"


def main() -> None:
    """Prints a row per command."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--files", type=int, default=10_000)
    arguments.add_argument("--repetitions", type=int, default=5)
    given = arguments.parse_args()
    print("| command | seconds (median) |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        task = Path(folder) / "task.yaml"
        task.write_text(TASK, encoding="utf-8")
        draw(Path(folder) / "photos", given.files)
        for words, title in ((["--help"], "--help"), (["validate", str(task)], f"validate, {given.files:,} files")):
            median = statistics.median(seconds(words) for _ in range(given.repetitions))
            print(f"| `{title}` | {median:.2f} |", flush=True)


def draw(folder: Path, files: int) -> None:
    """Small images, all the same, in two classes."""
    for kind in "ab":
        (folder / kind).mkdir(parents=True)
    Image.new("RGB", (2, 2)).save(folder / "a" / "0.png")
    content = (folder / "a" / "0.png").read_bytes()
    for number in range(1, files):
        (folder / "ab"[number % 2] / f"{number}.png").write_bytes(content)


def seconds(words: Sequence[str]) -> float:
    """Of one command."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "autotl", *words], check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
