"""A bundle: the trained model with all that is needed to use it on raw files, and where it came from."""

import io
import json
import math
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from autotl.backbones.archive import check_model_file
from autotl.backbones.reading import Reading, reading_from
from autotl.data.file_digest import sha256_of
from autotl.errors import StorageError, TaskError, UsageError, first_line
from autotl.run.folder import write_whole
from autotl.task import PROBLEMS, Problem
from autotl.task.problem import CLASSIFICATION

if TYPE_CHECKING:
    import keras

    from autotl.production.encoder_serving import EncoderServing
    from autotl.production.serving_model import KerasServing, NativeServing, ServingModel
    from autotl.scoring.watching import Portrait

MODEL = "model.keras"
ENCODER = "encoder"  # folder of an encoder on PyTorch, as Hugging Face's libraries write it, in front of MODEL
NATIVE = "native"  # folder of another library's own files, in the place of MODEL
CARD = "MODEL_CARD.md"
METRICS = "metrics.json"
DESCRIPTION = "bundle.json"
TOKENIZER = "tokenizer.json"  # of a language network: what model.keras does to strings, for formats that cannot
EVIDENCE = "evidence"
PORTRAIT = "portrait.npz"  # of the domain that the model was made for, for whoever watches it
FIGURES = "figures.json"  # of the evidence
EXAMPLES = "examples.json"  # likewise; holds content of the data, so it stays where it was made
EXAMPLES_FORMAT = 1
FORMAT = 1


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk, checked against its own digests.

    Attributes:
        classes: names in the order of the model's outputs.
        reading: gives the model's input for raw examples.
        description: all of `bundle.json`.
    """

    path: Path
    classes: tuple[str, ...]
    reading: Reading
    description: Mapping[str, Any]

    @property
    def modality(self) -> str:
        """What it predicts on: `image`, `text`, `table` or `signal`."""
        return str(self.description["modality"])

    @property
    def problem(self) -> Problem:
        """What it tells; one class an example where a bundle of earlier versions does not say."""
        return PROBLEMS[str(self.description.get("problem", CLASSIFICATION.name))]

    @property
    def is_native(self) -> bool:
        """Whether it holds another library's files and no Keras model."""
        return NATIVE in self.description

    @property
    def has_encoder(self) -> bool:
        """Whether its network is an encoder on PyTorch, and `MODEL` only what comes behind it."""
        return ENCODER in self.description

    def load_model(self) -> "ServingModel":
        """The model; an example as the reading gives it -> probabilities (n, classes).

        Raises:
            StorageError: its files cannot be read.
        """
        from autotl.production.encoder_serving import read_encoder
        from autotl.production.serving_model import KerasServing, NativeServing, compiled

        if self.is_native:
            return self._native(NativeServing)
        try:
            check_model_file(self.path / MODEL)  # its digest says that it came with the bundle, not who made either
        except TaskError as error:
            raise StorageError(str(error)) from error
        import keras
        import keras_hub  # noqa: F401 - registers the layers of its backbones

        try:
            model = keras.models.load_model(self.path / MODEL, compile=False, safe_mode=True)
        except Exception as error:  # Keras meets hostile configurations and raises nearly anything
            raise StorageError(
                f"{self.path / MODEL}: Keras cannot load it in safe mode: {first_line(error)}"
            ) from error
        if self.has_encoder:
            described = self.description[ENCODER]
            return read_encoder(
                self.path / ENCODER, compiled(model), described, reading=self.reading, problem=self.problem
            )
        return KerasServing(compiled(model), self.reading)

    def read_json(self, name: str) -> dict[str, Any]:
        """One of its JSON files, such as METRICS.

        Raises:
            StorageError: it cannot be read.
        """
        try:
            content: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise StorageError(f"{self.path / name} cannot be read: {error}") from error
        return content

    def _native(self, serving: "type[NativeServing]") -> "NativeServing":
        from autotl.trial.classical import MODELS, model_named

        place, kind, temperature = (
            self.path / DESCRIPTION,
            self.description[NATIVE],
            self.description.get("temperature"),
        )
        if not isinstance(kind, str) or kind not in MODELS:
            raise StorageError(f"{place}: {kind!r} is no model that this version knows.")
        if not isinstance(temperature, int | float) or not 0 < temperature < math.inf:
            raise StorageError(f"{place}: temperature is {temperature!r}; it should be a number above 0.")
        files = {path.name: path.read_bytes() for path in sorted((self.path / NATIVE).iterdir())}
        model = model_named(kind, self.problem).from_native_files(files)
        if model.classes != len(self.classes):
            raise StorageError(f"{place}: names {len(self.classes)} classes, its model tells {model.classes} apart.")
        return serving(kind, model, float(temperature), self.reading, self.problem.name)


