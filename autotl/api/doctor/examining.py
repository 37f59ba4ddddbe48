"""Gathers the facts of this machine; imports no heavy library and opens no socket to the outside."""

import errno
import os
import platform
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from autotl import __version__
from autotl.api import dashboard, serving
from autotl.api.doctor.facts import Driver, Facts, Gpu, Package, Place
from autotl.api.doctor.judging import Finding, judge
from autotl.api.doctor.probes import OPENVINO, RAY, TENSORFLOW, try_out
from autotl.backbones import cache_folder, offline_by_environment, parse_spec, why_not_at_hand
from autotl.errors import EnvironmentProblemError
from autotl.plan.reading import shipped_spaces
from autotl.production.home import home_folder
from autotl.search.memory import memory_here
from autotl.search.resources import usable_cores
from autotl.task.yaml_reader import read_yaml

SCHEMA = 1
PYTHON_WANTED = ">=3.11"
SHARED_MEMORY = Path("/dev/shm")
CUDA_PACKAGE = "nvidia-cuda-runtime-cu12"  # one of those that `tensorflow[and-cuda]` brings
CONTROL_GROUPS = Path("/sys/fs/cgroup")
_EXTRA = re.compile(r"extra == ['\"]([^'\"]+)['\"]")


@dataclass(frozen=True)
class Examination:
    """What was found, and what it was found from."""

    facts: Facts
    findings: tuple[Finding, ...]

    @property
    def failures(self) -> list[Finding]:
        """What stops a search."""
        return [finding for finding in self.findings if finding.status == "fail"]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, fit to be shown to others: no user's name, no host's, no value of the environment."""
        versions = {package.name: package.installed for package in self.facts.packages or ()}
        return {
            "schema": SCHEMA,
            "autotl": self.facts.autotl,
            "python": self.facts.python,
            "system": self.facts.system,
            "findings": [asdict(finding) for finding in self.findings],
            "versions": dict(sorted(versions.items())),
        }

    def raise_if_failed(self) -> None:
        """Raises an EnvironmentProblemError that counts what failed, where something did."""
        if failed := self.failures:
            names = ", ".join(dict.fromkeys(finding.name for finding in failed))
            words = f"{len(failed)} of {len(self.findings)} checks failed: {names}. The lines above say what to do."
            raise EnvironmentProblemError(words)


def installed_version(name: str) -> str | None:
    """The version of a distribution; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def examine(*, runs: Path, deep: bool = False) -> Examination:
    """Looks at this machine.

    Args:
        runs: where searches would write their run folders.
        deep: also starts TensorFlow, OpenVINO and Ray, in processes of their own; takes about half a minute.
    """
    facts = gather(runs=runs)
    if deep:
        facts = replace(
            facts,
            tensorflow=try_out(TENSORFLOW),
            openvino=try_out(OPENVINO) if find_spec("openvino") else None,
            ray=try_out(RAY),
        )
    return Examination(facts, tuple(judge(facts)))


def gather(*, runs: Path) -> Facts:
    """The facts that a second is enough for."""
    memory = memory_here()
    places = {
        "runs": (runs, ""),
        "home": (home_folder(), "AUTOTL_HOME"),
        "cache": (cache_folder(), "AUTOTL_CACHE_DIR"),
        "temporary files": (Path(tempfile.gettempdir()), "TMPDIR"),
    }
    return Facts(
        autotl=__version__,
        python=platform.python_version(),
        python_wanted=PYTHON_WANTED,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        packages=packages_of("autotl"),
        cores=usable_cores(),
        core_quota=core_quota(),
        memory_bytes=memory.total,
        memory_free_bytes=memory.available,
        driver=nvidia_driver(),
        cuda_libraries=installed_version(CUDA_PACKAGE) is not None,
        hidden_gpus=os.environ.get("CUDA_VISIBLE_DEVICES"),
        places={name: look_at(path, setting) for name, (path, setting) in places.items()},
        shared_memory_bytes=shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else None,
        temporary_path_bytes=len(os.fsencode(tempfile.gettempdir())),
        open_files=most_open_files(),
        weights={modality: weights_at_hand(modality) for modality in ("image", "text")},
        busy_ports={
            command: port
            for command, port in {"serve": serving.PORT, "dashboard": dashboard.PORT}.items()
            if why_no_port(port) is not None
        },
        loopback_failure=why_no_port(0),
        offline=offline_by_environment(),
    )


