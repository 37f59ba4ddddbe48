"""CIFAR-10 and what a bad camera makes of it, as features of a pretrained network.

After Hendrycks & Dietterich, "Benchmarking neural network robustness to common corruptions and perturbations", ICLR
2019: four of their fifteen kinds, at about the third of their five strengths, computed here anew.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Images = NDArray[np.uint8]  # (n, 32, 32, 3)
Labels = NDArray[np.int64]

SIDE = 64  # at which the network looks
PER_CLASS = 200
BACKBONE = "efficientnet_lite0"


def noise(images: Images) -> Images:
    """Gaussian noise of 0.1 of the range."""
    spoilt = images + np.random.default_rng(0).normal(0, 0.1 * 255, images.shape)
    return np.clip(spoilt, 0, 255).astype(np.uint8)


def blur(images: Images) -> Images:
    """A Gaussian blur of 1.2 pixels."""
    return _each(images, lambda image: image.filter(ImageFilter.GaussianBlur(1.2)))


def contrast(images: Images) -> Images:
    """Three tenths of the contrast around each image's mean."""
    means = images.mean(axis=(1, 2), keepdims=True)
    return (means + 0.3 * (images - means)).astype(np.uint8)


def pixels(images: Images) -> Images:
    """As a camera of 16 pixels saw them."""

    def coarse(image: Image.Image) -> Image.Image:
        return image.resize((16, 16), Image.Resampling.BOX).resize(image.size, Image.Resampling.NEAREST)

    return _each(images, coarse)


CORRUPTIONS: Mapping[str, Callable[[Images], Images]] = {
    "noise": noise,
    "blur": blur,
    "contrast": contrast,
    "pixels": pixels,
}


def read_images(folder: Path) -> tuple[Images, Labels]:
    """The first 200 of each class folder."""
    images, labels = [], []
    for label, name in enumerate(sorted(path.name for path in folder.iterdir() if path.is_dir())):
        for path in sorted((folder / name).iterdir())[:PER_CLASS]:
            with Image.open(path) as image:
                images.append(np.asarray(image.convert("RGB")))
            labels.append(label)
    return np.stack(images), np.array(labels)


def features(images: Images) -> NDArray[np.float64]:
    """(n, width): pooled features of the pretrained network."""
    from autotl.api.quiet import import_keras
    from autotl.backbones import parse_spec
    from autotl.backbones.form import of_images

    import_keras()
    from autotl.backbones.network import build_network

    network = build_network(parse_spec(BACKBONE, folder=Path(), where="the benchmark"), form=of_images(SIDE))
    large = _each(images, lambda image: image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    return np.asarray(network.whole.predict(large, batch_size=64, verbose=0), dtype=np.float64)


def _each(images: Images, change: Callable[[Image.Image], Image.Image]) -> Images:
    return np.stack([np.asarray(change(Image.fromarray(image))) for image in images])