def write_bundle(
    folder: Path,
    model: "ServingModel",
    *,
    description: Mapping[str, Any],
    metrics: Mapping[str, Any],
    card: str,
    evidence: Mapping[str, Any],
    portrait: "Portrait | None" = None,
) -> Bundle:
    """Writes model, description, metrics and card; the description, written last, holds the digests of the others.

    Args:
        description: must hold `classes`, `modality` and `temperature`.
        evidence: file name -> JSON value: what backs the figures, for whoever checks them.
        portrait: of the domain that the model is made for.
    """
    from autotl.production.encoder_serving import EncoderServing
    from autotl.production.serving_model import KerasServing, NativeServing

    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(model, NativeServing):
        described: dict[str, Any] = {NATIVE: model.name}
        names = [f"{NATIVE}/{name}" for name in model.files()]
        for name, content in model.files().items():
            write_whole(folder / NATIVE / name, content)
    else:
        described, names = {}, [MODEL]
        if isinstance(model, EncoderServing):
            described = {ENCODER: model.as_dict()}
            names += _written_encoder(model, folder)
            model = KerasServing(model.head, model.reading)
        network = cast("KerasServing", model)
        _save(network.model, folder)
        if network.tokenizer is not None:
            names.append(TOKENIZER)
            tokenizer = {**network.tokenizer.tokenizer.as_dict(), "sequence_length": network.tokenizer.length}
            write_whole(folder / TOKENIZER, json.dumps(tokenizer).encode())
    for name, value in evidence.items():
        write_whole(folder / EVIDENCE / name, json.dumps(value, indent=1).encode())
    if portrait is not None:
        write_whole(folder / PORTRAIT, portrait_bytes(portrait))
        names = [*names, PORTRAIT]
    write_whole(folder / METRICS, json.dumps(metrics, indent=1).encode())
    write_whole(folder / CARD, card.encode())
    files = {name: sha256_of(folder / name) for name in (*names, METRICS, CARD)}
    whole = {"format": FORMAT, **description, **described, "preprocessing": model.reading.as_dict(), "files": files}
    write_whole(folder / DESCRIPTION, json.dumps(whole, indent=1).encode())
    return open_bundle(folder)


def portrait_bytes(portrait: "Portrait") -> bytes:
    """The portrait as an `.npz`; equal portraits give equal bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **portrait.arrays())  # type: ignore[arg-type]
    return buffer.getvalue()


def _save(model: "keras.Model", folder: Path) -> None:
    unfinished = folder / f".unfinished.{MODEL}"
    try:
        model.save(unfinished)
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.replace(folder / MODEL)
    except OSError as error:
        raise StorageError(f"the model could not be written to {folder}: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _written_encoder(model: "EncoderServing", folder: Path) -> list[str]:
    """The names of the files that an encoder is written as."""
    try:
        (folder / ENCODER).mkdir()
        model.write(folder / ENCODER)
    except OSError as error:
        raise StorageError(f"the network could not be written to {folder}: {error.strerror}") from error
    return [f"{ENCODER}/{path.name}" for path in _listed(folder / ENCODER)]


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
        _refuse_other_format(description["format"], description)
        classes = tuple(description["classes"])
        reading = reading_from(description["preprocessing"])
        native = NATIVE in description
        files = dict(description["files"]) if native else {MODEL: None, **description["files"]}
    except StorageError as error:
        raise StorageError(f"{path} cannot be read: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path} cannot be read: {error!r}") from error
    for part in (NATIVE, ENCODER):  # a file in it that no digest vouches for is refused
        if part in description:
            files |= {f"{part}/{found.name}": files.get(f"{part}/{found.name}") for found in _listed(folder / part)}
    for name, digest in files.items():
        if not _lies_inside(name) or not (folder / name).is_file() or sha256_of(folder / name) != digest:
            raise StorageError(f"{folder / name} is missing or not the file that was written with this bundle.")
    if not native and not zipfile.is_zipfile(folder / MODEL):
        raise StorageError(f"{folder / MODEL} is no Keras model file.")
    return Bundle(folder, classes, reading, description)


def _refuse_other_format(seen: Any, description: Mapping[str, Any]) -> None:
    if seen == FORMAT:
        return
    versions = description.get("versions")
    by = f"autotl {versions['autotl']}" if isinstance(versions, dict) and "autotl" in versions else "another autotl"
    raise StorageError(
        f"its format is {seen}, by {by}; this version reads format {FORMAT}. Use that version, or ship its trial again."
    )


def _lies_inside(name: str) -> bool:
    part, _, last = name.rpartition("/")
    return part in ("", NATIVE, ENCODER) and Path(last).name == last


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
