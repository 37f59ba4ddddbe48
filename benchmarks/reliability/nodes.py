"""Machines of a Ray cluster, pretended on this one: each has its own agent, ports and processes, and can be lost."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

LONGEST_START = 120.0
WORKER_PORTS = 400  # that each machine has for its workers


class Machine:
    """One of them.

    Args:
        head: the address of the cluster's head; None for the head itself.
        index: of the machine, by which its ports differ from the others'.
    """

    def __init__(self, environment: Mapping[str, str], *, head: str | None, cpus: int, index: int) -> None:
        self.port = _free_port()
        self.address = head or f"127.0.0.1:{self.port}"
        self._temporary = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # Ray's sockets need short paths
        first = 20_000 + WORKER_PORTS * index
        leads = ["--head", f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={self._temporary}"]
        role = leads if head is None else [f"--address={head}"]
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", *role, "--block", f"--num-cpus={cpus}"),
            *("--num-gpus=0", "--node-ip-address=127.0.0.1", "--disable-usage-stats"),
            *(f"--min-worker-port={first}", f"--max-worker-port={first + WORKER_PORTS - 1}"),
            *(f"--dashboard-agent-listen-port={_free_port()}", f"--object-store-memory={200 << 20}"),
        ]
        self._said = self._temporary / "said.txt"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                command, env={**os.environ, **environment}, stdout=said, stderr=said, start_new_session=True
            )

    def wait_until_up(self) -> None:
        """Raises a TimeoutError where it does not come up."""
        end = time.monotonic() + LONGEST_START
        while "Ray runtime started" not in self._said.read_text(errors="replace"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise TimeoutError(f"ray start: {self._said.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)

    def processes(self) -> list[psutil.Process]:
        """All that it runs."""
        try:
            return [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(self.process.pid)]
        except psutil.NoSuchProcess:
            return []

    def runs(self, pid: int) -> bool:
        """Whether a process is one of its own."""
        return any(process.pid == pid for process in self.processes())

    def lose(self) -> None:
        """Everything that runs on it is gone at once."""
        for process in self.processes():
            with _gone_already():
                process.kill()
        self.process.wait()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def lose_agent(self) -> None:
        """Its agent alone is gone: Ray's raylet, without which workers cannot be started there."""
        for process in self.processes():
            with _gone_already():
                if process.name() == "raylet":
                    process.send_signal(signal.SIGKILL)


def _gone_already() -> contextlib.suppress:
    return contextlib.suppress(psutil.NoSuchProcess)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
