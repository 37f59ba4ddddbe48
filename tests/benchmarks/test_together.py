"""The table of what learning together brought: means over tasks, intervals over seeds."""

from autotl.task import read_task, tasks_of
from benchmarks.together import HEAD, TASK, Measured, table


def measured(task, seed, alone, together, *, kept=False):
    return Measured(
        task=task,
        seed=seed,
        alone=alone,
        together=together,
        kept=together if kept else alone,
        shipped=0.8,
        weighing="uniform",
        was_kept=kept,
        gain_low=-0.01,
        gain_high=0.03,
        seconds=60.0,
    )


def test_a_line_per_task_and_one_over_all():
    found = [
        measured("books", 0, 0.70, 0.72, kept=True),
        measured("dvd", 0, 0.60, 0.60),
        measured("books", 1, 0.70, 0.76),
        measured("dvd", 1, 0.60, 0.62),
    ]
    *_, books, dvd, every = table(found).splitlines()
    assert books.startswith("| books | 70.0 ± 0.0 | 74.0 ±")
    assert dvd.split("|")[4].strip().startswith("1.0 ±")
    cells = [cell.strip() for cell in every.split("|")]
    assert cells[4] == "2.5 ± 19.1"  # of the seeds' means, 1 and 4 points: 12.706 * 2.121 / sqrt(2)
    assert cells[6] == "1 of 4"


def test_its_task_is_one_that_can_be_read(tmp_path):
    tasks = [TASK.format(name=name, folder=tmp_path) for name in ("books", "dvd")]
    (tmp_path / "reviews.yaml").write_text(HEAD.format(trials=4, wall="1h", seed=3) + "".join(tasks))
    books, dvd = tasks_of(read_task(tmp_path / "reviews.yaml"))
    assert (books.name, dvd.name) == ("books", "dvd")
    assert books.data.target.labels.per_class == 25
