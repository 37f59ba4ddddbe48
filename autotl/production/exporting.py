"""A bundle in another format: written, with what it takes to use it, and compared with the bundle it came from."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autotl.data.examples import Labels
from autotl.data.file_digest import sha256_of
from autotl.errors import StorageError, UsageError
from autotl.production.bundle import DESCRIPTION, MODEL, NATIVE, TOKENIZER, Bundle
from autotl.production.exportable import Exportable
from autotl.production.formats import FORMATS, Format
from autotl.production.formats.litert import LiteRTInt8
from autotl.production.parity import Parity, compare
from autotl.production.raw_examples import CALIBRATING, CHECKED, Chosen, rows_to_check, write_drawn, write_raw
from autotl.production.shipped import lay_beside, shipped_tensor
from autotl.run.folder import write_whole

RECORD = "export.json"
PREPROCESS = "preprocess.json"
SCHEMA = 1
DRAWN = "drawn from the schema, for want of real ones"


@dataclass(frozen=True)
class Exported:
    """An export that is written.

    Attributes:
        record: all of its export.json.
    """

    path: Path
    format: str
    parity: Parity
    record: Mapping[str, Any]


def export_bundle(
    bundle: Bundle,
    out: Path,
    *,
    format: str,
    chosen: Chosen | None,
    quantized: bool,
    origin: Mapping[str, Any],
) -> Exported:
    """Writes a bundle in a format (a key of `FORMATS`), checks it, and puts it under its name when all is well.

    Args:
        out: a folder that is not there yet, or empty.
        chosen: examples to compare on; None to draw some.
        quantized: to 8 bits, for which the figures are told and nothing is refused.
        origin: what the model is called and where it came from, for export.json.
    Raises:
        UsageError: this format cannot hold this model.
        GateNotMetError: what was written says something else than the bundle.
        StorageError: no right to write, or a full disk.
    """
    model = Exportable(bundle)
    why = FORMATS[format].not_held.get(model.kind)
    if why is not None:
        raise UsageError(f"--format {format} cannot hold {_named(bundle)}: it {why}.{_other_formats(model, format)}")
    with _unfinished(out) as folder, tempfile.TemporaryDirectory(prefix="autotl-export-") as place:
        raw = _raw_files(bundle, chosen, Path(place), model)
        own = FORMATS[format]
        _describe(model, own, folder, {})
        if quantized:
            own = LiteRTInt8(shipped_tensor(folder, raw.calibrating))
        beside = set(_files(folder))
        try:
            told = own.write(model, folder)
        except UsageError as error:
            raise UsageError(f"{error}{_other_formats(model, format)}") from error
        _describe(model, own, folder, told)
        size = _megabytes(path for path in _files(folder) if path not in beside)
        parity = compare(model, folder, raw.checked, raw.labels)
        if not quantized:
            parity.refuse_unless_equal(f"the {format} file")
        record = {
            "schema": SCHEMA,
            "format": format,
            "quantized": "int8" if quantized else None,
            "model": {**origin, **_provenance(bundle)},
            "problem": bundle.problem.name,
            **_figures(parity, raw.origin),
            "size_mb": {"bundle": _megabytes(_model_files(bundle)), "export": size},
            "versions": {"model": dict(bundle.description.get("versions", {})), "export": _versions(own.packages)},
            "files": {path.relative_to(folder).as_posix(): sha256_of(path) for path in _files(folder)},
        }
        write_whole(folder / RECORD, json.dumps(record, indent=1).encode())
    return Exported(out, format, parity, record)


def _named(bundle: Bundle) -> str:
    return f"{bundle.path} ({bundle.description.get('task', 'a model')})"


def _other_formats(model: Exportable, refused: str) -> str:
    """The end of an error: the formats that hold models of this kind."""
    names = [name for name, other in FORMATS.items() if name != refused and model.kind not in other.not_held]
    return f" Offered for it: --format {', '.join(names)}." if names else ""


@dataclass(frozen=True)
class _Raw:
    """Raw files to compare on and to calibrate with."""

    checked: Path
    calibrating: Path
    labels: Labels | None
    origin: str


def _raw_files(bundle: Bundle, chosen: Chosen | None, place: Path, model: Exportable) -> _Raw:
    if chosen is None:
        words = _words(model) if bundle.modality == "text" else ()
        checked = write_drawn(bundle, CHECKED, place / "checked", seed=0, words=words)
        return _Raw(checked, write_drawn(bundle, CALIBRATING, place / "more", seed=1, words=words), None, DRAWN)
    written = bundle.description.get("schema", {})
    rows, others = rows_to_check(len(chosen.inputs))
    return _Raw(
        write_raw(chosen.inputs, rows, place / "checked", written),
        write_raw(chosen.inputs, others, place / "more", written),
        None if chosen.labels is None else chosen.labels[rows],
        chosen.origin,
    )


def _words(model: Exportable) -> list[str]:
    """Words that a text model knows: those of its tokenizer, or those that it counts."""
    knowing = next(layer for layer in _layers(model.keras_model) if layer.name in ("pieces", "terms"))
    return [word for word in knowing.get_vocabulary() if word.isalpha()]


def _layers(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        yield layer
        yield from _layers(layer) if hasattr(layer, "layers") else ()


def _describe(model: Exportable, own: Format, folder: Path, more: Mapping[str, Any]) -> None:
    """Lays the files beside the model that turn raw files into probabilities, with what they must know."""
    beside = own.beside(model)
    lay_beside(folder, preprocess=beside.preprocess, runtime=beside.runtime)
    bundle = model.bundle
    preprocessing = {"reads": "raw"} if beside.preprocess == "raw" else model.preprocessing
    described = {
        "format": SCHEMA,
        "modality": bundle.modality,
        "problem": bundle.problem.name,
        "classes": list(bundle.classes),
        **{name: bundle.description[name] for name in ("thresholds", "interval") if name in bundle.description},
        "output": model.answers.output,
        "written": dict(bundle.description.get("schema", {})),
        **preprocessing,
        **more,
    }
    write_whole(folder / PREPROCESS, json.dumps(described, indent=1).encode())
    if beside.preprocess == "tokens":
        write_whole(folder / TOKENIZER, json.dumps(model.tokenizer).encode())


@contextmanager
def _unfinished(out: Path) -> Iterator[Path]:
    """A folder beside the wanted one, renamed to it at the end, or gone."""
    refuse_unless_empty(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    except OSError as error:
        raise StorageError(f"{out} could not be written: {error.strerror}") from error
    try:
        yield folder
        folder.chmod(0o755)
        if out.is_dir():
            out.rmdir()
        folder.rename(out)
    except OSError as error:
        raise StorageError(f"{out} could not be written: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def refuse_unless_empty(out: Path) -> None:
    """Raises a UsageError where there is something already."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists():
        raise UsageError(f"{out} is {'not empty' if out.is_dir() else 'a file'}. Choose another --out, or remove it.")


def _provenance(bundle: Bundle) -> dict[str, Any]:
    return {
        "task": bundle.description.get("task"),
        "provenance": bundle.description.get("provenance"),
        "bundle_sha256": sha256_of(bundle.path / DESCRIPTION),
    }


def _figures(parity: Parity, of: str) -> dict[str, Any]:
    """What was measured, as plain JSON values."""
    theirs, ours = parity.latency
    figure = None
    if parity.figure is not None:
        figure = {"examples": parity.labelled, "bundle": parity.figure[0], "export": parity.figure[1]}
    return {
        "parity": {
            "examples": parity.examples,
            "of": of,
            "max_difference": parity.difference,
            "agreement": parity.agreement,
            parity.answers.figure: figure,
        },
        "latency_ms": {"bundle": theirs.as_dict(), "export": ours.as_dict()},
    }


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    return {name: version(name) for name in ("keras", "tensorflow", "numpy", *packages)}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _model_files(bundle: Bundle) -> list[Path]:
    return _files(bundle.path / NATIVE) if bundle.is_native else [bundle.path / MODEL]


def _megabytes(files: Iterable[Path]) -> float:
    return round(sum(path.stat().st_size for path in files) / 1e6, 3)
