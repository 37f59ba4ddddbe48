"""A file of lines that several runs add to, of which a machine reads its own."""

import json

import pytest

from autotl.search.cost import Afterwards, CostLog, Observed, ReadOnlyCostLog
from autotl.search.cost import log as module
from autotl.search.cost.log import FILE, MOST_LINES


def trial(number=0):
    seconds = {"features": 1.0, "train": float(number), "score": 0.1, "overhead": 0.2}
    return Observed("head", 100.0, 1.0, 0.1, 200.0, 800.0, 1_000.0, 300.0, seconds, 900.0)


def test_what_is_added_is_read_again(tmp_path):
    log = CostLog(tmp_path / "home")
    log.add([trial(1), trial(2)], afterwards=Afterwards({"report": 3.0}, 8.0, 12.0), stored=["b", "a"])
    again = CostLog(tmp_path / "home")
    assert again.trials() == [trial(1), trial(2)]
    assert again.afterwards() == [Afterwards({"report": 3.0}, 8.0, 12.0)]
    assert again.stored() == {"a", "b"}


def test_another_machines_figures_are_left_alone(tmp_path):
    CostLog(tmp_path, "slow").add([trial(9)])
    CostLog(tmp_path, "quick").add([trial(1)])
    assert CostLog(tmp_path, "slow").trials() == [trial(9)]


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setenv("CUDA_VISIBLE_DEVICES", "7"),
        lambda patch: patch.setattr("os.sched_getaffinity", lambda process: range(1_000), raising=False),
        lambda patch: patch.setattr(module, "_processor", lambda: "of another kind"),
    ],
    ids=["graphics card", "cores", "processor"],
)
def test_a_machine_that_works_otherwise_is_another(tmp_path, monkeypatch, change):
    CostLog(tmp_path).add([trial(1)])
    with monkeypatch.context() as patch:
        change(patch)
        assert CostLog(tmp_path).trials() == []
    assert CostLog(tmp_path).trials() == [trial(1)]


def test_it_does_not_grow_for_ever(tmp_path):
    log = CostLog(tmp_path)
    log.add([trial(number) for number in range(MOST_LINES)])
    log.add([trial(-1)])
    assert len(log.trials()) == MOST_LINES
    assert log.trials()[-1] == trial(-1)


def test_damaged_lines_and_those_of_other_versions_are_passed_over(tmp_path):
    log = CostLog(tmp_path)
    log.add([trial(1)])
    with (tmp_path / FILE).open("a") as file:
        file.write('{"machine": "x", "trial": {"of": "the future"}}\nnot json\n[]\n{"machine": 3, "stored": []}\n')
        file.write(json.dumps({"trial": {}}) + "\n")
    assert log.trials() == [trial(1)]
    log.add([trial(2)])
    assert log.trials() == [trial(1), trial(2)]


def test_a_home_that_cannot_be_written_is_no_reason_to_stop(tmp_path):
    (tmp_path / "file").write_text("")
    log = CostLog(tmp_path / "file")
    log.add([trial()])
    assert log.trials() == []


def test_a_run_that_keeps_nothing_reads_and_adds_nothing(tmp_path):
    CostLog(tmp_path).add([trial(1)], latencies={1_000_000: 2.5})
    log = ReadOnlyCostLog(tmp_path)
    log.add([trial(2)], latencies={5: 9.0})
    assert (log.trials(), log.latencies()) == ([trial(1)], {1_000_000: 2.5})
