"""The model as it was trained: `model.keras`, or LightGBM's text."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotl.production.bundle import MODEL, NATIVE
from autotl.production.exportable import Exportable, Kind
from autotl.production.formats.format import ON_TORCH, WITHOUT_TENSORFLOW, Beside, preprocess_of
from autotl.run.folder import write_whole


class Native:
    """No conversion: the bundle's own files, and how to use them without autotl."""

    packages: tuple[str, ...] = ()
    extra = ""
    not_held: Mapping[Kind, str] = {"encoder": ON_TORCH, "native words": WITHOUT_TENSORFLOW}

    def beside(self, model: Exportable) -> Beside:
        """Texts go in as they are: the Keras model has its tokenizer inside."""
        if model.kind == "trees":
            return Beside(preprocess_of(model), "lightgbm")
        return Beside("raw" if model.bundle.modality == "text" else preprocess_of(model), "keras")

    def write(self, model: Exportable, folder: Path) -> dict[str, Any]:
        """Copies the files; trees have their temperature beside them, networks inside."""
        if model.kind != "trees":
            shutil.copyfile(model.bundle.path / MODEL, folder / MODEL)
            return {}
        for path in sorted((model.bundle.path / NATIVE).iterdir()):
            write_whole(folder / path.name, path.read_bytes())
        return {"temperature": model.bundle.description["temperature"]}
