"""Which backbone the user means: a small value that names it, and the reading of that value from YAML or JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from autotl.backbones.archive import read_preset_config
from autotl.backbones.checkpoint_folder import cached_checkpoint, is_checkpoint, needs_torch
from autotl.backbones.origin import Origin
from autotl.errors import TaskError, suggestion

HUB_SCHEMES = ("hf://", "kaggle://")
SAVED_ENDINGS = (".keras", ".h5", ".hdf5")
PRESET_FILES = ("metadata.json", "model.safetensors")  # one of which stands beside config.json in a preset's folder


@dataclass(frozen=True)
class BackboneSpec:
    """One backbone, named so that two equal values load the same network.

    Attributes:
        origin: a key of `ORIGINS`.
        name: the origin's name for it, an address such as `hf://…`, or an absolute path.
        weights: for an application `imagenet`, an absolute path, or None (random weights); of an exported source the
            file's digest; of a hub's checkpoint the commit of its snapshot, where it is known; None elsewhere.
        trusted: the user vouches for a SavedModel, which can run any graph operation.
    """

    origin: str
    name: str
    weights: str | None = None
    trusted: bool = False

    @property
    def has_head(self) -> bool:
        """Whether the network comes with its head: it is adapted as it is, and no new one is trained."""
        return self.origin == "exported"

    @property
    def label(self) -> str:
        """Short canonical name for plans and leaderboards; of a path the last two parts, so no home folder is shown."""
        if self.origin != "application":
            return _shortened(self.name)
        if self.weights == "imagenet":
            return self.name
        return f"{self.name}[{'random' if self.weights is None else _shortened(self.weights)}]"

    def as_plan_value(self) -> str | dict[str, Any]:
        """What stands in a plan's YAML or JSON; `parse_spec` reads it back to an equal value from any folder."""
        if self.origin in ("package", "scratch", "classical") or (
            self.origin == "application" and self.weights == "imagenet"
        ):
            return self.name
        if self.origin == "pretrained_on_source":  # in a plan of another day the file tells which network it was
            return self.name if self.weights is None else {self.origin: self.weights}
        value: dict[str, Any] = {self.origin: self.name}
        if self.origin == "application":
            value["weights"] = self.weights or "none"
        if self.origin == "exported" and self.weights is not None:
            value["digest"] = self.weights
        if self.origin == "hugging_face" and self.weights is not None:
            value["revision"] = self.weights
        if self.trusted:
            value["trusted"] = True
        return value


def read_spec(value: object, *, origins: Mapping[str, Origin], folder: Path, where: str) -> BackboneSpec:
    """The backbone that a value of `backbone:` names; imports no Keras.

    Args:
        value: a bare name, a path, an address, or a mapping with one origin as its key and that origin's options.
        origins: the table of origins.
        folder: relative paths start here.
        where: file and YAML path, the beginning of every complaint.
    Raises:
        TaskError: unknown name or option, or nothing at the path.
    """
    if isinstance(value, str):
        return _read_word(value, origins=origins, folder=folder, where=where)
    if isinstance(value, Mapping):
        return _read_mapping(value, origins=origins, folder=folder, where=where)
    raise TaskError(f"{where}: a backbone is a name, a path or a mapping like {{application: VGG16}}, not {value!r}.")


def existing_path(given: str, *, folder: Path, where: str) -> Path:
    """The absolute form of a path that must exist."""
    path = (folder / Path(given).expanduser()).resolve()
    if not path.exists():
        raise TaskError(f"{where}: there is nothing at {given!r} (looked in {folder}). Check the path.")
    return path


def _read_word(word: str, *, origins: Mapping[str, Origin], folder: Path, where: str) -> BackboneSpec:
    for origin in origins.values():
        if word in origin.names():
            return origin.read(word, {}, folder=folder, where=where)
    if word.startswith(HUB_SCHEMES):
        cached = cached_checkpoint(word.removeprefix("hf://"), None)
        if cached is not None and needs_torch(cached):
            return origins["hugging_face"].read(word, {}, folder=folder, where=where)
        return origins["preset"].read(word, {}, folder=folder, where=where)
    if _looks_like_path(word, folder):
        path = existing_path(word, folder=folder, where=where)
        return origins[_origin_of_path(path, where)].read(word, {}, folder=folder, where=where)
    raise _unknown_backbone(word, origins, where)


def _read_mapping(value: Mapping[Any, Any], *, origins: Mapping[str, Origin], folder: Path, where: str) -> BackboneSpec:
    named = [key for key in value if key in origins]
    if len(named) != 1:
        raise TaskError(
            f"{where}: a backbone mapping names exactly one origin, saw {_listed(value)}. {suggestion('', origins)}"
        )
    origin_name = str(named[0])
    origin = origins[origin_name]
    name = value[origin_name]
    if not isinstance(name, str):
        raise TaskError(f"{where}.{origin_name}: must be text, not {name!r}.")
    options = {str(key): option for key, option in value.items() if key != origin_name}
    for option in options:
        if option not in origin.options:
            allowed = suggestion(option, origin.options) if origin.options else "It takes no options."
            raise TaskError(f"{where}.{option}: {option!r} is not an option of {origin_name!r}. {allowed}")
    return origin.read(name, options, folder=folder, where=f"{where}.{origin_name}")


def _looks_like_path(word: str, folder: Path) -> bool:
    if "/" in word or "\\" in word or word.endswith(SAVED_ENDINGS) or word.startswith((".", "~")):
        return True
    return (folder / word).is_dir()


def _origin_of_path(path: Path, where: str) -> str:
    if path.is_file() and path.suffix in SAVED_ENDINGS:
        return "saved"
    has_weights = any((path / name).is_file() for name in PRESET_FILES)
    if needs_torch(path) or (is_checkpoint(path) and not has_weights):
        return "hugging_face"
    if (path / "config.json").is_file() and has_weights:
        return "preset"
    if (path / "saved_model.pb").is_file():
        return "saved"
    if (path / "config.json").is_file():
        try:
            read_preset_config(path)
        except TaskError as cause:
            raise TaskError(f"{where}: {path.name!r}: {cause}") from cause
    raise TaskError(
        f"{where}: {path.name!r} is not a backbone. Allowed: a .keras or .h5 file, a KerasHub preset folder "
        "(config.json and metadata.json in it), a Hugging Face folder (config.json and model.safetensors), or a "
        "SavedModel folder (saved_model.pb in it) with trusted: true."
    )


def _unknown_backbone(seen: str, origins: Mapping[str, Origin], where: str) -> TaskError:
    """Names every backbone but the hub's presets, of which there are too many for a line; the hint knows them too."""
    short = [name for key, origin in origins.items() if key != "preset" for name in origin.names()]
    presets = origins["preset"].names()
    near = get_close_matches(seen, [*short, *presets], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return TaskError(
        f"{where}: {seen!r} is not a known backbone. Allowed: {', '.join(short)}, one of {len(presets)} KerasHub "
        f"presets (e.g. {presets[0]}), a path to a .keras file or preset folder, or hf://OWNER/NAME.{hint}"
    )


def _shortened(name: str) -> str:
    if name.startswith(HUB_SCHEMES) or not Path(name).is_absolute():
        return name
    return "/".join(Path(name).parts[-2:])


def _listed(value: Mapping[Any, Any]) -> str:
    return ", ".join(repr(key) for key in value) or "none"
