"""Checks on model files before Keras opens them: what may be inside, and how large it may grow."""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotl.errors import TaskError, in_one_line

CONFIG_BYTES = 20 * 2**20
TOTAL_BYTES = 10 * 2**30
INFLATION = 4  # weights hardly compress; a member that grows more than this is a bomb
KERAS_MEMBERS = frozenset({"config.json", "metadata.json", "model.weights.h5"})
VOCABULARY = re.compile(r"assets/layers/[A-Za-z0-9_]+/vocabulary\.(txt|spm)", re.ASCII)  # of a tokenizer in the model


def read_keras_config(path: Path) -> dict[str, Any]:
    """The configuration inside a `.keras` file, after checking the archive's members and declared sizes.

    Raises:
        TaskError: not such an archive, a member missing or too many, sizes out of bounds, or no configuration.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive.infolist())
            config = json.loads(archive.read("config.json"))
    except TaskError:
        raise
    except Exception as cause:  # zipfile and json meet hostile bytes and raise nearly anything
        raise TaskError(
            f"{path}: not a readable .keras file ({in_one_line(cause)}). Save it with model.save('NAME.keras')."
        ) from cause
    return _checked_config(path, config, "config.json")


def check_keras_weights(path: Path) -> None:
    """Refuses a `.keras` file whose HDF5 weights are damaged, link outside or declare impossible sizes."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as member:
            _check_hdf5(path, member, archive.getinfo("model.weights.h5").file_size)
    except TaskError:
        raise
    except Exception as cause:  # as above
        raise TaskError(
            f"{path}: the weights in it cannot be read ({in_one_line(cause)}). Save the model again."
        ) from cause


def read_hdf5_config(path: Path) -> dict[str, Any]:
    """The configuration inside a whole-model `.h5` file, after checking its links and declared sizes.

    Raises:
        TaskError: no such file, weights without a model, or no configuration.
    """
    check_weights_file(path)
    import h5py

    with h5py.File(path, "r") as file:
        text = file.attrs.get("model_config")
    if text is None:
        raise TaskError(
            f"{path}: it holds weights but no model. Save the whole model with model.save('NAME.keras'), or give the "
            "file as weights of an application: {application: NAME, weights: PATH}."
        )
    if isinstance(text, str | bytes) and len(text) > CONFIG_BYTES:
        raise TaskError(f"{path}: its configuration has {len(text)} bytes, more than {CONFIG_BYTES}.")
    try:
        config = json.loads(text)
    except (TypeError, ValueError, RecursionError) as cause:
        raise TaskError(
            f"{path}: its model_config cannot be read ({in_one_line(cause)}). Save the model again."
        ) from cause
    return _checked_config(path, config, "model_config")


def check_model_file(path: Path) -> None:
    """Refuses a `.keras` or `.h5` file that holds code, links outside, damage or a bomb.

    Raises:
        TaskError: it is none, or holds what is not loaded.
    """
    if path.suffix == ".keras":
        config = read_keras_config(path)
        check_keras_weights(path)
    else:
        config = read_hdf5_config(path)
    refuse_lambdas(path, config)


def read_preset_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a KerasHub or Hugging Face folder.

    Raises:
        TaskError: it is not there, too large, or no mapping.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise TaskError(f"{folder}: there is no config.json. A preset is a KerasHub or Hugging Face folder.")
    return read_mapping(path, called=f"{path}: it")


