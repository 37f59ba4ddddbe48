"""The browser code that a report carries inside itself: published files, kept unmodified beside their licences.

`vendor.json` holds name, version, SHA-256 and origin of each; `fetch.py` is how they got here.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# vega-interpreter is published as an ES module only. An inline script can neither import from `vega` (a global here)
# nor export, so these two statements, and nothing else, are put into words that a plain script understands.
_INTERPRETER_IMPORT = "import { ascending, isString, DisallowedObjectProperties } from 'vega-util';"
_INTERPRETER_EXPORT = "export { expression as expressionInterpreter };"


@dataclass(frozen=True)
class Library:
    """One vendored file, ready to stand in a page's `<script>`."""

    name: str
    version: str
    licence: str  # name, e.g. BSD-3-Clause
    licence_text: str
    script: str


@cache
def libraries() -> tuple[Library, ...]:
    """The vendored libraries in the order in which a page runs them.

    Raises:
        ValueError: if a file is not the one that `vendor.json` describes.
    """
    folder = files(__name__)
    entries = json.loads((folder / "vendor.json").read_text(encoding="utf-8"))
    return tuple(
        Library(
            name=entry["name"],
            version=entry["version"],
            licence=entry["licence"],
            licence_text=(folder / entry["licence_file"]).read_text(encoding="utf-8"),
            script=_inline(entry["name"], _checked((folder / entry["file"]).read_bytes(), entry)),
        )
        for entry in entries
    )


def _checked(content: bytes, entry: dict[str, str]) -> str:
    seen = hashlib.sha256(content).hexdigest()
    if seen != entry["sha256"]:
        raise ValueError(
            f"autotl/report/vendor/{entry['file']}: SHA-256 is {seen}, vendor.json says {entry['sha256']}. "
            "The file was changed; install autotl again."
        )
    return content.decode("utf-8")


def _inline(name: str, script: str) -> str:
    """The script as it stands in a page: no source map (the browser would look for it), no module statements."""
    # split("\n"), not splitlines(): minified code holds U+2028 inside strings
    script = "\n".join(line for line in script.split("\n") if not line.startswith("//# sourceMappingURL="))
    if name != "vega-interpreter":
        return script
    for statement in (_INTERPRETER_IMPORT, _INTERPRETER_EXPORT):
        if script.count(statement) != 1:
            raise ValueError(f"vega-interpreter no longer holds {statement!r}: see autotl/report/vendor/__init__.py.")
    body = script.replace(
        _INTERPRETER_IMPORT, "const { ascending, isString, DisallowedObjectProperties } = globalThis.vega;"
    ).replace(_INTERPRETER_EXPORT, "globalThis.expressionInterpreter = expression;")
    return f"(() => {{\n'use strict';\n{body}\n}})();"
