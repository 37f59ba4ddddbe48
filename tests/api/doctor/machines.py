"""Machines as a doctor could find them."""

from dataclasses import replace
from typing import Any

from autotl.api.doctor.facts import GIB, Driver, Facts, Gpu, Package, Place, Probe

SOUND = Facts(
    autotl="0.1.0",
    python="3.11.7",
    python_wanted=">=3.11",
    system="Linux 6.1 x86_64",
    packages=(
        Package("keras", ">=3.15.1", None, "3.15.1", fits=True),
        Package("ray[tune]", ">=2.60", None, "2.60.0", fits=True),
        Package("onnx", ">=1.23", "onnx", "1.23.0", fits=True),
        Package("optuna-dashboard", ">=0.21", "dashboard", None, fits=False),
    ),
    cores=8,
    core_quota=None,
    memory_bytes=32 * GIB,
    memory_free_bytes=24 * GIB,
    driver=None,
    cuda_libraries=False,
    hidden_gpus=None,
    places={"runs": Place("runs", "", 100 * GIB, None), "cache": Place("~/c", "AUTOTL_CACHE_DIR", 100 * GIB, None)},
    shared_memory_bytes=8 * GIB,
    temporary_path_bytes=4,
    open_files=4096,
    weights={"image": ("efficientnet_lite0",), "text": ("all_minilm_l6_v2",)},
    busy_ports={},
    loopback_failure=None,
    offline=False,
)
CARD = Driver("570.1", "12.8", (Gpu("H100", 81920.0),))
SEES_NOTHING = Probe({"tensorflow": "2.21.0", "backend": "tensorflow", "gpus": 0, "cuda": "12.5"})


def a_machine(**changes: Any) -> Facts:
    """A sound one, but for these facts."""
    return replace(SOUND, **changes)
