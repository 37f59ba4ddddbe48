"""Where did the time go?"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import altair as alt

from autotl.report.charts.drawing import CARD, Chart, Column, category_colours, finish, rows_of_the_chart, tip, unique
from autotl.report.entries import PARTS, Entry
from autotl.report.wording import duration, share


def wall_time(stages: Sequence[Mapping[str, Any]]) -> Chart | None:
    """One bar, stage after stage: what the person who waited saw."""
    return _stack(
        [(str(stage["stage"]), stage["seconds"]) for stage in stages],
        name="wall-time",
        title="The command, stage by stage",
        caption="Wall time, as the person who waited saw it.",
    )


def trial_time(entries: Sequence[Entry]) -> Chart | None:
    """One bar: what all trials together spent their time on."""
    return _stack(
        [(part, sum(entry.seconds[part] for entry in entries)) for part in PARTS],
        name="trial-time",
        title="Inside the trials, summed",
        caption="Workers run side by side, so this can exceed the wall time.",
    )


def _stack(parts: Sequence[tuple[str, float]], *, name: str, title: str, caption: str) -> Chart | None:
    spent = [(part, seconds) for part, seconds in parts if seconds]
    if not spent:
        return None
    ends = list(accumulate(seconds for _, seconds in spent))
    whole = ends[-1]
    rows = [
        {"part": part, "start": end - seconds, "end": end, "time": duration(seconds), "share": share(seconds, whole)}
        for (part, seconds), end in zip(spent, ends, strict=True)
    ]
    colours = category_colours(unique(rows, "part"))
    bar = (
        alt.Chart(rows_of_the_chart())
        .mark_bar(cornerRadius=3, stroke=CARD, strokeWidth=1, size=44)
        .encode(
            x=alt.X(
                "start:Q",
                title="seconds",
                axis=alt.Axis(grid=False, tickCount=6),
                scale=alt.Scale(domain=[0, whole], nice=False),
            ),
            x2="end:Q",
            color=alt.Color("part:N", scale=colours, legend=alt.Legend(columns=2)),
            tooltip=[tip("part:N"), tip("time:N"), tip("share:N")],
        )
    )
    columns = (Column("Part", "part", numeric=False), Column("Time", "time"), Column("Share", "share"))
    return finish(bar, name=name, title=title, caption=caption, height=48, rows=rows, columns=columns)
