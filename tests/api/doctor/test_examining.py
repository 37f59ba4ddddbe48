"""Facts are this machine's own: they are gathered without a heavy import, and name nobody."""

import json
import os
import socket
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from machines import SOUND, a_machine

from autotl.api.doctor import Examination
from autotl.api.doctor import examining as doctor
from autotl.api.doctor.judging import judge
from autotl.errors import EnvironmentProblemError

WRITTEN = [
    "keras>=3.15.1",
    "ray[tune]>=2.60",
    "colorama>=1; sys_platform == 'nowhere'",
    "onnx>=1.23; extra == 'onnx'",
    'tensorflow[and-cuda]>=2.21; sys_platform != "nowhere" and extra == "gpu"',
    "pytest>=9; extra == 'test'",
]
BROUGHT = {"autotl": WRITTEN, "ray": ["tensorboardX; extra == 'tune'", "aiohttp; extra == 'serve'"], "tensorflow": None}


def packages(**versions):
    found = doctor.packages_of("autotl", asked=BROUGHT.__getitem__, there=versions.get)
    return {package.name: package for package in found}


def test_requirements_are_held_against_what_is_installed():
    found = packages(keras="3.14.0", ray="2.60.0", onnx="1.24rc1")
    assert list(found) == ["keras", "ray[tune]", "onnx", "tensorflow[and-cuda]"]
    assert [package.extra for package in found.values()] == [None, None, "onnx", "gpu"]
    assert [package.fits for package in found.values()] == [False, True, True, False]
    assert found["ray[tune]"].missing == ("tensorboardX",)
    assert packages(ray="2.60.0", tensorboardX="2.6")["ray[tune]"].missing == ()


def test_an_autotl_that_was_never_installed_has_no_requirements():
    def asked(name):
        raise PackageNotFoundError(name)

    assert doctor.packages_of("autotl", asked=asked, there={}.get) is None


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
        ({"cpu.max": "nonsense"}, None),
    ],
)
def test_a_container_s_share_of_the_cores(files, quota, tmp_path):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert doctor.core_quota(tmp_path) == quota


def test_the_driver_is_what_its_tool_says(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        '#!/bin/sh\nif [ "$#" = 0 ]; then echo "| NVIDIA-SMI 570.1  Driver Version: 570.1  CUDA Version: 12.8 |"\n'
        "else printf '570.1, NVIDIA H100, 81559\\n570.1, NVIDIA H100, [N/A]\\n'; fi\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    driver = doctor.nvidia_driver()
    assert (driver.version, driver.cuda, [(gpu.name, gpu.memory_mb) for gpu in driver.gpus]) == (
        *("570.1", "12.8"),
        [("NVIDIA H100", 81559.0)],
    )
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert doctor.nvidia_driver() is None


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above_and_not_made(tmp_path):
    place = doctor.look_at(tmp_path / "a" / "b", "AUTOTL_HOME")
    assert place.why_not_writable is None
    assert place.free_bytes > 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_says_why(tmp_path, monkeypatch):
    def refused(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refused)
    assert doctor.look_at(tmp_path, "").why_not_writable == "Permission denied"


def test_paths_name_no_user(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ada"))
    assert doctor.shown(Path("/home/ada/.cache/autotl")) == "~/.cache/autotl"
    assert doctor.shown(Path("/home/ada")) == "~"
    assert doctor.shown(Path("/scratch/ada/cache")) == "/scratch/…/cache"
    assert doctor.shown(Path("runs")) == "runs"


def test_a_port_that_is_taken_is_seen():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        assert doctor.why_no_port(taken.getsockname()[1]) == "taken"
    assert doctor.why_no_port(0) is None


def test_weights_are_those_of_the_shipped_spaces(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert "MobileNetV2" not in doctor.weights_at_hand("image")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5").write_bytes(b"x")
    assert "MobileNetV2" in doctor.weights_at_hand("image")


def test_an_examination_is_data_with_a_version_and_ends_with_what_failed():
    sound = Examination(SOUND, tuple(judge(SOUND)))
    sound.raise_if_failed()
    assert sound.as_dict()["schema"] == 1
    assert sound.as_dict()["versions"] == {
        **{"keras": "3.15.1", "onnx": "1.23.0"},
        **{"optuna-dashboard": None, "ray[tune]": "2.60.0"},
    }
    sick = a_machine(memory_free_bytes=0, loopback_failure="no")
    with pytest.raises(EnvironmentProblemError, match=r"2 of \d+ checks failed: memory, ports"):
        Examination(sick, tuple(judge(sick))).raise_if_failed()


def test_looking_here_is_light_and_opens_no_socket_to_the_outside(tmp_path):
    script = """
import json, socket, sys
def refuse(*_): raise SystemExit("a socket was to be opened")
socket.getaddrinfo = socket.socket.connect = socket.socket.connect_ex = refuse
from pathlib import Path
from autotl.api.doctor import examine
found = examine(runs=Path("runs")).as_dict()
print(json.dumps(found))
print([name for name in ("tensorflow", "keras", "torch", "ray", "openvino") if name in sys.modules])
"""
    (tmp_path / "home").mkdir()
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "A_SECRET": "hunter2"}
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert ended.returncode == 0, ended.stderr
    *_, found, heavy = ended.stdout.splitlines()
    assert heavy == "[]"
    assert "hunter2" not in found
    assert str(tmp_path / "home") not in found
    assert socket.gethostname() not in json.dumps(json.loads(found)["findings"]).split()
    assert not (tmp_path / "runs").exists()
