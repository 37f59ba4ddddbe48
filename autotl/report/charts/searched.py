"""What came of each choice that the search space offered?"""

import math
from collections.abc import Sequence
from typing import Literal

import altair as alt

from autotl.report.charts.drawing import (
    ACCENT,
    QUIET,
    Chart,
    Column,
    Row,
    category_colours,
    finish,
    heading,
    rows_of_the_chart,
    tip,
    unique,
)
from autotl.report.entries import Entry
from autotl.report.wording import score

Dimension = Literal["backbone", "unfrozen", "adaptation"]
TITLES: dict[Dimension, str] = {"backbone": "backbone", "unfrozen": "unfrozen layers", "adaptation": "adaptation"}


def best_by(dimension: Dimension, entries: Sequence[Entry], metric: str, *, higher_is_better: bool) -> Chart | None:
    """Every score found with each choice of one dimension, the best marked; None where there was no choice."""
    scored = [
        (str(getattr(entry, dimension)), entry.trial, entry.score.value)
        for entry in entries
        if entry.score is not None and entry.rank is not None
    ]
    choices = in_order({choice for choice, _, _ in scored})
    if len(choices) < 2:
        return None
    pick = max if higher_is_better else min
    best = {choice: pick(value for own, _, value in scored if own == choice) for choice in choices}
    rows: list[Row] = [
        {"choice": choice, "trial": trial, "score": value, "best": value == best[choice], "figure": score(value)}
        for choice, trial, value in scored
    ]
    title = TITLES[dimension]
    base = alt.Chart(rows_of_the_chart()).encode(
        x=alt.X("score:Q", title=metric, scale=alt.Scale(zero=False, nice=False, padding=36)),
        y=alt.Y("choice:N", title=None, scale=alt.Scale(domain=choices)),
        tooltip=[tip("choice:N", title), tip("trial:Q"), tip("score:Q", metric)],
    )
    ticks = base.mark_tick(thickness=2, size=14, color=QUIET, opacity=0.7)
    top = base.transform_filter("datum.best")
    figures = top.mark_text(align="left", dx=9).encode(text="figure:N")
    return finish(
        ticks + top.mark_point(filled=True, size=90, opacity=1, color=ACCENT) + figures,
        name=f"best-by-{dimension}",
        title=f"By {title}",
        caption="A tick per trial, a dot on the best.",
        height=30 * len(choices),
        rows=rows,
        columns=(
            Column(heading(title), "choice", numeric=False),
            Column("Trial", "trial"),
            Column(heading(metric), "score"),
            Column("Best", "best", numeric=False),
        ),
    )


def score_by_learning_rate(entries: Sequence[Entry], metric: str) -> Chart | None:
    """Every score against the learning rate of its head, coloured by backbone; baselines were given theirs."""
    rows: list[Row] = [
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


def in_order(choices: set[str]) -> list[str]:
    """Numbers by size, then words by name: 0, 4, 12, all."""
    return sorted(choices, key=lambda choice: (0, float(choice), "") if choice.isdecimal() else (1, 0.0, choice))


def _round_rates(rates: Sequence[float]) -> list[float]:
    """The rates 1e-4, 3e-4, 1e-3 … that lie on an axis from the smallest to the largest."""
    exponents = range(math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates))) + 1)
    return [float(f"{digit}e{exponent}") for exponent in exponents for digit in (1, 3)]
