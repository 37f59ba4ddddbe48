"""What pydantic found wrong in a task, in words: where, what was seen, what is allowed, the likeliest intent."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from autotl.errors import suggestion
from autotl.task.model import Task
from autotl.task.section import ContradictionError, Section
from autotl.task.yaml_reader import Document, YamlPath, as_text

# A file without these is not a task; the words show how to write one.
EXAMPLES = {
    "data": "data: {target: {train: photos/train}}",
    "target": "target: {train: photos/train}",
    "train": "train: photos/train",
    "name": "name: kitchen",
    "epsilon": "epsilon: 3",
    "delta": "delta: 1e-5",
    "protects": "protects: target",
}
EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "string_too_short": "at least one character",
}
BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def explain(error: ValidationError, document: Document) -> Iterator[tuple[tuple[int, int], str]]:
    """Each mistake as its (line, column) and one line of words."""
    for found in error.errors(include_url=False):
        path = document.as_written(found["loc"])
        if any(path[: len(refused)] == refused for refused in document.refused):
            continue  # an alias or tag stood there, which has its own message
        if found["type"] == "extra_forbidden":
            yield _message(document, document.where_key(path), document.keys_at.get(path), _unknown_key(path))
            continue
        cause = found.get("ctx", {}).get("error")
        items = cause.items if isinstance(cause, ContradictionError) else (((), _words(found, path)),)
        for inside, words in items:
            place = document.as_written((*path, *inside))
            yield _message(document, document.where(place), document.values_at.get(place), words)


def _message(
    document: Document, where: str, position: tuple[int, int] | None, words: str
) -> tuple[tuple[int, int], str]:
    line, column = (int(number) for number in where.removeprefix(f"{document.file}:").split(":", 2)[:2])
    return position or (line, column), f"{where}: {words}"


def _words(found: Any, path: YamlPath) -> str:
    kind, seen, context = found["type"], found["input"], found.get("ctx", {})
    if kind == "missing":
        example = EXAMPLES.get(str(path[-1]) if path else "", "")
        return f"is missing. Write for example {example!r}." if example else "is missing."
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"])
        return f"{seen!r} is not known. {suggestion(seen if isinstance(seen, str) else '', allowed)}"
    if kind == "value_error":
        return str(context["error"])
    if kind in {"model_type", "model_attributes_type"}:
        section = _section_at(path)
        allowed = sorted(section.model_fields) if section else []
        return f"must be a mapping, not {_shown(seen)}. Its keys: {', '.join(allowed)}."
    if kind in EXPECTED:
        return f"must be {EXPECTED[kind]}, not {_shown(seen)}."
    if kind in BOUNDS:
        bound, words = BOUNDS[kind]
        return f"must be {words} {context[bound]:g}, not {_shown(seen)}."
    return f"{found['msg']}, not {_shown(seen)}."


def _shown(seen: object) -> str:
    if isinstance(seen, dict):
        return "a mapping"
    if isinstance(seen, list | tuple):
        return "a list"
    if seen is None or isinstance(seen, bool):
        return {None: "nothing", True: "true", False: "false"}[seen]
    return repr(seen)


def _unknown_key(path: YamlPath) -> str:
    key = str(path[-1])
    section = _section_at(path[:-1]) or Task
    hint = suggestion(key, section.model_fields)
    homes = HOMES.get(key, ())
    if "Did you mean" not in hint and homes:
        hint += f" It belongs under {' or '.join(homes)}." if homes != ("",) else " It belongs at the top of the file."
    return f"{key!r} is not known. {hint}"


def _section_at(path: YamlPath) -> type[Section] | None:
    section: type[Section] | None = Task
    for part in path:
        if isinstance(part, str):
            info = section.model_fields.get(part) if section else None
            section = next(_sections_in(info.annotation), None) if info else None
    return section


def _sections_in(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in get_args(annotation):
        yield from _sections_in(part)


def _homes(section: type[Section], path: YamlPath) -> Iterator[tuple[str, str]]:
    for key, info in section.model_fields.items():
        yield key, as_text(path)
        for inner in _sections_in(info.annotation):
            if key != "tasks":
                yield from _homes(inner, (*path, key))


def _by_key() -> Mapping[str, tuple[str, ...]]:
    homes: dict[str, list[str]] = {}
    for key, home in _homes(Task, ()):
        homes.setdefault(key, []).append(home)
    return {key: tuple(places) for key, places in homes.items()}


HOMES = _by_key()  # key → the mappings that know it, for a key in the wrong place
