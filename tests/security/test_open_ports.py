"""The cluster of a search is this user's alone: it listens on the loopback address, and its files are out of reach."""

import socket
import stat
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest
import ray
from ray._private import ray_constants
from ray._raylet import AuthenticationMode, get_authentication_mode

from autotl.search.cluster import private_cluster


@pytest.fixture(scope="module")
def cluster():
    """A running cluster: its processes and the folder that it keeps its files in."""
    with private_cluster(cpus=1):
        work = ray.remote(lambda: 1).options(num_cpus=1)
        assert ray.get(work.remote()) == 1  # so that a worker is there, too
        processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        yield processes, Path(ray._private.worker.global_worker.node.get_temp_dir_path())


def listening(processes: list[psutil.Process]) -> list[tuple[str, str, int]]:
    """Program, address and port of everything that waits for connections or packets."""
    found = []
    for process in processes:
        for connection in process.net_connections(kind="inet"):
            if connection.laddr and (connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM):
                found.append((process.name(), connection.laddr.ip, connection.laddr.port))
    return found


def is_loopback(address: str) -> bool:
    plain = ip_address(address)
    return (getattr(plain, "ipv4_mapped", None) or plain).is_loopback


def test_every_port_is_on_the_loopback_address(cluster):
    processes, _ = cluster
    found = listening(processes)
    assert {name for name, _, _ in found} >= {"gcs_server", "raylet"}
    assert [entry for entry in found if not is_loopback(entry[1])] == []


def test_no_port_answers_on_another_address_of_this_machine(cluster):
    processes, _ = cluster
    ports = {port for _, _, port in listening(processes)}
    others = {
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET and not is_loopback(address.address)
    }
    if not others:
        pytest.skip("this machine has no address but the loopback one")
    for address in others:
        for port in ports:
            with socket.socket() as knocking:
                knocking.settimeout(2)
                assert knocking.connect_ex((address, port)) != 0, f"{address}:{port} answers"


def test_nobody_else_may_enter_the_folder_of_its_sockets_and_logs(cluster):
    _, folder = cluster
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert folder.parent.name.startswith("autotl-")


def test_whoever_connects_needs_the_token(cluster):
    assert get_authentication_mode() == AuthenticationMode.TOKEN


def test_ray_is_left_as_it_was(cluster):
    has_clusters = not ray_constants.IS_WINDOWS_OR_OSX
    assert has_clusters == ray_constants.ENABLE_RAY_CLUSTER
