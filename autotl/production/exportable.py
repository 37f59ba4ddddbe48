"""A bundle on its way into another format: what kind of model it holds, and where its own preprocessing ends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

from autotl.backbones.classical import BAG_OF_WORDS
from autotl.backbones.reading import StringReading
from autotl.errors import UsageError
from autotl.production.bundle import NATIVE, TOKENIZER, Bundle
from autotl.scoring.answers import ANSWERS, Answers

if TYPE_CHECKING:
    import keras

    from autotl.production.serving_model import KerasServing, ServingModel

Kind = Literal["network", "language network", "words", "trees", "encoder", "native words"]


@dataclass(frozen=True, eq=False)
class Exportable:
    """A bundle to export. Its model is loaded when it is first asked for."""

    bundle: Bundle

    @property
    def answers(self) -> Answers:
        """What it answers."""
        return ANSWERS[self.bundle.problem.name]

    @property
    def has_tokenizer(self) -> bool:
        """Whether it reads texts by a language network, alone or with words beside it."""
        return self.bundle.modality == "text" and self._plan.get("backbone") != BAG_OF_WORDS

    @property
    def _plan(self) -> Mapping[str, Any]:
        plan: Mapping[str, Any] = self.bundle.description.get("plan", {})
        return plan

    @property
    def kind(self) -> Kind:
        """A network on tensors, one behind a tokenizer, a model that counts words itself, trees, or an encoder on
        PyTorch."""
        if self.bundle.is_native:
            return "native words" if self.bundle.description[NATIVE] == BAG_OF_WORDS else "trees"
        if self.bundle.has_encoder:
            return "encoder"
        if not isinstance(self.bundle.reading, StringReading):
            return "network"
        return "words" if BAG_OF_WORDS in (self._plan.get("backbone"), self._plan.get("join")) else "language network"

    @property
    def preprocessing(self) -> dict[str, Any]:
        """How a raw example becomes what `tensor_model` takes, as plain JSON values.

        Raises:
            UsageError: an earlier version wrote the bundle, without the tokenizer.
        """
        if self.kind != "language network":
            return dict(self.bundle.reading.as_dict())
        return {"reads": "tokens", "sequence_length": self.tokenizer["sequence_length"], "tokenizer": TOKENIZER}

    @cached_property
    def tokenizer(self) -> dict[str, Any]:
        """The tokenizer of a language network.

        Raises:
            UsageError: an earlier version wrote the bundle, without it.
        """
        if TOKENIZER not in self.bundle.description["files"]:
            raise UsageError(
                f"{self.bundle.path} was written by an earlier version, which kept no tokenizer beside the model. "
                "--format saved_model and native need none; for this one ship the trial again: autotl promote RUN/TRIAL"
            )
        described: dict[str, Any] = json.loads((self.bundle.path / TOKENIZER).read_text(encoding="utf-8"))
        return described

    @cached_property
    def serving(self) -> "ServingModel":
        """The model as it predicts."""
        return self.bundle.load_model()

    @property
    def keras_model(self) -> "keras.Model":
        """The whole model: an example, as the bundle's reading gives it, in; answers out. Trees have none."""
        return cast("KerasServing", self.serving).model

    def tensor_model(self) -> "keras.Model":
        """The model behind its preprocessing: pixels, token ids, columns or windows (n, ...) in, answers out."""
        if self.kind == "network":
            return self.keras_model
        import keras

        from autotl.production.serving_model import TOKEN_IDS

        whole = self.keras_model
        return keras.Model(whole.get_layer(TOKEN_IDS).output, whole.output, name="winner")

    def native_file(self, name: str) -> bytes:
        """A file of the library that grew the trees."""
        return (self.bundle.path / NATIVE / name).read_bytes()
