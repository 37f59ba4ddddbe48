"""The machines of a Ray cluster: what each offers, and whether it can do what its workers will be asked for."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotl.errors import EnvironmentProblemError, UsageError
from autotl.search import resources
from autotl.search.memory import LEAST_LEFT, MB, memory_here
from autotl.search.resources import SHARE_OF_FREE_MEMORY, Shares, share_out

LEAST_LEFT_BESIDE_OTHERS = 0.08  # Ray's own monitor, which is on in such a cluster, strikes at 0.05 and ends a search
SECONDS_TO_LOOK = 120.0  # for a look at all nodes
COMPARED = ("autotl", "keras", "ray", "numpy")  # packages that must be the same everywhere

_log = logging.getLogger(__name__)

PackageVersions = Mapping[str, str | None]


@dataclass(frozen=True)
class Node:
    """One machine of a cluster.

    Attributes:
        name: its host name and address, for messages.
        memory_mb: main memory that is free for workers.
        gpu_mb: memory of its smallest GPU; None without one, or where nobody can tell.
    """

    id: str
    name: str
    cpus: float
    gpus: float
    memory_mb: float = math.inf
    gpu_mb: float | None = None


@dataclass(frozen=True)
class MemoryShares:
    """Bytes that a worker may hold when memory is short, by the node that it is on.

    Attributes:
        otherwise: of a node that joined later.
        least_left: share of a node's memory below which it is short.
    """

    by_node: Mapping[str, float] = field(default_factory=dict)
    otherwise: float = math.inf
    least_left: float = LEAST_LEFT

    def of(self, node_id: str) -> float:
        """A worker's share there."""
        return self.by_node.get(node_id, self.otherwise)


@dataclass(frozen=True)
class Division:
    """How a search's trials are spread over machines.

    Attributes:
        memory_mb: main memory for all trials under way.
        gpus: GPUs for all trials under way.
        gpu_mb: memory of the smallest GPU.
    """

    shares: Shares
    memory_shares: MemoryShares
    memory_mb: float
    gpus: float
    gpu_mb: float | None


def this_node() -> str:
    """Ray's id of the machine that this process runs on."""
    import ray

    return str(ray.get_runtime_context().get_node_id())


def node_here(*, cpus: float, gpus: float) -> Node:
    """This machine."""
    memory_mb = memory_here().available * SHARE_OF_FREE_MEMORY / MB
    return Node(this_node(), "this machine", cpus, gpus, memory_mb, resources.gpu_memory_mb() if gpus else None)


