"""What does each threshold on a class's probability bring?"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from autotl.report.charts.drawing import ACCENT, BASELINE, MUTED, Chart, Column, Datum, finish, rows_of_the_chart, tip

Figures = Mapping[str, Any]

POINT = "a threshold"  # one without a name
_FIELDS = ("threshold", "recall", "precision", "false_alarms")


def threshold_curves(views: Sequence[Figures]) -> list[Chart]:
    """For each class that needs a threshold a precision-recall and an ROC curve, the named thresholds marked."""
    return [
        chart
        for number, view in enumerate(views)
        for chart in (_precision_recall(view, f"threshold-{number}"), _roc(view, f"threshold-{number}"))
    ]


def _precision_recall(view: Figures, name: str) -> Chart:
    share = view["of_class"] / max(view["examples"], 1)
    return _curve(
        [row for row in _rows(view) if row["precision"] is not None],
        name=f"{name}-precision",
        title="Precision against recall",
        caption="From the left: only what is surely the class is called so, then more and more. The dashed line is "
        f"what calling everything so would give. Average precision {view['average_precision']:.3f}.",
        across=("recall", "recall: share of the class that is found"),
        up=("precision", "precision: share of alarms that are right"),
        level=str(share),
    )


def _roc(view: Figures, name: str) -> Chart:
    return _curve(
        _rows(view),
        name=f"{name}-roc",
        title="Found against false alarms (ROC)",
        caption=f"On the dashed line a coin is as good. Area under the curve {view['roc_auc']:.3f}.",
        across=("false_alarms", "share of the others that raise a false alarm"),
        up=("recall", "recall: share of the class that is found"),
        level="datum.false_alarms",
    )


def _rows(view: Figures) -> list[Datum]:
    points = [{"name": POINT, **{field: point[field] for field in _FIELDS}} for point in view["curve"]]
    marks = [{"name": mark["name"], **{field: mark[field] for field in _FIELDS}} for mark in view["marks"]]
    return [*points, *marks]


def _curve(
    rows: list[Datum], *, name: str, title: str, caption: str, across: tuple[str, str], up: tuple[str, str], level: str
) -> Chart:
    unit = alt.Scale(domain=[0, 1], nice=False, padding=4)
    axis = {"format": ".0%", "tickCount": 5}
    base = alt.Chart(rows_of_the_chart()).encode(
        x=alt.X(f"{across[0]}:Q", title=across[1], scale=unit, axis=alt.Axis(grid=False, **axis)),
        y=alt.Y(f"{up[0]}:Q", title=up[1], scale=unit, axis=alt.Axis(**axis)),
        order=alt.Order("threshold:Q", sort="descending"),
        tooltip=[
            tip("name:N", "which"),
            tip("threshold:Q", "threshold", ".3f"),
            tip("recall:Q", "recall", ".1%"),
            tip("precision:Q", "precision", ".1%"),
            tip("false_alarms:Q", "false alarms", ".1%"),
        ],
    )
    plain, named = f"datum.name === '{POINT}'", f"datum.name !== '{POINT}'"
    chance = (
        base.transform_calculate(**{up[0]: level})
        .transform_filter(plain)
        .mark_line(color=MUTED, strokeDash=[4, 4], strokeWidth=1)
    )
    line = base.transform_filter(plain).mark_line(color=ACCENT, strokeWidth=2)
    hidden = base.transform_filter(plain).mark_point(filled=True, size=40, opacity=0)  # so that a pointer finds them
    marks, below = base.transform_filter(named), "datum.name === 'best F1'"  # apart, for both may be one point
    return finish(
        chance
        + line
        + hidden
        + marks.mark_point(filled=True, size=90, opacity=1, color=BASELINE)
        + marks.transform_filter(below).mark_text(align="left", dx=8, dy=10).encode(text="name:N")
        + marks.transform_filter(f"!({below})").mark_text(align="left", dx=8, dy=-9).encode(text="name:N"),
        name=name,
        title=title,
        caption=caption,
        height=240,
        rows=rows,
        columns=(
            Column("Threshold", "threshold"),
            Column("Recall", "recall"),
            Column("Precision", "precision"),
            Column("False alarms", "false_alarms"),
            Column("Which", "name", numeric=False),
        ),
    )
