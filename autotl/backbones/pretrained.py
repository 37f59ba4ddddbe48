"""Networks that a search pretrains itself, on the task's source: a residual MLP for tables, a residual CNN for signals.

`autotl.trial.pretraining` trains one and keeps it as one file; here it is read again.
"""

# ruff: noqa: ARG002  an origin need not use everything it is offered

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autotl.backbones.form import Form
from autotl.backbones.origin import Loaded
from autotl.backbones.reading import ColumnReading
from autotl.backbones.spec import BackboneSpec
from autotl.data.arrays import ArrayError, read_arrays
from autotl.errors import StorageError, TaskError, suggestion

if TYPE_CHECKING:
    import keras

    from autotl.backbones.residual_mlp import NumberStatistics

NAME = "pretrained_on_source"
FORMAT = 1  # raised when a network is built in another way, so that older files are not read
ENDING = ".npz"
INSTEAD = {
    "image": "for images name a pretrained network, e.g. efficientnet_lite0",
    "text": "for texts name a pretrained network, e.g. all_minilm_l6_v2",
}
_ABOUT = "about"


class PretrainedOrigin:
    """`pretrained_on_source`; once the weights exist, `{pretrained_on_source: FILE.npz}`."""

    options: frozenset[str] = frozenset()

    def names(self) -> tuple[str, ...]:
        return (NAME,)

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> BackboneSpec:
        if name == NAME:
            return BackboneSpec(NAME, NAME)
        if not name.endswith(ENDING):
            words = f"{name!r} is no file of pretrained weights ({ENDING})."
            raise TaskError(f"{where}: {words} {suggestion(name, [NAME])}")
        # whether the file is still there is asked when it is used: plans of old runs stay readable without it
        return BackboneSpec(NAME, NAME, weights=str((folder / Path(name).expanduser()).resolve()))

    def why_not_at_hand(self, spec: BackboneSpec, *, offline: bool) -> str | None:
        if spec.weights is None or Path(spec.weights).is_file():
            return None
        file = "/".join(Path(spec.weights).parts[-2:])
        return f"{spec.label}: its weights {file} are not there any more. Write only {NAME!r} to have them made again."

    def layer_count(self, spec: BackboneSpec, tap: str) -> int | None:
        if spec.weights is None or tap != "last":
            return None
        try:
            return int(_about(Path(spec.weights), _arrays(Path(spec.weights)).get(_ABOUT))["layers"])
        except (StorageError, KeyError, TypeError, ValueError):
            return None  # loading it will say what is wrong

    def smallest_image_size(self, spec: BackboneSpec) -> int:
        return 1

    def load(self, spec: BackboneSpec, *, form: Form, seed: int) -> Loaded:
        described = described_form(form)
        if spec.weights is None:
            raise TaskError(f"backbone {spec.label}: pretraining has not been run, so it has no weights yet.")
        kept = read_pretrained(Path(spec.weights))
        if kept.form != described:
            words = f"was pretrained on {_seen_by(kept, form)}. Write only {NAME!r} to pretrain it on this task's data."
            raise TaskError(f"backbone {spec.label} {words}")
        model = untrained(form, numbers=kept.numbers, seed=0)
        put_weights(model, kept.weights, where=spec.weights)
        return Loaded(model, reading=None if form.schema is None else ColumnReading(form.schema))


@dataclass(frozen=True)
class PretrainedNetwork:
    """A pretrained network as its file holds it.

    Attributes:
        form: what it takes, as `described_form` gives it.
        weights: by layer and variable.
        numbers: of a table's numeric columns; None for signals.
        record: how it was pretrained; plain JSON values.
    """

    form: Mapping[str, Any]
    weights: Mapping[str, NDArray[np.float32]]
    numbers: "NumberStatistics | None"
    record: Mapping[str, Any]


def described_form(form: Form) -> dict[str, Any]:
    """What decides the network's shape, as plain JSON values.

    Raises:
        TaskError: no network is built for such examples.
    """
    if form.schema is not None:
        return {"modality": "table", "schema": form.schema.digest}
    if form.modality == "signal" and form.window is not None:
        return {"modality": "signal", "window": list(form.window)}
    hint = INSTEAD.get(form.modality, "name a pretrained network")
    raise TaskError(f"backbone {NAME}: pretraining on the source is for tables and signals; {hint}.")


