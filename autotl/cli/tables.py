"""Tables and lines for a terminal: values in, rich renderables or plain words out. Nothing here prints."""

import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from autotl.data.examples import Finding
from autotl.leaderboard import BestOfTask
from autotl.leaderboard.comparing import Comparison
from autotl.report import wording
from autotl.report.entries import Entry, Interval, network_words, read_entries, recipe_words, score_name
from autotl.report.wording import NOTHING, visible

MOST_REASONS = 5
STATUS_STYLES = {"failed": "red", "skipped": "yellow", "pruned": "dim", "running": "cyan"}
SEVERITY_MARKS = {"error": "✗", "warning": "!", "info": "·"}


@dataclass(frozen=True)
class _Column:
    """A column of the leaderboard, its cells in the order of the rows."""

    title: str
    cells: Sequence[Text]
    justify: JustifyMethod = "left"
    may_go: int = 0  # where the terminal is narrow, the highest goes first; 0 stays

    @property
    def is_empty(self) -> bool:
        return bool(self.cells) and all(cell.plain in ("", NOTHING) for cell in self.cells)

    @property
    def width(self) -> int:
        lines = [self.title, *(line for cell in self.cells for line in cell.plain.split("\n"))]
        return max(cell_len(line) for line in lines)


def leaderboard_table(
    leaderboard: Mapping[str, Any],
    *,
    width: int | None = None,
    limit: int | None = None,
    trials: Sequence[int] | None = None,
) -> Table:
    """The leaderboard, best first, for a terminal: a line per trial where there is room, else two or three.

    Args:
        leaderboard: the content of a `leaderboard.json`.
        width: columns of the terminal; asked of it where left out.
        limit: rows at most; winner and named baselines are shown beyond it, the caption counts the rest.
        trials: which to show, in this order, each with its own rank; all of them, best first, where left out.
    """
    width = width or shutil.get_terminal_size((100, 24)).columns
    rows = leaderboard.get("trials", [])
    named = {row["trial"] for row in rows if row.get("winner") or row.get("baseline") is not None}
    order = [row["trial"] for row in rows] if trials is None else trials
    numbers = [number for place, number in enumerate(order) if limit is None or place < limit or number in named]
    by_trial = {entry.trial: entry for entry in read_entries(leaderboard, only=set(numbers))}
    shown = [by_trial[number] for number in numbers]
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
        caption=_caption(rows, shown=len(shown), left_out="lower" if trials is None else "other"),
        caption_justify="left",
        caption_style="",
    )
    columns = _columns(shown, score_name(shown, visible(str(leaderboard.get("metric") or "score"))), width)
    for column in columns:
        table.add_column(column.title, justify=column.justify, no_wrap=column.title != "model", overflow="fold")
    for place, entry in enumerate(shown):
        table.add_row(*(column.cells[place] for column in columns), style=_row_style(entry))
    return table


