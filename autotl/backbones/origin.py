"""What every origin of pretrained networks offers, and what loading one gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from autotl.backbones.form import Form
from autotl.backbones.pixels import RAW, PixelScaling
from autotl.backbones.reading import Reading

if TYPE_CHECKING:
    import keras

    from autotl.backbones.spec import BackboneSpec
    from autotl.backbones.torch_encoder import TorchEncoder


Head = tuple[tuple[NDArray[Any], NDArray[Any]], ...]  # kernel (in, out) and bias (out,) of each layer, the last logits


@dataclass(frozen=True)
class Loaded:
    """A network as its origin gives it, before it is fixed to an image size, tapped and pooled.

    Attributes:
        model: functional (or Sequential), from one example (a float image (height, width, 3), token ids, columns, or a
            window (samples, channels)) to one map, sequence or vector.
        scaling: what to do to pixels 0..255 first; None for a network that takes examples as they are read.
        reading: how it wants its examples read, where the form alone does not say (a tokenizer); None elsewhere.
        pool: (output, input) → one vector an example, where a plain mean would be wrong (padding); None elsewhere.
        fingerprint: digest of content that neither graph nor weights show (a SavedModel's files); else empty.
        can_unfreeze: False for a network that can only be run, so that it has no layers to train.
        head: what comes with the network and gives logits from its features; None where a new one is trained.
        encoder: what computes all of it by PyTorch; None where Keras's layers do.
    """

    model: "keras.Model"
    scaling: PixelScaling | None = RAW
    reading: Reading | None = None
    pool: "Callable[[Any, Any], Any] | None" = None
    fingerprint: str = ""
    can_unfreeze: bool = True
    head: Head | None = None
    encoder: "TorchEncoder | None" = None


class Origin(Protocol):
    """One place that pretrained networks come from. All but `load` work without importing Keras or opening a socket."""

    @property
    def options(self) -> frozenset[str]:
        """Keys allowed beside the name in a mapping, e.g. `weights`."""
        ...

    def names(self) -> tuple[str, ...]:
        """The bare names it answers to; also the menu in error messages."""
        ...

    def read(self, name: str, options: Mapping[str, Any], *, folder: Path, where: str) -> "BackboneSpec":
        """The spec for a name and its options, checked; raises `TaskError`."""
        ...

    def why_not_at_hand(self, spec: "BackboneSpec", *, offline: bool) -> str | None:
        """A sentence that says what is missing and what to do, or None when loading may be tried."""
        ...

    def layer_count(self, spec: "BackboneSpec", tap: str) -> int | None:
        """How many layers can be unfrozen up to a tap, where a table or a small file tells; None where only loading
        does."""
        ...

    def smallest_image_size(self, spec: "BackboneSpec") -> int:
        """Pixels a side that it needs at least, as far as a table tells."""
        ...

    def load(self, spec: "BackboneSpec", *, form: Form, seed: int) -> Loaded:
        """The network with its weights, for examples in this form; `seed` is for random ones.

        Raises:
            TaskError: it cannot take such examples.
        """
        ...
