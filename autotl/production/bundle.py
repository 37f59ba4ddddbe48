"""A bundle: the trained model with all that is needed to use it on raw files, and where it came from."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotl.errors import StorageError, UsageError
from autotl.run.folder import write_whole

if TYPE_CHECKING:
    import keras

MODEL = "model.keras"
CARD = "MODEL_CARD.md"
METRICS = "metrics.json"
DESCRIPTION = "bundle.json"
EVIDENCE = "evidence"
FORMAT = 1


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk, checked against its own digests.

    Attributes:
        classes: names in the order of the model's outputs.
        image_size: pixels a side that images are stretched to.
        description: all of `bundle.json`.
    """

    path: Path
    classes: tuple[str, ...]
    image_size: int
    description: Mapping[str, Any]

    def load_model(self) -> "keras.Model":
        """The Keras model; uint8 (n, size, size, 3) -> probabilities (n, classes)."""
        import keras
        import keras_hub  # noqa: F401 - registers the layers of its backbones

        from autotl.production.serving_model import compiled

        return compiled(keras.models.load_model(self.path / MODEL, compile=False, safe_mode=True))


def write_bundle(
    folder: Path,
    model: "keras.Model",
    *,
    description: Mapping[str, Any],
    metrics: Mapping[str, Any],
    card: str,
    evidence: Mapping[str, Any],
) -> Bundle:
    """Writes model, description, metrics and card; the description, written last, holds the digests of the others.

    Args:
        description: must hold `classes` and `preprocessing.image_size`.
        evidence: file name -> JSON value: what backs the figures, for whoever checks them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".unfinished.{MODEL}"
    try:
        model.save(unfinished)
        unfinished.replace(folder / MODEL)
    except OSError as error:
        raise StorageError(f"the model could not be written to {folder}: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    for name, value in evidence.items():
        write_whole(folder / EVIDENCE / name, json.dumps(value, indent=1).encode())
    write_whole(folder / METRICS, json.dumps(metrics, indent=1).encode())
    write_whole(folder / CARD, card.encode())
    files = {name: _sha256(folder / name) for name in (MODEL, METRICS, CARD)}
    complete = {"format": FORMAT, **description, "files": files}
    write_whole(folder / DESCRIPTION, json.dumps(complete, indent=1).encode())
    return open_bundle(folder)


def open_bundle(folder: Path) -> Bundle:
    """Reads and checks a bundle without loading Keras.

    Raises:
        UsageError: there is no bundle in the folder.
        StorageError: a file is not the one that was written.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        hint = f" Did you mean {folder / 'winner'}?" if (folder / "winner" / DESCRIPTION).is_file() else ""
        raise UsageError(f"{folder} is no model bundle: there is no {DESCRIPTION} in it.{hint}")
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        files = {MODEL: None, **description["files"]}  # a model that no digest vouches for is refused
        classes = tuple(description["classes"])
        image_size = int(description["preprocessing"]["image_size"])
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path} cannot be read: {error!r}") from error
    for name, digest in files.items():
        if Path(name).name != name or not (folder / name).is_file() or _sha256(folder / name) != digest:
            raise StorageError(f"{folder / name} is missing or not the file that was written with this bundle.")
    if not zipfile.is_zipfile(folder / MODEL):
        raise StorageError(f"{folder / MODEL} is no Keras model file.")
    return Bundle(folder, classes, image_size, description)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
