"""Where is the winner wrong?"""

from collections.abc import Sequence

import altair as alt

from autotl.report.charts.drawing import ACCENT, CARD, INK, Chart, finish, rows_of_the_chart, tip


def confusion(classes: Sequence[str], matrix: Sequence[Sequence[int]]) -> Chart:
    """A row per true class, a column per predicted one. Its table is a matrix too, and laid out by the page."""
    names = distinct(classes)
    rows = [
        {"true": names[i], "says": names[j], "count": number, "share": number / max(sum(line), 1), "right": i == j}
        for i, line in enumerate(matrix)
        for j, number in enumerate(line)
    ]
    side = max(15, min(36, 440 // len(names)))
    scale = alt.Scale(domain=names)
    base = alt.Chart(rows_of_the_chart()).encode(
        x=alt.X(
            "says:N", title="the model says", scale=scale, axis=alt.Axis(labelAngle=-55, orient="top", labelLimit=90)
        ),
        y=alt.Y("true:N", title="it is", scale=scale, axis=alt.Axis(labelLimit=110)),
        tooltip=[
            tip("true:N", "it is"),
            tip("says:N", "the model says"),
            tip("count:Q", "how often"),
            tip("share:Q", "share of the row", ".1%"),
        ],
    )
    drawing = base.mark_rect(cornerRadius=3, stroke=CARD, strokeWidth=2).encode(
        color=alt.Color("right:N", scale=alt.Scale(domain=[True, False], range=[ACCENT, "var(--wrong)"]), legend=None),
        fillOpacity=alt.FillOpacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 0.95]), legend=None),
    )
    if side >= 22:  # else figures would run into each other
        ink = alt.condition("datum.share > 0.55", alt.value("var(--on-accent)"), alt.value(INK))
        figures = base.transform_filter("datum.count > 0").mark_text(fontSize=10.5)
        drawing += figures.encode(text="count:Q", color=ink)
    return finish(
        drawing,
        name="confusion",
        title="Confusion matrix",
        caption="A row for what an example is, a column for what the model says. Colour is the share of the row.",
        height=side * len(names),
        rows=rows,
        columns=(),
    )


def distinct(names: Sequence[str]) -> list[str]:
    """Names that differ from each other: an axis would draw two classes of one name as one."""
    seen: dict[str, int] = {}
    numbered = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        numbered.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return numbered
