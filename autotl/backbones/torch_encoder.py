"""A Hugging Face encoder on PyTorch, taken apart between its blocks.

`transformers` builds the network and its own forward pass stays in charge of everything around the blocks: embeddings,
masks, relative positions, the norm at the end. In each block's place stands a recorder. It notes what the block would
have been called with, and passes on the hidden states that it was given. So a block can be called by itself, on hidden
states that were stored, with exactly the arguments that the network would give it.

Whether that is the same network is not assumed but tried, on made-up examples, before it is used: one whose parts do
not add up to the whole is run as a whole, and can then not be cut.
"""

import os
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from autotl.backbones.pixels import PixelScaling
from autotl.errors import TaskError, first_line

TOLERANCE = 1e-5  # of the largest hidden state, between two ways of computing the same
NOISE = 1e-6  # of the largest, below which a hidden state has not changed
CLASS_TOKENS = ("cls_token", "class_embedding", "class_token")  # what parameters of a leading class token are called

Part = int | str  # a block's number, or BEGINNING, ENDING or POOLING
BEGINNING, ENDING, POOLING = "embeddings", "ending", "pooling"
LAST = "last"  # tap


@dataclass(frozen=True)
class TextInput:
    """Token ids (n, length) are masked where they are padding."""

    padding_id: int
    words: ClassVar[str] = "texts"
    advice: ClassVar[str] = "Name an encoder of texts."

    def keywords(self, examples: torch.Tensor) -> dict[str, torch.Tensor]:
        """What the network's forward pass is called with."""
        return {"input_ids": examples.long(), "attention_mask": self.mask(examples).long()}

    def mask(self, examples: torch.Tensor) -> torch.Tensor:
        """(n, length), true where there is a token."""
        return examples != self.padding_id


@dataclass(frozen=True)
class ImageInput:
    """Pixels 0..255 (n, side, side, 3) are scaled as the network was trained.

    Attributes:
        processor: all that the checkpoint's image processor says of itself; plain JSON values.
    """

    side: int
    scaling: PixelScaling
    processor: Mapping[str, Any] = field(default_factory=dict)
    advice: ClassVar[str] = "Set image_size to one that it takes, or name another encoder of images."

    @property
    def words(self) -> str:
        """What it takes, for messages."""
        return f"images of {self.side} px"

    def keywords(self, examples: torch.Tensor) -> dict[str, torch.Tensor]:
        """What the network's forward pass is called with."""
        scale, offset = (
            torch.tensor(channels, dtype=torch.float32, device=examples.device)
            for channels in (self.scaling.scale, self.scaling.offset)
        )
        return {"pixel_values": (examples.float() * scale + offset).permute(0, 3, 1, 2).contiguous()}


