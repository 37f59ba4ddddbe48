"""How many trials run at once follows from what there is and what one asks for."""

import pytest

from autotl.errors import EnvironmentProblemError, UsageError
from autotl.search.packing import MOST_ON_A_GPU
from autotl.search.resources import LEAST_WORKER_MB, Shares, gpu_memory_mb, share_out


def shares(cpus=8, gpus=0, cpus_per_trial=1, gpus_per_trial="auto", workers=None, **memory) -> Shares:
    return share_out(
        cpus=cpus, gpus=gpus, cpus_per_trial=cpus_per_trial, gpus_per_trial=gpus_per_trial, workers=workers, **memory
    )


@pytest.mark.parametrize(
    ("machine", "gpu_share", "at_once"),
    [
        ({"cpus": 2}, 0, 2),
        ({"cpus": 2, "cpus_per_trial": 2}, 0, 1),
        ({"cpus": 7, "cpus_per_trial": 2}, 0, 3),
        ({"cpus": 8, "gpus": 4}, 1, 4),
        ({"cpus": 2, "gpus": 4}, 1, 2),
        ({"cpus": 8, "gpus": 4, "gpus_per_trial": 0.0}, 0, 8),
        ({"cpus": 99, "gpus": 4, "gpus_per_trial": 0.5}, 0.5, 8),
        ({"cpus": 99, "gpus": 2, "gpus_per_trial": 0.3}, 0.3, 6),
        ({"cpus": 99, "gpus": 1, "gpus_per_trial": 0.1}, 0.1, 10),
        ({"cpus": 99, "gpus": 5, "gpus_per_trial": 2.0}, 2, 2),
    ],
)
def test_as_many_trials_run_at_once_as_fit(machine, gpu_share, at_once):
    assert shares(**machine) == Shares(machine.get("cpus_per_trial", 1), gpu_share, at_once, fill_the_machine=True)


def test_auto_asks_for_no_gpu_where_there_is_none():
    assert shares(gpus=0, gpus_per_trial="auto").gpus == 0


@pytest.mark.parametrize(("asked", "at_once", "full"), [(1, 1, False), (3, 3, False), (8, 8, True), (20, 8, True)])
def test_a_user_may_ask_for_fewer_and_never_gets_more(asked, at_once, full):
    found = shares(cpus=8, workers=asked)
    assert (found.workers, found.fill_the_machine) == (at_once, full)


@pytest.mark.parametrize("workers", [0, -1])
def test_no_worker_at_all_is_wrong_usage(workers):
    with pytest.raises(UsageError, match=f"--workers {workers}"):
        shares(workers=workers)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"gpus": 0, "gpus_per_trial": 0.5}, ["resources.gpus_per_trial", "asks for 0.5 GPUs", "offers 0", "auto"]),
        ({"gpus": 2, "gpus_per_trial": 3.0}, ["asks for 3 GPUs", "offers 2"]),
        ({"cpus": 2, "cpus_per_trial": 4}, ["resources.cpus_per_trial", "asks for 4 cores", "offers 2"]),
    ],
)
def test_a_trial_that_can_never_run_is_said_before_the_search(asked, words):
    with pytest.raises(EnvironmentProblemError) as caught:
        shares(**asked)
    for word in words:
        assert word in str(caught.value)


def test_no_more_workers_start_than_main_memory_holds_unless_one_asks_for_them():
    assert shares(cpus=64, memory_mb=10 * LEAST_WORKER_MB).workers == 10
    assert shares(cpus=64, memory_mb=LEAST_WORKER_MB / 2).workers == 1
    assert shares(cpus=64, memory_mb=10 * LEAST_WORKER_MB, workers=20).workers == 20


def test_where_a_gpu_tells_its_memory_auto_leaves_each_plans_share_to_what_is_measured():
    assert shares(cpus=99, gpus=2, gpu_mb=80_000.0) == Shares(1, None, 2 * MOST_ON_A_GPU, fill_the_machine=True)
    assert shares(cpus=3, gpus=2, gpu_mb=80_000.0).workers == 3
    assert shares(cpus=99, gpus=2, gpu_mb=80_000.0, gpus_per_trial=1.0) == Shares(1, 1.0, 2, fill_the_machine=True)


class TestNvidiaSmi:
    def tool(self, folder, monkeypatch, script):
        (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "nvidia-smi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def test_the_smallest_gpu_counts(self, tmp_path, monkeypatch):
        self.tool(tmp_path, monkeypatch, "echo 81559; echo 40960")
        assert gpu_memory_mb() == 40_960.0

    @pytest.mark.parametrize("script", ["exit 9", "echo '[N/A]'", "true"])
    def test_without_an_answer_nothing_is_known(self, tmp_path, monkeypatch, script):
        self.tool(tmp_path, monkeypatch, script)
        assert gpu_memory_mb() is None
