"""The Ray cluster that a search runs on: one of our own, or one that was named; signals, environment and screen stay as
they were."""

import contextlib
import functools
import itertools
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import ray
from ray._private import ray_constants
from ray._private.node import Node

from autotl.errors import EnvironmentProblemError, UsageError

SECONDS_TO_ANSWER = 10.0

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def private_cluster(*, cpus: int, gpus: int | None = None) -> Iterator[None]:
    """A Ray cluster of our own on this machine for as long as the context lasts.

    One that this process has already joined is used as it is and left running; one that somebody else started is never
    touched. Ray's memory monitor is off: it would end the whole search, not the trial. Whoever reaches a port of Ray
    could run code, so its processes listen on the loopback address alone, and its files lie in a folder that nobody
    else may enter.
    """
    if ray.is_initialized():
        yield
        return
    temporary = tempfile.mkdtemp(prefix="autotl-")  # mode 0700; Ray opens the folder that it is given itself to all
    try:
        _start_ray(cpus, gpus, temporary)
        yield
    finally:
        with _signal_handlers_kept():
            _stop_ray()
        shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def joined_cluster(address: str) -> Iterator[None]:
    """A Ray cluster that somebody else runs, for as long as the context lasts.

    We join it as one more program and leave it as it was: nothing in it is configured, started or ended but our own
    workers, which end with us.

    Args:
        address: `auto` for the cluster that this machine belongs to, or the HOST:PORT of its head.
    Raises:
        UsageError: the address is none.
        EnvironmentProblemError: nobody answers there, or not to us.
    """
    _check_address(address)
    if ray.is_initialized():
        yield
        return
    _join(address)
    try:
        yield
    finally:
        with _signal_handlers_kept():
            ray.shutdown()


def lost_nodes() -> frozenset[str]:
    """Ids of the machines that have left the cluster."""
    return frozenset(node["NodeID"] for node in ray.nodes() if not node["Alive"])


def _check_address(address: str) -> None:
    if address.startswith("ray://"):
        raise UsageError(
            f"--address {address}: through Ray's client the search would run away from its run folder. Run it on a "
            "machine of the cluster with --address auto, or as a job: ray job submit --address http://HEAD:8265 -- "
            "autotl search task.yaml --address auto --out /shared/run"
        )
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(
            f"--address {address}: HOST:PORT of a Ray cluster's head is wanted, such as 10.0.0.5:6379, or auto."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_ANSWER).close()
    except OSError as error:  # Ray itself would try for a minute, and say more than anybody wants to read
        raise EnvironmentProblemError(
            f"--address {address}: nobody answers there ({error}). Is the cluster up? `ray status --address {address}` "
            "tells; `ray start --head --port 6379` starts one."
        ) from error


def _join(address: str) -> None:
    from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available

    try:
        with environment({"RAY_USAGE_STATS_ENABLED": "0"}), quiet_loggers(), _signal_handlers_kept():
            if _asks_for_a_token(address):
                maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
    except (ConnectionError, OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise EnvironmentProblemError(
            f"--address {address}: the cluster could not be joined: {error}\nThis machine must belong to it "
            "(`ray start --address HEAD:6379`), with the same versions of Python and Ray and, where the cluster asks "
            "for one, its token: RAY_AUTH_MODE=token, and the token in ~/.ray/auth_token or RAY_AUTH_TOKEN."
        ) from error


def _asks_for_a_token(address: str) -> bool:
    """Whether the cluster's agent on this machine was started so. Ray itself would try without one for a minute."""
    port = f":{address.rpartition(':')[2]}"  # of the host Ray may have made another of its names
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):  # gone meanwhile, or somebody else's
            if process.info["name"] != "raylet":
                continue
            led_from = [word for word in process.cmdline() if word.startswith("--gcs-address=")]
            is_the_one = address == "auto" or any(word.endswith(port) for word in led_from)
            if is_the_one and process.environ().get("RAY_AUTH_MODE", "").lower() == "token":
                return True
    return False


def _start_ray(cpus: int, gpus: int | None, temporary: str) -> None:
    try:
        settings = {"RAY_USAGE_STATS_ENABLED": "0"}
        with environment(settings), quiet_loggers(), _signal_handlers_kept(), _deaf_to_sigterm(), _alone():
            ray.init(
                address="local",
                num_cpus=cpus,
                num_gpus=gpus,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=False,
                _temp_dir=str(Path(temporary, "ray")),
                _system_config={"memory_monitor_refresh_ms": 0},
            )
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        raise EnvironmentProblemError(f"Ray could not be started on this machine: {error}") from error


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Ray starts on 127.0.0.1 and asks nobody outside, for as long as the context lasts.

    Ray keeps to that address where it supports no clusters (macOS, Windows). Elsewhere it listens on all of them, and
    takes an explicit 127.0.0.1 for a mistake. The server of its dashboard is started even where none is wanted, for
    statistics of usage; before it learns that there are to be none it asks the services of three clouds whether it runs
    there. Nothing else of Ray needs it.
    """
    before = ray_constants.ENABLE_RAY_CLUSTER, Node.start_api_server
    ray_constants.ENABLE_RAY_CLUSTER, Node.start_api_server = False, lambda *_, **__: None
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER, Node.start_api_server = before


@contextlib.contextmanager
def _deaf_to_sigterm() -> Iterator[None]:
    """Processes that are started meanwhile, and theirs, do not notice SIGTERM. A batch system sends it to everybody at
    once, and a search whose Ray is gone could not write what it has; these processes end with their parent's."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows, which has no SIGTERM to send either
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop_ray() -> None:
    """Ray asks its processes by SIGTERM to end, and waits a second for each before it kills them: these would be waited
    for in vain. What they started themselves is ended with them: some of it would look for the files of a Ray that is
    gone."""
    node = ray._private.worker._global_node
    started = [] if node is None else _started_by(node)
    if node is not None:
        node.kill_all_processes = functools.partial(_killed, node.kill_all_processes)
    ray.shutdown()
    for each in started:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def _started_by(node: Any) -> list[psutil.Process]:
    """Workers and agents below Ray's own processes."""
    found: list[psutil.Process] = []
    for information in itertools.chain.from_iterable(node.all_processes.values()):
        with contextlib.suppress(psutil.NoSuchProcess):
            found += psutil.Process(information.process.pid).children(recursive=True)
    return found


def _killed(kill_all_processes: Callable[..., None], *_: object, **__: object) -> None:
    kill_all_processes(check_alive=False, allow_graceful=False)


@contextlib.contextmanager
def _signal_handlers_kept() -> Iterator[None]:
    """Ray installs handlers of its own for SIGTERM when it starts, and takes them away when it ends. Either would end
    this process before anything is written, so meanwhile Ray is kept from doing so, and whatever was done is undone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    set_handler = ray._private.utils.set_sigterm_handler
    ray._private.utils.set_sigterm_handler = lambda _: None
    try:
        yield
    finally:
        ray._private.utils.set_sigterm_handler = set_handler
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Environment variables of this process for as long as the context lasts."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def quiet_loggers() -> Iterator[None]:
    """Ray's own lines stay out of our screen; errors still come through."""
    loggers = [logging.getLogger(name) for name in ("ray", "ray._private.authentication.authentication_token_setup")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def into_our_log(*names: str) -> Iterator[None]:
    """What Ray says of trials that ended badly is in the run's log: the screen shows what became of them."""

    def heard(record: logging.LogRecord) -> bool:
        _log.info("Ray: %s", record.getMessage())
        return False

    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addFilter(heard)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(heard)
