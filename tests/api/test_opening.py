"""Everything that is wrong with a task is said at once, whichever part of it is wrong."""

import pytest

from autotl.api import Overrides, open_task
from autotl.errors import DataError, TaskError

BAD = """\
name: bad
data:
  target: {train: nothing_here}
metric: acuracy
limits: {latency_ms: 5}
search_space: {backbone: efficientnet_lit0, dropout: 2}
start_with: [{backbone: small_cnn, epochs: 0}]
audit: {allow: [leek]}
"""


def complaint(tmp_path, text, error=TaskError):
    (tmp_path / "task.yaml").write_text(text)
    with pytest.raises(error) as caught:
        open_task(tmp_path / "task.yaml", Overrides())
    return str(caught.value)


def test_mistakes_in_keys_tables_plans_codes_and_paths_are_told_together(tmp_path):
    words = complaint(tmp_path, BAD)
    for seen in ("'acuracy'", "limits", "'efficientnet_lit0'", "dropout", "epochs", "'leek'", "'nothing_here'"):
        assert seen in words, seen
    assert all(line.startswith(str(tmp_path / "task.yaml")) for line in words.splitlines())


def test_a_broken_data_section_does_not_hide_a_mistake_in_the_space(tmp_path):
    words = complaint(tmp_path, "data: {target: {trane: photos}}\nsearch_space: {backbone: small_cnn, dropout: 2}\n")
    assert "'trane'" in words
    assert "dropout" in words
    assert "there is no '.'" not in words, "nothing is read in place of the data"


def test_mistakes_of_the_data_alone_are_a_data_error(tmp_path):
    assert "nothing_here" in complaint(tmp_path, "data: {target: {train: nothing_here}}\n", DataError)


def test_source_only_needs_a_source(tmp_path):
    words = complaint(tmp_path, "data: {target: {train: photos}}\nbaselines: [linear_probe, source_only]\n")
    assert "baselines[1]: 'source_only' needs a labelled source" in words
