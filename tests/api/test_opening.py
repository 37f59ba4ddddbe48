"""Everything that is wrong with a task is said at once, whichever part of it is wrong."""

import numpy as np
import pytest
from PIL import Image

from autotl.api import Overrides, open_task, validate
from autotl.errors import DataError, EnvironmentProblemError, TaskError

BAD = """\
name: bad
data:
  target: {train: nothing_here}
metric: acuracy
limits: {latency_ms: -5}
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


NO_SOURCE = """\
name: alone
data: {target: {train: photos, labels: LABELS}}
search_space: {backbone: small_cnn, adaptation: dann}
start_with: [{backbone: small_cnn, adaptation: coral}]
"""


def photos(folder):
    for name in ("cat", "dog"):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(12):
            pixels = np.full((16, 16, 3), 20 * number + (name == "dog"), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{number}.png")


def test_a_method_without_anything_to_work_on_is_told_before_the_data_are_read(tmp_path):
    photos(tmp_path)
    words = complaint(tmp_path, NO_SOURCE.replace("LABELS", "all"))
    assert "task.yaml:3:" in words
    assert "task.yaml:4:" in words
    assert "search_space.adaptation: 'dann' needs a labelled source, or target examples without labels" in words
    assert "start_with: adaptation 'coral' needs a labelled source" in words
    words = complaint(tmp_path, NO_SOURCE.replace("LABELS", "{per_class: 2}"))
    assert "'dann' needs a source: it brings two domains together" in words


def test_validate_says_which_methods_are_not_searched_and_why(tmp_path):
    photos(tmp_path)
    text = NO_SOURCE.replace("LABELS", "{per_class: 3}").replace("dann", "{choice: [none, dann, mcc]}")
    (tmp_path / "task.yaml").write_text(text.rsplit("start_with", 1)[0])
    found = validate(tmp_path / "task.yaml")
    assert "Adaptation: none, mcc." in found.sentences
    (told,) = [words for words in found.sentences if words.startswith("Not searched")]
    assert told.startswith("Not searched: dann needs a source")
    assert found.as_dict()["adaptation"]["searched"] == ["none", "mcc"]
    assert set(found.as_dict()["adaptation"]["not_searched"]) == {"dann"}


def test_a_precision_that_this_machine_cannot_compute_in_is_refused_with_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr("autotl.features.precision.openvino_is_installed", lambda: False)
    photos(tmp_path)
    task = "data: {target: {train: photos}}\nsearch_space: {backbone: small_cnn}\nresources: {precision: bfloat16}\n"
    words = complaint(tmp_path, task, EnvironmentProblemError)
    assert words.startswith(f"{tmp_path / 'task.yaml'}:3:24: resources.precision: bfloat16 needs OpenVINO")
    assert "autotl[openvino]" in words
