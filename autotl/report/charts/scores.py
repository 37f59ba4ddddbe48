"""Is the winner better than doing the obvious, and what does a better score cost?"""

from collections.abc import Sequence

import altair as alt

from autotl.report.charts.drawing import (
    ACCENT,
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
from autotl.report.entries import Entry, Interval
from autotl.report.wording import NOTHING, score

TEST = "test"


def comparison(entries: Sequence[Entry], winner: Entry, metric: str, *, scored_on: str = "validation") -> Chart | None:
    """The winner beside the baselines, each with its interval; test figures too where they were read.

    Args:
        scored_on: the examples that the scores are of.
    """
    splits = [scored_on, TEST]
    shown = [winner, *(entry for entry in entries if entry.baseline and entry.score and not entry.winner)]
    if len(shown) < 2:
        return None
    rows = [
        _compared(entry, split, figure)
        for entry in shown
        for split, figure in zip(splits, (entry.score, entry.test), strict=True)
        if figure is not None
    ]
    tested = any(row["on"] == TEST for row in rows)
    base = alt.Chart(rows_of_the_chart()).encode(
        y=alt.Y("model:N", title=None, scale=alt.Scale(domain=unique(rows, "model")), axis=alt.Axis(labelLimit=190)),
        color=role_colour(rows).legend(None),  # the names on the axis say it
        tooltip=[tip("model:N"), tip("what:N", "plan"), tip("on:N"), tip("score:Q", metric), tip("interval:N")],
    )
    if tested:
        base = base.encode(yOffset=alt.YOffset("on:N", scale=alt.Scale(domain=splits, paddingInner=0.35)))
    lines = base.mark_rule(strokeWidth=3, opacity=0.45, strokeCap="round").encode(
        x=alt.X("low:Q", title=metric, scale=alt.Scale(zero=False)), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(x="score:Q")
    if tested:
        dots = dots.encode(shape=alt.Shape("on:N", scale=alt.Scale(domain=splits, range=["circle", "diamond"])))
    told = " Test was read once, after the choice was made." if tested else ""
    return finish(
        lines + dots,
        name="comparison",
        title="The winner beside the baselines",
        caption=f"Dots are scores, lines their intervals.{told}",
        height=len(shown) * (52 if tested else 34),
        rows=rows,
        columns=(
            Column("Model", "model", numeric=False),
            Column("Plan", "what", numeric=False),
            Column("Read on", "on", numeric=False),
            Column(heading(metric), "score"),
            Column("Interval", "interval"),
        ),
    )


COSTS: dict[str, tuple[str, str]] = {
    "latency": ("Score against latency", "milliseconds of one prediction"),
    "size": ("Score against size", "megabytes of the model"),
    "seconds": ("Score against the time of the trial", "seconds of the trial"),
}
"""What a model costs: the chart's title, and the unit."""


def score_against_cost(entries: Sequence[Entry], metric: str, *, higher_is_better: bool) -> list[Chart]:
    """Score against the cost of a prediction, of the model and of a trial, the best at every price joined up.

    All draw the same rows, which a page carries once.
    """
    rows = [_priced(entry) for entry in entries if entry.score is not None and entry.rank is not None]
    names = [name for name in COSTS if sum(row[name] is not None for row in rows) > 1]
    for name in names:
        _mark_unbeaten([row for row in rows if row[name] is not None], name, higher_is_better=higher_is_better)
    rows = winner_on_top(rows)
    return [_cost(name, rows, metric) for name in names]


def interval_text(figure: Interval) -> str:
    """`0.861 – 0.885`, or a dash where the ends are unknown."""
    ends = figure.ends
    return f"{score(ends[0])} – {score(ends[1])}" if ends else NOTHING


def _compared(entry: Entry, split: str, figure: Interval) -> Datum:
    low, high = figure.ends or (figure.value, figure.value)
    return {
        "model": f"{'winner' if entry.winner else entry.baseline} · trial {entry.trial}",
        "what": f"{entry.network}, {entry.recipe}",
        "on": split,
        "role": role_of(entry),
        "score": figure.value,
        "low": low,
        "high": high,
        "interval": interval_text(figure),
    }


def _priced(entry: Entry) -> Datum:
    return {
        "trial": entry.trial,
        "role": role_of(entry),
        "what": f"{entry.network}, {entry.recipe}",
        "score": entry.score.value if entry.score else None,
        "latency": _rounded(entry.latency_ms),
        "size": _rounded(entry.model_mb),
        "seconds": _rounded(entry.total_seconds),
    }


def _rounded(cost: float | None) -> float | None:
    """A cost to the digits that a drawing shows; None where it is unknown or nothing, which no log scale holds."""
    return float(f"{cost:.4g}") if cost else None


def _mark_unbeaten(rows: Sequence[Datum], cost: str, *, higher_is_better: bool) -> None:
    """Say of each row, in `best_<cost>`, whether no row of at most its cost has at least its score."""
    best_so_far: float | None = None
    sign = 1 if higher_is_better else -1
    for row in sorted(rows, key=lambda row: (row[cost], -sign * row["score"])):
        if best_so_far is None or sign * row["score"] > best_so_far:
            row[f"best_{cost}"] = True
            best_so_far = sign * row["score"]


def _cost(name: str, rows: Sequence[Datum], metric: str) -> Chart:
    title, unit = COSTS[name]
    base = alt.Chart(rows_of_the_chart()).encode(
        x=alt.X(
            f"{name}:Q",
            title=unit,
            scale=alt.Scale(type="log", nice=False, padding=12),
            axis=alt.Axis(grid=False, tickCount=5),
        ),
        y=alt.Y("score:Q", title=metric, scale=alt.Scale(zero=False)),
    )
    front = base.transform_filter(f"datum.best_{name}").mark_line(
        interpolate="step-after", color=ACCENT, strokeDash=[3, 3], opacity=0.6, strokeWidth=1.4
    )
    dots = (
        base.transform_filter(f"datum.{name} !== null")
        .mark_point(filled=True, opacity=0.9)
        .encode(
            color=role_colour(rows),
            size=for_the_winner(150, others=60),
            tooltip=[tip("trial:Q"), tip("what:N", "plan"), tip(f"{name}:Q", unit), tip("score:Q", metric)],
        )
    )
    on_the_line = [row for row in rows if row.get(f"best_{name}")]
    return finish(
        front + dots,
        name=f"cost-{name}",
        title=title,
        caption="The dashed line joins the trials that no cheaper trial beats; the table holds them.",
        height=240,
        rows=rows,
        table=sorted(on_the_line, key=lambda row: (row[name], row["trial"])),
        columns=(
            Column("Trial", "trial"),
            Column("Plan", "what", numeric=False),
            Column(heading(unit), name),
            Column(heading(metric), "score"),
        ),
    )
