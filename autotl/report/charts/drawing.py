"""What all charts share: their colours, their fonts, how a drawing and its table become one value.

Colours are CSS variables of the page, so one drawing serves light, dark and paper. Foreign names stand in data and in
scale domains only, never in an expression.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from autotl.report.entries import Entry

Datum = dict[str, Any]

ACCENT, QUIET, BASELINE = "var(--accent)", "var(--quiet)", "var(--baseline)"
INK, MUTED, LINE, CARD = "var(--ink)", "var(--muted)", "var(--line)", "var(--card)"
CATEGORIES = tuple(f"var(--c{number})" for number in range(1, 9))
ROLES = {"winner": ACCENT, "baseline": BASELINE, "trial": QUIET}
LONGEST_LABEL = 150  # pixels of a name on an axis

CONFIG: Datum = {
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "domain": False,
        "gridColor": LINE,
        "labelColor": MUTED,
        "labelFontSize": 11,
        "labelLimit": LONGEST_LABEL,
        "labelPadding": 6,
        "ticks": False,
        "titleColor": MUTED,
        "titleFontSize": 11,
        "titleFontWeight": 500,
        "titlePadding": 10,
    },
    "legend": {
        "labelColor": MUTED,
        "labelFontSize": 11,
        "labelLimit": LONGEST_LABEL,
        "orient": "top",
        "offset": 8,
        "symbolFillColor": MUTED,
        "symbolStrokeWidth": 0,
        "title": None,
    },
    "text": {"color": INK, "fontSize": 11},
}
"""Shared by all charts, so that a page carries it once."""


@dataclass(frozen=True)
class Column:
    """A column of the table under a chart: where its figure stands in a row, and how it is set."""

    title: str
    field: str
    numeric: bool = True


@dataclass(frozen=True)
class Chart:
    """A drawing and its table. `rows` is the data it draws; `spec` is Vega-Lite without it, and may hold a few values
    of its own that no table shows, such as the ends of a line to compare with."""

    name: str
    title: str
    caption: str
    spec: Datum
    rows: Sequence[Datum]
    columns: Sequence[Column]
    table: Sequence[Datum]

    @property
    def drawing(self) -> Datum:
        """The complete Vega-Lite spec."""
        return {**self.spec, "datasets": {**self.spec.get("datasets", {}), "rows": list(self.rows)}}


def rows_of_the_chart() -> alt.NamedData:
    """The name under which `Chart.drawing` adds the rows."""
    return alt.NamedData(name="rows")


def finish(
    drawing: Any,
    *,
    name: str,
    title: str,
    caption: str,
    height: int,
    rows: Sequence[Datum],
    columns: Sequence[Column],
    table: Sequence[Datum] | None = None,
) -> Chart:
    """The chart of an altair drawing, as wide as its place on the page; `table` where it differs from `rows`."""
    described = drawing.properties(width="container", height=height, description=f"{title}. {caption}")
    spec: Datum = described.to_dict()
    for own in ("$schema", "config"):  # the page gives its own config, and needs no address of a schema
        spec.pop(own, None)
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return Chart(name, title, caption, spec, rows, columns, rows if table is None else table)


def role_of(entry: Entry) -> str:
    """What an entry is on the leaderboard: a key of `ROLES`."""
    return "winner" if entry.winner else "baseline" if entry.is_baseline else "trial"


def role_colour(rows: Sequence[Datum]) -> alt.Color:
    """Colour by role, a legend for those roles only that are there."""
    present = [role for role in ROLES if any(row["role"] == role for row in rows)]
    return alt.Color("role:N", scale=alt.Scale(domain=present, range=[ROLES[role] for role in present]))


def winner_on_top(rows: Sequence[Datum]) -> list[Datum]:
    """The rows in the order in which they are to be drawn: what comes last covers what came before."""
    return sorted(rows, key=lambda row: bool(row["role"] == "winner"))


def for_the_winner(value: float, *, others: float) -> Any:
    """A mark's property that is one thing for the winner and another for everybody else."""
    return alt.condition("datum.role === 'winner'", alt.value(value), alt.value(others))


def category_colours(names: Sequence[str]) -> alt.Scale:
    """A colour per name, the palette repeated where there are more names than colours."""
    return alt.Scale(domain=list(names), range=[CATEGORIES[index % len(CATEGORIES)] for index in range(len(names))])


def tip(field: str, title: str | None = None, number_format: str = ",.4~g") -> alt.Tooltip:
    """A line of the box that a pointer opens; `field` carries its type, as in `score:Q`."""
    name, kind = field.rsplit(":", 1)
    return alt.Tooltip(field, title=title or name, **({"format": number_format} if kind == "Q" else {}))


def unique(rows: Sequence[Datum], field: str) -> list[Any]:
    """The values of a field, in the order in which they come."""
    return list(dict.fromkeys(row[field] for row in rows))


def heading(name: str) -> str:
    """A metric's or axis's name at the head of a column."""
    return name[:1].upper() + name[1:].replace("_", " ")
