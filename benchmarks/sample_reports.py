"""Writes the sample reports under reports/: small real searches of five examples, and an index page.

python -m benchmarks.sample_reports [--only flowers] [--runs FOLDER] [--out reports]

Each example's own task is searched with fewer trials and less time than it asks for, on real data where it needs some
(see benchmarks/README.md). `--runs` keeps the run folders; a run that is there already is laid out anew and not
searched again. `--only` leaves the index as it is.
"""

import csv
import html
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.api import read_leaderboard, write_demo
from autotl.report import wording
from autotl.run.folder import STUDY
from autotl.run.study import reading
from benchmarks.shared import parser, present, use_own_home

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
REPORTS = ROOT / "reports"
WALL = "1h"
LARGEST = 1_500_000  # bytes of a report that is committed
FLOWERS = 50  # of each kind
TESTED_FLOWERS = 60
REVIEWS = 400  # to learn from: MiniLM reads about ten a second on two cores
TESTED_REVIEWS = 200


@dataclass(frozen=True)
class Sample:
    """A search whose report is shown.

    Attributes:
        shows: what a reader sees there that the others do not have.
        place: puts task and data into a folder, given the folder with real data.
        trials: how many are searched; the clock ends none of these searches.
        report_options: of `autotl report`.
    """

    title: str
    shows: str
    place: Callable[[Path, Path], None]
    trials: int
    report_options: tuple[str, ...] = ()


WITHOUT_EXAMPLES = ("--without-examples",)  # photographs and texts are other people's: they are not ours to publish


def _flowers(folder: Path, shared: Path) -> None:
    _copy_task("flowers", folder)
    for split, count in (("train", FLOWERS), ("test", TESTED_FLOWERS)):
        for kind in sorted(present(shared / "data" / "flowers" / split).iterdir()):
            place = folder / "data" / split / kind.name
            place.mkdir(parents=True)
            for photograph in sorted(kind.iterdir())[:count]:
                shutil.copyfile(photograph, place / photograph.name)


def _digits(folder: Path, shared: Path) -> None:  # noqa: ARG001 - it draws its own data
    folder.rmdir()
    write_demo(folder)


def _reviews(folder: Path, shared: Path) -> None:
    _copy_task("movie_reviews", folder)
    (folder / "data").mkdir()
    data = present(shared / "data" / "imdb_reviews")
    for split, count in (("train", REVIEWS), ("test", TESTED_REVIEWS)):
        with (data / f"{split}.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        with (folder / "data" / f"{split}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows[: count + 1])


def _machines(folder: Path, shared: Path) -> None:
    _copy_task("fault_detection", folder)
    (folder / "data").mkdir()
    from benchmarks.rows import divide_by_type  # imports TensorFlow

    known = folder / "data" / "machines_known.csv"
    divide_by_type(shared, new=folder / "data" / "machines_new.csv", known=known)
    script = EXAMPLES / "fault_detection" / "pretrain.py"
    subprocess.run([sys.executable, str(script), str(known), str(folder / "pretrained.h5")], check=True)


def _bearings(folder: Path, shared: Path) -> None:
    from benchmarks.rows import without_normal  # imports TensorFlow

    _copy_task("bearing_faults", folder)
    (folder / "data").mkdir()
    for load in (0, 3):
        without_normal(shared, load, folder / "data" / f"load{load}.npz")


def _copy_task(example: str, folder: Path) -> None:
    shutil.copyfile(EXAMPLES / example / "task.yaml", folder / "task.yaml")


SAMPLES = {
    "flowers": Sample(
        "Flowers, five classes of photographs",
        "image networks, frozen and fine-tuned, on labelled photographs",
        _flowers,
        12,
        WITHOUT_EXAMPLES,
    ),
    "handwritten-digits": Sample(
        "Handwritten digits from printed ones",
        "a target without a single label: adaptation, and a winner picked by label-free scores behind guards",
        _digits,
        8,
    ),
    "movie-reviews": Sample(
        "Movie reviews, positive or negative",
        "texts: a language network beside the bag of words that it has to beat",
        _reviews,
        5,
        WITHOUT_EXAMPLES,
    ),
    "fault-detection": Sample(
        "Machine faults from a table",
        "a network of one’s own, rare failures, average precision",
        _machines,
        40,
    ),
    "bearing-faults": Sample(
        "Bearing faults at another load",
        "signals: two labels a class beside a labelled source",
        _bearings,
        6,
    ),
}


