"""Every door through which a model file from outside comes in, and a small sound model to change into a hostile one."""

import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
from bundles import describe, make_bundle
from toys import composite_efficientnet

from autotl.backbones import BackboneSpec, build_network, parse_spec
from autotl.backbones.form import of_images
from autotl.production.bundle import MODEL, open_bundle

SIZE = 8
Config = dict[str, Any]
Members = Mapping[str, bytes]


def sound_model() -> keras.Model:
    image = keras.Input((SIZE, SIZE, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(image))
    return keras.Model(image, keras.layers.Dense(2, activation="softmax", name="last")(pooled))


def rewritten(source: Path, target: Path, members: Members) -> Path:
    """A copy of a `.keras` file with members replaced or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, members.get(name) or old.read(name))
        for name in set(members) - set(old.namelist()):
            new.writestr(name, members[name])
    return target


def keras_file(folder: Path, change: Callable[[Config], Config]) -> Path:
    """A `.keras` file whose configuration was changed."""
    sound_model().save(folder / "sound.keras")
    with zipfile.ZipFile(folder / "sound.keras") as archive:
        config = json.loads(archive.read("config.json"))
    return rewritten(
        folder / "sound.keras", folder / "hostile.keras", {"config.json": json.dumps(change(config)).encode()}
    )


def a_saved_backbone(folder: Path, change: Callable[[Config], Config]) -> Callable[[], object]:
    spec = spec_of(keras_file(folder, change))
    return lambda: build_network(spec, form=of_images(SIZE))


def an_hdf5_backbone(folder: Path, change: Callable[[Config], Config]) -> Callable[[], object]:
    path = folder / "hostile.h5"
    sound_model().save(path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = json.dumps(change(json.loads(file.attrs["model_config"])))
    return lambda: build_network(spec_of(path), form=of_images(SIZE))


def a_bundle(folder: Path, change: Callable[[Config], Config]) -> Callable[[], object]:
    return bundle_around(keras_file(folder, change), folder / "bundle")


def bundle_around(model: Path, folder: Path) -> Callable[[], object]:
    """A bundle whose own digests are right: whoever plants the model writes them, too."""
    make_bundle(folder)
    shutil.copy(model, folder / MODEL)
    describe(folder)
    return lambda: open_bundle(folder).load_model()


def preset_folder(folder: Path) -> Path:
    composite_efficientnet().save_to_preset(str(folder / "preset"))
    return folder / "preset"


def preset_spec(folder: Path) -> BackboneSpec:
    return parse_spec({"preset": str(folder)}, folder=folder, where="task.yaml")


def a_preset_folder(folder: Path, change: Callable[[Config], Config]) -> Callable[[], object]:
    preset = preset_folder(folder)
    sound_model().save(folder / "sound.keras")
    with zipfile.ZipFile(folder / "sound.keras") as archive:
        config = json.loads(archive.read("config.json"))
    (preset / "config.json").write_text(json.dumps(change(config)))
    return lambda: build_network(preset_spec(preset), form=of_images(SIZE))


def spec_of(path: Path) -> BackboneSpec:
    return parse_spec({"saved": str(path)}, folder=path.parent, where="task.yaml")


DOORS = {
    ".keras": a_saved_backbone,
    ".h5": an_hdf5_backbone,
    "preset": a_preset_folder,
    "bundle": a_bundle,
}
