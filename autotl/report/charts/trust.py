"""Is the winner as right as it says, and how much more right where it only answers what it is sure of?"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from autotl.report.charts.drawing import (
    ACCENT,
    MUTED,
    QUIET,
    Chart,
    Column,
    Datum,
    category_colours,
    finish,
    rows_of_the_chart,
    tip,
    unique,
)

Figures = Mapping[str, Any]

BEFORE, AFTER = "before scaling", "as it ships"
SPLITS_APART = "accuracy of the answers"


def reliability(bins: Sequence[Figures], before: Sequence[Figures] = ()) -> Chart | None:
    """How often the model is right, by how sure it says it is, as it ships and before its temperature."""
    rows = [*_bins(before, BEFORE), *_bins(bins, AFTER)]
    if not rows:
        return None
    unit = alt.Scale(domain=[0, 1], nice=False)
    axis = {"format": ".0%", "tickCount": 5}
    x = alt.X("confidence:Q", title="how sure the model says it is", scale=unit, axis=alt.Axis(grid=False, **axis))
    y = alt.Y("accuracy:Q", title="how often it is right", scale=unit, axis=alt.Axis(**axis))
    shown = [name for name in (BEFORE, AFTER) if any(row["probabilities"] == name for row in rows)]
    colour = alt.Color(
        "probabilities:N",
        scale=alt.Scale(domain=shown, range=[{BEFORE: QUIET, AFTER: ACCENT}[name] for name in shown]),
        legend=alt.Legend() if len(shown) > 1 else None,
    )
    base = alt.Chart(rows_of_the_chart()).encode(x=x, y=y)
    ideal = base.transform_calculate(accuracy="datum.confidence").mark_line(
        color=MUTED, strokeDash=[4, 4], strokeWidth=1
    )
    dots = base.mark_point(filled=True, opacity=0.9).encode(
        color=colour,
        size=alt.Size("count:Q", scale=alt.Scale(range=[30, 260]), legend=None),
        tooltip=[
            tip("probabilities:N"),
            tip("confidence:Q", "says", ".1%"),
            tip("accuracy:Q", "is right", ".1%"),
            tip("count:Q", "examples"),
        ],
    )
    return finish(
        ideal + base.mark_line(strokeWidth=2).encode(color=colour) + dots,
        name="reliability",
        title="Is it as right as it says?",
        caption="On the dashed line the model is as often right as it says. A larger dot stands for more examples.",
        height=240,
        rows=rows,
        columns=(
            Column("Probabilities", "probabilities", numeric=False),
            Column("Says", "confidence"),
            Column("Is right", "accuracy"),
            Column("Examples", "count"),
        ),
    )


def risk_coverage(curves: Sequence[Figures]) -> Chart | None:
    """Accuracy of the answers that are given, by how many are given, the surest first."""
    rows: list[Datum] = [
        {"split": curve["split"], **{name: point[name] for name in ("coverage", "accuracy", "threshold")}}
        for curve in curves
        for point in curve["curve"]
    ]
    if not rows:
        return None
    base = alt.Chart(rows_of_the_chart()).encode(
        x=alt.X(
            "coverage:Q",
            title="share of inputs that are answered",
            scale=alt.Scale(domain=[0, 1], nice=False),
            axis=alt.Axis(grid=False, format=".0%", tickCount=5),
        ),
        y=alt.Y(
            "accuracy:Q",
            title=SPLITS_APART,
            scale=alt.Scale(zero=False),
            axis=alt.Axis(format=".0%", tickCount=5),
        ),
        color=alt.Color("split:N", scale=category_colours(unique(rows, "split"))),
        tooltip=[
            tip("split:N"),
            tip("coverage:Q", "answered", ".1%"),
            tip("accuracy:Q", "of these right", ".1%"),
            tip("threshold:Q", "confidence from", ".3f"),
        ],
    )
    return finish(
        base.mark_line(strokeWidth=2) + base.mark_point(filled=True, size=22, opacity=0.8),
        name="risk-coverage",
        title="What not answering is worth",
        caption="From the left: only the surest answers are given, then more and more, at last all of them.",
        height=240,
        rows=rows,
        columns=(
            Column("Examples of", "split", numeric=False),
            Column("Answered", "coverage"),
            Column("Of these right", "accuracy"),
            Column("From a confidence of", "threshold"),
        ),
    )


def _bins(bins: Sequence[Figures], probabilities: str) -> list[Datum]:
    return [
        {"probabilities": probabilities, **{field: each[field] for field in ("confidence", "accuracy", "count")}}
        for each in bins
        if each.get("count") and None not in (each.get("confidence"), each.get("accuracy"))
    ]
