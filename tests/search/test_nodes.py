"""How trials are divided between machines, and what is said of one that cannot take part."""

import pytest

from autotl.errors import EnvironmentProblemError, UsageError
from autotl.search.memory import MB
from autotl.search.nodes import Node, _complaints, divide_over

PLENTY = 64_000.0


def a_node(name="a", *, cpus=8.0, gpus=0.0, memory_mb=PLENTY, gpu_mb=None):
    return Node(name, name, cpus, gpus, memory_mb, gpu_mb)


def divided(*nodes, cpus_per_trial=1.0, gpus_per_trial="auto", workers=None, **free):
    return divide_over(nodes, cpus_per_trial=cpus_per_trial, gpus_per_trial=gpus_per_trial, workers=workers, **free)


def test_a_trial_runs_on_one_machine_so_what_is_left_over_on_each_is_not_added_up():
    found = divided(a_node("a", cpus=5), a_node("b", cpus=3), cpus_per_trial=2.0)
    assert found.shares.workers == 3  # 2 + 1, and not (5 + 3) / 2


def test_gpus_are_counted_over_the_nodes_and_a_node_without_one_is_left_out():
    found = divided(a_node("a", gpus=4), a_node("b", gpus=2), a_node("head"), gpus_per_trial=1)
    assert (found.shares.workers, found.gpus) == (6, 6)
    assert divided(a_node("a", gpus=4), a_node("head")).shares.workers == 4


def test_where_no_node_has_a_gpu_trials_run_without():
    assert divided(a_node("a"), a_node("b")).shares.workers == 16


def test_each_node_has_a_memory_guard_of_its_own():
    found = divided(a_node("large", memory_mb=16_000), a_node("small", cpus=2, memory_mb=3_000))
    assert found.shares.workers == 8 + 2
    assert found.memory_shares.of("large") == 16_000 * MB / 8
    assert found.memory_shares.of("small") == 3_000 * MB / 2
    assert found.memory_shares.of("joined later") == 3_000 * MB / 2
    assert found.memory_mb == 19_000


def test_others_on_the_cluster_are_left_what_they_use():
    nodes = [a_node("a", gpus=4), a_node("b", gpus=4)]
    assert divided(*nodes, gpus_per_trial=1, free_gpus=3, free_cpus=16).shares.workers == 3
    assert divided(*nodes, gpus_per_trial=1, free_gpus=0, free_cpus=16).shares.workers == 8  # it waits for its turn
    assert divided(*nodes, gpus_per_trial=1, free_gpus=8, free_cpus=16, workers=5).shares.workers == 5


def test_what_no_node_has_is_said_with_what_each_has():
    with pytest.raises(EnvironmentProblemError, match=r"16 cores.*a has 8 cores and 0 GPUs; b has 4 cores"):
        divided(a_node("a"), a_node("b", cpus=4), cpus_per_trial=16)
    with pytest.raises(EnvironmentProblemError, match=r"gpus_per_trial: a trial asks for 2 GPUs"):
        divided(a_node("a"), gpus_per_trial=2)
    with pytest.raises(UsageError, match="--workers 0"):
        divided(a_node("a"), a_node("b"), workers=0)


def seen(unreadable=(), **versions):
    return {"versions": {**OURS, **versions}, "unreadable": list(unreadable)}


OURS = {"python": "3.11.7", "autotl": "0.1.0", "keras": "3.15.1", "ray": "2.60.0", "numpy": "2.4.6"}


def test_a_node_that_is_like_this_one_is_not_complained_of():
    assert _complaints(seen(python="3.11.2"), OURS) == []


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ({"keras": "3.14.0"}, "keras is 3.14.0, and 3.15.1 here"),
        ({"autotl": None}, "autotl is not installed, and 0.1.0 here"),
        ({"python": "3.12.1"}, "python is 3.12.1, and 3.11.7 here"),
    ],
)
def test_other_versions_are_named(versions, words):
    (complaint,) = _complaints(seen(**versions), OURS)
    assert words in complaint


def test_what_a_node_cannot_read_is_named():
    (complaint,) = _complaints(seen(["/data/cat/1.png", "/data/dog/9.png"]), OURS)
    assert complaint.startswith("cannot read /data/cat/1.png and 1 more.")
