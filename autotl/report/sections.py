"""What each section of the page says, worked out from the values: no markup here, no arithmetic in the templates."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report import wording
from autotl.report.entries import Entry, Interval, named, parameters, were_judged, winner_of
from autotl.report.values import Json
from autotl.scoring import ESTIMATORS, LABEL_FREE_SCORES
from autotl.scoring.committee import MEMBERS
from autotl.scoring.estimates import RECORD, estimated_range
from autotl.scoring.guards import CLASSES_PREDICTED, PASSED
from autotl.scoring.label_free import LabelFreeScore
from autotl.scoring.panel import PanelScore

MOST_ROWS = 150
"""Rows of the leaderboard on a page; more stand in leaderboard.csv, and the page says so."""

MOST_LISTED_CLASSES = 200
"""Classes in the table of a domain."""

MOST_CLASSES = 30
"""Classes of a confusion matrix that a person can still read; with more, those with the most mistakes are shown."""

MOST_PAIRS = 12
MOST_JUDGED = 15
"""Trials in the table of label-free scores, besides winner and baselines."""

MOST_EXAMPLES = 10
RANGES = {"log": "log scale", "linear": "between", "whole": "whole numbers"}
"""Words for the kinds of range that a search space knows."""

SEVERITIES = ("error", "warning", "info")
STATUSES = ("complete", "pruned", "failed", "skipped", "running")
_SHOWN_IN_SUMMARY = ("name", "modality", "metric", "budget", "seed")


@dataclass(frozen=True)
class Figure:
    """A figure that stands alone: `0.873`, what it is, how sure."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Scale:
    """The stretch of scores that the leaderboard's interval bars share; positions run from 0 to 100."""

    low: float
    high: float

    def position(self, value: float) -> float:
        """Where a value stands, kept inside the scale."""
        return round(100 * min(max((value - self.low) / (self.high - self.low), 0.0), 1.0), 2)


@dataclass(frozen=True)
class Board:
    """The leaderboard as the page shows it."""

    entries: Sequence[Entry]
    left_out: int
    scale: Scale | None
    ties: Mapping[str, int]  # tie group → 1, 2, …; groups of one are no ties
    counts: Mapping[str, int]  # status → trials
    baselines: int
    failures: Sequence[tuple[str, Sequence[int]]]  # reason → trials


@dataclass(frozen=True)
class Judged:
    """One trial before the committee: its scores in the order of the columns, and the guards that it did not pass."""

    entry: Entry
    scores: Sequence[float | None]  # that decide
    others: Sequence[float | None]
    estimate: str  # of its accuracy on the target, as a range in words
    classes: int | None
    complaints: Sequence[str]


@dataclass(frozen=True)
class Column:
    """A label-free score over a table."""

    name: str
    decides: bool
    blind_to: str  # when it is wrong
    paper: str


@dataclass(frozen=True)
class Committee:
    """How a model was picked on a target without labels, or what label-free scores said beside a few."""

    columns: list[Column]  # of the scores whose ranks decide
    others: list[Column]
    lines: Sequence[Judged]
    left_out: int
    estimators: list[Column]  # none where no trial has an estimate
    record: str  # what estimates have been worth
    beside_labels: bool  # whether a few target labels were known, too


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix cut to a readable size, with what it says in words."""

    split: str
    classes: Sequence[str]
    counts: Sequence[Sequence[int]]
    recalls: Sequence[str]
    precisions: Sequence[str]
    pairs: Sequence[tuple[str, str, int]]  # true, predicted, how often; most often first
    right: int
    examples: int
    classes_in_all: int


@dataclass(frozen=True)
class Dimension:
    """One line of the search space: what may vary, within what, and what was tried."""

    name: str
    choices: Sequence[str]
    how: str  # "one of", "log scale", "fixed" …
    tried: Sequence[tuple[str, int]]  # value → trials; for ranges one entry with both ends


@dataclass(frozen=True)
class Domain:
    """One domain's examples: a column per split, a line per class."""

    name: str
    role: str
    splits: Sequence[str]
    totals: Sequence[int]
    classes: Sequence[tuple[str, Sequence[int | None]]]  # None where labels are hidden
    more_classes: int


