"""Which settings had to do with being among the best?"""

from collections.abc import Mapping
from typing import Any

import altair as alt

from autotl.report.charts.drawing import (
    ACCENT,
    BASELINE,
    INK,
    QUIET,
    Chart,
    Column,
    Datum,
    finish,
    rows_of_the_chart,
    tip,
)

MOST_PARAMETERS = 14


def importance(found: Mapping[str, Any] | None) -> Chart | None:
    """A bar per setting with its range, and a mark at what chance alone reaches; None where too little is known."""
    if not found or len(found["parameters"]) < 2:
        return None
    rows: list[Datum] = [
        {
            "setting": each["name"].replace(".", " › "),
            **{name: round(each[name], 4) for name in ("share", "low", "high", "chance")},
            "more": "yes" if each["stands_out"] else "no",
        }
        for each in found["parameters"][:MOST_PARAMETERS]
    ]
    share = ".0%"
    base = alt.Chart(rows_of_the_chart()).encode(
        y=alt.Y(
            "setting:N",
            title=None,
            scale=alt.Scale(domain=[row["setting"] for row in rows]),
            axis=alt.Axis(labelLimit=190),
        ),
        tooltip=[
            tip("setting:N"),
            tip("share:Q", "importance", share),
            tip("low:Q", "at least", share),
            tip("high:Q", "at most", share),
            tip("chance:Q", "by chance", share),
        ],
    )
    bars = base.mark_bar(size=11, cornerRadius=2).encode(
        x=alt.X("share:Q", title="share of the importance", axis=alt.Axis(format="%", tickCount=5)),
        color=alt.Color("more:N", scale=alt.Scale(domain=["yes", "no"], range=[ACCENT, QUIET]), legend=None),
    )
    ranges = base.mark_rule(strokeWidth=1.5, color=INK, opacity=0.7).encode(x="low:Q", x2="high:Q")
    by_chance = base.mark_tick(thickness=2.5, size=18, color=BASELINE).encode(x="chance:Q")
    return finish(
        bars + ranges + by_chance,
        name="importance",
        title="What set the best trials apart",
        caption="A bar is a setting’s share, the thin line the range that halves of the trials give, the tick across "
        "it what luck alone stays below in 95 % of the cases. Coloured bars lie above luck with their whole range.",
        height=26 * len(rows),
        rows=rows,
        columns=(
            Column("Setting", "setting", numeric=False),
            Column("Importance", "share"),
            Column("At least", "low"),
            Column("At most", "high"),
            Column("By chance", "chance"),
            Column("More than chance", "more", numeric=False),
        ),
    )
