"""Overhead per trial: seconds of a worker that went into none of a trial's own stages, read off finished runs.

python -m benchmarks.overhead RUN [RUN ...]
"""

import argparse
import statistics
from pathlib import Path

from autotl.api import read_leaderboard


def main() -> None:
    """Prints a row per run; the first trial of each worker, which starts its process, is left out."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("runs", type=Path, nargs="+")
    arguments.add_argument("--workers", type=int, default=2, help="workers the runs were searched with")
    given = arguments.parse_args()
    print("| run | trials | median overhead (s) | largest (s) |\n|---|---|---|---|")
    for run in given.runs:
        rows = sorted(read_leaderboard(run)["trials"], key=lambda row: row["trial"])
        ended = [row["seconds"]["overhead"] for row in rows if row["status"] in ("complete", "pruned")]
        later = ended[given.workers :]  # trials are numbered as they are handed out: the first ones go to new workers
        print(f"| {run.name} | {len(later)} | {statistics.median(later):.2f} | {max(later):.2f} |")


if __name__ == "__main__":
    main()
