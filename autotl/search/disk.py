"""How much a search will write, and whether there is room for it: asked before anything is trained."""

import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.backbones.classical import CLASSICAL
from autotl.errors import StorageError
from autotl.features.store import SHARE_OF_ONE_SET
from autotl.plan.space import Space

TO_SPARE = 1.2
GB = 1_000_000_000

# Figures of usual networks, those of EfficientNet-Lite0 and MiniLM: only a network that is loaded tells its own, and
# loading all of a space takes minutes.
FEATURES = 1_280  # numbers that a network gives for an example
CHANNELS, STRIDE = 320, 32  # of an image network where its last layers begin
HIDDEN = 384  # numbers for each token
MODEL_MB: Mapping[str, float] = {"image": 20.0, "text": 90.0, "table": 5.0, "signal": 20.0}
WEIGHTS_SHARE = 0.4  # of a model that a usual number of unfrozen layers makes up
BYTES_A_TRIAL = 100_000  # its rows in the database, plan, curve and log
BYTES_A_RUN = 30_000_000  # report, evidence, database
MODELS_AT_THE_END = 3  # the winner, the same being written, and what is left of one before


@dataclass(frozen=True)
class Scale:
    """How large a task is, in what decides about files.

    Attributes:
        examples: of all domains.
        scored: that every trial keeps its answers for.
        trials: that are still to be trained, baselines included.
    """

    examples: int
    scored: int
    classes: int
    trials: int


@dataclass(frozen=True)
class Need:
    """Bytes that a search will write below a folder, which need not exist yet."""

    folder: Path
    bytes: int
    what: str
    choose_another: str


def bytes_of_features(space: Space, examples: int, *, store_limit: int, stored: int) -> int:
    """That the store will grow by: all features that a space may ask for, in float32, as far as its limit lets it. The
    plain features of one network must fit in any case.

    Args:
        store_limit: most that the store takes.
        stored: bytes that it holds already.
    """
    views = 1 + max((int(views) for views in _values(space, "views")), default=0)
    networks = [spec for spec in _values(space, "backbone") if spec.origin != CLASSICAL]
    forms = max(1, len(_values(space, "image_size"))), max(1, len(_values(space, "sequence_length")))
    cuts = [
        examples * views * _numbers(space, layers) * 4
        for _ in range(len(networks) * math.prod(forms) * max(1, len(_values(space, "tap"))))
        for layers in _values(space, "unfrozen_layers")
    ]
    largest = int(store_limit * SHARE_OF_ONE_SET)
    wanted = min(store_limit - stored, sum(min(largest, each) for each in cuts))
    return max(0, wanted, examples * FEATURES * 4 - stored if networks else 0)


def bytes_of_run(space: Space, scale: Scale) -> int:
    """Of the run folder at its fullest, when no trial has given up its weights yet."""
    outputs = scale.scored * (scale.classes + FEATURES) * 2
    share = max((_share_of_weights(layers) for layers in _values(space, "unfrozen_layers")), default=0.0)
    model = MODEL_MB[space.modality] * 1e6
    head = FEATURES * scale.classes * 4
    trials = scale.trials * (outputs + head + share / 2 * model + BYTES_A_TRIAL)  # half of them leave more frozen
    return int(trials + MODELS_AT_THE_END * model + BYTES_A_RUN)


def refuse_full_disks(needs: Sequence[Need]) -> None:
    """Raises a StorageError that names every file system that lacks room."""
    words = lacking(needs)
    if words:
        raise StorageError("\n".join(words))


def lacking(needs: Sequence[Need]) -> list[str]:
    """A sentence for each file system that would have less than a fifth to spare."""
    found = []
    for together in _by_file_system(needs):
        wanted, free = int(TO_SPARE * sum(need.bytes for need in together)), free_bytes(together[0].folder)
        if wanted > free:
            found.append(_lacking(together, wanted, free))
    return found


def expected(needs: Sequence[Need]) -> str:
    """What a search will write at most, and what is free."""
    parts = [
        f"up to {_amount(need.bytes)} of {need.what} in {need.folder} ({_amount(free_bytes(need.folder))} free)"
        for need in needs
    ]
    return f"Disk: {', '.join(parts)}."


def _lacking(needs: Sequence[Need], wanted: int, free: int) -> str:
    parts = [f"up to {_amount(need.bytes)} of {need.what} in {need.folder}" for need in needs]
    others = " or ".join(dict.fromkeys(need.choose_another for need in needs))
    return (
        f"{needs[0].folder}: the search may write {' and '.join(parts)}. With a fifth to spare that takes "
        f"{wanted:,} bytes there, and {free:,} are free. Make room, or choose another folder: {others}."
    )


def _by_file_system(needs: Iterable[Need]) -> list[list[Need]]:
    groups: dict[int, list[Need]] = {}
    for need in needs:
        groups.setdefault(_existing(need.folder).stat().st_dev, []).append(need)
    return list(groups.values())


def free_bytes(folder: Path) -> int:
    """Of the file system that a folder, which need not exist yet, lies on."""
    return shutil.disk_usage(_existing(folder)).free


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    absolute = folder.absolute()
    return next(path for path in [absolute, *absolute.parents] if path.exists())


def _numbers(space: Space, layers: object) -> int:
    """Of one example at the cut before so many unfrozen layers."""
    size = max(_values(space, "image_size"), default=0)
    length = max((each for each in _values(space, "sequence_length") if isinstance(each, int)), default=128)
    if layers == 0 or space.modality == "table":
        return FEATURES
    if space.modality == "text":
        return length if layers == "all" else HIDDEN * length
    if layers == "all":
        return 3 * size**2
    return CHANNELS * math.ceil(size / STRIDE) ** 2


def _share_of_weights(layers: object) -> float:
    return 1.0 if layers == "all" else WEIGHTS_SHARE * (layers != 0)


def _values(space: Space, name: str) -> list[Any]:
    """Those that a field may have; none where the modality has no use for it."""
    values = space.values(name) if name in space.dimensions else []
    return [value for value in values if value is not None]


def _amount(size: int) -> str:
    return f"{size / GB:,.1f} GB" if size >= GB / 10 else f"{size / 1e6:.0f} MB"