def overview_table(tasks: Sequence[BestOfTask]) -> Table:
    """The best of every task, a task a row."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for title in ("task", "best run", "model", "metric", "expected", "test", "MB", "ms"):
        table.add_column(title, overflow="fold")
    for best in tasks:
        expected = "no target labels" if best.run and best.figure is None else _overview_figure(best.figure)
        table.add_row(
            visible(f"{best.task}\n{best.runs} run{'' if best.runs == 1 else 's'}"),
            visible(f"{best.run}\ntrial {best.trial}" if best.run else "no model yet"),
            "" if best.plan is None else _stacked(network_words(best.plan), recipe_words(best.plan)),
            visible(best.metric.replace("_", " ")),
            expected,
            _overview_figure(best.test),
            wording.megabytes(best.model_mb).removesuffix(" MB"),
            wording.milliseconds(best.latency_ms).removesuffix(" ms"),
        )
    return table


def models_table(models: Sequence[Mapping[str, Any]]) -> Table:
    """The registry, a version a row, the latest of a model first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for title in ("model", "aliases", "expected", "test", "MB", "ms", "from", "signed off"):
        table.add_column(title, overflow="fold")
    for model in models:
        for version in reversed(model["versions"]):
            name = f"{model['model']}:{version['version']}"
            aliases = Text(", ".join(version["aliases"]), style="bold green")
            if version["damaged"] is not None:
                table.add_row(name, aliases, Text(visible(version["damaged"]), style="red"))
                continue
            figures, cost, signed = version["figures"], version["cost"], version["sign_off"]
            table.add_row(
                _stacked(visible(name), visible(version["metric"].replace("_", " "))),
                aliases,
                _overview_figure(figures["corrected"]),
                _overview_figure(figures["test"]),
                wording.megabytes(cost["model_mb"]).removesuffix(" MB"),
                wording.milliseconds(cost["latency_ms"]).removesuffix(" ms"),
                visible(f"{version['source']['run']}/{version['source']['trial']}"),
                _stacked(visible(signed["reason"]), visible(f"{signed['by']}, {signed['at'][:16].replace('T', ' ')}")),
            )
    return table


def comparison_table(comparison: Comparison) -> Table:
    """Trials side by side: a column each, and a row for whatever is worth knowing of them; then what differs."""
    sides = comparison.sides
    entries = [read_entries({"trials": [side.row]})[0] for side in sides]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("")
    for side in sides:
        table.add_column(visible(side.label), overflow="fold")
    scores = {score_name([entry], visible(side.metric)) for side, entry in zip(sides, entries, strict=True)}
    rows: list[tuple[str, Sequence[str | Text]]] = [
        ("trial", [_trial_words(entry) for entry in entries]),
        ("model", [_stacked(entry.network, entry.recipe) for entry in entries]),
        (" or ".join(sorted(scores)), [_stacked(*_figure(entry.score)) for entry in entries]),
        ("expected on new examples", [_overview_figure(side.corrected) for side in sides]),
        ("test", [_stacked(*_figure(entry.test)) for entry in entries]),
        ("test, retrained", [_stacked(*_figure(entry.refit_test)) for entry in entries]),
        ("parameters", [wording.magnitude(entry.params) for entry in entries]),
        ("size", [wording.megabytes(entry.model_mb) for entry in entries]),
        ("one prediction", [_latency(entry) + (" ms" if entry.latency_ms is not None else "") for entry in entries]),
        ("time of the trial", [wording.duration(entry.total_seconds) for entry in entries]),
    ]
    for title, cells in rows:
        if any(str(cell) not in ("", NOTHING) for cell in cells):
            table.add_row(title, *cells)
    table.add_section()
    for field, values in comparison.differences.items():
        table.add_row(visible(field), *(_plan_value(value) for value in values))
    return table


def _trial_words(entry: Entry) -> str:
    marks = [mark.plain for mark in _marks(entry)]
    return ", ".join([str(entry.trial), *marks])


def _plan_value(value: Any) -> str:
    if value is None:
        return NOTHING
    return visible(f"{value:.3g}" if isinstance(value, float) else str(value))


def _overview_figure(figure: Mapping[str, Any] | None) -> Text:
    return _stacked(*_figure(Interval.read(figure)))


def plan_words(plan: Mapping[str, Any]) -> str:
    """A plan in one line: `MobileNetV2 at 160 px · 12 unfrozen · linear`."""
    return visible(f"{network_words(plan)} · {recipe_words(plan)}")


def findings_words(findings: Iterable[Finding]) -> list[str]:
    """The audit's findings, a line each, the gravest first; examples follow their finding."""
    lines = []
    for finding in sorted(findings, key=lambda finding: list(SEVERITY_MARKS).index(finding.severity)):
        lines.append(
            visible(f"{SEVERITY_MARKS[finding.severity]} {finding.severity}: {finding.message} ({finding.code})")
        )
        lines += [visible(f"    {example}") for example in finding.examples[:3]]
        if len(finding.examples) > 3:
            lines.append(f"    and {len(finding.examples) - 3} more")
    return lines


