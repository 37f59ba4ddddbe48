"""A promoted model's name can be told from a path, and an alias from a version."""

import pytest

from autotl.errors import UsageError
from autotl.production.reference import Reference, checked_alias, model_name, read_reference


@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ("kitchen@production", Reference("kitchen", "production")),
        ("kitchen:3", Reference("kitchen", version=3)),
        ("kitchen-from.books_2@A-B", Reference("kitchen-from.books_2", "A-B")),
        ("küche@production", Reference("küche", "production")),
    ],
)
def test_aliases_and_versions_are_read_and_written_back(written, reference):
    assert read_reference(written) == reference
    assert str(reference) == written


@pytest.mark.parametrize(
    "path",
    ["kitchen", "runs/a", "./kitchen@production", "runs/a@b", "a:b", "a@", "@b", "..@b", "a@b@c", "a:3:4", "", "C:\\a"],
)
def test_everything_else_is_a_path(path):
    assert read_reference(path) is None


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("pets", "pets"),
        ("my pets @home: 2", "my-pets-home-2"),
        ("../..", "task"),
        ("a\0b", "a-b"),
        ("台所", "台所"),
        ("x" * 300, "x" * 64),
        *[(device, f"task-{device}") for device in ("CON", "nul", "aux.txt", "COM1", "lpt9.tar.gz")],
        ("console", "console"),
    ],
)
def test_every_task_has_a_name_that_a_reference_can_hold(task, name):
    assert model_name(task) == name
    assert read_reference(f"{name}@production") == Reference(name, "production")


@pytest.mark.parametrize("alias", ["", "3", "a b", "a/b", "-x", "a@b", "../x"])
def test_an_alias_that_could_not_be_written_behind_a_name_is_refused(alias):
    with pytest.raises(UsageError, match="is no alias"):
        checked_alias(alias)
