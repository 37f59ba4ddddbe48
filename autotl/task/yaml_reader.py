"""YAML as a careful person reads it: YAML 1.2 scalars, every value with its line and column, nothing clever.

Plain `yaml.safe_load` keeps the second of two equal keys, turns a class `NO` into False, `012` into ten and leaves
`1e-5` a string; it follows aliases, which can blow up, and forgets where a value stood.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from autotl.errors import TaskError

MAX_BYTES = 1_000_000
MAX_DEPTH = 20

YamlPath = tuple[str | int, ...]
Position = tuple[int, int]  # line and column, both from 1

# (what a plain scalar is, its YAML 1.2 core form, characters it may begin with)
SCALARS: tuple[tuple[str, str, str], ...] = (
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]{1,40}|0o[0-7]{1,40}|0x[0-9a-fA-F]{1,40}", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]{1,40}(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
)
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, with the place of each of them."""

    file: str  # as the user named it: the beginning of every message
    value: Any
    values_at: Mapping[YamlPath, Position]
    keys_at: Mapping[YamlPath, Position]
    written: Mapping[YamlPath, str]  # scalars as they stand in the file: `012`, `1e3`
    mistakes: tuple[tuple[Position, str], ...] = ()  # what we refuse in any YAML: equal keys, aliases, tags
    refused: frozenset[YamlPath] = frozenset()  # paths whose value is not to be judged, an alias stood there

    def where(self, path: str | Sequence[str | int]) -> str:
        """`task.yaml:9:13: search_space.backbone.choice[1]`: the place of a value, or of the nearest one around it."""
        parts = self.as_written(as_path(path))
        return self._place(parts, self._value_position(parts))

    def where_key(self, path: str | Sequence[str | int]) -> str:
        """Like `where`, pointing at the key instead of its value; the words name the mapping that holds it."""
        parts = self.as_written(as_path(path))
        return self._place(parts[:-1], self.keys_at.get(parts) or self._value_position(parts))

    def as_written(self, path: YamlPath) -> YamlPath:
        """The path as the file has it: a single value that is read as a list of one has no `[0]` there."""
        parts: YamlPath = ()
        for part in path:
            if part != 0 or (*parts, 0) in self.values_at or parts not in self.values_at:
                parts = (*parts, part)
        return parts

    def _place(self, parts: YamlPath, position: Position) -> str:
        line, column = position
        return ": ".join(filter(None, (f"{self.file}:{line}:{column}", as_text(parts))))

    def _value_position(self, parts: YamlPath) -> Position:
        for length in range(len(parts), -1, -1):
            if parts[:length] in self.values_at:
                return self.values_at[parts[:length]]
        return (1, 1)


def read_yaml(path: Path | str) -> Document:
    """A YAML (or JSON) file as plain values with their places.

    Raises:
        TaskError: the file cannot be read, is no YAML, or uses what we refuse; every mistake in it at once.
    """
    document = read_document(path)
    if document.mistakes:
        raise TaskError([words for _, words in document.mistakes])
    return document


def read_document(path: Path | str) -> Document:
    """Like `read_yaml`, with the refused constructs listed in `mistakes`, so that a caller can add its own."""
    file = Path(path)
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise TaskError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise TaskError(f"{path}: this is a folder. Name the YAML file in it.") from None
    except OSError as error:
        raise TaskError(f"{path}: cannot be read: {error.strerror}.") from error
    return parse_document(content, file=str(path))


def parse_document(content: bytes, *, file: str) -> Document:
    """The document in these bytes; `file` is the name that messages begin with."""
    if len(content) > MAX_BYTES:
        raise TaskError(f"{file}: larger than {MAX_BYTES:,} bytes. Long lists belong in a CSV or Parquet file.")
    text = _decode(content, file)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except _TooDeepError as error:
        raise TaskError(f"{file}:{_at(error.mark)}: nested more than {MAX_DEPTH} levels deep.") from None
    except yaml.composer.ComposerError as error:
        raise TaskError(f"{file}:{_at(error.problem_mark)}: one document a file, and no '---' after it.") from error
    except yaml.MarkedYAMLError as error:
        place = _at(error.problem_mark or error.context_mark)
        problem = " ".join(filter(None, (error.context, error.problem)))
        raise TaskError(f"{file}:{place}: not valid YAML: {problem}.") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise TaskError(f"{file}:{line}: holds the character #x{error.character:04x}, which YAML forbids.") from error
    if node is None:
        raise TaskError(f"{file}: is empty.")
    reading = _Reading(file, {id(refused) for refused in loader.aliases})
    value = reading.build(node, ())
    for mark, words in loader.refusals:
        reading.mistakes.append(((mark.line + 1, mark.column + 1), f"{file}:{_at(mark)}: {words}"))
    return Document(
        file,
        value,
        reading.values_at,
        reading.keys_at,
        reading.written,
        tuple(sorted(reading.mistakes)),
        frozenset(reading.refused),
    )


