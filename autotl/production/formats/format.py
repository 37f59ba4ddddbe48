"""What a format is to `export`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from autotl.production.exportable import Exportable, Kind


@dataclass(frozen=True)
class Beside:
    """Which files of `autotl.production.beside` go with a model.

    Attributes:
        preprocess: of `beside/`: what makes the model's input.
        runtime: of `beside/runtimes/`: what runs the model.
    """

    preprocess: str
    runtime: str


class Format(Protocol):
    """One way to write a model so that it runs without autotl. One file a format; adding one adds a line."""

    packages: tuple[str, ...]  # that must be there to write and to check it
    extra: str  # of autotl that brings them; empty where they are there anyway
    not_held: Mapping[Kind, str]  # kinds of models that it cannot hold, and why

    def beside(self, model: Exportable) -> Beside:
        """What is laid beside this model."""
        ...

    def write(self, model: Exportable, folder: Path) -> dict[str, Any]:
        """Writes the model's own files; returns what `preprocess.json` must tell beside the preprocessing.

        Raises:
            UsageError: it cannot hold something of this model; `export_bundle` adds which formats may.
        """
        ...


def preprocess_of(model: Exportable) -> str:
    """The file that does a model's own preprocessing; it is called after what the model reads."""
    if model.kind == "trees" and model.bundle.modality == "signal":
        return "features"
    return str(model.preprocessing["reads"])


COUNTS_WORDS = "cuts texts into words, which no format but TensorFlow's own can hold"
ON_TORCH = (
    "runs on PyTorch, which no format holds that is made of Keras layers. Offered for it: `autotl predict` and `autotl "
    "serve`; the bundle's folder encoder/ is a checkpoint that `transformers` loads"
)
WITHOUT_TENSORFLOW = (
    "counts words, and was written where Keras computes by something else than TensorFlow, whose graphs alone hold "
    "words. Ship its trial again without KERAS_BACKEND: autotl promote RUN/TRIAL"
)
NO_NETWORK = "is made of trees, not of layers"
