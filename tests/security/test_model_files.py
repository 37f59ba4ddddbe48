"""A model file runs no code of its own, opens no socket and no other file, and unpacks to no multiple of its size."""

import base64
import io
import json
import marshal
import re
import socket
from pathlib import Path
from typing import Any

import h5py
import keras
import pytest
from model_doors import (
    DOORS,
    SIZE,
    Config,
    Members,
    bundle_around,
    preset_folder,
    preset_spec,
    rewritten,
    sound_model,
    spec_of,
)

from autotl.backbones import build_network
from autotl.backbones.archive import check_model_file
from autotl.backbones.form import of_images
from autotl.errors import StorageError, TaskError

REFUSED = (TaskError, StorageError)


def as_activation(thing: object) -> Any:
    """The model with a thing of any kind where its last layer has its activation."""

    def change(config: Config) -> Config:
        (last,) = (layer for layer in config["config"]["layers"] if layer["config"].get("name") == "last")
        last["config"]["activation"] = thing
        return config

    return change


def as_layer(thing: Config, *arguments: object) -> Any:
    """The model with a layer more, called with these arguments while the graph is built."""

    def change(config: Config) -> Config:
        called = {"name": "more", "inbound_nodes": [{"args": list(arguments), "kwargs": {}}]}
        config["config"]["layers"].append({**thing, **called})
        return config

    return change


def function(module: str, name: str) -> Config:
    """How Keras writes a function down (CVE-2025-1550: it imported whatever stood here)."""
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def python_code(mark: Path) -> Config:
    """How Keras writes a lambda down."""
    code = compile(f"open({str(mark)!r}, 'w').close()", "lambda", "exec")
    packed = base64.b64encode(marshal.dumps(code)).decode()
    return {"module": "builtins", "class_name": "__lambda__", "config": {"value": [packed, None, None]}}


def lambda_layer(mark: Path) -> Config:
    return {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "more", "function": python_code(mark), "arguments": {}},
        "registered_name": None,
    }


ATTACKS = {
    "a lambda as an activation": lambda mark: as_activation(python_code(mark)),
    "a Lambda layer": lambda mark: as_layer(lambda_layer(mark)),
    "os.system as an activation": lambda mark: as_activation(function("os", "system")),
    "os.system as a class": lambda mark: as_layer(
        {"module": "os", "class_name": "system", "config": f"touch {mark}", "registered_name": None}
    ),
    "os.system called in the graph": lambda mark: as_layer(function("os", "system"), f"touch {mark}"),
    "eval as an activation": lambda mark: as_activation(function("builtins", "eval")),
    "the safe mode switched off": lambda mark: as_layer(function("keras.config", "enable_unsafe_deserialization")),
    "a download": lambda mark: as_layer(function("keras.utils", "get_file"), "x", "http://127.0.0.1:9/x"),
    "a network that reads another file": lambda mark: as_layer(
        {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp", "name": "more"}}
    ),
}


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch):
    """Opening a connection is part of an attack."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a socket was to be opened")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def mark(tmp_path):
    return tmp_path / "ran"


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("door", DOORS)
def test_a_configuration_that_would_run_code_is_refused(door, attack, mark, tmp_path):
    load = DOORS[door](tmp_path, ATTACKS[attack](mark))
    with pytest.raises(REFUSED, match=re.escape(str(tmp_path))):  # the message names the file
        load()
    assert not mark.exists()
    with pytest.raises(ValueError, match="unsafe"):  # the safe mode is as it was
        keras.saving.deserialize_keras_object(lambda_layer(mark))


@pytest.mark.parametrize("door", DOORS)
def test_a_sound_model_comes_through_every_door(door, tmp_path):
    if door == "preset":
        build_network(preset_spec(preset_folder(tmp_path)), form=of_images(32))
    else:
        DOORS[door](tmp_path, lambda config: config)()


def hdf5(fill: Any) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    return stream.getvalue()


HOSTILE_WEIGHTS = {
    "a link to another file": lambda file: file.__setitem__("w", h5py.ExternalLink("/etc/passwd", "/")),
    "data in another file": lambda file: file.create_dataset("w", (9,), "u1", external=[("/etc/passwd", 0, 9)]),
    "zeros that unpack to a gibibyte": lambda file: file.create_dataset("w", (2**28,), "f4", compression="gzip"),
}


def bombs() -> dict[str, Members]:
    return {
        "a configuration of 400 MB": {"config.json": json.dumps({"class_name": "x"}).encode() + b" " * (400 * 2**20)},
        "weights of 300 MB of zeros": {"model.weights.h5": b"\0" * (300 * 2**20)},
        "a member that leads outside": {"../outside.txt": b"x"},
        "a member with an absolute path": {"/tmp/outside.txt": b"x"},
        "code beside the model": {"hook.py": b"x"},
        "code among the assets": {"assets/layers/pieces/hook.py": b"x"},
        "a vocabulary that leads outside": {"assets/layers/../../vocabulary.txt": b"x"},
    }


@pytest.mark.parametrize("name", [*bombs(), *HOSTILE_WEIGHTS])
def test_the_model_of_a_bundle_is_checked_before_keras_opens_it(name, tmp_path, monkeypatch):
    sound_model().save(tmp_path / "sound.keras")
    members = bombs().get(name) or {"model.weights.h5": hdf5(HOSTILE_WEIGHTS[name])}
    load = bundle_around(rewritten(tmp_path / "sound.keras", tmp_path / "hostile.keras", members), tmp_path / "bundle")
    monkeypatch.setattr(keras.models, "load_model", lambda *_, **__: pytest.fail("Keras was asked to open it"))
    with pytest.raises(StorageError, match=r"model\.keras"):
        load()


def test_the_vocabularies_of_a_models_tokenizers_may_lie_in_its_file(tmp_path):
    sound_model().save(tmp_path / "sound.keras")
    members = {f"assets/layers/pieces_1/vocabulary.{kind}": b"a\nb\n" for kind in ("txt", "spm")}
    check_model_file(rewritten(tmp_path / "sound.keras", tmp_path / "text.keras", members))


@pytest.mark.parametrize("name", HOSTILE_WEIGHTS)
def test_the_weights_of_a_preset_folder_are_checked_before_kerashub_opens_them(name, tmp_path, monkeypatch):
    folder = preset_folder(tmp_path)
    (folder / "model.weights.h5").write_bytes(hdf5(HOSTILE_WEIGHTS[name]))
    import keras_hub

    monkeypatch.setattr(
        keras_hub.models.Backbone, "from_preset", lambda *_, **__: pytest.fail("KerasHub was asked to open it")
    )
    with pytest.raises(TaskError, match=r"model\.weights\.h5"):
        build_network(preset_spec(folder), form=of_images(32))


@pytest.mark.parametrize("name", HOSTILE_WEIGHTS)
def test_an_hdf5_backbone_that_reaches_outside_or_grows_is_refused(name, tmp_path):
    sound_model().save(tmp_path / "hostile.h5")
    with h5py.File(tmp_path / "hostile.h5", "a") as file:
        HOSTILE_WEIGHTS[name](file)
    with pytest.raises(TaskError, match=r"hostile\.h5"):
        build_network(spec_of(tmp_path / "hostile.h5"), form=of_images(SIZE))