def _columns(entries: Sequence[Entry], metric: str, width: int) -> list[_Column]:
    wide = [column for column in _in_lines(entries, metric) if not column.is_empty]
    if _width(wide) <= width:
        return wide
    columns = [column for column in _in_stacks(entries, metric) if not column.is_empty]
    while _width(columns) > width and any(column.may_go for column in columns):
        columns.remove(max(columns, key=lambda column: column.may_go))
    return columns


def _width(columns: Sequence[_Column]) -> int:
    return sum(column.width + 2 for column in columns)  # a blank and the box's own separator


def _in_lines(entries: Sequence[Entry], metric: str) -> list[_Column]:
    """A line per trial: the plan in columns of its own."""
    adapted = any(entry.adaptation not in ("none", NOTHING) for entry in entries)
    return [
        *_leading_columns(entries),
        _Column("model", [Text(entry.backbone) for entry in entries]),
        _Column("px", [Text(str(entry.plan.get("image_size") or "")) for entry in entries], "right"),
        _Column("unfrozen", [Text(entry.unfrozen) for entry in entries], "right"),
        _Column("head", [Text(entry.head) for entry in entries]),
        _Column("adaptation", [Text(entry.adaptation if adapted else "") for entry in entries]),
        _Column(metric, [_in_line(entry.score) for entry in entries]),
        _Column("test", [Text(_figure(entry.test)[0] if entry.test else "") for entry in entries], "right"),
        _Column("ε", [Text(_epsilon(entry)) for entry in entries], "right"),
        _Column("params", [Text(wording.magnitude(entry.params)) for entry in entries], "right"),
        _Column("MB", [Text(wording.megabytes(entry.model_mb).removesuffix(" MB")) for entry in entries], "right"),
        _Column("ms", [Text(_latency(entry)) for entry in entries], "right"),
        _Column("time", [Text(wording.duration(entry.total_seconds)) for entry in entries], "right"),
        _Column("", [Text(", ").join(_marks(entry)) for entry in entries]),
    ]


def _in_stacks(entries: Sequence[Entry], metric: str) -> list[_Column]:
    """Two or three lines per trial: the plan under its model, an interval under its figure."""
    return [
        *_leading_columns(entries),
        _Column("model", [_stacked(Text(entry.network), Text(entry.recipe), *_marks(entry)) for entry in entries]),
        _Column(metric, [_stacked(*_figure(entry.score)) for entry in entries], "right"),
        _Column("test", [_stacked(*_figure(entry.test)) for entry in entries], "right", may_go=1),
        _Column("ε", [Text(_epsilon(entry)) for entry in entries], "right"),
        _Column("size", [_stacked(*_size(entry)) for entry in entries], "right", may_go=2),
        _Column("ms", [Text(_latency(entry)) for entry in entries], "right", may_go=3),
        _Column("time", [Text(wording.duration(entry.total_seconds)) for entry in entries], "right", may_go=4),
    ]


def _leading_columns(entries: Sequence[Entry]) -> list[_Column]:
    return [
        _Column("#", [_rank(entry) for entry in entries], "right"),
        _Column("trial", [Text(str(entry.trial), style="dim") for entry in entries], "right"),
    ]


def _rank(entry: Entry) -> Text:
    if entry.rank is None:
        return Text("")
    return Text(f"★ {entry.rank}" if entry.winner else str(entry.rank))


def _figure(figure: Interval | None) -> tuple[str, str]:
    ends = figure.ends if figure else None
    below = f"{wording.score(ends[0])}–{wording.score(ends[1])}" if ends else ""
    return wording.score(figure.value if figure else None), below


def _in_line(figure: Interval | None) -> Text:
    if figure is None:
        return Text("")
    value, ends = _figure(figure)
    return Text.assemble((value, "bold"), "  ", (ends, "dim"))