class TorchEncoder:
    """An encoder from examples to one vector each, in parts.

    Attributes:
        parameters: numbers that its hidden states hang on.
        shapes: of one example's hidden states behind `BEGINNING`, behind each block and behind `ENDING`, by the part.
        has_class_token: whether its first hidden state stands for the whole image.

    Args:
        model: of `transformers`, in float32; it is changed, and belongs to the encoder from here on.
        takes: how examples are handed to it.
        tried: made-up examples, (2, ...), as `takes` wants them.
        missing: names of weights that its files lack.
        label: its short name, for messages.
    Raises:
        TaskError: it does not take such examples, reads from left to right only, or lacks weights that it needs.
    """

    def __init__(
        self,
        model: nn.Module,
        takes: TextInput | ImageInput,
        tried: torch.Tensor,
        *,
        missing: Collection[str] = (),
        label: str = "it",
    ) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.takes = takes
        self.label = label
        self._model = model.eval().to(self.device)
        self._blocks: list[nn.Module] = []
        self._thread = threading.local()
        tried = tried.to(self.device)
        expected = self._first_tried(tried)
        self._refuse_if_random(tried, expected)
        reached = _reached(expected, list(self._model.parameters()))
        self.parameters = sum(parameter.numel() for parameter in reached)
        self._refuse_if_weights_are_missing(missing, reached)
        if isinstance(takes, TextInput):
            self._refuse_if_it_reads_one_way(tried)
        names = [name.rpartition(".")[2] for name, _ in self._model.named_parameters()]
        self.has_class_token = any(name in CLASS_TOKENS for name in names)
        self._take_apart(tried, expected.detach())
        self.shapes = self._shapes(tried)
        self._own = self._parameters_by_part(tried)

    @property
    def blocks(self) -> int:
        """How many blocks it can be cut behind; 0 where it is run as a whole."""
        return len(self._blocks)

    def width(self, tap: str) -> int:
        """How many features an example has at a tap."""
        shape = self.shapes[ENDING if tap == LAST else int(tap[1:]) - 1]
        return shape[0] if len(shape) == 3 else shape[-1]

    def parameters_of(self, part: Part) -> list[nn.Parameter]:
        """Those that a part's output hangs on and that may be trained with it. What several blocks share, such as
        relative positions, belongs to none of them and stays as it is."""
        return self._own.get(part, [])

    def run(self, part: Part, tensors: Sequence[torch.Tensor], *, pooling: str = "mean") -> torch.Tensor:
        """One part of it; gradients are kept where PyTorch keeps them.

        Args:
            tensors: for `BEGINNING` the examples; else the hidden states and, of texts, the token ids beside them.
            pooling: `mean` or `cls`, for `POOLING`.
        """
        if part == BEGINNING:
            return self._begun(tensors[0])
        hidden, tokens = tensors[0], tensors[1] if len(tensors) > 1 else None
        if part == ENDING:
            return self._ended(hidden, tokens)
        if part == POOLING:
            return self._pooled(hidden, tokens, pooling)
        arguments, keywords = self._calls(hidden, tokens)[int(part)]
        return _hidden_of(self._blocks[int(part)](hidden, *arguments, **keywords))

    def features(self, examples: torch.Tensor, *, tap: str, pooling: str) -> torch.Tensor:
        """One vector an example, (n, width), without gradients.

        Args:
            tap: `last`, or `E1`, `E2` … for the end of a block.
            pooling: `mean` or `cls`.
        """
        with torch.no_grad():
            beside = self._beside(examples)
            hidden = self.run(BEGINNING, [examples])
            for number in range(self.blocks if tap == LAST else int(tap[1:])):
                hidden = self.run(number, [hidden, *beside])
            if tap == LAST:
                hidden = self.run(ENDING, [hidden, *beside])
            return self.run(POOLING, [hidden, *beside], pooling=pooling)

    def flops_of(self, part: Part, tensors: Sequence[torch.Tensor]) -> int:
        """Floating point operations that a part takes on these."""
        with torch.no_grad():
            if part not in (BEGINNING, ENDING, POOLING):
                self._calls(tensors[0], tensors[1] if len(tensors) > 1 else None)
            with FlopCounterMode(display=False) as counter:
                self.run(part, tensors)
        return int(counter.get_total_flops())

    def save(self, folder: Path) -> None:
        """Configuration and weights as `transformers` writes them, in safetensors."""
        if not self._blocks:
            self._model.save_pretrained(folder)
            return
        parent, name, original = self._home
        recorders = getattr(parent, name)
        setattr(parent, name, original)
        try:
            self._model.save_pretrained(folder)
        finally:
            setattr(parent, name, recorders)

    def _beside(self, examples: torch.Tensor) -> list[torch.Tensor]:
        """What goes beside the hidden states."""
        return [examples] if isinstance(self.takes, TextInput) else []

    def _whole(self, examples: torch.Tensor) -> torch.Tensor:
        said: torch.Tensor = self._model(**self.takes.keywords(examples)).last_hidden_state
        return said

    def _first_tried(self, tried: torch.Tensor) -> torch.Tensor:
        try:
            return self._whole(tried)
        except Exception as cause:  # a network of another kind than an encoder of such examples raises nearly anything
            words = first_line(cause).rstrip(".")
            raise TaskError(
                f"backbone {self.label}: a {type(self._model).__name__} gives no hidden states of {self.takes.words} "
                f"({words}). {self.takes.advice}"
            ) from cause

    def _refuse_if_random(self, tried: torch.Tensor, expected: torch.Tensor) -> None:
        with torch.no_grad():
            again = self._whole(tried)
        if not _is_close(again, expected.detach()):
            raise TaskError(
                f"backbone {self.label}: a {type(self._model).__name__} says something else of the same example each "
                "time, as networks do that mask parts of it at random. Only a network whose answers stay the same can "
                "be a backbone."
            )

    def _refuse_if_weights_are_missing(self, missing: Collection[str], reached: Sequence[nn.Parameter]) -> None:
        needed_ones = {id(parameter) for parameter in reached}
        named = self._model.named_parameters()
        needed = [name for name, parameter in named if name in missing and id(parameter) in needed_ones]
        if needed:
            listed = ", ".join(needed[:3]) + (" …" if len(needed) > 3 else "")
            raise TaskError(
                f"backbone {self.label}: its files lack weights that its config.json describes, {len(needed)} of them: "
                f"{listed}. Copy the whole checkpoint anew."
            )

    def _refuse_if_it_reads_one_way(self, tried: torch.Tensor) -> None:
        """In an encoder the first token's hidden state hangs on the token behind it."""
        changed = tried.clone()
        changed[:, 1] = tried[:, 2]
        with torch.no_grad():
            before, after = self._whole(tried)[:, 0], self._whole(changed)[:, 0]
        if float((after - before).abs().max()) <= NOISE * float(before.abs().max()):
            raise TaskError(
                f"backbone {self.label}: a {type(self._model).__name__} reads from left to right only, as models that "
                "write texts do. A backbone reads a text from both sides: name an encoder, such as BERT, MPNet, "
                "DeBERTa or ModernBERT."
            )

    def _take_apart(self, tried: torch.Tensor, expected: torch.Tensor) -> None:
        """Finds the list of blocks that makes up most of the network, and whose parts add up to the whole."""
        lists = [
            (parent, name, child)
            for parent in self._model.modules()
            for name, child in parent.named_children()
            if isinstance(child, nn.ModuleList) and len(child)
        ]
        lists.sort(key=lambda found: -sum(each.numel() for each in found[2].parameters()))
        for parent, name, child in lists:
            self._home, self._blocks = (parent, name, child), list(child)
            try:
                self._put_recorders(tried)
                composed = self._composed(tried)
            except Exception:  # it was not made to be taken apart here
                composed = None
            if composed is not None and _is_close(composed, expected):
                return
            setattr(parent, name, child)
            self._thread = threading.local()
        self._blocks = []

    def _put_recorders(self, tried: torch.Tensor) -> None:
        """Puts recorders in the blocks' places that answer in the form in which the blocks do."""
        forms: dict[int, int | None] = {}

        def noting(number: int) -> Any:
            def note(_block: nn.Module, _arguments: Any, output: Any) -> None:
                if number in forms:
                    raise ValueError("a block is called twice")
                forms[number] = len(output) if isinstance(output, tuple) else None

            return note

        hooks = [block.register_forward_hook(noting(number)) for number, block in enumerate(self._blocks)]
        try:
            with torch.no_grad():
                self._model(**self.takes.keywords(tried))
        finally:
            for hook in hooks:
                hook.remove()
        recorders = [_Recorder(self, number, forms[number]) for number in range(len(self._blocks))]
        parent, name, _ = self._home
        setattr(parent, name, nn.ModuleList(recorders))

    def _composed(self, tried: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            hidden = self.run(BEGINNING, [tried])
            for number in range(self.blocks):
                hidden = self.run(number, [hidden, *self._beside(tried)])
            return self.run(ENDING, [hidden, *self._beside(tried)])

    def _begun(self, examples: torch.Tensor) -> torch.Tensor:
        """Hidden states before the first block; of a network that is run as a whole, those behind it."""
        if not self._blocks:
            return self._whole(examples)
        notes = self._noted(examples)
        self._keep(notes, examples)
        assert notes.first is not None
        return notes.first

    def _noted(self, examples: torch.Tensor) -> "_Notes":
        """Runs what lies before the blocks, and notes what each of them would have been called with."""
        notes = self._thread.notes = _Notes()
        with suppress(_EnoughError):
            self._model(**self.takes.keywords(examples))
        return notes

    def _calls(self, hidden: torch.Tensor, tokens: torch.Tensor | None) -> "Calls":
        """The blocks' arguments beside the hidden states; those of the last batch are kept."""
        kept: _Kept | None = getattr(self._thread, "kept", None)
        if kept is not None and kept.tokens is tokens and kept.examples == len(hidden):
            return kept.calls
        with torch.no_grad():
            examples = self._some_images(len(hidden)) if tokens is None else tokens
            return self._keep(self._noted(examples), examples)

    def _keep(self, notes: "_Notes", examples: torch.Tensor) -> "Calls":
        tokens = examples if isinstance(self.takes, TextInput) else None
        self._thread.kept = _Kept(tokens, len(examples), notes.calls)
        return notes.calls

    def _ended(self, hidden: torch.Tensor, tokens: torch.Tensor | None) -> torch.Tensor:
        """What the network makes of the last block's hidden states; without blocks they are its own already."""
        if not self._blocks:
            return hidden
        self._thread.notes = _Notes(behind=hidden)
        return self._whole(self._some_images(len(hidden)) if tokens is None else tokens)

    def _pooled(self, hidden: torch.Tensor, tokens: torch.Tensor | None, kind: str) -> torch.Tensor:
        """One vector an example: of texts over their tokens, of images over all places, or the first place alone."""
        if hidden.ndim == 4:  # a map, channels first
            return hidden.mean(dim=(2, 3))
        if tokens is None or not isinstance(self.takes, TextInput):
            return hidden[:, 0] if kind == "cls" else hidden.flatten(1, -2).mean(dim=1)
        weights = self.takes.mask(tokens).to(hidden.dtype).unsqueeze(-1)
        if kind == "cls":
            return hidden[:, 0] * weights[:, 0]
        return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)

    def _some_images(self, count: int) -> torch.Tensor:
        """Images for the network's own pass where only what it does around its blocks is wanted, which does not hang
        on them."""
        assert isinstance(self.takes, ImageInput), "token ids go beside the hidden states of texts"
        side = self.takes.side
        return torch.zeros((count, side, side, 3), dtype=torch.uint8, device=self.device)

    def _shapes(self, tried: torch.Tensor) -> dict[Part, tuple[int, ...]]:
        beside = self._beside(tried)
        with torch.no_grad():
            hidden = self.run(BEGINNING, [tried])
            shapes: dict[Part, tuple[int, ...]] = {BEGINNING: tuple(hidden.shape[1:])}
            for number in range(self.blocks):
                hidden = self.run(number, [hidden, *beside])
                shapes[number] = tuple(hidden.shape[1:])
            shapes[ENDING] = tuple(self.run(ENDING, [hidden, *beside]).shape[1:])
        return shapes

    def _parameters_by_part(self, tried: torch.Tensor) -> dict[Part, list[nn.Parameter]]:
        beside = self._beside(tried)
        every = [*self._model.parameters(), *(each for block in self._blocks for each in block.parameters())]
        found: dict[Part, list[nn.Parameter]] = {}
        hidden = self.run(BEGINNING, [tried])
        found[BEGINNING] = _reached(hidden, every)
        for number in range(self.blocks):
            hidden = self.run(number, [hidden.detach(), *beside])
            found[number] = _reached(hidden, every)
        found[ENDING] = _reached(self.run(ENDING, [hidden.detach(), *beside]), every) if self._blocks else []
        for parameter in every:
            parameter.requires_grad = False  # whoever trains a part says so
        return found


