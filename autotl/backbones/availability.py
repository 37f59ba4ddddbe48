"""Where weights may already lie on this machine; nothing here imports Keras or opens a socket."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

DOWNLOAD_TIMEOUT_SECONDS = 10.0  # of silence on a connection; closed networks often swallow packets without a word
OFFLINE_SWITCHES = ("AUTOTL_OFFLINE", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE")


def offline_by_environment() -> bool:
    """Whether `AUTOTL_OFFLINE` asks for no socket to the outside."""
    return os.environ.get("AUTOTL_OFFLINE", "").lower() in ("1", "true", "yes", "on")


@contextmanager
def kept_offline() -> Iterator[None]:
    """This process, and those that it starts, open no socket to the outside for as long as the context lasts."""
    before = {name: os.environ.get(name) for name in OFFLINE_SWITCHES}
    stay_offline()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def stay_offline() -> None:
    """This process, and those that it starts, open no socket to the outside; the hubs' own clients are told so, too."""
    os.environ.update(dict.fromkeys(OFFLINE_SWITCHES, "1"))


def cache_folder() -> Path:
    """`AUTOTL_CACHE_DIR`, else `autotl` in the platform's cache folder of this user. It may not exist yet."""
    if given := os.environ.get("AUTOTL_CACHE_DIR"):
        return Path(given).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "autotl"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "autotl"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autotl"


def keras_cache_folder() -> Path:
    """Where Keras keeps the weight files it has downloaded."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser() / "models"


def cached_preset_folder(address: str) -> Path | None:
    """The local copy of a hub preset (`kaggle://…` or `hf://…`), where configuration and weights are both in it."""
    scheme, _, handle = address.partition("://")
    snapshots = _kaggle_snapshots(handle) if scheme == "kaggle" else _hugging_face_snapshots(handle)
    complete = [folder for folder in snapshots if is_preset_folder_with_weights(folder)]
    return complete[-1] if complete else None


def is_preset_folder_with_weights(folder: Path) -> bool:
    """Whether a folder holds a KerasHub preset's configuration and its (perhaps split) weights."""
    has_weights = (folder / "model.weights.h5").is_file() or any(folder.glob("model_*.weights.h5"))
    return (folder / "config.json").is_file() and has_weights


@contextmanager
def downloading() -> Iterator[None]:
    """For a library's own download: connections give up after a short silence, and its chatter leaves stdout alone."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        socket.setdefaulttimeout(before)


def _kaggle_snapshots(handle: str) -> list[Path]:
    root = Path(os.environ.get("KAGGLEHUB_CACHE") or Path.home() / ".cache" / "kagglehub").expanduser() / "models"
    folder = root.joinpath(*handle.split("/"))
    if len(handle.split("/")) > 4:  # the handle names its version
        return [folder]
    return sorted((path for path in folder.glob("*") if path.name.isdigit()), key=lambda path: int(path.name))


def hugging_face_snapshot(name: str, revision: str | None) -> Path | None:
    """A hub repository's snapshot on this machine: of a commit, a branch or a tag, or else of the branch `main`."""
    home = _hugging_face_home(name)
    named = home / "snapshots" / (revision or "")
    if revision is not None and named.is_dir():
        return named
    commit = home / "refs" / (revision or "main")
    if not commit.is_file():
        return None
    folder = home / "snapshots" / commit.read_text(encoding="utf-8").strip()
    return folder if folder.is_dir() else None


def keras_backend() -> str:
    """What Keras computes by, told as Keras tells it, without importing it."""
    if "keras" in sys.modules:
        return str(sys.modules["keras"].backend.backend())
    if told := os.environ.get("KERAS_BACKEND"):
        return told
    settings = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser() / "keras.json"
    try:
        return str(json.loads(settings.read_text(encoding="utf-8")).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"


def _hugging_face_snapshots(handle: str) -> list[Path]:
    return sorted((_hugging_face_home(handle) / "snapshots").glob("*"))


def _hugging_face_home(handle: str) -> Path:
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface").expanduser()
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    return hub / f"models--{handle.replace('/', '--')}"
