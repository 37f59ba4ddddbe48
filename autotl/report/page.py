"""Values poured into the templates: one HTML file that needs nothing else."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from autotl.report import wording
from autotl.report.entries import Entry, Interval, read_entries, score_name, were_judged, winner_of
from autotl.report.gap_figures import gap_section
from autotl.report.values import ReportValues

if TYPE_CHECKING:
    from jinja2 import Environment

    from autotl.report.charts import Chart
    from autotl.report.sections import Matrix

MOST_CURVES = 40
"""Trials in the learning curves, best first; more would be a grey carpet and a heavy page."""


def render(values: ReportValues) -> str:
    """The report as one HTML page: at most 2 MB, no outside address, nothing in it runs but our own scripts."""
    from markupsafe import Markup

    from autotl.report import charts, sections
    from autotl.report.vendor import libraries

    # Keys that a run may lack stand here once, so that a template that names a key wrongly fails loudly.
    task = {"name": None, "modality": None, **wording.plain(values.task)}
    setting = {"name": None, "sentences": [], **wording.plain(values.setting)}
    headline = {"sentences": [], **wording.plain(values.headline)}
    leaderboard, data, space = (
        wording.plain(values.leaderboard),
        wording.plain(values.data),
        wording.plain(values.space),
    )
    entries = read_entries(leaderboard)
    winner = winner_of(entries)
    metric = str(leaderboard.get("metric") or task.get("metric") or "score")
    confusion = sections.matrix(wording.plain(values.confusion)) if values.confusion else None
    drawn = _charts(values, sections.worth_showing(entries), confusion, metric)
    # Inline scripts are marked safe because they are packaged files; nothing of the values is ever in them.
    scripts = [Markup(script) for script in (*(library.script for library in libraries()), _packaged("page.js"))]
    style = Markup(_packaged("page.css"))
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            policy=_policy(scripts, style),
            scripts=scripts,
            style=style,
            libraries=libraries(),
            drawings={"config": charts.CONFIG, "charts": {chart.name: chart.drawing for chart in drawn.values()}},
            charts=drawn,
            task=task,
            settings=sections.further_settings(task),
            budget=sections.budget_text(task.get("budget")),
            setting=setting,
            metric=metric,
            score_name=score_name(entries, metric),
            higher_is_better=were_judged(entries) or leaderboard.get("higher_is_better", True),
            regime=leaderboard.get("regime"),
            headline=headline,
            figures=sections.summary_figures({**task, "metric": metric}, headline, entries),
            winner=winner,
            winner_plan=sections.winner_plan(winner) if winner else [],
            board=sections.board(entries),
            committee=sections.committee(entries, headline),
            gap=gap_section(wording.plain(values.gap)) if values.gap else None,
            confusion=confusion,
            dimensions=sections.dimensions(space, entries),
            domains=sections.domains(data),
            notes=data.get("notes", []),
            broken=data.get("broken", []),
            findings=sections.findings_by_severity(wording.plain(values.findings)),
            calibration=wording.plain(values.calibration),
            refit={"reason": None, **wording.plain(values.refit)} if values.refit else None,
            versions=wording.plain(values.versions),
            reproduce=wording.plain(values.reproduce),
            partial=wording.plain(values.partial),
            generated=wording.plain(values.generated),
        )
    )


def _charts(
    values: ReportValues, entries: Sequence[Entry], confusion: "Matrix | None", metric: str
) -> "dict[str, Chart]":
    from autotl.report import charts

    winner = winner_of(entries)
    higher = were_judged(entries) or bool(values.leaderboard.get("higher_is_better", True))
    scored = score_name(entries, metric)
    steps = {int(trial): curve for trial, curve in wording.plain(values.curves).items()}
    with_curves = [entry for entry in entries if entry.trial in steps][:MOST_CURVES]
    drawn = [
        _comparison(entries, winner, metric) if winner and winner.score else None,
        *charts.learning_curves({entry.trial: steps[entry.trial] for entry in with_curves}, with_curves, metric),
        *charts.score_against_cost(entries, scored, higher_is_better=higher),
        charts.confusion(confusion.classes, confusion.counts) if confusion and confusion.classes else None,
        charts.best_by("backbone", entries, scored, higher_is_better=higher),
        charts.best_by("unfrozen", entries, scored, higher_is_better=higher),
        charts.best_by("adaptation", entries, scored, higher_is_better=higher),
        charts.score_by_learning_rate(entries, scored),
        charts.wall_time(wording.plain(values.timing.get("stages", []))),
        charts.trial_time(entries),
        *charts.maps(wording.plain(values.gap) if values.gap else {}),
        charts.reliability(wording.plain(values.calibration.get("bins", []))) if values.calibration else None,
    ]
    return {chart.name: chart for chart in drawn if chart is not None}


def _comparison(entries: Sequence[Entry], winner: Entry, metric: str) -> "Chart | None":
    """Winner and baselines by the task's metric; where ranks decided, that is known of the source."""
    from autotl.report import charts

    if not were_judged(entries):
        return charts.comparison(entries, winner, metric)
    on_source = [replace(entry, score=Interval.read(entry.scores.get(f"source_{metric}"))) for entry in entries]
    return charts.comparison(on_source, next(each for each in on_source if each.winner), metric, scored_on="source")


def _policy(scripts: Sequence[str], style: str) -> str:
    """The page's Content-Security-Policy: load nothing, run and style only what these hashes name."""
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _packaged(name: str) -> str:
    return (files("autotl.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("autotl.report", "templates"),
        autoescape=True,  # for every name: select_autoescape() would leave *.j2 alone
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        score=wording.score,
        count=wording.count,
        magnitude=wording.magnitude,
        megabytes=wording.megabytes,
        milliseconds=wording.milliseconds,
        duration=wording.duration,
        cell=_cell,
    )
    return environment


def _cell(value: Any) -> str:
    """A figure in the table under a chart."""
    if value is None:
        return wording.NOTHING
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
