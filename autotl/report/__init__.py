"""The report of a run: values in, one self-contained HTML page out.

    html = render(ReportValues(task=..., leaderboard=..., ...))

`render` is pure: it reads packaged templates and browser code, nothing else, and the caller writes the page. Values
come from data and from users, so nothing in them is trusted: text is escaped, and the page's Content-Security-Policy
runs only the scripts whose hashes it names and loads nothing from anywhere.
"""

from typing import TYPE_CHECKING, Any

from autotl.report.values import ReportValues

if TYPE_CHECKING:
    from autotl.report.page import render

__all__ = ["ReportValues", "render"]


def __getattr__(name: str) -> Any:
    """`render` when it is first asked for: every command imports this room's wording, and few lay out a page."""
    if name == "render":
        from autotl.report.page import render

        return render
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
