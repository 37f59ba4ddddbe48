"""Every row asks for something that can be searched."""

import pytest

from autotl.plan.reading import read_plans, read_space
from autotl.task import read_task
from benchmarks.adaptation.tasks import ROWS


@pytest.mark.parametrize("name", ROWS)
def test_the_row_reads_as_a_task_without_target_labels(name, tmp_path):
    row = ROWS[name]
    written = row.task(*row.pairs[0], seed=3, trials=18, wall=row.wall)
    (tmp_path / "task.yaml").write_text(written)
    task = read_task(tmp_path / "task.yaml")
    assert task.data.target.labels == "none"
    assert task.seed == 3
    space = read_space(task, row.modality)
    plans = read_plans(task, None, row.modality)
    assert any(space.parameters(plan) is not None for plan in plans)
    assert all(plan.adaptation.name == "none" for plan in plans[:1])


@pytest.mark.parametrize("name", ROWS)
def test_the_model_to_compare_with_learns_from_the_target_alone(name, tmp_path):
    row = ROWS[name]
    (tmp_path / "labelled.yaml").write_text(row.labelled_task(*row.pairs[0], seed=0))
    task = read_task(tmp_path / "labelled.yaml")
    assert task.data.target.labels == "all"
    assert not task.data.source