def untrained(form: Form, *, numbers: "NumberStatistics | None", seed: int) -> "keras.Model":
    """The network for a form, with random weights.

    Args:
        numbers: of a table's numeric columns over the training rows; None for signals.
    """
    if form.schema is not None:
        from autotl.backbones.residual_mlp import residual_mlp

        assert numbers is not None, "a table's network needs the statistics of its columns"
        return residual_mlp(form.schema, numbers=numbers, seed=seed)
    from autotl.backbones.residual_cnn import residual_cnn

    assert form.window is not None, f"a form of {form.modality} without a window"
    return residual_cnn(form.window, seed=seed)


def weights_of(model: "keras.Model") -> dict[str, NDArray[np.float32]]:
    """All weights by layer and variable, e.g. `block1_first.kernel`."""
    from keras import ops

    return {
        f"{layer.name}.{variable.name}": np.array(ops.convert_to_numpy(variable), dtype=np.float32)
        for layer in model.layers
        for variable in layer.weights
    }


def put_weights(model: "keras.Model", weights: Mapping[str, NDArray[np.float32]], *, where: str) -> None:
    """Gives a model the weights that `weights_of` took from one like it.

    Raises:
        StorageError: names or shapes differ.
    """
    wanted = {f"{layer.name}.{variable.name}": variable for layer in model.layers for variable in layer.weights}
    differing = sorted(set(wanted) ^ set(weights))
    differing += [name for name in wanted if name in weights and tuple(wanted[name].shape) != weights[name].shape]
    if differing:
        raise _damaged(Path(where), f"its weights do not fit the network: {', '.join(differing[:3])}")
    for name, variable in wanted.items():
        variable.assign(weights[name])


def write_pretrained(path: Path, network: PretrainedNetwork) -> None:
    """One file that appears at once; the caller holds the lock. May raise `OSError`."""
    layers = {name.rpartition(".")[0] for name in network.weights}
    about = {
        "format": FORMAT,
        "form": dict(network.form),
        "layers": len(layers),
        "weights": sorted(network.weights),
        "numbers": None if network.numbers is None else network.numbers.as_dict(),
        "record": dict(network.record),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".unfinished{ENDING}")
    np.savez(unfinished, **{_ABOUT: np.array(json.dumps(about))}, **network.weights)  # type: ignore[arg-type]
    unfinished.replace(path)


def read_pretrained(path: Path) -> PretrainedNetwork:
    """The network in a file, every array checked against its checksum.

    Raises:
        StorageError: the file is not there, damaged, or of another version.
    """
    weights = _arrays(path)
    about = _about(path, weights.pop(_ABOUT, None))
    if sorted(weights) != about.get("weights"):
        raise _damaged(path, "it does not hold all weights that were written")
    if any(array.dtype != np.float32 or not np.isfinite(array).all() for array in weights.values()):
        raise _damaged(path, "its weights are not finite float32 numbers")
    try:
        numbers = None
        if about["numbers"] is not None:
            from autotl.backbones.residual_mlp import NumberStatistics

            numbers = NumberStatistics.from_dict(about["numbers"])
        return PretrainedNetwork(dict(about["form"]), weights, numbers, dict(about["record"]))
    except (KeyError, TypeError, ValueError) as cause:
        raise _damaged(path, f"its description makes no sense: {cause!r}") from cause


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    if not path.exists():
        raise StorageError(f"the pretrained weights {path} are not there.")
    try:
        return read_arrays(path)
    except (ArrayError, OSError) as cause:
        raise _damaged(path, str(cause).rstrip(".")) from cause


def _about(path: Path, written: NDArray[Any] | None) -> dict[str, Any]:
    try:
        about = json.loads(str(written))
    except (ValueError, RecursionError) as cause:
        raise _damaged(path, str(cause)) from cause
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise StorageError(f"the pretrained weights {path} were written by another version of autotl.")
    return about


def _damaged(path: Path, why: str) -> StorageError:
    return StorageError(f"the pretrained weights {path} are damaged: {why}. Delete the file to have them made again.")


def _seen_by(kept: PretrainedNetwork, form: Form) -> str:
    """What a network was pretrained on where that is not this form, in words."""
    if kept.form.get("modality") != form.modality:
        return f"other data than {form.words}"
    if form.modality == "table":
        return f"other columns or categories than {form.words}"
    samples, channels = kept.form["window"]
    return f"{Form('signal', window=(samples, channels)).words}, not on {form.words}"
