"""How every page is made from its template: what templates may call, and what a page may load."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from autotl.report import wording

if TYPE_CHECKING:
    from jinja2 import Environment


def policy(scripts: Sequence[str], style: str) -> str:
    """The page's Content-Security-Policy: load nothing, run and style only what these hashes name."""
    allowed = " ".join(_hash(script) for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def packaged(name: str) -> str:
    """The text of a file among the templates."""
    return (files("autotl.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def environment() -> "Environment":
    """The templates: everything poured in is escaped, and a name that is missing is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("autotl.report", "templates"),
        autoescape=True,  # for every name: select_autoescape() would leave *.j2 alone
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    made.filters.update(
        score=wording.score,
        count=wording.count,
        magnitude=wording.magnitude,
        megabytes=wording.megabytes,
        milliseconds=wording.milliseconds,
        duration=wording.duration,
        signed_score=wording.signed_score,
        percent=wording.percent,
        cell=_cell,
        sortable=_sortable,
    )
    return made


def _cell(value: Any) -> str:
    """A figure in the table under a chart."""
    if value is None:
        return wording.NOTHING
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _sortable(value: Any) -> str:
    """What the script sorts a row by, to six digits: ties in more of them would be accidents."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
