"""A Ray cluster of our own, which leaves signals, environment and screen as they were."""

import contextlib
import logging
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import ray
from ray._private import ray_constants
from ray._private.node import Node

from autotl.errors import EnvironmentProblemError

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
            ray.shutdown()
        shutil.rmtree(temporary, ignore_errors=True)


def _start_ray(cpus: int, gpus: int | None, temporary: str) -> None:
    try:
        settings = {"RAY_USAGE_STATS_ENABLED": "0"}
        with environment(settings), quiet_loggers(), _signal_handlers_kept(), _alone():
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
def _signal_handlers_kept() -> Iterator[None]:
    """Ray installs a handler of its own for SIGTERM, and takes it away again at its end: either would end this process
    before anything is written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
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
