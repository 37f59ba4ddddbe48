"""How far is the winner off, and where?"""

from collections.abc import Iterator

import altair as alt

from autotl.report.charts.drawing import ACCENT, MUTED, Chart, Column, finish, rows_of_the_chart, tip
from autotl.report.values import Json

SIDE = 320


def predicted_and_true(figures: Json | None) -> Iterator[Chart]:
    """A point per example: what it is and what is said of it; and by how much that is off, by what is said."""
    if not figures or not figures["points"]:
        return
    rows = [{"true": true, "says": said, "off": said - true} for true, said in figures["points"]]
    ends = [min(min(pair) for pair in figures["points"]), max(max(pair) for pair in figures["points"])]
    shared = alt.Scale(domain=ends, nice=True)
    tips = [tip("true:Q", "it is", ".4~g"), tip("says:Q", "the model says", ".4~g"), tip("off:Q", "off by", "+.3~g")]
    columns = (Column("It is", "true"), Column("The model says", "says"), Column("Off by", "off"))
    points = alt.Chart(rows_of_the_chart()).mark_circle(color=ACCENT, opacity=0.45, size=26)
    line = alt.Chart(alt.InlineData([{"end": end} for end in ends])).mark_line(color=MUTED, strokeDash=[4, 3])
    yield finish(
        line.encode(x=alt.X("end:Q", scale=shared), y=alt.Y("end:Q", scale=shared))
        + points.encode(
            x=alt.X("true:Q", title="it is", scale=shared),
            y=alt.Y("says:Q", title="the model says", scale=shared),
            tooltip=tips,
        ),
        name="predicted-and-true",
        title="What it is and what the model says",
        caption="A point per example; on the dashed line the model is right.",
        height=SIDE,
        rows=rows,
        columns=columns,
    )
    zero = alt.Chart(alt.InlineData([{"off": 0}])).mark_rule(color=MUTED, strokeDash=[4, 3])
    yield finish(
        zero.encode(y="off:Q")
        + points.encode(
            x=alt.X("says:Q", title="the model says", scale=alt.Scale(zero=False)),
            y=alt.Y("off:Q", title="too much (+) or too little (−)"),
            tooltip=tips,
        ),
        name="residuals",
        title="By how much it is off",
        caption="By what the model says. A pattern here is something that it has not learnt.",
        height=SIDE,
        rows=rows,
        columns=columns,
    )
