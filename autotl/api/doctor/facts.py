"""What the doctor found out about a machine, as plain values; a test writes down the machine that it wants."""

from collections.abc import Mapping
from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True)
class Package:
    """One requirement of autotl.

    Attributes:
        wanted: its bounds, such as `>=3.15.1`.
        extra: the extra that asks for it; None for what autotl cannot do without.
        installed: its version; None where it is not there.
        fits: whether the version is within the bounds.
        missing: packages that it should have brought along, as `tensorflow[and-cuda]` brings CUDA.
    """

    name: str
    wanted: str
    extra: str | None
    installed: str | None
    fits: bool
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gpu:
    """A GPU as NVIDIA's own tool tells of it."""

    name: str
    memory_mb: float


@dataclass(frozen=True)
class Driver:
    """NVIDIA's driver.

    Attributes:
        version: its own. cuda: the newest CUDA that it runs; None where the tool does not say.
    """

    version: str
    cuda: str | None
    gpus: tuple[Gpu, ...]


@dataclass(frozen=True)
class Place:
    """A folder that autotl writes to, or the nearest one above it that is there.

    Attributes:
        path: as the user may show it to others: the home folder is `~`.
        setting: the environment variable that moves it; empty where there is none.
        why_not_writable: the system's words; None where a file could be written.
    """

    path: str
    setting: str
    free_bytes: int
    why_not_writable: str | None


@dataclass(frozen=True)
class Probe:
    """What a process of its own said, that tried something out.

    Attributes:
        said: what it found. failure: its last words, or that its time was over; None where it came through.
    """

    said: Mapping[str, object]
    failure: str | None = None


@dataclass(frozen=True)
class Facts:
    """A machine as the doctor finds it.

    Attributes:
        python: version. python_wanted: autotl's bounds.
        packages: None where autotl was never installed, so that nobody knows what it asks for.
        cores: that this process may use. core_quota: what a container may use of them at once; None without a limit.
        memory_bytes: that this process may use, a container's limit included; `memory_free_bytes` of them are free.
        driver: None where there is no NVIDIA driver. cuda_libraries: whether TensorFlow's CUDA packages are installed.
        hidden_gpus: `CUDA_VISIBLE_DEVICES` as it is set; None where it is not.
        shared_memory_bytes: free in `/dev/shm`; None on systems that have none.
        temporary_path_bytes: length of the path of the temporary folder.
        open_files: how many this process may have open; None where there is no limit.
        weights: which networks' weights are at hand, by modality.
        busy_ports: command → the port that it takes by default, where another program has it.
        loopback_failure: why no port can be opened at all; None where one can.
        offline: whether `AUTOTL_OFFLINE` is set.
        tensorflow, openvino, ray: what trying them out gave; None where they were not tried.
    """

    autotl: str
    python: str
    python_wanted: str
    system: str
    packages: tuple[Package, ...] | None
    cores: int
    core_quota: float | None
    memory_bytes: int
    memory_free_bytes: int
    driver: Driver | None
    cuda_libraries: bool
    hidden_gpus: str | None
    places: Mapping[str, Place]
    shared_memory_bytes: int | None
    temporary_path_bytes: int
    open_files: int | None
    weights: Mapping[str, tuple[str, ...]]
    busy_ports: Mapping[str, int]
    loopback_failure: str | None
    offline: bool
    tensorflow: Probe | None = None
    openvino: Probe | None = None
    ray: Probe | None = None