def summary_figures(values: Json, headline: Json, entries: Sequence[Entry]) -> list[Figure]:
    """The figures under the headline, the most important first."""
    figures: list[Figure] = []
    winner = winner_of(entries)
    metric = str(values.get("metric", "score"))
    corrected, raw = Interval.read(headline.get("corrected")), Interval.read(headline.get("raw"))
    if winner and winner.test:
        shipped = winner.refit_test or winner.test
        before = "" if winner.refit_test is None else f" (as searched {wording.score(winner.test.value)})"
        figures.append(Figure(f"{metric} on test", wording.score(shipped.value), f"{_within(shipped)}{before}"))
    if corrected:
        before = f" ({wording.score(raw.value)} before selection)" if raw else ""
        note = f"{_within(corrected)}, corrected for selection{before}".removeprefix(", ")
        figures.append(Figure(f"{metric} on validation", wording.score(corrected.value), note))
    elif winner and winner.score and were_judged(entries):
        figures += _figures_of_committee(winner, headline, entries, metric)
    elif winner and winner.score:
        note = f"{_within(winner.score)}, not corrected for selection".removeprefix(", ")
        figures.append(Figure(f"{metric}, {_kind(winner)}", wording.score(winner.score.value), note))
    gain = Interval.read(headline.get("transfer_gain"))
    if gain:
        figures.append(Figure("gained by transfer", wording.signed_score(gain.value), _within(gain, signed=True)))
    if winner:
        if winner.model_mb is not None:
            note = f"{wording.magnitude(winner.params)} parameters" if winner.params is not None else ""
            figures.append(Figure("size of the model", wording.megabytes(winner.model_mb), note))
        if winner.latency_ms is not None:
            note = "estimated" if winner.latency_estimated else "one prediction, one thread"
            figures.append(Figure("latency", wording.milliseconds(winner.latency_ms), note))
    return figures


def committee(entries: Sequence[Entry], headline: Json) -> Committee | None:
    """The label-free scores of the best trials and the guards' verdicts; None where target labels decided."""
    judged = [entry for entry in entries if entry.guards]
    if not judged:
        return None
    members = list((headline.get("committee") or headline.get("few_labels") or {}).get("members", ()))
    known: dict[str, LabelFreeScore | PanelScore] = {**MEMBERS, **LABEL_FREE_SCORES}
    names = [name for name in known if any(entry.scores.get(name) is not None for entry in judged)]
    deciding, others = [name for name in names if name in members], [name for name in names if name not in members]
    has_estimates = any(estimated_range(entry.scores) for entry in judged)
    shown = [entry for place, entry in enumerate(judged) if place < MOST_JUDGED or entry.winner or entry.baseline]
    return Committee(
        columns=[_column(known[name], decides=True) for name in deciding],
        others=[_column(known[name], decides=False) for name in others],
        lines=[
            Judged(
                entry,
                [entry.scores.get(name) for name in deciding],
                [entry.scores.get(name) for name in others],
                _range(estimated_range(entry.scores)),
                None if entry.scores.get(CLASSES_PREDICTED) is None else int(entry.scores[CLASSES_PREDICTED]),
                [words for words in entry.guards.values() if words != PASSED],
            )
            for entry in shown
        ],
        left_out=len(judged) - len(shown),
        estimators=[_column(each, decides=False) for each in ESTIMATORS.values()] if has_estimates else [],
        record=RECORD,
        beside_labels=not were_judged(entries),
    )


def winner_plan(winner: Entry) -> list[tuple[str, str]]:
    """The winner's plan, a line per setting, written so that a person can type it."""
    lines = []
    for key, value in winner.plan.items():
        detail = parameters(value)
        text = named(value) if isinstance(value, Mapping) else _value(value)
        lines.append((key, f"{text} ({detail})" if detail else text))
    return lines


def board(entries: Sequence[Entry]) -> Board:
    """The leaderboard: which rows are shown, on what scale their intervals are drawn, who is tied with whom."""
    shown = worth_showing(entries)
    groups = Counter(entry.tie_group for entry in entries if entry.tie_group is not None and entry.rank is not None)
    tied = [group for group, size in groups.items() if size > 1]
    reasons: dict[str, list[int]] = {}
    for entry in entries:
        if entry.status in ("failed", "skipped"):
            reasons.setdefault(entry.reason or "no reason was recorded", []).append(entry.trial)
    counts = Counter(entry.status for entry in entries)
    known = {status: counts.pop(status) for status in STATUSES if counts[status]}
    return Board(
        entries=shown,
        left_out=len(entries) - len(shown),
        scale=_scale(shown),
        ties={group: number for number, group in enumerate(tied, start=1)},
        counts={**known, **{status: number for status, number in counts.items() if number}},
        baselines=sum(1 for entry in entries if entry.is_baseline),
        failures=sorted(reasons.items(), key=lambda item: (-len(item[1]), item[1])),
    )


