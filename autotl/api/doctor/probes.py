"""Trying out what is slow or may crash, each in a process of its own that is given up after a while."""

import json
import subprocess
import sys

from autotl.api.doctor.facts import Probe

PATIENCE = 180  # seconds; TensorFlow takes ten to import, or a minute from a cold network disk
LONGEST_FAILURE = 200  # characters of what a process said last

TENSORFLOW = """
import json
import tensorflow as tf
import keras
print(json.dumps({
    "tensorflow": tf.__version__, "keras": keras.__version__, "backend": keras.backend.backend(),
    "gpus": len(tf.config.list_physical_devices("GPU")), "cuda": tf.sysconfig.get_build_info().get("cuda_version"),
}))
"""
OPENVINO = """
import json
import openvino
devices = ", ".join(openvino.Core().available_devices)
print(json.dumps({"openvino": openvino.__version__.split("-")[0], "devices": devices}))
"""
RAY = """
import json, time
started = time.monotonic()
import ray
from autotl.search.cluster import private_cluster
with private_cluster(cpus=1, gpus=0):
    assert ray.get(ray.remote(lambda: 42).remote()) == 42
print(json.dumps({"seconds": round(time.monotonic() - started, 1)}))
"""


def try_out(script: str, *, patience: float = PATIENCE) -> Probe:
    """Runs a script that ends by printing one line of JSON."""
    try:
        ended = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        return Probe({}, f"it has said nothing for {patience:g} s")
    except OSError as error:
        return Probe({}, f"no process can be started: {error.strerror}")
    if ended.returncode < 0:
        return Probe({}, f"its process was ended by signal {-ended.returncode}")
    if ended.returncode > 0:
        return Probe({}, _last_line(ended.stderr) or f"its process ended with {ended.returncode}")
    try:
        said = json.loads(ended.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return Probe({}, f"it answered {_last_line(ended.stdout)!r}")
    return Probe(said)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:LONGEST_FAILURE] if lines else ""
