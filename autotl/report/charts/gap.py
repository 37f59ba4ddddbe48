"""Where do the domains lie?"""

from collections.abc import Mapping
from typing import Any

import altair as alt

from autotl.report.charts.drawing import Chart, Column, Datum, category_colours, finish, rows_of_the_chart, tip
from autotl.report.wording import share

DOMAINS = ("source", "target")


def maps(gap: Mapping[str, Any]) -> list[Chart]:
    """A map of both domains before adaptation and one after it; none without a gap."""
    return [_map(gap[when]["map"], when) for when in ("before", "after") if when in gap]


def _map(plane: Mapping[str, Any], when: str) -> Chart:
    rows: list[Datum] = [{"domain": name, "x": x, "y": y} for name in DOMAINS for x, y in plane[name]]
    axis = alt.Axis(labels=False, grid=False)
    dots = (
        alt.Chart(rows_of_the_chart())
        .mark_point(filled=True, size=22, opacity=0.55)
        .encode(
            x=alt.X("x:Q", title="first component", axis=axis, scale=alt.Scale(zero=False)),
            y=alt.Y("y:Q", title="second component", axis=axis, scale=alt.Scale(zero=False)),
            color=alt.Color("domain:N", scale=category_colours(DOMAINS)),
            tooltip=[tip("domain:N")],
        )
    )
    return finish(
        dots,
        name=f"map-{when}",
        title=f"Both domains {when} adaptation",
        caption=f"A dot an example; the two directions hold {share(plane['told'], 1.0)} of the features' variance.",
        height=300,
        rows=rows,
        columns=(
            Column("Domain", "domain", numeric=False),
            Column("Examples on the map", "examples"),
            Column("Centre, first component", "x"),
            Column("Centre, second component", "y"),
        ),
        table=[_centre(name, plane[name]) for name in DOMAINS],
    )


def _centre(name: str, points: list[list[float]]) -> Datum:
    x, y = (sum(values) / len(values) for values in zip(*points, strict=True))
    return {"domain": name, "examples": len(points), "x": x, "y": y}
