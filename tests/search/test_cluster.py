"""Searches on several machines: nodes of a Ray cluster on this one, with a pretend workshop."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import PIPE

import numbered
import numpy as np
import pretend_search
import psutil
import pytest
import ray
from numbered import Doubling, Numbers
from pretend_search import PretendWorkshop, an_order, run_search
from ray.cluster_utils import Cluster
from ray.tune.schedulers import FIFOScheduler
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from autotl.errors import EnvironmentProblemError, UsageError
from autotl.features import SharedFeatureStore, extract, features_folder
from autotl.run import trial_files
from autotl.search import tuning
from autotl.search.cluster import _asks_for_a_token, joined_cluster, private_cluster
from autotl.search.neighbours import neighbours_on
from autotl.search.nodes import look_at_nodes, this_node
from autotl.search.returning import hung_files
from autotl.trial.checkpoint import Checkpoint, plan_identity
from autotl.trial.outcome import Outputs

for module in (numbered, pretend_search, sys.modules[__name__]):
    ray.cloudpickle.register_pickle_by_value(module)

LONGEST_WAIT = 60.0


class CarefulWorkshop(PretendWorkshop):
    """Leaves a checkpoint after every epoch, outputs and weights at the end; writes down who trained what.

    Begins when workers on as many nodes have been started, so that none is done before the others are there.
    """

    def __init__(self, trained: Path, seconds_per_epoch: float, nodes: int) -> None:
        super().__init__(seconds_per_epoch)
        self._trained = trained
        there = trained.with_name("there")
        there.mkdir(exist_ok=True)
        (there / this_node()).touch()
        end = time.monotonic() + LONGEST_WAIT
        while len(list(there.iterdir())) < nodes and time.monotonic() < end:
            time.sleep(0.05)

    def rows_of(self, job):
        passed = job.checkpoint.epochs if job.checkpoint is not None else 0
        curve = []
        for row in super().rows_of(job):
            curve.append((row.train_loss, row.score))
            if row.epoch <= passed:
                yield row
                continue
            with self._trained.open("a") as file:
                file.write(json.dumps({"trial": job.number, "epoch": row.epoch, "node": this_node()}) + "\n")
            if row.ending is None:
                state = [np.full(3, row.score)]
                kept = Checkpoint(plan_identity(job.plan), "alone", tuple(curve), {}, (state,))
                yield replace(row, checkpoint=kept)
            else:
                outputs = said(row.score)
                yield replace(row, ending=replace(row.ending, outputs=outputs, weights=[np.full(3, row.score)]))


def said(score):
    two = np.array([[0.25, 0.75], [0.5, 0.5]], dtype=np.float32)
    ids = np.array(["a", "b"])
    return Outputs(np.arange(2), ids, ids, two, two, np.full((2, 1), score, dtype=np.float32))


class Trained:
    """What the workers wrote down."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "trained.jsonl"

    def lines(self):
        text = self.path.read_text() if self.path.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def nodes(self):
        return {line["node"] for line in self.lines()}

    def repeated(self):
        epochs = [(line["trial"], line["epoch"]) for line in self.lines()]
        return len(epochs) - len(set(epochs))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A head with one core and another node with one: somebody else's, as far as the search is concerned. Each keeps
    its features in a place of its own."""
    caches = [{"AUTOTL_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))} for _ in range(2)]
    soon = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    head = {"num_cpus": 1, "include_dashboard": False, "env_vars": caches[0], "_system_config": soon}
    two = Cluster(initialize_head=True, head_node_args=head)
    two.add_node(num_cpus=1, env_vars=caches[1])
    yield two
    two.shutdown()


@pytest.fixture
def address(cluster):
    yield cluster.address
    assert not ray.is_initialized(), "the search has left the cluster"


@pytest.fixture
def somebody(address):
    """Another program's actor on the cluster; afterwards it must still be there."""
    with as_somebody(address):
        actor = ray.remote(num_cpus=0)(Somebody).options(name="somebody", lifetime="detached").remote()
        assert ray.get(actor.answers.remote())
    yield
    with as_somebody(address):
        assert ray.get(ray.get_actor("somebody").answers.remote())
        assert sum(node["Alive"] for node in ray.nodes()) == 2
        ray.kill(ray.get_actor("somebody"))