def read_mapping(path: Path, *, called: str) -> dict[str, Any]:
    """The mapping in a small JSON file.

    Args:
        called: what a message calls the file.
    Raises:
        TaskError: it is too large, or no mapping.
    """
    if path.stat().st_size > CONFIG_BYTES:
        raise TaskError(f"{called} has more than {CONFIG_BYTES:,} bytes.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as cause:
        raise TaskError(f"{called} is not JSON ({cause}).") from cause
    if not isinstance(content, dict):
        raise TaskError(f"{called} holds no mapping.")
    return content


def check_preset(folder: Path, config: dict[str, Any]) -> None:
    """Refuses a KerasHub folder whose configuration holds code, or whose weights link outside or are a bomb."""
    refuse_lambdas(folder / "config.json", config)
    weights = sorted(folder.glob("*.weights.h5"))
    if not weights:
        raise TaskError(f"{folder}: there is no model.weights.h5 beside config.json.")
    for path in weights:
        check_weights_file(path)


def check_weights_file(path: Path) -> None:
    """Refuses a weights file (`.h5`, `.weights.h5` or `.keras`) that links outside or declares impossible sizes."""
    if path.suffix == ".keras":
        read_keras_config(path)
        check_keras_weights(path)
    elif path.suffix in (".h5", ".hdf5"):
        with path.open("rb") as file:
            _check_hdf5(path, file, path.stat().st_size)
    else:
        raise TaskError(f"{path}: weights are read from .h5, .weights.h5 or .keras files only.")


def layer_configs(config: Any) -> Iterator[dict[str, Any]]:
    """Every serialised object in a configuration, however deeply nested, outermost first."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str):
                yield value
            waiting += reversed(value.values())
        elif isinstance(value, list):
            waiting += reversed(value)


def refuse_lambdas(path: Path, config: dict[str, Any]) -> None:
    """A Lambda layer holds Python code, which would run on loading; so does a lambda given as an activation."""
    found = list(layer_configs(config))
    layers = [_name(entry) for entry in found if entry["class_name"] == "Lambda"]
    if layers or any(entry["class_name"] == "__lambda__" for entry in found):
        raise TaskError(
            f"{path}: it has Lambda layers or functions ({', '.join(layers) or 'without a name'}), which hold Python "
            "code that would run on loading. Replace them by Keras layers (e.g. Rescaling) or keras.ops and save the "
            "model again."
        )


def _checked_config(path: Path, config: Any, place: str) -> dict[str, Any]:
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise TaskError(f"{path}: {place} in it is not a model's configuration. Save the model again with Keras 3.")
    if not isinstance(config.get("config"), dict):
        raise TaskError(f"{path}: {place} in it names a {config['class_name']} without its layers. Save it again.")
    return config


def _name(found: dict[str, Any]) -> str:
    config = found.get("config")
    return str(config.get("name", "?")) if isinstance(config, dict) else "?"


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    strangers = sorted(name for name in set(names) - KERAS_MEMBERS if not VOCABULARY.fullmatch(name))
    missing = sorted(KERAS_MEMBERS - set(names))
    if strangers or missing or len(names) != len(set(names)):
        seen = f"found {', '.join(map(repr, strangers))}" if strangers else "found a member twice"
        if missing and not strangers:
            seen = f"{', '.join(missing)} is missing"
        raise TaskError(
            f"{path}: a .keras file holds {', '.join(sorted(KERAS_MEMBERS))} and tokenizers' vocabularies, once each; "
            f"{seen}. "
            "Save the model again with Keras 3."
        )
    sizes = {member.filename: member.file_size for member in members}
    if sizes.get("config.json", 0) > CONFIG_BYTES:
        raise TaskError(f"{path}: its config.json declares {sizes['config.json']} bytes, more than {CONFIG_BYTES}.")
    declared = sum(sizes.values())
    allowed = min(TOTAL_BYTES, INFLATION * path.stat().st_size + CONFIG_BYTES)
    if declared > allowed:
        raise TaskError(f"{path}: its members declare {declared} bytes unpacked, more than the {allowed} allowed.")


def _check_hdf5(path: Path, file: Any, size: int) -> None:
    import h5py

    try:
        with h5py.File(file, "r") as content:
            declared = sum(_declared_bytes(path, content, seen=set()))
    except TaskError:
        raise
    except Exception as cause:  # h5py meets hostile bytes and raises nearly anything
        raise TaskError(f"{path}: not a readable HDF5 file ({in_one_line(cause)}).") from cause
    allowed = min(TOTAL_BYTES, INFLATION * size + CONFIG_BYTES)
    if declared > allowed:
        raise TaskError(f"{path}: its data sets declare {declared} bytes, more than the {allowed} allowed.")


def _declared_bytes(path: Path, group: Any, *, seen: set[int]) -> Iterator[int]:
    """Sizes of all data sets under a group, each counted once, refusing whatever lies outside the file."""
    import h5py

    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise TaskError(f"{path}: {name!r} in it is a link ({type(link).__name__}); only plain data is read.")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            continue
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _declared_bytes(path, item, seen=seen)
        elif isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise TaskError(f"{path}: the data of {item.name!r} lie in another file; only plain data is read.")
            yield item.size * item.dtype.itemsize if item.size else 0