class _EnoughError(Exception):
    """Ends the network's own pass where its last block would begin."""


Calls = Mapping[int, tuple[tuple[Any, ...], dict[str, Any]]]  # arguments by block


@dataclass
class _Notes:
    """Of one pass of the network around its blocks.

    Attributes:
        behind: hidden states to go on with behind the last block; None to end before it.
        first: what the first block was given.
    """

    behind: torch.Tensor | None = None
    first: torch.Tensor | None = None
    calls: dict[int, tuple[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kept:
    """The blocks' arguments for the batch of these very tokens, or for so many images."""

    tokens: torch.Tensor | None
    examples: int
    calls: Calls


class _Recorder(nn.Module):
    """Stands in a block's place; whatever else is asked of it, the block answers.

    Args:
        values: how many a block returns in a tuple; None where it returns its hidden states alone.
    """

    def __init__(self, encoder: TorchEncoder, number: int, values: int | None) -> None:
        super().__init__()
        self.__dict__["_stands_for"] = encoder._blocks[number]  # past PyTorch, or its weights would be there twice
        self._encoder = encoder
        self._number, self._values = number, values

    def forward(self, *arguments: Any, **keywords: Any) -> Any:
        """Notes the call and passes on the hidden states, or those to go on with behind the last block."""
        hidden, *others = arguments or (keywords.pop("hidden_states"),)
        notes: _Notes = self._encoder._thread.notes
        if self._number == 0:
            notes.first = hidden
        notes.calls[self._number] = (_detached(tuple(others)), _detached(keywords))
        if self._number == self._encoder.blocks - 1:
            if notes.behind is None:
                raise _EnoughError
            hidden = notes.behind
        return hidden if self._values is None else (hidden, *([None] * (self._values - 1)))

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.__dict__["_stands_for"], name)


def limit_threads() -> None:
    """As many as the worker has cores, which it says by the variable that PyTorch reads only when it is first used."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdecimal() and int(told) > 0 and torch.get_num_threads() != int(told):
        torch.set_num_threads(int(told))


def _is_close(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors are the same but for the order of their arithmetic."""
    if one.shape != other.shape:
        return False
    return float((one - other).abs().max()) <= TOLERANCE * max(float(other.abs().max()), 1.0)


def _hidden_of(output: Any) -> torch.Tensor:
    hidden: torch.Tensor = output[0] if isinstance(output, tuple) else output
    return hidden


def _detached(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, tuple | list):
        return type(value)(_detached(each) for each in value)
    if isinstance(value, dict):
        return {name: _detached(each) for name, each in value.items()}
    return value


def _reached(output: torch.Tensor, parameters: Sequence[nn.Parameter]) -> list[nn.Parameter]:
    """Those of the parameters that an output hangs on."""
    wanted = [parameter for parameter in parameters if parameter.requires_grad]
    if not wanted or not output.requires_grad:
        return []
    slopes = torch.autograd.grad(output.sum(), wanted, allow_unused=True, retain_graph=True)
    return [parameter for parameter, slope in zip(wanted, slopes, strict=True) if slope is not None]