def worth_showing(entries: Sequence[Entry]) -> list[Entry]:
    """The best `MOST_ROWS` entries, and below them the winner, baselines and the best of each choice that was tried."""
    met: set[tuple[str, str]] = set()
    shown = []
    for place, entry in enumerate(entries):
        choices = {("backbone", entry.backbone), ("unfrozen", entry.unfrozen), ("adaptation", entry.adaptation)}
        if place < MOST_ROWS or entry.winner or entry.is_baseline or (entry.rank is not None and choices - met):
            shown.append(entry)
        met |= choices
    return shown


def matrix(confusion: Json) -> Matrix:
    """The confusion matrix with recall and precision per class, and the pairs that are mixed up most."""
    classes, counts = [str(name) for name in confusion["classes"]], confusion["matrix"]
    everything = range(len(classes))
    columns = [sum(counts[i][j] for i in everything) for j in everything]
    pairs = sorted(
        ((i, j, counts[i][j]) for i in everything for j in everything if i != j and counts[i][j]),
        key=lambda pair: (-pair[2], pair[0], pair[1]),
    )
    mistakes: Counter[int] = Counter()
    for true, predicted, number in pairs:
        mistakes[true] += number
        mistakes[predicted] += number
    kept = sorted(sorted(everything, key=lambda index: (-mistakes[index], index))[:MOST_CLASSES])
    return Matrix(
        split=str(confusion.get("split", "validation")),
        classes=[classes[index] for index in kept],
        counts=[[counts[i][j] for j in kept] for i in kept],
        recalls=[_ratio(counts[index][index], sum(counts[index])) for index in kept],
        precisions=[_ratio(counts[index][index], columns[index]) for index in kept],
        pairs=[(classes[i], classes[j], number) for i, j, number in pairs[:MOST_PAIRS]],
        right=sum(counts[index][index] for index in everything),
        examples=sum(columns),
        classes_in_all=len(classes),
    )


def dimensions(space: Json, entries: Sequence[Entry]) -> list[Dimension]:
    """The search space, a line per dimension (parameters under their choice), beside what was tried of it."""
    searched = [entry for entry in entries if not entry.is_baseline and entry.status != "skipped"]
    lines: list[Dimension] = []
    for name, given in space.items():
        lines.extend(_dimension(name, given, [entry.plan.get(name) for entry in searched]))
    return lines


def domains(data: Json) -> list[Domain]:
    """Examples per class and split of every domain."""
    found = []
    for domain in data.get("domains", []):
        splits: Mapping[str, Any] = domain.get("splits", {})
        by_split = {split: count if isinstance(count, Mapping) else {} for split, count in splits.items()}
        names = list(dict.fromkeys(name for counts in by_split.values() for name in counts))
        found.append(
            Domain(
                name=str(domain.get("name", "")),
                role=str(domain.get("role", "")),
                splits=list(splits),
                totals=[sum(count.values()) if isinstance(count, Mapping) else count for count in splits.values()],
                classes=[
                    (name, [counts.get(name, 0) if counts else None for counts in by_split.values()])
                    for name in names[:MOST_LISTED_CLASSES]
                ],
                more_classes=max(0, len(names) - MOST_LISTED_CLASSES),
            )
        )
    return found


def findings_by_severity(findings: Sequence[Json]) -> list[Json]:
    """The audit's findings, the gravest first, their examples cut to a readable number."""

    def gravity(finding: Json) -> int:
        severity = finding.get("severity")
        return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)

    return [
        {
            **finding,
            "examples": list(finding.get("examples", ()))[:MOST_EXAMPLES],
            "more": max(0, len(finding.get("examples", ())) - MOST_EXAMPLES),
        }
        for finding in sorted(findings, key=gravity)
    ]


