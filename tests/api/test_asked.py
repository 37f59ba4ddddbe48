"""What a report tells of how its run was begun."""

from pathlib import Path

import pytest

from autotl.api.asked import told_path


@pytest.mark.parametrize(
    ("path", "told"),
    [("task.yaml", "task.yaml"), ("../tasks/pets.yaml", "../tasks/pets.yaml"), ("/home/ada/pets.yaml", "pets.yaml")],
)
def test_paths_outside_the_current_folder_are_told_by_their_name_alone(path, told):
    assert told_path(Path(path)) == Path(told)


def test_an_absolute_path_below_it_is_told_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert told_path(tmp_path / "runs" / "pets") == Path("runs/pets")
