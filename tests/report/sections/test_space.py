"""The search space beside what was tried of it."""

from entry_rows import entry_row

from autotl.report.entries import read_entries
from autotl.report.sections import dimensions


def test_the_space_is_counted_over_proposed_trials_only():
    space = {
        "backbone": {"choice": ["MobileNetV2", "VGG16"]},
        "learning_rate": {"log": [1e-4, 1e-2]},
        "head": {"choice": {"linear": {}, "hidden": {"units": {"choice": [128, 512]}}}},
        "epochs": 9,
    }
    rows = [
        entry_row(1, plan={"learning_rate": 2e-4, "head": {"name": "hidden", "units": 128}}),
        entry_row(2, plan={"learning_rate": 5e-3}),
        entry_row(3, baseline="linear_probe", plan={"backbone": "VGG16"}),
    ]
    lines = {line.name: line for line in dimensions(space, read_entries({"trials": rows}))}
    assert lines["backbone"].tried == [("MobileNetV2", 2), ("VGG16", 0)]
    assert lines["learning_rate"].tried == [("0.0002 … 0.005", 2)]
    assert lines["head"].tried == [("linear", 1), ("hidden", 1)]
    assert lines["head › hidden › units"].tried == [("128", 1), ("512", 0)]
    assert (lines["epochs"].how, lines["epochs"].choices) == ("fixed", ["9"])


def test_paths_of_the_machine_are_cut_to_their_last_part():
    space = {"backbone": {"choice": [{"saved": "/home/ann/own.keras"}, "VGG16"]}, "tap": "last"}
    rows = [entry_row(1, plan={"backbone": {"saved": "/home/ann/own.keras", "digest": "83db"}})]
    (line, _) = dimensions(space, read_entries({"trials": rows}))
    assert line.tried == [("own.keras", 1), ("VGG16", 0)]
