"""The report of a run: values in, one self-contained HTML page out.

    html = render(ReportValues(task=..., leaderboard=..., ...))

`render` is pure: it reads packaged templates and browser code, nothing else, and the caller writes the page. Values
come from data and from users, so nothing in them is trusted: text is escaped, and the page's Content-Security-Policy
runs only the scripts whose hashes it names and loads nothing from anywhere.
"""

from autotl.report.page import render
from autotl.report.values import ReportValues

__all__ = ["ReportValues", "render"]