def _size(entry: Entry) -> tuple[str, str]:
    return wording.magnitude(entry.params), wording.megabytes(entry.model_mb)


def _stacked(first: str | Text, *below: str | Text) -> Text:
    """Lines in one cell, those below quieter unless they have a style; nothing where the first says nothing."""
    if str(first) == NOTHING:
        return Text("")
    lines = [
        line if isinstance(line, Text) else Text(line, style="dim") for line in below if str(line) not in ("", NOTHING)
    ]
    return Text("\n").join([Text(str(first)), *lines])


def _epsilon(entry: Entry) -> str:
    """What its training spent of a budget of privacy; nothing where there is none."""
    return f"{entry.epsilon:.3g}" if entry.epsilon else ""


def _latency(entry: Entry) -> str:
    if entry.latency_ms is None:
        return NOTHING
    words = wording.milliseconds(entry.latency_ms).removesuffix(" ms")
    return f"≈{words}" if entry.latency_estimated else words


def _marks(entry: Entry) -> list[Text]:
    """What is special about a row: winner, baseline, how it ended."""
    marks = [Text("winner", style="bold green")] if entry.winner else []
    if entry.is_baseline:
        marks.append(Text(entry.baseline or f"a {entry.baseline_of}", style="yellow"))
    if entry.repeat_of is not None:
        marks.append(Text(f"repeat of {entry.repeat_of}", style="dim"))
    if entry.seed_words:
        marks.append(Text(entry.seed_words, style="dim"))
    if entry.status != "complete":
        marks.append(Text(entry.status, style=STATUS_STYLES.get(entry.status, "")))
    return marks


def _row_style(entry: Entry) -> str:
    if entry.winner:
        return "bold green"
    return "dim" if entry.status in ("failed", "skipped", "pruned") else ""


def _caption(rows: Sequence[Mapping[str, Any]], *, shown: int, left_out: str) -> Text:
    """What the lines do not say: how many there are, who is tied, what went wrong."""
    lines = [_counts(rows, shown, left_out)]
    winner = next((row for row in rows if row.get("winner")), None)
    group = None if winner is None else winner.get("tie_group")
    tied = [row["trial"] for row in rows if group and row.get("tie_group") == group and row is not winner]
    if winner and tied:
        lines.append(
            f"Trial {winner['trial']} cannot be told apart from {_trials(tied)}; ties go to the cheaper model."
        )
    reasons: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        if row["status"] in ("failed", "skipped"):
            reason = visible(str(row.get("failure") or row.get("reason") or "no reason was recorded"))
            reasons.setdefault((row["status"], reason), []).append(row["trial"])
    ordered = sorted(reasons.items(), key=lambda item: (-len(item[1]), item[1]))
    lines += [
        f"{len(trials)} {status}: {reason} ({_trials(trials)})" for (status, reason), trials in ordered[:MOST_REASONS]
    ]
    if len(ordered) > MOST_REASONS:
        lines.append(f"and {len(ordered) - MOST_REASONS} more reasons, in leaderboard.json")
    return Text("\n".join(lines), style="dim")


def _counts(rows: Sequence[Mapping[str, Any]], shown: int, left_out: str) -> str:
    counts = Counter(visible(str(row["status"])) for row in rows)
    counted = ", ".join(f"{number} {status}" for status, number in counts.items())
    hidden = len(rows) - shown
    more = f"; {hidden} {left_out} trial{'s' if hidden > 1 else ''} not shown" if hidden else ""
    return f"{len(rows)} trial{'' if len(rows) == 1 else 's'}: {counted}{more}." if rows else "No trial yet."


def _trials(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:8])
    more = f" and {len(numbers) - 8} more" if len(numbers) > 8 else ""
    return f"trial{'s' if len(numbers) > 1 else ''} {shown}{more}"