def look_at_nodes(needed: Sequence[str]) -> list[Node]:
    """Every machine of the cluster that has cores, after a look at each from inside.

    Args:
        needed: paths that its workers will read.
    Raises:
        EnvironmentProblemError: machines that cannot be used, each with its name and what is wrong.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    look = ray.remote(num_cpus=0, max_retries=2)(_look(needed))
    alive = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) > 0]
    asked = {
        node["NodeID"]: look.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote()
        for node in alive
    }
    ours = _look(())()["versions"]
    found, complaints = [], []
    for node in alive:
        name = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
        try:
            seen = ray.get(asked[node["NodeID"]], timeout=SECONDS_TO_LOOK)
        except (ray.exceptions.RayError, ray.exceptions.GetTimeoutError) as error:
            _log.warning("node %s does not answer, and is left out: %s", name, str(error).strip().splitlines()[-1])
            continue
        complaints += [f"node {name}: {words}" for words in _complaints(seen, ours)]
        offered = node["Resources"]
        found.append(
            Node(
                node["NodeID"],
                name,
                float(offered["CPU"]),
                float(offered.get("GPU", 0)),
                seen["free_bytes"] * SHARE_OF_FREE_MEMORY / MB,
                seen["gpu_mb"],
            )
        )
    if complaints:
        raise EnvironmentProblemError("\n".join(["the cluster cannot run this search:", *complaints]))
    if not found:
        raise EnvironmentProblemError("the cluster cannot run this search: none of its nodes answers.")
    return found


def divide_over(
    nodes: Sequence[Node],
    *,
    cpus_per_trial: float,
    gpus_per_trial: float | str,
    workers: int | None,
    free_cpus: float = math.inf,
    free_gpus: float = math.inf,
) -> Division:
    """Divides machines between trials: a trial runs on one of them.

    Args:
        workers: most trials at once; None for as many as fit.
        free_cpus, free_gpus: what other programs on the cluster leave of it. A search for which they leave nothing
            waits for its turn.
    Raises:
        EnvironmentProblemError: no machine has what a trial asks for.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: at least one trial must run at a time.")
    with_gpus = any(node.gpus >= 1 for node in nodes)
    wanted = gpus_per_trial if with_gpus or not isinstance(gpus_per_trial, str) else 0.0
    by_node: dict[str, Shares] = {}
    refusals = []
    for node in nodes:
        if isinstance(wanted, str) and node.gpus < 1:
            continue  # its cores would train what the others train many times faster
        try:
            by_node[node.id] = share_out(
                cpus=node.cpus,
                gpus=node.gpus,
                cpus_per_trial=cpus_per_trial,
                gpus_per_trial=wanted,
                workers=workers if len(nodes) == 1 else None,
                memory_mb=node.memory_mb,
                gpu_mb=node.gpu_mb,
            )
        except EnvironmentProblemError as error:
            refusals.append(error)
    if not by_node:
        if len(nodes) == 1:
            raise refusals[0]
        raise EnvironmentProblemError(
            f"no node of the cluster has what a trial asks for ({cpus_per_trial:g} cores, {gpus_per_trial} GPUs): "
            + "; ".join(f"{node.name} has {node.cpus:g} cores and {node.gpus:g} GPUs" for node in nodes)
        )
    one = next(iter(by_node.values()))
    fit = sum(shares.workers for shares in by_node.values())
    free = _fitting(free_cpus, cpus_per_trial, free_gpus, one.gpus, most=fit)
    at_once = max(1, min(free or fit, workers or fit))
    filled = one.fill_the_machine if len(nodes) == 1 else at_once == fit
    used = [node for node in nodes if node.id in by_node]
    memory_shares = {node.id: node.memory_mb * MB / by_node[node.id].workers for node in used}
    return Division(
        Shares(cpus=one.cpus, gpus=one.gpus, workers=at_once, fill_the_machine=filled),
        MemoryShares(memory_shares, min(memory_shares.values())),
        memory_mb=sum(node.memory_mb for node in used),
        gpus=sum(node.gpus for node in used),
        gpu_mb=min((node.gpu_mb for node in used if node.gpu_mb is not None), default=None),
    )


def _fitting(cpus: float, cpus_each: float, gpus: float, gpus_each: float | None, *, most: int) -> int:
    """Trials that fit into what is free."""
    counts = [most]
    if cpus_each > 0 and math.isfinite(cpus):
        counts.append(int(cpus / cpus_each))
    if gpus_each and math.isfinite(gpus):
        counts.append(int(gpus / gpus_each + 1e-9))
    return min(counts)


def _look(needed: Sequence[str]) -> Callable[[], dict[str, Any]]:
    """What a node is asked to do. Being made here, it travels by value: a node without autotl can say so."""

    def look() -> dict[str, Any]:
        import importlib.metadata
        import os
        import platform

        versions: dict[str, str | None] = {"python": platform.python_version()}
        for package in COMPARED:
            try:
                versions[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                versions[package] = None
        unreadable = [path for path in needed if not os.access(path, os.R_OK)]
        seen: dict[str, Any] = {"versions": versions, "unreadable": unreadable, "free_bytes": 0, "gpu_mb": None}
        if versions["autotl"] is not None:
            from autotl.search.memory import memory_here
            from autotl.search.resources import gpu_memory_mb

            seen |= {"free_bytes": memory_here().available, "gpu_mb": gpu_memory_mb()}
        return seen

    return look


def _complaints(seen: Mapping[str, Any], ours: PackageVersions) -> list[str]:
    """What is wrong with a node."""
    found = [
        f"{package} is {'not installed' if theirs is None else theirs}, and {ours[package]} here. Install the same."
        for package, theirs in seen["versions"].items()
        if theirs != ours[package] and not (package == "python" and _same_minor(theirs, ours[package]))
    ]
    unreadable = seen["unreadable"]
    if unreadable:
        found.append(
            f"cannot read {unreadable[0]}{f' and {len(unreadable) - 1} more' if len(unreadable) > 1 else ''}. "
            "Keep data and models where every node finds them under the same path, such as a shared file system."
        )
    return found


def _same_minor(theirs: str, ours: str | None) -> bool:
    return ours is not None and theirs.rsplit(".", 1)[0] == ours.rsplit(".", 1)[0]
