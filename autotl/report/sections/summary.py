"""The opening: the figures that stand under the headline."""

from collections.abc import Sequence
from dataclasses import dataclass

from autotl.report import wording
from autotl.report.entries import Entry, Interval, were_judged, winner_of
from autotl.report.values import Json


@dataclass(frozen=True)
class Figure:
    """A figure that stands alone: `0.873`, what it is, how sure."""

    label: str
    value: str
    note: str = ""


def summary_figures(values: Json, headline: Json, entries: Sequence[Entry]) -> list[Figure]:
    """The figures under the headline, the most important first."""
    figures: list[Figure] = []
    winner = winner_of(entries)
    metric = str(values.get("metric", "score"))
    spoken = metric.replace("_", " ")
    corrected, raw = Interval.read(headline.get("corrected")), Interval.read(headline.get("raw"))
    if winner and winner.test:
        shipped = winner.refit_test or winner.test
        before = "" if winner.refit_test is None else f" (as searched {wording.score(winner.test.value)})"
        figures.append(Figure(f"{spoken} on test", wording.score(shipped.value), f"{_within(shipped)}{before}"))
    if corrected:
        before = f" ({wording.score(raw.value)} before selection)" if raw else ""
        note = f"{_within(corrected)}, corrected for selection{before}".removeprefix(", ")
        figures.append(Figure(f"{spoken} on validation", wording.score(corrected.value), note))
    elif winner and winner.score and were_judged(entries):
        figures += _figures_of_committee(winner, headline, entries, metric)
    elif winner and winner.score:
        note = f"{_within(winner.score)}, not corrected for selection".removeprefix(", ")
        figures.append(Figure(f"{spoken}, {_kind(winner)}", wording.score(winner.score.value), note))
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
        Figure(f"{metric.replace('_', ' ')} on the source", wording.score(winner.scores.get(name)), note),
    ]


def _within(figure: Interval, *, signed: bool = False) -> str:
    ends = figure.ends
    write = wording.signed_score if signed else wording.score
    return f"{write(ends[0])} to {write(ends[1])}" if ends else ""


def _kind(entry: Entry) -> str:
    return (entry.score_kind or "validation").replace("_", " ")