def main() -> None:
    """Searches, lays out, and writes the index."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--only", choices=sorted(SAMPLES), default=None)
    arguments.add_argument(
        "--runs", type=Path, default=None, help="keep the run folders here, and use those that are there"
    )
    arguments.add_argument("--out", type=Path, default=REPORTS)
    given = arguments.parse_args()
    with _kept(given.runs) as runs:
        for name in [given.only] if given.only else list(SAMPLES):
            report = _report(name, runs.resolve() / name, given.shared.resolve())
            given.out.joinpath(f"{name}.html").write_text(report, encoding="utf-8")
            print(f"{name}.html  {len(report.encode()) / 1e6:.2f} MB", flush=True)
        if given.only is None:
            cards = [_card(name, runs.resolve() / name / "run") for name in SAMPLES]
            index = INDEX.replace("CARDS", "\n".join(cards))
            given.out.joinpath("index.html").write_text(index, encoding="utf-8")


@contextmanager
def _kept(runs: Path | None) -> Iterator[Path]:
    if runs is not None:
        runs.mkdir(parents=True, exist_ok=True)
        yield runs
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _report(name: str, folder: Path, shared: Path) -> str:
    """The page of a sample's run, which is made where it is not there."""
    if not (folder / "run" / STUDY).is_file():
        folder.mkdir(parents=True)
        SAMPLES[name].place(folder, shared)
        budget = ["--trials", str(SAMPLES[name].trials), "--wall", WALL]
        _autotl(folder, "search", "task.yaml", "--out", "run", *budget)
    _autotl(folder, "report", "run", *SAMPLES[name].report_options)
    page = (folder / "run" / "report.html").read_text(encoding="utf-8").replace(str(Path.home()), "~")
    for path in (folder, shared):  # commands were given relative paths, so none should be there
        if str(path) in page:
            raise SystemExit(f"{name}: the report names {path}")
    if len(page.encode()) > LARGEST:
        raise SystemExit(f"{name}: the report is larger than {LARGEST:,} bytes")
    return page


def _autotl(folder: Path, *arguments: str) -> None:
    """A command, run in the folder; how often a test set was opened before is no matter of a sample."""
    environment = {
        **os.environ,
        "AUTOTL_HOME": str(folder / "home"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    subprocess.run([sys.executable, "-m", "autotl", *arguments], cwd=folder, env=environment, check=True)


def _card(name: str, run: Path) -> str:
    """A sample on the index page: what it shows, what was found, and how well."""
    leaderboard = read_leaderboard(run)
    with reading(run / STUDY) as study:
        headline = study.facts()["headline"]
    rows: list[dict[str, Any]] = leaderboard["trials"]
    winner = next(row for row in rows if row["winner"])
    test = winner["refit_test"] or winner["test"]
    figure = f"{leaderboard['metric'].replace('_', ' ')} {wording.score(test['value'])} on test" if test else ""
    sample, sentence = SAMPLES[name], headline["sentences"][0]
    said = " · ".join(filter(None, (f"{len(rows)} trials", figure)))
    return (
        f'<li><a href="{name}.html">{html.escape(sample.title)}</a><p>{html.escape(sample.shows)}</p>'
        f"<p class=found>{html.escape(sentence)}</p><p class=figures>{html.escape(said)}</p></li>"
    )


INDEX = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sample reports · autotl</title>
<link rel="icon" href="data:,">
<style>
:root { --page: #f7f7f5; --card: #fff; --ink: #1c2126; --muted: #5d666f; --line: #e4e4df; --accent: #0b6e69; }
@media (prefers-color-scheme: dark) {
:root { --page: #111416; --card: #191d20; --ink: #e7eaec; --muted: #9aa5ae; --line: #2c3338; --accent: #4fc4b8; }
}
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 ui-sans-serif, system-ui, sans-serif; }
main { max-width: 760px; margin: 0 auto; padding: 56px 20px; }
h1 { margin: 0 0 8px; font-size: 34px; letter-spacing: -.02em; }
p { margin: 0; color: var(--muted); }
ul { margin: 32px 0 0; padding: 0; list-style: none; display: grid; gap: 16px; }
li { padding: 20px 24px; border: 1px solid var(--line); border-radius: 16px; background: var(--card); }
a { color: var(--accent); font-size: 19px; font-weight: 600; text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
.found { margin-top: 10px; color: var(--ink); }
.figures { margin-top: 4px; font-size: 14px; }
</style>
</head>
<body>
<main>
<h1>Sample reports</h1>
<p>Each is the report of a small real search of one of the examples, one file that loads nothing.</p>
<ul>
CARDS
</ul>
</main>
</body>
</html>
"""


if __name__ == "__main__":
    main()
