"""Every check tells a sound machine from a bad one, and says what to do in words."""

import pytest
from machines import CARD, SEES_NOTHING, SOUND, a_machine

from autotl.api.doctor.facts import GIB, Package, Place, Probe
from autotl.api.doctor.judging import CHECKS, judge

STARTED = {"tensorflow": SEES_NOTHING, "openvino": Probe({"openvino": "2026.4"}), "ray": Probe({"seconds": 5.9})}

BAD = [  # facts, name of the check, status, words that are seen, words of the fix
    ({"python": "3.10.1"}, "python", "fail", "3.10.1 on Linux", "Install Python 3.11"),
    ({"packages": None}, "packages", "warn", "never installed", "pip install -e ."),
    (
        {"packages": (Package("ray[tune]", ">=2.60", None, "2.40.0", fits=False),)},
        *("packages", "fail", "2.40.0 is installed, >=2.60 is needed", "pip install 'ray[tune]>=2.60'"),
    ),
    (
        {"packages": (Package("keras", ">=3.15.1", None, None, fits=False),)},
        *("packages", "fail", "keras: not installed", "pip install 'keras>=3.15.1'"),
    ),
    (
        {"packages": (Package("ray[tune]", ">=2.60", None, "2.60.0", fits=True, missing=("tensorboardX",)),)},
        *("packages", "fail", "without tensorboardX", "pip install 'ray[tune]>=2.60'"),
    ),
    (
        {"packages": (Package("onnx", ">=1.23", "onnx", "1.10", fits=False),)},
        *("extras", "warn", "onnx: onnx: 1.10 is installed", "pip install --upgrade 'autotl[onnx]'"),
    ),
    ({"core_quota": 1.5}, "cores", "warn", "may use 1.5 at once", "AUTOTL_WORKERS=1"),
    ({"memory_free_bytes": GIB}, "memory", "fail", "1 GiB free of 32 GiB", "Close other programs"),
    ({"memory_free_bytes": 3 * GIB}, "memory", "warn", "3 GiB free", "--workers 1"),
    ({"driver": CARD}, "gpus", "warn", "CUDA libraries are missing", "pip install 'autotl[gpu]'"),
    ({"driver": CARD, "hidden_gpus": ""}, "gpus", "warn", "CUDA_VISIBLE_DEVICES='' hides", "Unset"),
    (
        {"driver": CARD, "cuda_libraries": True, "tensorflow": SEES_NOTHING},
        *("tensorflow", "fail", "sees 0 GPUs of 1", "--gpus all"),
    ),
    (
        {"driver": CARD, "tensorflow": Probe({**SEES_NOTHING.said, "cuda": "13.1"})},
        *("tensorflow", "fail", "built for CUDA 13.1 and the driver runs 12.8 at most", "driver for CUDA 13.1"),
    ),
    ({"tensorflow": Probe({}, "signal 4")}, "tensorflow", "fail", "cannot be used: signal 4", "without AVX"),
    ({"openvino": Probe({}, "no module")}, "openvino", "warn", "no module", "uninstall it"),
    ({"ray": Probe({}, "it has said nothing for 180 s")}, "ray", "fail", "said nothing for 180 s", "reinstall ray"),
    (
        {"places": {"cache": Place("~/c", "AUTOTL_CACHE_DIR", 9 * GIB, "Read-only file system")}},
        *("cache", "fail", "~/c cannot be written: Read-only file system", "AUTOTL_CACHE_DIR=FOLDER"),
    ),
    ({"places": {"runs": Place("runs", "", GIB // 2, None)}}, "runs", "fail", "0.5 GiB free at runs", "Choose another"),
    ({"places": {"runs": Place("runs", "", 2 * GIB, None)}}, "runs", "warn", "2 GiB free", "5 GiB are comfortable"),
    ({"temporary_path_bytes": 60}, "temporary files", "fail", "path has 60 characters", "Set TMPDIR"),
    ({"shared_memory_bytes": 64 * 2**20}, "shared memory", "warn", "0.0625 GiB free in /dev/shm", "--shm-size=2g"),
    ({"open_files": 256}, "open files", "warn", "256 at once", "ulimit -n"),
    ({"weights": {"image": ()}}, "weights: image", "warn", "will be downloaded", "pip install 'autotl[offline]'"),
    ({"weights": {"text": ()}, "offline": True}, "weights: text", "warn", "none is downloaded offline", "MiniLM"),
    ({"busy_ports": {"serve": 8000}}, "ports", "warn", "another program has 8000 (serve)", "autotl serve … --port N"),
    ({"loopback_failure": "Permission denied"}, "ports", "fail", "Permission denied", "allow them"),
]


def test_a_sound_machine_is_sound():
    findings = judge(a_machine(**STARTED, driver=None))
    assert {finding.status for finding in findings} == {"ok"}
    assert all(finding.words and not finding.fix for finding in findings)
    said = {finding.name: finding.words for finding in findings}
    assert said["packages"] == "all 2 that are needed: keras 3.15.1, ray 2.60.0, …"
    assert said["extras"] == "onnx; not installed: dashboard"


@pytest.mark.parametrize(("facts", "name", "status", "words", "fix"), BAD)
def test_what_is_wrong_is_told_with_what_to_do(facts, name, status, words, fix):
    (found,) = (finding for finding in judge(a_machine(**facts)) if finding.name == name and finding.status != "ok")
    assert found.status == status
    assert words in found.words
    assert fix in found.fix


def test_every_check_that_can_complain_has_a_case_above():
    complaining = set()
    for facts, *_ in BAD:
        machine = a_machine(**facts)
        complaining |= {check for check in CHECKS if any(found.status != "ok" for found in check(machine))}
    assert {check.__name__ for check in set(CHECKS) - complaining} == {"_network"}


def test_a_gpu_that_is_seen_is_told_with_its_memory_and_driver():
    machine = a_machine(driver=CARD, cuda_libraries=True, tensorflow=Probe({**SEES_NOTHING.said, "gpus": 1}))
    said = {finding.name: (finding.status, finding.words) for finding in judge(machine)}
    assert said["gpus"] == ("ok", "H100 (80 GiB); driver 570.1, CUDA up to 12.8")
    assert said["tensorflow"] == ("ok", "2.21.0 with Keras on tensorflow sees 1 GPUs")


def test_what_was_not_tried_is_not_told():
    assert not {"tensorflow", "openvino", "ray"} & {finding.name for finding in judge(SOUND)}
