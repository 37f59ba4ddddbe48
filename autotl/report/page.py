"""Values poured into the templates: one HTML file that needs nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from autotl.report import wording
from autotl.report.entries import Entry, Interval, read_entries, score_name, were_judged, winner_of
from autotl.report.pouring import environment, packaged, policy
from autotl.report.values import Json, ReportValues

if TYPE_CHECKING:
    from autotl.report.charts import Chart
    from autotl.report.sections import Matrix

MOST_CURVES = 40
"""Trials in the learning curves, best first; more would be a grey carpet and a heavy page."""


@dataclass(frozen=True)
class _Read:
    """The values, safe to lay out, and what several sections ask of them.

    Keys that a run may lack stand in `task` and `headline` once, so that a template that names a key wrongly fails
    loudly.
    """

    values: ReportValues
    task: Json
    headline: Json
    leaderboard: Json  # without its rows
    evidence: Json
    entries: Sequence[Entry]

    @classmethod
    def of(cls, values: ReportValues) -> "_Read":
        return cls(
            values,
            task={"name": None, "modality": None, **wording.plain(values.task)},
            headline={"sentences": [], **wording.plain(values.headline)},
            leaderboard=wording.plain({name: value for name, value in values.leaderboard.items() if name != "trials"}),
            evidence=wording.plain(values.evidence),
            entries=read_entries(values.leaderboard),
        )

    @property
    def winner(self) -> Entry | None:
        return winner_of(self.entries)

    @property
    def metric(self) -> str:
        return str(self.leaderboard.get("metric") or self.task.get("metric") or "score")

    @property
    def metric_is_better_higher(self) -> bool:
        return bool(self.leaderboard.get("higher_is_better", True))

    @property
    def higher_is_better(self) -> bool:
        """Of what trials were ranked by, which is the metric or a gain."""
        return were_judged(self.entries) or self.metric_is_better_higher


def render(values: ReportValues) -> str:
    """The report as one HTML page: at most 2 MB, no outside address, nothing in it runs but our own scripts."""
    read = _Read.of(values)
    parts = {**_frame(values), **_found(read), **_of_the_winner(read), **_made_of(read), **_drawn(read)}
    return environment().get_template("report.html.j2").render(parts)


def _frame(values: ReportValues) -> dict[str, Any]:
    """What holds the page together."""
    from markupsafe import Markup

    from autotl.report.vendor import libraries

    # Inline scripts are marked safe because they are packaged files; nothing of the values is ever in them.
    scripts = [Markup(script) for script in (*(library.script for library in libraries()), packaged("page.js"))]
    style = Markup(packaged("page.css"))
    return {
        "policy": policy(scripts, style),
        "scripts": scripts,
        "style": style,
        "libraries": libraries(),
        "versions": wording.plain(values.versions),
        "reproduce": wording.plain(values.reproduce),
        "partial": wording.plain(values.partial),
        "generated": wording.plain(values.generated),
    }


def _found(read: _Read) -> dict[str, Any]:
    """What the search found, and what that is worth."""
    from autotl.report import sections

    values, entries, headline = read.values, read.entries, read.headline
    timing, price = wording.plain(values.timing), sections.Price.read(values.price)
    around = sections.circumstances(
        test=values.test,
        findings=wording.plain(values.findings),
        confusion=wording.plain(values.confusion),
        refit=values.refit,
        metric_is_better_higher=read.metric_is_better_higher,
        whole=sections.whole(read.evidence, read.metric, metric_is_better_higher=read.metric_is_better_higher),
        misgivings=sections.misgivings(read.evidence),
    )
    return {
        "metric": read.metric,
        "score_name": score_name(entries, read.metric),
        "higher_is_better": read.higher_is_better,
        "regime": read.leaderboard.get("regime"),
        "headline": headline,
        "figures": sections.summary_figures({**read.task, "metric": read.metric}, headline, entries),
        "verdict": sections.verdict(
            entries, headline, around, higher_is_better=read.higher_is_better, timing=timing, price=price
        ),
        "transfer": sections.transfer(entries, headline, higher_is_better=read.metric_is_better_higher),
        "together": sections.together(entries, wording.plain(values.together) if values.together else None),
        "front": sections.front(entries, values.leaderboard, higher_is_better=read.higher_is_better),
        "choices": sections.worth(entries, higher_is_better=read.higher_is_better),
        "importance": wording.plain(values.importance),
        "spending": sections.spending(timing, entries, price),
        "leader": next((entry for entry in entries if entry.rank is not None), None),
        "board": sections.board(entries),
        "committee": sections.committee(entries, headline),
        "gap": sections.gap(wording.plain(values.gap)) if values.gap else None,
        "privacy": sections.privacy(wording.plain(values.privacy) if values.privacy else None),
    }


def _of_the_winner(read: _Read) -> dict[str, Any]:
    """How the winner behaves."""
    from autotl.report import sections

    values, evidence, winner = read.values, read.evidence, read.winner
    return {
        "winner": winner,
        "winner_plan": sections.winner_plan(winner) if winner else [],
        "confusion": _confusion(values),
        # of numbers there is nothing to scale: what there is to say stands in their own section
        "calibration": None if evidence.get("numbers") else wording.plain(values.calibration),
        "numbers": sections.numbers(evidence),
        "by_class": sections.by_class(evidence),
        "by_label": sections.by_label(evidence),
        "scaled": sections.scaled(values.calibration, evidence),
        "abstaining": sections.abstaining(evidence),
        "unlike": sections.unlike(evidence),
        "thresholds": sections.thresholds(evidence),
        "examples": sections.examples(values.examples),
        "refit": {"reason": None, **wording.plain(values.refit)} if values.refit else None,
    }


def _confusion(values: ReportValues) -> "Matrix | None":
    from autotl.report import sections

    return sections.matrix(wording.plain(values.confusion)) if values.confusion else None


def _made_of(read: _Read) -> dict[str, Any]:
    """What was asked for, and of which data and space it was made."""
    from autotl.report import sections

    values, data = read.values, wording.plain(read.values.data)
    return {
        "task": read.task,
        "settings": sections.further_settings(read.task),
        "budget": sections.budget_text(read.task.get("budget")),
        "setting": {"name": None, "sentences": [], **wording.plain(values.setting)},
        "dimensions": sections.dimensions(wording.plain(values.space), read.entries),
        "domains": sections.domains(data),
        "notes": data.get("notes", []),
        "houses": data.get("houses", []),
        "broken": data.get("broken", []),
        "findings": sections.findings_by_severity(wording.plain(values.findings)),
    }


def _drawn(read: _Read) -> dict[str, Any]:
    """Charts by name, and what draws them."""
    from autotl.report import charts

    drawn = {chart.name: chart for chart in _charts(read) if chart is not None}
    return {"charts": drawn, "drawings": {"config": charts.CONFIG, **_drawings(list(drawn.values()))}}


def _charts(read: _Read) -> "Iterator[Chart | None]":
    from autotl.report import charts, sections

    values, entries, winner = read.values, read.entries, read.winner
    shown, confusion = sections.worth_showing(entries), _confusion(values)
    scored = score_name(entries, read.metric)
    steps = {int(trial): curve for trial, curve in wording.plain(values.curves).items()}
    with_curves = [entry for entry in shown if entry.trial in steps][:MOST_CURVES]
    importance = wording.plain(values.importance)
    order = [each["name"] for each in importance["parameters"]] if importance else []
    choices = sections.worth(entries, higher_is_better=read.higher_is_better)
    yield _comparison(shown, winner, read.metric) if winner and winner.score else None
    yield from charts.learning_curves(
        {entry.trial: steps[entry.trial] for entry in with_curves}, with_curves, read.metric
    )
    yield from charts.score_against_cost(shown, scored, higher_is_better=read.higher_is_better)
    yield charts.confusion(confusion.classes, confusion.counts) if confusion and confusion.classes else None
    yield charts.importance(importance)
    yield from (charts.best_by(each, shown, scored) for each in choices if each.name in charts.FIELDS)
    yield charts.score_by_learning_rate(shown, scored)
    yield charts.parallel(entries, scored, higher_is_better=read.higher_is_better, order=order)
    yield charts.wall_time(wording.plain(values.timing.get("stages", [])))
    yield charts.trial_time(entries)
    yield from charts.maps(wording.plain(values.gap) if values.gap else {})
    yield from _behaviour(wording.plain(values.calibration or {}), read.evidence)


def _drawings(charts: "Sequence[Chart]") -> dict[str, Any]:
    """The specs, and apart from them the rows: charts that draw the same rows share them."""
    rows: list[Any] = []
    places: dict[int, int] = {}
    specs = {}
    for chart in charts:
        if id(chart.rows) not in places:
            places[id(chart.rows)] = len(rows)
            rows.append(chart.rows)
        specs[chart.name] = {"spec": chart.spec, "rows": places[id(chart.rows)]}
    return {"rows": rows, "charts": specs}


def _behaviour(calibration: Json, evidence: Json) -> "Iterator[Chart | None]":
    """How the winner behaves."""
    from autotl.report import charts

    yield charts.reliability(calibration.get("bins", []), calibration.get("bins_before", []))
    yield charts.risk_coverage((evidence.get("abstaining") or {}).get("curves", []))
    yield from charts.threshold_curves((evidence.get("thresholds") or {}).get("views", []))
    yield charts.columns_that_matter(evidence.get("columns"))
    yield from charts.predicted_and_true(evidence.get("numbers"))


def _comparison(entries: Sequence[Entry], winner: Entry, metric: str) -> "Chart | None":
    """Winner and baselines by the task's metric; where ranks decided, that is known of the source."""
    from autotl.report import charts

    if not were_judged(entries):
        return charts.comparison(entries, winner, metric)
    on_source = [replace(entry, score=Interval.read(entry.scores.get(f"source_{metric}"))) for entry in entries]
    return charts.comparison(on_source, next(each for each in on_source if each.winner), metric, scored_on="source")
