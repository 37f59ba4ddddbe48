"""Values poured into the templates: one HTML file that needs nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autotl.report import wording
from autotl.report.entries import Entry, Interval, read_entries, score_name, were_judged, winner_of
from autotl.report.gap_figures import gap_section
from autotl.report.pouring import environment, packaged, policy
from autotl.report.values import Json, ReportValues

if TYPE_CHECKING:
    from autotl.report.charts import Chart
    from autotl.report.sections import Matrix
    from autotl.report.sections.worth import Dimension as Choices

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
    data, space = wording.plain(values.data), wording.plain(values.space)
    leaderboard = wording.plain({name: value for name, value in values.leaderboard.items() if name != "trials"})
    entries = read_entries(values.leaderboard)
    winner = winner_of(entries)
    metric = str(leaderboard.get("metric") or task.get("metric") or "score")
    evidence = wording.plain(values.evidence)
    confusion = sections.matrix(wording.plain(values.confusion)) if values.confusion else None
    higher_is_better = were_judged(entries) or bool(leaderboard.get("higher_is_better", True))
    choices = sections.worth(entries, higher_is_better=higher_is_better)
    price = sections.Price.read(values.price)
    drawn = _charts(values, entries, choices, confusion, metric)
    # Inline scripts are marked safe because they are packaged files; nothing of the values is ever in them.
    scripts = [Markup(script) for script in (*(library.script for library in libraries()), packaged("page.js"))]
    style = Markup(packaged("page.css"))
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            policy=policy(scripts, style),
            scripts=scripts,
            style=style,
            libraries=libraries(),
            drawings={"config": charts.CONFIG, **_drawings(list(drawn.values()))},
            charts=drawn,
            task=task,
            settings=sections.further_settings(task),
            budget=sections.budget_text(task.get("budget")),
            setting=setting,
            metric=metric,
            score_name=score_name(entries, metric),
            higher_is_better=higher_is_better,
            regime=leaderboard.get("regime"),
            headline=headline,
            figures=sections.summary_figures({**task, "metric": metric}, headline, entries),
            verdict=sections.verdict(
                entries,
                headline,
                sections.circumstances(
                    test=values.test,
                    findings=wording.plain(values.findings),
                    confusion=wording.plain(values.confusion),
                    refit=values.refit,
                    metric_is_better_higher=bool(leaderboard.get("higher_is_better", True)),
                    whole=sections.whole(
                        evidence, metric, metric_is_better_higher=bool(leaderboard.get("higher_is_better", True))
                    ),
                    misgivings=sections.misgivings(evidence),
                ),
                higher_is_better=higher_is_better,
                timing=values.timing,
                price=price,
            ),
            transfer=sections.transfer(
                entries, headline, higher_is_better=bool(leaderboard.get("higher_is_better", True))
            ),
            together=sections.together(entries, wording.plain(values.together) if values.together else None),
            front=sections.front(entries, values.leaderboard, higher_is_better=higher_is_better),
            choices=choices,
            importance=wording.plain(values.importance),
            spending=sections.spending(wording.plain(values.timing), entries, price),
            winner=winner,
            leader=next((entry for entry in entries if entry.rank is not None), None),
            winner_plan=sections.winner_plan(winner) if winner else [],
            board=sections.board(entries),
            committee=sections.committee(entries, headline),
            gap=gap_section(wording.plain(values.gap)) if values.gap else None,
            privacy=sections.privacy(wording.plain(values.privacy) if values.privacy else None),
            confusion=confusion,
            dimensions=sections.dimensions(space, entries),
            domains=sections.domains(data),
            notes=data.get("notes", []),
            houses=data.get("houses", []),
            broken=data.get("broken", []),
            findings=sections.findings_by_severity(wording.plain(values.findings)),
            # of numbers there is nothing to scale: what there is to say stands in their own section
            calibration=None if evidence.get("numbers") else wording.plain(values.calibration),
            numbers=sections.numbers(evidence),
            by_class=sections.by_class(evidence),
            by_label=sections.by_label(evidence),
            scaled=sections.scaled(values.calibration, evidence),
            abstaining=sections.abstaining(evidence),
            unlike=sections.unlike(evidence),
            thresholds=sections.thresholds(evidence),
            examples=sections.examples(values.examples),
            refit={"reason": None, **wording.plain(values.refit)} if values.refit else None,
            versions=wording.plain(values.versions),
            reproduce=wording.plain(values.reproduce),
            partial=wording.plain(values.partial),
            generated=wording.plain(values.generated),
        )
    )


def _charts(
    values: ReportValues,
    entries: Sequence[Entry],
    choices: "Sequence[Choices]",
    confusion: "Matrix | None",
    metric: str,
) -> "dict[str, Chart]":
    from autotl.report import charts, sections

    winner = winner_of(entries)
    shown = sections.worth_showing(entries)
    higher = were_judged(entries) or bool(values.leaderboard.get("higher_is_better", True))
    scored = score_name(entries, metric)
    steps = {int(trial): curve for trial, curve in wording.plain(values.curves).items()}
    with_curves = [entry for entry in shown if entry.trial in steps][:MOST_CURVES]
    importance = wording.plain(values.importance)
    order = [each["name"] for each in importance["parameters"]] if importance else []
    drawn = [
        _comparison(shown, winner, metric) if winner and winner.score else None,
        *charts.learning_curves({entry.trial: steps[entry.trial] for entry in with_curves}, with_curves, metric),
        *charts.score_against_cost(shown, scored, higher_is_better=higher),
        charts.confusion(confusion.classes, confusion.counts) if confusion and confusion.classes else None,
        charts.importance(importance),
        *(charts.best_by(each, shown, scored) for each in choices if each.name in charts.FIELDS),
        charts.score_by_learning_rate(shown, scored),
        charts.parallel(entries, scored, higher_is_better=higher, order=order),
        charts.wall_time(wording.plain(values.timing.get("stages", []))),
        charts.trial_time(entries),
        *charts.maps(wording.plain(values.gap) if values.gap else {}),
        *_of_the_winner(wording.plain(values.calibration or {}), wording.plain(values.evidence)),
    ]
    return {chart.name: chart for chart in drawn if chart is not None}


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


def _of_the_winner(calibration: Json, evidence: Json) -> "Iterator[Chart | None]":
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
