"""The demo's data, made on the spot: printed digits drawn here, handwritten ones that ship with scikit-learn."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIZE = 32  # pixels a side
SENSOR = 8  # pixels a side that the handwritten digits were scanned at
PRINTED = 1_000
TASK = """\
# Printed digits are labelled, handwritten ones are not: a model must be learnt from the first for the second.
name: printed-to-handwritten
modality: image
data:
  target:
    train: handwritten.npz
    labels: none                    # the search never sees them
    validation: 0                   # without labels there is nothing to hold out: adapt to all of them
    test: {labels_of: train}        # they are opened once, at the end, for the figure below
  source:
    - {name: printed, train: printed.npz}
metric: accuracy
budget: {trials: 4, wall: 150s}
baselines: [source_only]            # without adaptation: the figure to beat, and what ships if nothing clearly beats it
search_space:
  backbone: efficientnet_lite0
  image_size: 64
  tap: P4
  unfrozen_layers: 24
  head: linear
  learning_rate: {log: [1.5e-3, 4.0e-3]}
  backbone_rate_ratio: {log: [0.2, 0.6]}
  dropout: 0.0
  label_smoothing: 0.0
  weight_decay: 1.0e-4
  views: 0
  epochs: 6
  adaptation:                       # what may bring the two together; auto would try every method there is
    choice:
      mcc: {weight: {log: [0.3, 3.0]}, align: standardize}
      infomax: {weight: {log: [0.1, 1.0]}, align: standardize}
seed: 0
"""


def write_demo(folder: Path) -> Path:
    """Writes `printed.npz`, `handwritten.npz` and `task.yaml`; returns the task's path. Needs no network."""
    from sklearn.datasets import load_digits

    folder.mkdir(parents=True, exist_ok=True)
    images, labels = printed_digits(PRINTED, seed=0)
    np.savez_compressed(folder / "printed.npz", x=images, y=labels)
    handwritten = load_digits()
    enlarged = [_enlarged(image) for image in (handwritten.images * 255 / 16).astype(np.uint8)]
    np.savez_compressed(folder / "handwritten.npz", x=np.stack(enlarged), y=handwritten.target)
    task = folder / "task.yaml"
    task.write_text(TASK, encoding="utf-8")
    return task


def printed_digits(count: int, *, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Digits in a printed typeface, white on black, as a scanner might have seen them.

    Returns:
        images, uint8 (count, SIZE, SIZE), and labels 0 to 9, (count,), as many of each as `count` allows.
    """
    draws = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    draws.shuffle(labels)
    return np.stack([_printed_digit(int(label), draws) for label in labels]), labels


def _printed_digit(digit: int, draws: np.random.Generator) -> NDArray[np.uint8]:
    """One digit, slanted, turned and squeezed a little, then seen by a sensor as coarse as the real one."""
    canvas = Image.new("L", (4 * SIZE, 4 * SIZE))
    stroke = int(draws.integers(0, 7))
    font = ImageFont.load_default(size=float(draws.uniform(60, 90)))
    middle = (2 * SIZE, 2 * SIZE)
    ImageDraw.Draw(canvas).text(
        middle, str(digit), fill=255, font=font, anchor="mm", stroke_width=stroke, stroke_fill=255
    )
    slant = float(draws.normal(0, 0.15))
    across = (1, slant, -2 * SIZE * slant, 0, 1, 0)
    canvas = canvas.transform(canvas.size, Image.Transform.AFFINE, across, Image.Resampling.BILINEAR)
    canvas = canvas.rotate(float(draws.normal(0, 8)), Image.Resampling.BILINEAR)
    left, top, right, bottom = canvas.getbbox() or (0, 0, *canvas.size)
    margin = draws.integers(0, 8, size=4)
    canvas = canvas.crop((left - margin[0], top - margin[1], right + margin[2], bottom + margin[3]))
    width = round(SENSOR * min(1.0, canvas.width / canvas.height * draws.uniform(0.9, 1.3)))
    coarse = np.zeros((SENSOR, SENSOR))
    start = (SENSOR - width) // 2
    coarse[:, start : start + width] = np.asarray(canvas.resize((width, SENSOR), Image.Resampling.BOX))
    coarse = coarse * draws.uniform(0.7, 1.1) + draws.normal(0, 6, size=coarse.shape)
    return _enlarged(np.clip(coarse, 0, 255).astype(np.uint8))


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.BICUBIC))