def further_settings(task: Json) -> list[tuple[str, str]]:
    """Those keys of the resolved task that the opening does not show, flattened to `data.target.labels`."""
    return [line for key, value in task.items() if key not in _SHOWN_IN_SUMMARY for line in _flat(key, value)]


def budget_text(budget: Any) -> str:
    """`24 trials or 30m`, whichever comes first."""
    if not isinstance(budget, Mapping):
        return "" if budget is None else str(budget)
    parts = [f"{budget['trials']} trials"] if budget.get("trials") is not None else []
    wall = budget.get("wall")
    if wall is not None:
        parts.append(wording.duration(wall) if isinstance(wall, int | float) else str(wall))
    return " or ".join(parts)


def _figures_of_committee(winner: Entry, headline: Json, entries: Sequence[Entry], metric: str) -> list[Figure]:
    assert winner.score is not None
    reference = (headline.get("committee") or {}).get("reference")
    source_only = next((entry for entry in entries if entry.trial == reference and not entry.winner), None)
    name = f"source_{metric}"
    note = f"source-only {wording.score(source_only.scores.get(name))}" if source_only else ""
    return [
        Figure(
            "mean rank without labels", wording.score(winner.score.value), "of its label-free scores; 1 is the best"
        ),
        Figure(f"{metric} on the source", wording.score(winner.scores.get(name)), note),
    ]


def _column(score: LabelFreeScore | PanelScore, *, decides: bool) -> Column:
    name = score.spoken or score.name.replace("_", " ")
    return Column(name, decides, score.blind_to, score.paper)


def _range(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return wording.NOTHING
    return " to ".join(dict.fromkeys(f"{end:.2f}" for end in ends))


def _within(figure: Interval, *, signed: bool = False) -> str:
    ends = figure.ends
    write = wording.signed_score if signed else wording.score
    return f"{write(ends[0])} to {write(ends[1])}" if ends else ""


def _kind(entry: Entry) -> str:
    return (entry.score_kind or "validation").replace("_", " ")


def _scale(entries: Sequence[Entry]) -> Scale | None:
    figures = [entry.score for entry in entries if entry.score is not None]
    ends = [end for figure in figures for end in (figure.value, *(figure.ends or ()))]
    if not ends:
        return None
    low, high = min(ends), max(ends)
    margin = (high - low) * 0.03 or 0.5
    return Scale(low - margin, high + margin)


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else wording.NOTHING


def _dimension(name: str, given: Any, tried: Sequence[Any]) -> list[Dimension]:
    kinds = [kind for kind in ("choice", *RANGES) if isinstance(given, Mapping) and kind in given]
    if not kinds:
        return [Dimension(name, [named(given) if isinstance(given, Mapping) else _value(given)], "fixed", [])]
    kind = kinds[0]
    options = given[kind]
    if kind == "choice":
        names = [named(option) for option in options]
        counts = Counter(named(value) for value in tried if value is not None)
        in_space = [(choice, counts.pop(choice, 0)) for choice in names]
        line = Dimension(name, names, "one of", [*in_space, *sorted(counts.items())])
        if not isinstance(options, Mapping):
            return [line]
        nested = [
            deeper
            for choice, own in options.items()
            for parameter, parameter_range in (own or {}).items()
            for deeper in _dimension(
                f"{name} › {choice} › {parameter}",
                parameter_range,
                [_parameter(value, parameter) for value in tried if named(value) == choice],
            )
        ]
        return [line, *nested]
    numbers = [value for value in tried if isinstance(value, int | float)]
    ends = [(f"{wording.rate(min(numbers))} … {wording.rate(max(numbers))}", len(numbers))] if numbers else []
    return [Dimension(name, [f"{_value(options[0])} … {_value(options[-1])}"], RANGES[kind], ends)]


def _parameter(choice: Any, name: str) -> Any:
    if not isinstance(choice, Mapping):
        return None
    nested = choice.get("parameters")
    return nested.get(name) if isinstance(nested, Mapping) else choice.get(name)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return wording.rate(value) if abs(value) < 0.01 else f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value) or "none"
    return str(value)


def _flat(key: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        return [line for inner, item in value.items() for line in _flat(f"{key}.{inner}", item)]
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return [line for number, item in enumerate(value) for line in _flat(f"{key}.{number}", item)]
    return [(key, "none" if value in ({}, None) else _value(value))]