def write_yaml(value: object) -> str:
    """YAML that `read_yaml` reads back to the same value: strings such as `1e5` or `012` are quoted."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def as_path(path: str | Sequence[str | int]) -> YamlPath:
    """`("choice", 1)` from `choice[1]`; a sequence is taken as it is (for keys that hold dots)."""
    if not isinstance(path, str):
        return tuple(path)
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", path)
    return tuple(int(number) if number else name for number, name in parts)


def as_text(path: YamlPath) -> str:
    """`choice[1]` from `("choice", 1)`."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words += f"[{part}]"
        else:
            words += f".{part}" if words else part
    return words


def _decode(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        seen = f"byte 0x{content[error.start]:02x}"
        raise TaskError(f"{file}:{line}: {seen} is not UTF-8. Save the file as UTF-8.") from None


def _at(mark: Any) -> str:
    return f"{mark.line + 1}:{mark.column + 1}" if mark is not None else "1:1"


class _TooDeepError(Exception):
    def __init__(self, mark: yaml.Mark) -> None:
        super().__init__()
        self.mark = mark


class _Loader(yaml.SafeLoader):
    """Composes nodes; notes aliases and tags instead of following them."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc] # PyYAML reads it from the class

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.aliases: list[yaml.Node] = []
        self.refusals: list[tuple[yaml.Mark, str]] = []

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            mark: Any = event.start_mark
            self.refusals.append((mark, f"the alias '*{event.anchor}' is refused. Write the value out."))
            self.aliases.append(yaml.ScalarNode(f"{_TAG}null", "", mark, mark))
            return self.aliases[-1]
        if getattr(event, "tag", None) is not None:
            self.refusals.append(
                (event.start_mark, f"the tag '{event.tag.replace(_TAG, '!!')}' is refused. Write a plain value.")
            )
            event.tag = None
            event.implicit = (True, False) if isinstance(event, yaml.ScalarEvent) else True
        event.anchor = None
        if self.depth > MAX_DEPTH:
            raise _TooDeepError(event.start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc] # PyYAML reads it from the class

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


for _kind, _form, _first in SCALARS:
    for _side in (_Loader, _Dumper):
        _side.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(rf"^(?:{_form})$"), [*_first, ""])


class _Reading:
    """Nodes into plain values, remembering the places."""

    def __init__(self, file: str, alias_ids: set[int]) -> None:
        self.file = file
        self.values_at: dict[YamlPath, Position] = {}
        self.keys_at: dict[YamlPath, Position] = {}
        self.written: dict[YamlPath, str] = {}
        self.mistakes: list[tuple[Position, str]] = []
        self.refused: set[YamlPath] = set()
        self._alias_ids = alias_ids

    def build(self, node: Any, path: YamlPath) -> Any:
        self.values_at[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if id(node) in self._alias_ids:
            self.refused.add(path)
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        self.written[path] = node.value
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: YamlPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            if not isinstance(key_node, yaml.ScalarNode):
                self._mistake(mark, path, "a key must be a plain word.")
                continue
            key = key_node.value
            here = (*path, key)
            if key in mapping:
                first_line = self.keys_at[here][0]
                self._mistake(mark, path, f"{key!r} is written twice, first in line {first_line}. Keep one.")
                continue
            self.keys_at[here] = (mark.line + 1, mark.column + 1)
            mapping[key] = self.build(value_node, here)
        return mapping

    def _mistake(self, mark: yaml.Mark, path: YamlPath, words: str) -> None:
        place = ": ".join(filter(None, (f"{self.file}:{_at(mark)}", as_text(path))))
        self.mistakes.append(((mark.line + 1, mark.column + 1), f"{place}: {words}"))


def _scalar(node: yaml.ScalarNode) -> Any:
    kind = node.tag.removeprefix(_TAG)
    text: str = node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if kind == "float":
        return float(re.sub(r"\.(?=inf|nan)", "", text.lower()))
    return text
