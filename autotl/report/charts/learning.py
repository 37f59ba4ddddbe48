"""How did each trial come to its score?"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from autotl.report.charts.drawing import (
    Chart,
    Column,
    Datum,
    finish,
    for_the_winner,
    heading,
    role_colour,
    role_of,
    rows_of_the_chart,
    tip,
    unique,
    winner_on_top,
)
from autotl.report.entries import Entry

MOST_POINTS = 40
"""Epochs drawn of one curve; a longer one is thinned, its last epoch kept."""


def learning_curves(
    curves: Mapping[int, Sequence[Mapping[str, Any]]], entries: Sequence[Entry], metric: str
) -> list[Chart]:
    """Score and training loss by epoch, a line per entry; the winner's line stands out."""
    points: list[Datum] = [
        {"trial": entry.trial, "role": role_of(entry)}
        | {name: step.get(name) for name in ("epoch", "score", "train_loss")}
        for entry in entries
        for step in thinned(curves.get(entry.trial, ()))
    ]
    rows = winner_on_top(points)  # both draw the same, which a page carries once
    drawn = [
        _curve("curves-score", f"Validation {metric}", "score", metric, rows),
        _curve("curves-loss", "Training loss", "train_loss", "training loss", rows),
    ]
    return [chart for chart in drawn if chart is not None]


def thinned(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """At most `MOST_POINTS` of a curve's steps, evenly, the last one among them."""
    stride = -(-len(steps) // MOST_POINTS) or 1
    return list(steps[::-1][::stride])[::-1]


def _curve(name: str, title: str, field: str, unit: str, rows: Sequence[Datum]) -> Chart | None:
    known = [row for row in rows if row[field] is not None]
    if not known:
        return None
    base = (
        alt.Chart(rows_of_the_chart())
        .transform_filter(f"datum.{field} !== null")
        .encode(
            x=alt.X(
                "epoch:Q",
                title="epoch",
                scale=alt.Scale(nice=False),
                axis=alt.Axis(grid=False, tickMinStep=1, format="d"),
            ),
            y=alt.Y(f"{field}:Q", title=unit, scale=alt.Scale(zero=False)),
            color=role_colour(known),
            detail="trial:N",
            opacity=for_the_winner(1.0, others=0.55),
            tooltip=[tip("trial:Q"), tip("epoch:Q"), tip(f"{field}:Q", unit)],
        )
    )
    lines = base.mark_line(strokeJoin="round", strokeCap="round").encode(strokeWidth=for_the_winner(2.6, others=1.3))
    epochs = sorted(unique(known, "epoch"))
    by_trial: dict[int, Datum] = {}
    for row in known:
        by_trial.setdefault(row["trial"], {"trial": row["trial"]})[str(row["epoch"])] = row[field]
    return finish(
        lines + base.mark_point(filled=True, size=22),
        name=name,
        title=title,
        caption="A line per trial. One that ends early was stopped, or failed.",
        height=240,
        rows=rows,
        columns=(Column(f"{heading(unit)} of trial", "trial"), *(Column(f"epoch {n}", str(n)) for n in epochs)),
        table=list(by_trial.values()),
    )