@contextmanager
def as_somebody(address):
    ray.init(address=address, namespace="somebody", log_to_driver=False, logging_level="ERROR")
    try:
        yield
    finally:
        ray.shutdown()


def test_trials_are_spread_over_the_nodes_and_all_that_they_leave_is_in_the_run_folder(tmp_path, address, somebody):
    trained = Trained(tmp_path)
    order = an_order(trials=6, workers=None, early_stopping=False, address=address)
    make = partial(CarefulWorkshop, trained.path, 0.02, nodes=2)
    why, rows, curves = run_search(tmp_path / "run", order, make_workshop=make)
    assert why == "trials"
    assert {row["status"] for row in rows} == {"complete"}
    assert len(trained.nodes()) == 2
    assert trained.repeated() == 0
    for row in rows:
        folder = tmp_path / "run" / "trials" / str(row["trial"])
        last = curves[row["trial"]][-1]["score"]
        assert trial_files.read_weights(folder)[0].tolist() == [last] * 3
        assert trial_files.read_outputs(folder).features == pytest.approx(last, abs=1e-3)
        assert (folder / trial_files.LOG).exists()
        assert not (folder / trial_files.CHECKPOINT).exists()
    assert not list((tmp_path / "run" / "trials").glob("*/.*"))


class Somebody:
    def answers(self):
        return True


def test_a_node_that_cannot_read_the_data_is_named(address, tmp_path):
    here = tmp_path / "here.png"
    here.touch()
    with joined_cluster(address):
        assert len(look_at_nodes([str(here)])) >= 2
        with pytest.raises(EnvironmentProblemError, match=r"node \S+ \(\S+\): cannot read /nowhere/1.png and 1 more"):
            look_at_nodes([str(here), "/nowhere/1.png", "/nowhere/2.png"])


def test_nodes_fetch_each_others_features_and_the_words_of_watchdogs_are_brought_home(address, tmp_path):
    with joined_cluster(address):
        nodes = look_at_nodes([])
        with neighbours_on(nodes, "a-search") as neighbours:
            counts = [ray.get(on(node).remote(neighbours)) for node in nodes]
            neighbours.bring_last_words(None, [7, 8], to=tmp_path)
    assert counts == [(2, 0), (0, 2)], "computed by the first, fetched by the second"
    assert trial_files.take_last_word(tmp_path / "7") == trial_files.LastWord(trial_files.HUNG, "hung: it was stopped")
    assert trial_files.take_last_word(tmp_path / "8") is None
    assert not hung_files("a-search").exists(), "nothing is left on the nodes"


def on(node):
    """`extracted`, on a node."""
    there = NodeAffinitySchedulingStrategy(node.id, soft=False)
    return ray.remote(num_cpus=0)(extracted).options(scheduling_strategy=there)


def extracted(neighbours):
    """Features of two blocks; how many this node has computed and fetched. A watchdog leaves a word, too."""
    store = SharedFeatureStore(features_folder(), limit_bytes=1 << 30, neighbours=neighbours)
    extract(store, Doubling(), Numbers(512))
    trial_files.write_hung(hung_files("a-search") / "7", "hung: it was stopped")
    return store.computed_blocks, store.fetched_blocks


class TakenBack:
    """A searcher of which only that is asked."""

    def __init__(self):
        self.times = 0

    def take_back(self):
        self.times += 1
        return ["a trial of Ray's"]


def breaks_off(times):
    """Ray Tune, which breaks off so often where a worker was ended for want of memory."""
    left = list(range(times))

    def fit():
        if left:
            left.pop()
            raise RuntimeError("Caught unexpected exception") from ray.exceptions.OutOfMemoryError("the node")

    return fit