def packages_of(
    name: str,
    *,
    asked: Callable[[str], list[str] | None] = requires,
    there: Callable[[str], str | None] = installed_version,
) -> tuple[Package, ...] | None:
    """What a distribution requires, with what is there of it; None where the distribution itself is not installed.

    Args:
        asked: name -> its requirements; raises PackageNotFoundError.
        there: name -> the installed version; None where it is not.
    """
    try:
        requirements = [Requirement(written) for written in asked(name) or ()]
    except PackageNotFoundError:
        return None
    found = []
    for requirement in requirements:
        extras = _EXTRA.findall(str(requirement.marker or ""))
        if "test" in extras or not _is_for_this_system(requirement, extras):
            continue
        seen = there(requirement.name)
        missing = tuple(part for part in _parts(requirement, asked) if there(part) is None) if seen else ()
        fits = seen is not None and requirement.specifier.contains(seen, prereleases=True)
        extra = extras[0] if extras else None
        found.append(Package(_with_extras(requirement), str(requirement.specifier), extra, seen, fits, missing))
    return tuple(found)


def _is_for_this_system(requirement: Requirement, extras: Sequence[str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extras[0] if extras else ""})


def _parts(requirement: Requirement, asked: Callable[[str], list[str] | None]) -> list[str]:
    """What the extras of a requirement bring beside it: those of `tensorflow[and-cuda]`."""
    if not requirement.extras:
        return []
    brought = [Requirement(written) for written in asked(requirement.name) or ()]
    return [
        part.name
        for part in brought
        for extra in requirement.extras
        if extra in _EXTRA.findall(str(part.marker or "")) and _is_for_this_system(part, [extra])
    ]


def _with_extras(requirement: Requirement) -> str:
    return requirement.name + (f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else "")


def core_quota(groups: Path = CONTROL_GROUPS) -> float | None:
    """Cores that a container may use at once, by control groups of version 2 or 1; None without a limit."""
    try:
        if (groups / "cpu.max").is_file():
            allowed, period = (groups / "cpu.max").read_text().split()
        else:
            allowed, period = ((groups / "cpu" / f"cpu.cfs_{part}_us").read_text() for part in ("quota", "period"))
        share = float(allowed) / float(period)
    except (OSError, ValueError, ZeroDivisionError):  # `max` is no number: there is no limit
        return None
    return share if share > 0 else None


def nvidia_driver() -> Driver | None:
    """Driver and GPUs as `nvidia-smi` tells of them; None where there is none to ask."""
    listing = _said("nvidia-smi", "--query-gpu=driver_version,name,memory.total", "--format=csv,noheader,nounits")
    if listing is None:
        return None
    gpus, driver = [], ""
    for line in listing.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 3 and parts[2].replace(".", "").isdigit():
            driver = parts[0]
            gpus.append(Gpu(parts[1], float(parts[2])))
    head = _said("nvidia-smi") or ""
    _, _, after = head.partition("CUDA Version:")
    return Driver(driver, after.split()[0] if after.split() else None, tuple(gpus))


def _said(*command: str) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def look_at(path: Path, setting: str) -> Place:
    """A folder that will be written to; what is not there yet is judged by what is above it, and not made."""
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    why = None
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        why = error.strerror or str(error)
    return Place(shown(path), setting, shutil.disk_usage(there).free, why)


def shown(path: Path) -> str:
    """A path as it may be shown to others: `~` stands for the user's folder, and dots for the user's name elsewhere."""
    whole, home = path.absolute(), Path.home()
    if whole.is_relative_to(home):
        return str(Path("~", whole.relative_to(home)))
    return str(Path(*("…" if part == home.name else part for part in path.parts)))


def most_open_files() -> int | None:
    """How many files a process may have open; None where there is no limit, or no way to ask."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def weights_at_hand(modality: str) -> tuple[str, ...]:
    """Networks of the shipped search space whose weights are on this machine."""
    written = read_yaml(shipped_spaces()[modality]).value["backbone"]
    names = written["choice"] if isinstance(written, Mapping) else [written]
    specs = [parse_spec(name, folder=Path(), where="doctor") for name in names]
    return tuple(spec.label for spec in specs if why_not_at_hand(spec, offline=True) is None)


def why_no_port(port: int) -> str | None:
    """Why a program could not listen on a port of the loopback address; None where it could."""
    with socket.socket() as listening:
        if os.name == "posix":  # elsewhere it would take a port that another program listens on
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen(1)
        except OSError as error:
            return "taken" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return None
