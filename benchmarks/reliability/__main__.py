"""Prints what a search survives.

python -m benchmarks.reliability                       # every fault, pretended training (a few minutes)
python -m benchmarks.reliability --tries 20 R3         # one of them, twenty times
python -m benchmarks.reliability --real --tries 3      # the same with networks that are trained
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.reliability.scenarios import PRETENDED_ALONE, SCENARIOS, Try, play


def main() -> None:
    """Prints a row per scenario as it is done, and what went wrong below."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("scenarios", nargs="*", metavar="R3", help=f"some of: {'; '.join(SCENARIOS)}")
    arguments.add_argument("--tries", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--real", action="store_true", help="train networks instead of pretending to")
    given = arguments.parse_args()
    unknown = [name for name in given.scenarios if name not in SCENARIOS]
    if unknown:
        arguments.error(f"{unknown[0]!r} is not known. Allowed: {'; '.join(SCENARIOS)}")
    names = [name for name in given.scenarios or SCENARIOS if not (given.real and name in PRETENDED_ALONE)]
    folder = Path(tempfile.mkdtemp(prefix="autotl-reliability-"))
    print("| scenario | fault | tries | survived | lost | repeated epochs | seconds to resume |")
    print("|---|---|---|---|---|---|---|", flush=True)
    problems = []
    for name in names:
        tries = play(name, tries=given.tries, seed=given.seed, is_real=given.real, folder=folder)
        print(row_of(name, tries), flush=True)
        problems += [f"{name}, try {number}: {words}" for number, each in enumerate(tries) for words in each.problems]
    print("\n".join(["", *problems]))
    if problems:
        print(f"\nwhat is left of these tries: {folder}")
        raise SystemExit(1)


def row_of(name: str, tries: Sequence[Try]) -> str:
    """A line of the table."""
    words = (SCENARIOS[name].__doc__ or "").split(": ", 1)[1].split(".")[0].replace("\n    ", " ").strip()
    survived = sum(not each.problems for each in tries)
    repeated = [each.repeated for each in tries if each.repeated is not None]
    seconds = [each.seconds for each in tries if each.seconds is not None]
    cells = [
        name,
        words,
        str(len(tries)),
        str(survived),
        str(sum(each.lost for each in tries)),
        str(sum(repeated)) if repeated else "not counted",
        f"{min(seconds):.0f} to {max(seconds):.0f}" if seconds else "",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
