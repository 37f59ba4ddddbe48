"""Settings in words."""

from autotl.report.entries import read_entries
from autotl.report.sections import further_settings, winner_plan


def test_further_settings_are_flattened_to_the_names_of_the_task_file():
    task = {"name": "x", "data": {"target": {"labels": "none"}, "source": [{"name": "books"}]}, "baselines": []}
    assert further_settings(task) == [
        ("data.target.labels", "none"),
        ("data.source.0.name", "books"),
        ("baselines", "none"),
    ]


def test_a_network_pretrained_on_the_source_goes_by_its_word_and_not_by_a_path_of_this_machine():
    row = {"trial": 3, "plan": {"backbone": {"pretrained_on_source": "/home/ann/cache/pretrained/83db.npz"}}}
    (entry,) = read_entries({"trials": [row]})
    assert entry.backbone == "pretrained_on_source"
    assert winner_plan(entry) == [("backbone", "pretrained_on_source")]


def test_a_network_that_a_path_leads_to_goes_by_its_last_part_here_too():
    row = {"trial": 3, "plan": {"backbone": {"saved": "/home/ann/nets/own.keras", "digest": "83db"}}}
    (entry,) = read_entries({"trials": [row]})
    assert winner_plan(entry) == [("backbone", "own.keras")]
    given = {"backbone": {"application": "VGG16", "weights": "/home/ann/vgg.h5"}}
    (entry,) = read_entries({"trials": [{"trial": 3, "plan": given}]})
    assert winner_plan(entry) == [("backbone", "VGG16 (weights vgg.h5)")]
