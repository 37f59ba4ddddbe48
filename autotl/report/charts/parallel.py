"""How do whole plans run, from setting to setting, to their scores?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from autotl.report.charts.drawing import (
    ACCENT,
    CARD,
    INK,
    LINE,
    QUIET,
    Chart,
    Column,
    Datum,
    finish,
    heading,
    rows_of_the_chart,
    tip,
)
from autotl.report.entries import Entry, named
from autotl.report.sections.worth import in_order
from autotl.report.wording import rate, score

MOST_LINES = 200
MOST_AXES = 8
NARROWEST = 980  # pixels; on a phone it is as wide, and scrolls
MOST_CHOICES = 12  # of an axis: more names would stand on top of each other
BEST_SHARE = 0.1
ABOVE = 1.13  # where an axis's name stands: its values end at 1
SPREAD = 0.035  # of an axis, over which the trials of one choice are fanned out
SETTINGS = (
    "backbone",
    "image_size",
    "unfrozen_layers",
    "learning_rate",
    "adaptation",
    "head",
    "backbone_rate_ratio",
    "tap",
    "views",
    "dropout",
    "weight_decay",
    "label_smoothing",
    "epochs",
    "sequence_length",
    "pooling",
    "join",
    "together",
    "crop",
    "batch_size",
)
OTHERS = "others"
GROUPS = {OTHERS: QUIET, "best tenth": ACCENT, "winner": INK}


@dataclass(frozen=True)
class _Axis:
    """One upright line: where each trial crosses it (0 to 1, None where it has no such setting), and its labels."""

    name: str
    places: Mapping[int, float]
    words: Mapping[int, str]
    labels: Sequence[tuple[float, str]]


def parallel(
    entries: Sequence[Entry], metric: str, *, higher_is_better: bool, order: Sequence[str] = ()
) -> Chart | None:
    """A line per trial through every setting that varied, ending at its score; None where fewer than two did.

    Args:
        order: settings, the most important first, where that is known; those that do not fit are left out.
    """
    scored = [entry for entry in entries if entry.score is not None and entry.rank is not None]
    shown = _spread(scored)
    wanted = [*order, *(name for name in SETTINGS if name not in order)]
    axes = [axis for name in wanted if name in SETTINGS and (axis := _axis(name, shown)) is not None][:MOST_AXES]
    if len(axes) < 2 or len(shown) < 3:
        return None
    axes.append(_score_axis(shown, metric, higher_is_better=higher_is_better))
    groups = _groups(scored)
    lines = sorted(shown, key=lambda entry: list(GROUPS).index(groups[entry.trial]))
    at = list(range(len(axes)))
    rows: list[Datum] = [
        {
            "trial": entry.trial,
            "group": groups[entry.trial],
            "axis": at,
            "at": [axis.places.get(entry.trial) for axis in axes],
        }
        for entry in lines
    ]
    rows += [{"axis": [n], "at": [place], "label": words} for n in at for place, words in axes[n].labels]
    rows += [{"axis": [n], "at": [ABOVE], "title": axes[n].name} for n in at]
    return finish(
        _drawing(at, [name for name in GROUPS if name in groups.values()]),
        name="parallel",
        title="Plans, from setting to score",
        caption=f"A line per trial ({len(shown)} of {len(scored)} with a score), best at the top of the last axis. "
        "What the coloured lines share went along with good scores in this search.",
        height=320,
        rows=rows,
        columns=(Column("Trial", "trial"), *(Column(heading(axis.name), axis.name, numeric=False) for axis in axes)),
        table=[{"trial": e.trial, **{axis.name: axis.words.get(e.trial) for axis in axes}} for e in reversed(lines)],
    )


def _drawing(axes: Sequence[int], groups: Sequence[str]) -> Any:
    base = (
        alt.Chart(rows_of_the_chart())
        .transform_flatten(["axis", "at"])
        .encode(
            x=alt.X("axis:O", title=None, scale=alt.Scale(type="point", domain=list(axes), padding=0.35), axis=None),
            y=alt.Y("at:Q", title=None, scale=alt.Scale(domain=[-0.04, ABOVE + 0.03], nice=False), axis=None),
        )
    )
    labelled = base.transform_filter("datum.label")
    upright = labelled.mark_line(color=LINE, strokeWidth=1.5).encode(detail="axis:O")
    lines = (
        base.transform_filter("datum.group")
        .mark_line(interpolate="monotone", strokeJoin="round")
        .encode(
            detail="trial:N",
            color=alt.Color(
                "group:N",
                scale=alt.Scale(domain=list(groups), range=[GROUPS[name] for name in groups]),
                legend=alt.Legend(symbolType="stroke", symbolStrokeWidth=3),
            ),
            opacity=alt.condition(f"datum.group === '{OTHERS}'", alt.value(0.28), alt.value(0.85)),
            strokeWidth=alt.condition("datum.group === 'winner'", alt.value(2.8), alt.value(1.3)),
            tooltip=[tip("trial:Q"), tip("group:N", "among")],
        )
    )
    room = NARROWEST / len(axes)
    beside = {"align": "left", "dx": 5, "fontSize": 10.5, "limit": room - 6}
    halo = labelled.mark_text(stroke=CARD, strokeWidth=3, strokeOpacity=0.85, **beside).encode(text="label:N")
    words = labelled.mark_text(color=INK, **beside).encode(text="label:N")
    titles = (
        base.transform_filter("datum.title")
        .mark_text(fontWeight=600, color=INK, fontSize=10.5, limit=room - 6)
        .encode(text="title:N")
    )
    return upright + lines + halo + words + titles


def _axis(name: str, entries: Sequence[Entry]) -> _Axis | None:
    """The axis of one setting; None where it did not vary, or has more choices than can be told apart."""
    values = {entry.trial: entry.plan[name] for entry in entries if entry.plan.get(name) is not None}
    spoken = name.replace("_", " ")
    numbers = {trial: float(value) for trial, value in values.items() if _is_number(value)}
    if len(set(numbers.values())) > MOST_CHOICES and len(numbers) == len(values):
        return _scale(spoken, numbers)
    words = {trial: _words(value) for trial, value in values.items()}
    if name == "backbone":
        words = {entry.trial: entry.backbone for entry in entries if entry.trial in values}
    choices = in_order(set(words.values()))
    if not 1 < len(choices) <= MOST_CHOICES:
        return None
    middle = {choice: place / (len(choices) - 1) for place, choice in enumerate(choices)}
    places: dict[int, float] = {}
    for choice in choices:
        same = [trial for trial in words if words[trial] == choice]
        for turn, trial in enumerate(same):
            places[trial] = round(middle[choice] + SPREAD * (2 * turn / max(len(same) - 1, 1) - 1), 3)
    return _Axis(spoken, places, words, [(place, choice) for choice, place in middle.items()])


def _scale(name: str, numbers: Mapping[int, float]) -> _Axis:
    low, high = min(numbers.values()), max(numbers.values())
    is_log = low > 0 and high / low > 20
    bend = math.log if is_log else float
    span = bend(high) - bend(low)
    places = {trial: round((bend(value) - bend(low)) / span, 3) for trial, value in numbers.items()}
    halfway = math.sqrt(low * high) if is_log else (low + high) / 2
    labels = [(0.0, rate(low)), (0.5, rate(halfway)), (1.0, rate(high))]
    return _Axis(name, places, {trial: rate(value) for trial, value in numbers.items()}, labels)


def _score_axis(entries: Sequence[Entry], metric: str, *, higher_is_better: bool) -> _Axis:
    values = {entry.trial: entry.score.value for entry in entries if entry.score is not None}
    low, high = min(values.values()), max(values.values())
    worst, best = (low, high) if higher_is_better else (high, low)
    span = (best - worst) or 1.0
    places = {trial: round((value - worst) / span, 3) for trial, value in values.items()}
    labels = [(0.0, score(worst)), (0.5, score((worst + best) / 2)), (1.0, score(best))]
    return _Axis(metric, places, {trial: score(value) for trial, value in values.items()}, labels)


def _spread(ranked: Sequence[Entry]) -> list[Entry]:
    """At most `MOST_LINES`: the best quarter of that, the others evenly from what follows, so that the bad are seen."""
    if len(ranked) <= MOST_LINES:
        return list(ranked)
    best, rest = ranked[: MOST_LINES // 4], ranked[MOST_LINES // 4 :]
    wanted = MOST_LINES - len(best)
    return [*best, *(rest[place * (len(rest) - 1) // (wanted - 1)] for place in range(wanted))]


def _groups(ranked: Sequence[Entry]) -> dict[int, str]:
    by_score = [entry.trial for entry in ranked]
    best = set(by_score[: max(1, round(BEST_SHARE * len(by_score)))])
    return {
        entry.trial: "winner" if entry.winner else "best tenth" if entry.trial in best else OTHERS for entry in ranked
    }


def _words(value: Any) -> str:
    return named(value) if isinstance(value, Mapping) else rate(value) if isinstance(value, float) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
