"""Recorded pools of trials: small files that a replay needs nothing beside."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "recorded"
ENDING = ".json.gz"
NAMES = {"mobilenet_v2_100": "MobileNetV2"}  # a folder of weights -> the network's public name


@dataclass(frozen=True)
class PoolTrial:
    """A plan that was trained to its last epoch.

    Attributes:
        plan: as leaderboards write it, without a path of the machine it was trained on.
        scores: the task's metric on the validation examples after every epoch.
        test: the same on test examples, after the last.
        epoch_seconds: of a processor, for training and scoring, mean over the epochs, with stored features.
    """

    plan: Mapping[str, Any]
    scores: tuple[float, ...]
    test: float
    epoch_seconds: float
    flops: int
    params: int


@dataclass(frozen=True)
class Screened:
    """What each transferability score said of the features that such plans start from, and how long that took."""

    plan: Mapping[str, Any]
    scores: Mapping[str, float]
    seconds: Mapping[str, float]
    params: int
    flops: int


@dataclass(frozen=True)
class Pool:
    """All that was recorded of one task.

    Attributes:
        space: what the plans were drawn from, as YAML would hold it.
        feature_seconds: by `cut_key`, of a processor, for the features of all examples, the network loaded first.
    """

    task: str
    modality: str
    metric: str
    examples: Mapping[str, int]
    classes: int
    space: Mapping[str, Any]
    trials: tuple[PoolTrial, ...]
    feature_seconds: Mapping[str, float]
    screened: tuple[Screened, ...]


def write_pool(pool: Pool, folder: Path) -> Path:
    """Writes the pool's file; the same pool gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pool.task}{ENDING}"
    content = json.dumps(asdict(pool), separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(content, mtime=0))
    return path


def read_pool(path: Path) -> Pool:
    """What `write_pool` wrote."""
    told = json.loads(gzip.decompress(path.read_bytes()))
    trials = tuple(PoolTrial(**{**each, "scores": tuple(each["scores"])}) for each in told["trials"])
    screened = tuple(Screened(**each) for each in told["screened"])
    return Pool(**{**told, "trials": trials, "screened": screened})


def read_pools(folder: Path = RECORDED) -> list[Pool]:
    """All of a folder, by name."""
    return [read_pool(path) for path in sorted(folder.glob(f"*{ENDING}"))]


def without_paths(value: Any) -> Any:
    """The same plan or space with public names where backbones are folders of this machine."""
    if isinstance(value, Mapping):
        origin = next((key for key in ("preset", "pretrained_on_source") if key in value), None)
        if origin == "pretrained_on_source":
            return origin
        if origin == "preset":
            folder = Path(value[origin]).name
            return NAMES.get(folder, folder)
        return {key: without_paths(each) for key, each in value.items()}
    if isinstance(value, str) or not isinstance(value, Iterable):
        return value
    assert isinstance(value, Sequence)
    return [without_paths(each) for each in value]
