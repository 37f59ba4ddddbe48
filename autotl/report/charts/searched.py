"""What came of each choice that the search space offered?"""

import math
from collections.abc import Sequence

import altair as alt

from autotl.report.charts.drawing import (
    ACCENT,
    INK,
    QUIET,
    Chart,
    Column,
    Datum,
    category_colours,
    finish,
    heading,
    rows_of_the_chart,
    tip,
    unique,
)
from autotl.report.entries import Entry
from autotl.report.sections.worth import Dimension
from autotl.report.wording import score

FIELDS = {"backbone": "backbone", "unfrozen layers": "unfrozen", "adaptation": "adaptation"}
"""What is drawn with a tick per trial: name of a dimension → the entry's field."""


def best_by(dimension: Dimension, entries: Sequence[Entry], metric: str) -> Chart | None:
    """Every score found with each choice of one dimension, the best and the middle one marked.

    Args:
        dimension: one that `FIELDS` names, with figures of all trials.
        entries: those to draw a tick of.
    """
    field = FIELDS[dimension.name]
    marked = {line.choice: line.chosen for line in dimension.lines}
    rows: list[Datum] = [
        {"choice": choice, "trial": entry.trial, "score": entry.score.value}
        for entry in entries
        if entry.score is not None
        and entry.rank is not None
        and not entry.is_baseline
        and (choice := str(getattr(entry, field))) in marked
    ]
    rows += [
        {"choice": choice, "score": value, "mark": mark, "figure": score(value)}
        for choice, side in marked.items()
        for mark, value in (("middle", side.median), ("best", side.best))
        if value is not None
    ]
    if not rows:
        return None
    base = alt.Chart(rows_of_the_chart()).encode(
        x=alt.X("score:Q", title=metric, scale=alt.Scale(zero=False, nice=False, padding=36)),
        y=alt.Y("choice:N", title=None, scale=alt.Scale(domain=list(marked))),
    )
    ticks = base.transform_filter("!datum.mark").mark_tick(thickness=2, size=14, color=QUIET, opacity=0.6)
    middle = base.transform_filter("datum.mark === 'middle'").mark_tick(thickness=3, size=22, color=INK)
    best = base.transform_filter("datum.mark === 'best'")
    dots = best.mark_point(filled=True, size=90, opacity=1, color=ACCENT)
    figures = best.mark_text(align="left", dx=9).encode(text="figure:N")
    told = [tip("choice:N", dimension.name), tip("score:Q", metric)]
    return finish(
        ticks.encode(tooltip=[*told, tip("trial:Q")])
        + middle.encode(tooltip=[tip("mark:N", "is the"), *told])
        + dots.encode(tooltip=[tip("mark:N", "is the"), *told])
        + figures,
        name=f"best-by-{field}",
        title=f"By {dimension.name}",
        caption="A tick per trial, a long one in the middle, a dot on the best. The table below has the figures.",
        height=32 * len(marked),
        rows=rows,
        columns=(),
    )


def score_by_learning_rate(entries: Sequence[Entry], metric: str) -> Chart | None:
    """Every score against the learning rate of its head, coloured by backbone; baselines were given theirs."""
    rows: list[Datum] = [
        {
            "trial": entry.trial,
            "backbone": entry.backbone,
            "learning_rate": entry.learning_rate,
            "score": entry.score.value,
        }
        for entry in entries
        if entry.score is not None and entry.rank is not None and entry.learning_rate and not entry.is_baseline
    ]
    if len(rows) < 2:
        return None
    axis = alt.Axis(grid=False, format="~e", values=_round_rates([row["learning_rate"] for row in rows]))
    dots = (
        alt.Chart(rows_of_the_chart())
        .mark_point(filled=True, size=70, opacity=0.85)
        .encode(
            x=alt.X(
                "learning_rate:Q",
                title="learning rate of the head",
                scale=alt.Scale(type="log", nice=False, padding=14),
                axis=axis,
            ),
            y=alt.Y("score:Q", title=metric, scale=alt.Scale(zero=False)),
            color=alt.Color(
                "backbone:N", scale=category_colours(unique(rows, "backbone")), legend=alt.Legend(columns=2)
            ),
            tooltip=[
                tip("trial:Q"),
                tip("backbone:N"),
                tip("learning_rate:Q", "learning rate", ".2e"),
                tip("score:Q", metric),
            ],
        )
    )
    return finish(
        dots,
        name="score-by-learning-rate",
        title="By learning rate",
        caption="A dot per trial.",
        height=220,
        rows=rows,
        columns=(
            Column("Trial", "trial"),
            Column("Backbone", "backbone", numeric=False),
            Column("Learning rate", "learning_rate"),
            Column(heading(metric), "score"),
        ),
    )


def _round_rates(rates: Sequence[float]) -> list[float]:
    """The rates 1e-4, 3e-4, 1e-3 … that lie on an axis from the smallest to the largest."""
    exponents = range(math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates))) + 1)
    return [float(f"{digit}e{exponent}") for exponent in exponents for digit in (1, 3)]
