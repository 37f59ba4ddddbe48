"""A task file for a person to read: every key with a comment, what is only proposed written as a comment itself."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import yaml

from autotl.task.yaml_reader import write_yaml

WIDTH = 120  # of a line with its comment; longer ones have the comment above
COMMENTS_AT = 44  # the column in which comments begin, where there is room

# Every key that a first task file shows, in its order, and what is said of it where there is nothing better to say.
KEYS: dict[str, str] = {
    "name": "names the run folder",
    "modality": "image | text | table | signal",
    "data": "where the examples are",
    "data.target": "what the model will be used on",
    "data.target.train": "a path, or a list of paths",
    "data.target.validation": "a share of train to choose a model by, or a path",
    "data.target.test": "a share, a path, or none; read once, at the end",
    "data.target.labels": "all | none | {per_class: 5}: what the search may know",
    "data.source": "labelled domains that help",
    "data.columns": "which column holds what",
    "data.columns.input": "what the model sees",
    "data.columns.label": "the classes to predict",
    "data.columns.group": "rows of one group stay on one side of every split",
    "data.columns.time": "in which the samples follow each other",
    "data.columns.unit": "what tells records apart: no window crosses it, no split divides it",
    "data.columns.drop": "not learnt from",
    "window": "samples of one example",
    "stride": "samples from one window to the next; overlapping windows stay on one side",
    "encoding": "of text files and tables",
    "problem": "classification | regression | multilabel: what is learnt of an example",
    "classes": "shared | union | [CLASS, …]",
    "positive": "the class that f1, roc_auc and average_precision look for",
    "metric": "what trials are ranked by",
    "weights": "balanced: classes weigh the same while training",
    "audit": "what you know of the data and accept",
    "audit.merge": "class as written → class it means",
    "audit.rare": "error | drop: classes with a single example",
    "audit.allow": "findings that do not stop the search",
    "budget": "whichever comes first; wall covers the whole command",
    "search_space": "a shipped space, a path, or entries that replace some of it",
    "baselines": "plans that every run includes, so that a gain is a gain over something",
    "seed": "the same seed gives the same plans and splits",
}


@dataclass(frozen=True)
class Line:
    """One key of the file.

    Attributes:
        key: dotted, one of `KEYS`.
        value: as plain YAML values.
        comment: stands beside it; what `KEYS` says where it is empty.
        beside: a comment for each item of a list.
        is_proposed: written as a comment itself: nothing is said until a person takes the sign away.
    """

    key: str
    value: Any
    comment: str = ""
    beside: tuple[str, ...] = ()
    is_proposed: bool = False


def as_mapping(lines: Sequence[Line]) -> dict[str, Any]:
    """What a file of these lines says, without those only proposed."""
    mapping: dict[str, Any] = {}
    for line in _in_order(lines):
        if not line.is_proposed:
            *parents, key = line.key.split(".")
            inner = mapping
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[key] = line.value
    return mapping


def render_template(lines: Sequence[Line], *, heading: Sequence[str]) -> str:
    """The file's text, which `read_task` reads as `as_mapping` says.

    Args:
        heading: comments at its beginning, a line each.
    """
    written = [f"# {words}" for words in heading]
    active = [line.key for line in lines if not line.is_proposed]
    begun: set[str] = set()
    for line in _in_order(lines):
        parts = line.key.split(".")
        for depth in range(1, len(parts)):
            parent = ".".join(parts[:depth])
            if parent not in begun:
                begun.add(parent)
                is_active = any(key.startswith(f"{parent}.") for key in active)
                written += _beside([_indented(f"{parts[depth - 1]}:", depth - 1, not is_active)], KEYS.get(parent, ""))
        written += _line(line, depth=len(parts) - 1)
    return "\n".join(written) + "\n"


def _in_order(lines: Sequence[Line]) -> list[Line]:
    order = list(KEYS)
    return sorted(lines, key=lambda line: order.index(line.key))


def _line(line: Line, *, depth: int) -> list[str]:
    key = line.key.rpartition(".")[2]
    comment = line.comment or KEYS[line.key]
    is_list_of_text = isinstance(line.value, list) and all(isinstance(item, str) for item in line.value)
    if is_list_of_text:
        written = _beside([_indented(f"{key}:", depth, line.is_proposed)], comment)
        for item, words in zip_longest(line.value, line.beside, fillvalue=""):
            written += _beside([_indented(f"- {_scalar(item)}", depth + 1, line.is_proposed)], words)
        return written
    if isinstance(line.value, Mapping) and all(map(_is_word, (*line.value, *line.value.values()))):
        inside = ", ".join(f"{name}: {value}" for name, value in line.value.items())
        return _beside([_indented(f"{key}: {{{inside}}}", depth, line.is_proposed)], comment)
    if isinstance(line.value, list | Mapping):
        block = [f"  {row}" for row in write_yaml(line.value).splitlines()]
        return _beside([_indented(row, depth, line.is_proposed) for row in (f"{key}:", *block)], comment)
    return _beside([_indented(f"{key}: {_scalar(line.value)}", depth, line.is_proposed)], comment)


def _is_word(value: object) -> bool:
    """Whether a value means itself inside `{…}`, as `wall`, `30m` and 5 do."""
    return str(value).isalnum() and str(value).isascii() and _scalar(value) == str(value)


def _scalar(value: object) -> str:
    """On one line, so that a comment can follow."""
    written = write_yaml({"k": value}).removeprefix("k:").strip()
    if "\n" not in written and not written.startswith(("|", ">")):
        return written
    return str(yaml.safe_dump(value, default_style='"', allow_unicode=True, width=1_000_000)).strip()


def _indented(row: str, depth: int, is_proposed: bool) -> str:
    return f"{'  ' * depth}{'# ' if is_proposed else ''}{row}"


def _beside(rows: Sequence[str], comment: str) -> list[str]:
    """The rows with a comment beside the first, or above it where it would be too far to the right."""
    comment = " ".join(comment.split())
    if not comment:
        return list(rows)
    first, *others = rows
    beside = f"{first:<{COMMENTS_AT}}  # {comment}"
    if len(beside) <= WIDTH:
        return [beside, *others]
    margin = first[: len(first) - len(first.lstrip())]
    return [*(f"{margin}# {part}" for part in textwrap.wrap(comment, WIDTH - len(margin) - 2)), *rows]
