"""How a promoted model is named: `kitchen@production` by an alias, `kitchen:3` by a version."""

import re
from dataclasses import dataclass

from autotl.errors import UsageError
from autotl.run.folder import LONGEST_NAME, fit_for_a_folder

NOTATION = "MODEL@ALIAS or MODEL:VERSION, such as kitchen@production or kitchen:3"

_REFERENCE = re.compile(r"(?P<model>[\w.-]+)(?:@(?P<alias>[\w.-]+)|:(?P<version>[0-9]+))")
_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True)
class Reference:
    """A promoted model as the user named it. Exactly one of `alias` and `version` is there."""

    model: str
    alias: str | None = None
    version: int | None = None

    def __str__(self) -> str:
        return f"{self.model}@{self.alias}" if self.version is None else f"{self.model}:{self.version}"


def read_reference(written: str) -> Reference | None:
    """The reference, or None for what must be a path: it has a separator, or neither `@` nor `:`.

    A folder that happens to have such a name is reached as `./kitchen@production`.
    """
    found = _REFERENCE.fullmatch(written)
    if found is None or _NAME.fullmatch(found["model"]) is None:
        return None
    version = found["version"]
    return Reference(found["model"], found["alias"], None if version is None else int(version))


def model_name(task: str) -> str:
    """The name under which the models of a task stand in the registry: fit for a folder, without `@` and `:`."""
    name = re.sub(r"[^\w.-]+", "-", task)[:LONGEST_NAME].strip("-._") or "task"
    return fit_for_a_folder(name)


def checked_alias(alias: str) -> str:
    """The alias.

    Raises:
        UsageError: it could not be told from a version, or be written behind an `@`.
    """
    if _NAME.fullmatch(alias) is None or alias.isdecimal():
        raise UsageError(
            f"{alias!r} is no alias. Letters, digits, '.', '-' and '_' make one, such as production; not digits alone."
        )
    return alias
