"""Which columns of a table does the winner go by?"""

from collections.abc import Mapping
from typing import Any

import altair as alt

from autotl.report.charts.drawing import ACCENT, INK, Chart, Column, Datum, finish, rows_of_the_chart, tip

MOST_COLUMNS = 20


def columns_that_matter(figures: Mapping[str, Any] | None) -> Chart | None:
    """How much worse the winner is when a column tells it nothing, the most first."""
    if not figures or not figures["columns"]:
        return None
    rows: list[Datum] = [dict(line) for line in figures["columns"]]
    shown = rows[:MOST_COLUMNS]
    base = alt.Chart(rows_of_the_chart()).encode(
        y=alt.Y("column:N", title=None, scale=alt.Scale(domain=[row["column"] for row in shown])),
        tooltip=[tip("column:N"), tip("drop:Q", "lost"), tip("low:Q", "at least"), tip("high:Q", "at most")],
    )
    bars = base.mark_bar(color=ACCENT, opacity=0.75, height=12).encode(
        x=alt.X("drop:Q", title=f"{figures['metric']} lost when the column is shuffled", axis=alt.Axis(tickCount=5))
    )
    ranges = base.mark_rule(color=INK, strokeWidth=1.5).encode(x="low:Q", x2="high:Q")
    return finish(
        bars + ranges,
        name="columns",
        title="Columns that the answers hang on",
        caption=f"Each column was shuffled {figures['shuffles']} times among {figures['examples']} examples of "
        f"{figures['split']}; the line is from the least to the most that was lost. Columns that say the same stand in "
        "for each other, so both may look needless. Breiman, “Random forests”, 2001.",
        height=26 * len(shown),
        rows=shown,
        table=rows,
        columns=(
            Column("Column", "column", numeric=False),
            Column("Lost", "drop"),
            Column("At least", "low"),
            Column("At most", "high"),
        ),
    )