def test_a_search_goes_on_where_rays_memory_monitor_broke_it_off_but_not_for_ever():
    searcher = TakenBack()
    tuning._outliving_memory_monitors(breaks_off(3), searcher, FIFOScheduler())
    assert searcher.times == 3
    with pytest.raises(EnvironmentProblemError, match="ran out of memory 4 times"):
        tuning._outliving_memory_monitors(breaks_off(4), searcher, FIFOScheduler())


def test_any_other_trouble_of_ray_tune_ends_the_search():
    def fit():
        raise RuntimeError("a bug")

    searcher = TakenBack()
    with pytest.raises(RuntimeError, match="a bug"):
        tuning._outliving_memory_monitors(fit, searcher, FIFOScheduler())
    assert searcher.times == 0


def test_whether_a_cluster_asks_for_a_token_is_told_by_its_agent_on_this_machine(tmp_path):
    agent = tmp_path / "raylet"
    agent.write_text("#!/bin/bash\nread\n")
    agent.chmod(0o755)
    started = {
        port: subprocess.Popen([agent, f"--gcs-address=127.0.0.1:{port}"], env={"RAY_AUTH_MODE": mode}, stdin=PIPE)
        for port, mode in ((7, "token"), (8, "disabled"))
    }
    end = time.monotonic() + LONGEST_WAIT
    while not _asks_for_a_token("127.0.0.1:7") and time.monotonic() < end:  # until it has become the script
        time.sleep(0.05)
    try:
        assert [_asks_for_a_token(f"127.0.0.1:{port}") for port in (7, 8, 9)] == [True, False, False]
    finally:
        for process in started.values():
            process.communicate()


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("ray://10.0.0.5:10001", UsageError, "ray job submit"),
        ("somewhere", UsageError, "HOST:PORT"),
        ("127.0.0.1:1", EnvironmentProblemError, "nobody answers there"),
    ],
)
def test_an_address_that_leads_nowhere_says_what_to_do(address, error, words):
    with pytest.raises(error, match=words), joined_cluster(address):
        raise AssertionError("it was joined")


def test_trials_of_a_lost_node_go_on_elsewhere_from_their_checkpoints(tmp_path, cluster, address):
    trained = Trained(tmp_path)
    lost = cluster.add_node(num_cpus=2)
    strikes = []

    def strike(event):
        here = [line for line in trained.lines() if line["node"] == lost.node_id]
        if len(here) >= 4 and not strikes:
            strikes.append(time.monotonic())
            cluster.remove_node(lost, allow_graceful=False)

    order = an_order(trials=6, baselines=[], workers=None, early_stopping=False, address=address)
    make = partial(CarefulWorkshop, trained.path, 0.15, nodes=3)
    why, rows, curves = run_search(tmp_path / "run", order, make_workshop=make, listen=strike)
    assert strikes, "the node must have trained something"
    assert why == "trials"
    assert {row["status"] for row in rows} == {"complete"}
    assert all([step["epoch"] for step in curves[row["trial"]]] == list(range(1, 10)) for row in rows)
    assert trained.repeated() <= 2, "an epoch for each of the lost node's workers"


@pytest.fixture
def received():
    """SIGTERMs that this process's own handler was told of."""
    found = []
    before = signal.signal(signal.SIGTERM, lambda number, _: found.append(number))
    yield found
    signal.signal(signal.SIGTERM, before)


def test_sigterm_to_all_processes_of_a_private_cluster_leaves_it_at_work_and_none_is_left_at_its_end(received):
    others = psutil.Process().children(recursive=True)  # nodes that other tests of this module share
    with private_cluster(cpus=1):
        ask = ray.remote(lambda: os.getpid())
        worker = ray.get(ask.remote())
        processes = [each for each in psutil.Process().children(recursive=True) if each not in others]
        for each in [*processes, psutil.Process()]:
            each.send_signal(signal.SIGTERM)
        time.sleep(1.0)  # for those that would end
        assert ray.get(ask.remote()) == worker
    assert received == [signal.SIGTERM]
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert not alive
