"""The socket, and how serving begins and ends."""

import ipaddress
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI

from autotl.errors import EnvironmentProblemError, UsageError
from autotl.production.serving.limits import Limits

STOPPING = (signal.SIGINT, signal.SIGTERM)
IDLE_SECONDS = 30  # that a connection is kept for the next request
BACKLOG = 128


def open_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address; port 0 takes one that is free.

    Raises:
        UsageError: no address of this machine.
        EnvironmentProblemError: the port is taken or may not be served.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(f"--host {host}: is no address of this machine ({error}).") from error
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(address)
    except OSError as error:
        opened.close()
        raise _cannot_be_served(address, error) from error
    return opened


def is_loopback(opened: socket.socket) -> bool:
    """Whether only this machine reaches it."""
    return ipaddress.ip_address(opened.getsockname()[0]).is_loopback


def address_of(opened: socket.socket) -> str:
    """`http://127.0.0.1:8000`."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if opened.family == socket.AF_INET6 else f"http://{host}:{port}"


def listen(application: FastAPI, opened: socket.socket, limits: Limits, *, ready: Callable[[], object]) -> int | None:
    """Serves until a signal ends it; requests that have arrived are answered first.

    Args:
        ready: is called once before the first request is taken.
    Returns:
        The signal's number; None where something else ended it.
    Raises:
        EnvironmentProblemError: somebody else serves the port since.
    """
    config = uvicorn.Config(
        application,
        access_log=False,
        log_config=None,
        log_level="warning",
        lifespan="off",
        ws="none",
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=int(limits.seconds) + 1,
    )
    server = _Server(config)
    before = {number: signal.signal(number, server.note) for number in STOPPING}
    try:
        opened.listen(BACKLOG)
        ready()
        server.run(sockets=[opened])
    except OSError as error:  # somebody else listens since
        raise _cannot_be_served(opened.getsockname(), error) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        application.state.line.close()
        opened.close()
    return server.stopped_by


def _cannot_be_served(address: Any, error: OSError) -> EnvironmentProblemError:
    host, port = address[:2]
    return EnvironmentProblemError(
        f"port {port} of {host} cannot be served: {error.strerror}. Choose another: --port N"
    )


class _Server(uvicorn.Server):
    """Tells the application that it ends, and the caller which signal ended it."""

    stopped_by: int | None = None

    def handle_exit(self, sig: int, frame: Any) -> None:
        """The first signal ends it in order, a second one at once."""
        self.note(sig, frame)
        self.config.app.state.stopping = True  # type: ignore[union-attr] # it is the application, not its name
        super().handle_exit(sig, frame)

    def note(self, number: int, _: Any) -> None:
        """Remembers the signal; uvicorn raises it again after it has ended, which must not end the process."""
        self.stopped_by = self.stopped_by or number
        self.should_exit = True
