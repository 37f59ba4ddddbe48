"""Prints, as tables, what of planted faults the audit finds, what it says of honest data, and how long it takes."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from autotl.data import load_data
from autotl.task import task_from_mapping
from benchmarks.audit import planted
from benchmarks.shared import parser, present, use_own_home

TASKS: dict[str, dict[str, object]] = {  # of the real data sets, as a user would write them
    "cifar10": {"data": {"target": {"train": "cifar10/train", "test": "cifar10/test"}}},
    "flowers": {"data": {"target": {"train": "flowers/train", "test": "flowers/test"}}},
    "chest_xray": {"data": {"target": {"train": "chest_xray/train", "test": "chest_xray/test"}}},
    "mnist": {"modality": "image", "data": {"target": {"train": "digits/mnist.npz"}}},
    "usps": {"modality": "image", "data": {"target": {"train": "digits/usps.npz"}}},
    "imdb_reviews": {"data": {"target": {"train": "imdb_reviews/train.csv", "test": "imdb_reviews/test.csv"}}},
    **{
        f"amazon_reviews/{domain}": {
            "modality": "text",
            "data": {
                "target": {"train": f"amazon_reviews/{domain}.csv"},
                "columns": {"input": "text", "label": "label"},
            },
        }
        for domain in ("books", "dvd", "electronics", "kitchen")
    },
    "ai4i2020": {
        "modality": "table",
        "data": {
            "target": {"train": "ai4i2020/ai4i2020.csv"},
            "columns": {"label": "Machine failure", "drop": ["TWF", "HDF", "PWF", "OSF", "RNF"]},
        },
    },
    **{
        f"cwru_bearing/load{load}": {
            "modality": "signal",
            "data": {"target": {"train": f"cwru_bearing/windows_load{load}.npz"}},
        }
        for load in range(4)
    },
}

CHECKING = """\
import resource, sys, time
from autotl.api import validate
from pathlib import Path
started = time.perf_counter()
validate(Path(sys.argv[1]))
quick = time.perf_counter() - started
from autotl.data import load_data
from autotl.task import read_task
load_data(read_task(Path(sys.argv[1])))
print(quick, time.perf_counter() - started - quick, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> None:
    """Runs every part; `--rows` for the times of large tables as well."""
    use_own_home()
    arguments = parser(__doc__ or "")
    arguments.add_argument("--rows", type=int, nargs="*", default=[], help="also time tables of so many rows")
    given = arguments.parse_args()
    data = present(given.shared / "data")
    draws = np.random.default_rng(0)
    print("| planted | found | of | share | honest examples | false alarms | share |\n|---|---|---|---|---|---|---|")
    for found in every_fault(data, draws):
        print(as_row(found), flush=True)
    print("\n| data set | warnings and questions about shortcuts |\n|---|---|")
    for name, told in shortcuts_of_real_data(data):
        print(f"| {name} | {told} |", flush=True)
    for rows in given.rows:
        print(time_of_rows(rows), flush=True)


def every_fault(data: Path, draws: np.random.Generator) -> Iterator[planted.Found]:
    """All that is planted, from names to hospitals."""
    yield from planted.label_names(draws)
    yield planted.exact_copies(draws)
    yield planted.typed_anew(draws)
    yield from planted.near_copies(sorted((data / "flowers" / "train").rglob("*.jpg")), draws)
    for title, pattern in (
        ("flowers (two photos in two colours are there)", "flowers/train/*/*.jpg"),
        ("CIFAR-10", "cifar10/train/*/*.jpg"),
        ("chest X-rays", "chest_xray/train/*/*.jpg"),
        ("MNIST", "digits/png/mnist_2000/*/*.png"),
        ("USPS", "digits/png/usps_1800/*/*.png"),
    ):
        yield planted.honest_images(title, sorted(data.glob(pattern)))
    for rows in (100, 400, 2_000):
        for agreement in (0.7, 0.8, 0.9):
            yield planted.hospitals(rows, agreement, draws)


def as_row(found: planted.Found) -> str:
    """One line of the table."""
    caught = (
        [f"{found.found:,}", f"{found.planted:,}", _share(found.found, found.planted)] if found.planted else [""] * 3
    )
    taken = [f"{found.honest:,}", f"{found.alarms:,}", _share(found.alarms, found.honest)] if found.honest else [""] * 3
    return f"| {' | '.join([found.what, *caught, *taken])} |"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}"


def shortcuts_of_real_data(data: Path) -> Iterator[tuple[str, str]]:
    """What the shortcut test says of data sets as they are."""
    for name, task in TASKS.items():
        found = load_data(task_from_mapping(task, folder=data)).findings
        told = [finding for finding in found if finding.code == "shortcut"]
        yield name, "; ".join(f"{one.severity}: {_short(one.message)}" for one in told) or "none"


def _short(message: str) -> str:
    return message.partition(": ")[2].partition(". ")[0].replace("|", "/")


def time_of_rows(rows: int) -> str:
    """Seconds and memory of checking a table of so many rows, in a process of its own."""
    with TemporaryDirectory() as folder:
        draws = np.random.default_rng(0)
        table = Path(folder) / "rows.csv"
        with table.open("w", encoding="utf-8") as file:
            file.write("label," + ",".join(f"number_{index}" for index in range(8)) + ",kind\n")
            file.writelines(_lines(rows, draws))
        task = Path(folder) / "task.yaml"
        task.write_text("name: rows\nmodality: table\ndata: {target: {train: rows.csv}}\n")
        command = [sys.executable, "-c", CHECKING, str(task)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    quick, full, memory = map(float, said.split()[-3:])
    return f"\n{rows:,} rows: validate {quick:.1f} s, auditing every row {full:.1f} s, {memory:,.0f} MiB at most"


def _lines(rows: int, draws: np.random.Generator) -> Iterable[str]:
    for start in range(0, rows, 10_000):
        numbers = draws.normal(size=(min(10_000, rows - start), 8))
        labels = draws.integers(0, 2, len(numbers))
        for label, values in zip(labels.tolist(), numbers.tolist(), strict=True):
            cells = ["yes" if label else "no", *(f"{value:.4f}" for value in values), f"kind {int(values[0] * 10)}"]
            yield ",".join(cells) + "\n"


if __name__ == "__main__":
    main()
