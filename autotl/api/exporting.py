"""`export`: a model in a format that runs without autotl, checked against itself before anyone gets it."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotl.api.quiet import import_keras, stderr_held_back
from autotl.api.reopening import reopen_task
from autotl.api.signing_off import open_model
from autotl.errors import AutotlError, EnvironmentProblemError, UsageError, suggestion
from autotl.production.bundle import Bundle
from autotl.production.raw_examples import Chosen
from autotl.production.reference import read_reference
from autotl.production.registry import Registry
from autotl.run import RunFolder
from autotl.run.folder import STUDY, WINNER

if TYPE_CHECKING:
    from autotl.production.exporting import Exported

QUANTIZED = ("int8",)


def export(
    model: Path | str,
    *,
    format: str,
    out: Path | str,
    quantize: str | None = None,
    examples: Path | str | None = None,
) -> "Exported":
    """Writes a model in another format, with what it takes to use it, and compares both, from files to answers.

    Args:
        model: a run (its winner), a bundle's folder, or a promoted model such as `kitchen@production`.
        format: a key of `autotl.production.formats.FORMATS`.
        out: a folder that is not there yet, or empty.
        quantize: `int8`, for LiteRT.
        examples: what to compare on, as `predict` takes it; the data of the model's run where left out and at hand,
            else some are drawn from the schema.
    Raises:
        UsageError: an unknown format, one that cannot hold this model, or an `out` that holds something.
        EnvironmentProblemError: the format's packages are not installed.
        GateNotMetError: the export says something else than the model.
        StorageError: a file of the model is not the one that was written.
    """
    from autotl.production.exporting import export_bundle, refuse_unless_empty
    from autotl.production.formats import FORMATS

    if format not in FORMATS:
        raise UsageError(f"--format {format!r} is not known. {suggestion(format, FORMATS)}")
    _refuse_odd_quantization(quantize, format)
    refuse_unless_empty(Path(out))
    bundle = open_model(model)  # what is no model is told at once, without Keras
    _refuse_missing(FORMATS[format].packages, FORMATS[format].extra, format)
    chosen = _of_path(bundle, Path(examples)) if examples is not None else _of_run(run_of(model))
    import_keras()
    with stderr_held_back():
        return export_bundle(
            bundle,
            Path(out),
            format=format,
            chosen=chosen,
            quantized=quantize is not None,
            origin=_origin(model),
        )


def _origin(model: Path | str) -> dict[str, Any]:
    """What the model was called and, where it is a promoted one, which version that was."""
    reference = read_reference(str(model))
    return {"name": str(model), "version": None if reference is None else str(Registry().find(reference))}


def run_of(model: Path | str) -> Path | None:
    """The run that a model came from, where it still lies there."""
    reference = read_reference(str(model))
    if reference is not None:
        source: Mapping[str, Any] = Registry().find(reference).record["source"]
        return _if_run(Path(source["path"]))
    path = Path(model)
    return _if_run(path) or (_if_run(path.resolve().parent) if path.name == WINNER else None)


def _if_run(path: Path) -> Path | None:
    return path if (path / STUDY).is_file() else None


def _refuse_odd_quantization(quantize: str | None, format: str) -> None:
    if quantize is None:
        return
    if quantize not in QUANTIZED:
        raise UsageError(f"--quantize {quantize!r} is not known. {suggestion(quantize, QUANTIZED)}")
    if format != "litert":
        raise UsageError(f"--quantize {quantize} is for --format litert, not for {format}.")


def _refuse_missing(packages: tuple[str, ...], extra: str, format: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise EnvironmentProblemError(
            f"--format {format} needs {', '.join(missing)}, not installed here: pip install 'autotl[{extra}]'"
        )


def _of_path(bundle: Bundle, path: Path) -> Chosen:
    from autotl.production.prediction import read_inputs

    inputs, _ = read_inputs(bundle, path)
    return Chosen(inputs, None, f"of {path}")


def _of_run(run: Path | None) -> Chosen | None:
    """The target's examples of a run; None where its data are not at hand any more."""
    if run is None:
        return None
    try:
        data = reopen_task(RunFolder.open(run)).read_data()
    except AutotlError:
        return None
    inputs = data.inputs[0]
    return Chosen(inputs, data.labels[: len(inputs)], "of the run's data")
