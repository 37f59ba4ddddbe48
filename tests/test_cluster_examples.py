"""The files of examples/cluster: scripts that a shell can read, manifests that say what the documentation says."""

import subprocess
from pathlib import Path

import pytest
import ray
import yaml

from autotl import __version__
from autotl.cli.app import run

CLUSTER = Path(__file__).parents[1] / "examples" / "cluster"
SCRIPTS = sorted([*CLUSTER.glob("*.sh"), *CLUSTER.glob("*.sbatch")])
MANIFESTS = sorted(CLUSTER.glob("*.yaml"))
DOCUMENTATION = Path(__file__).parents[1] / "docs" / "several-machines.md"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_one_that_the_shell_can_read(script):
    read = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
    assert "set -euo pipefail" in script.read_text()
    assert "autotl search --address" in script.read_text()


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_describes_a_cluster_of_this_version(manifest):
    content = yaml.safe_load(manifest.read_text())
    assert content["apiVersion"] == "ray.io/v1"
    cluster = content["spec"] if content["kind"] == "RayCluster" else content["spec"]["rayClusterSpec"]
    assert tuple(cluster["rayVersion"].split(".")[:2]) == tuple(ray.__version__.split(".")[:2])
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    assert len(groups) >= 2
    for group in groups:
        pod = group["template"]["spec"]
        mounts = {mount["name"] for container in pod["containers"] for mount in container["volumeMounts"]}
        assert mounts == {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert container["image"].endswith(f":{__version__}")
            assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]


def test_a_job_searches_by_a_command_line_that_there_is(capsys):
    entrypoint = yaml.safe_load((CLUSTER / "rayjob.yaml").read_text())["spec"]["entrypoint"]
    words = entrypoint.split()
    assert words[:2] == ["autotl", "search"]
    assert run(["search", "--help"]) == 0
    listed = capsys.readouterr().out
    assert all(word in listed for word in words if word.startswith("--"))


def test_every_file_is_in_the_documentation():
    told = DOCUMENTATION.read_text(encoding="utf-8")
    assert all(path.name in told for path in CLUSTER.iterdir())
