"""What a reader who has two minutes needs: the model, why it, what could be wrong, what it costs, who came next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autotl.report import wording
from autotl.report.entries import Entry, Interval, were_judged, winner_of
from autotl.report.sections.spending import Price, search_seconds
from autotl.report.values import Json

RUNNERS_UP = 3
FEW_EXAMPLES = 10  # of a class: its recall says little
WEAK_RECALL = 0.7
WIDE = 0.1  # an interval of a share that is longer leaves much open
FLATTERED = 0.005  # of a share: a smaller correction for selection is not worth a word
BARRED = "may not win: "


@dataclass(frozen=True)
class RunnerUp:
    """A trial that nearly won."""

    entry: Entry
    why_not: str


@dataclass(frozen=True)
class Verdict:
    """What the run recommends, and what to hold against it."""

    winner: Entry
    reasons: Sequence[str]
    risks: Sequence[str]
    costs: Sequence[tuple[str, str]]
    runners_up: Sequence[RunnerUp]


@dataclass(frozen=True)
class Circumstances:
    """What besides the leaderboard bears on how much the result can be trusted.

    Attributes:
        uses: how often this test set has been read, this time included; 0 where it was not.
        warnings: of the audit, graver findings included.
        weakest: the class that the winner finds least often, and the share that it finds; None where not known.
        refit: as in `ReportValues`.
        metric_is_better_higher: more of the task's metric is better.
        whole: what counts in the task's metric as 1 does among shares.
        misgivings: what the evidence of the winner's behaviour says against it, in sentences.
    """

    uses: int = 0
    warnings: int = 0
    weakest: tuple[str, float] | None = None
    refit: Json | None = None
    metric_is_better_higher: bool = True
    whole: float = 1.0
    misgivings: Sequence[str] = ()


def verdict(
    entries: Sequence[Entry],
    headline: Json,
    around: Circumstances,
    *,
    higher_is_better: bool,
    timing: Json,
    price: Price | None,
) -> Verdict | None:
    """The verdict on a run; None where no model won."""
    winner = winner_of(entries)
    if winner is None:
        return None
    return Verdict(
        winner=winner,
        reasons=list(headline["sentences"][1:]),
        risks=_risks(winner, entries, headline, around),
        costs=_costs(winner, timing, price),
        runners_up=_runners_up(winner, entries, higher_is_better=higher_is_better),
    )


def weakest_class(confusion: Json) -> tuple[str, float] | None:
    """The class of a confusion matrix that is found least often, among those with enough examples to say so."""
    recalls = [
        (line[place] / sum(line), str(name))
        for place, (name, line) in enumerate(zip(confusion["classes"], confusion["matrix"], strict=True))
        if sum(line) >= FEW_EXAMPLES
    ]
    return min(((name, recall) for recall, name in recalls), key=lambda found: found[1], default=None)


def _risks(winner: Entry, entries: Sequence[Entry], headline: Json, around: Circumstances) -> list[str]:
    return [
        *_of_the_figure(winner, entries, headline, whole=around.whole),
        *_of_the_test(winner, headline, around),
        *_of_baselines(winner, entries, metric_is_better_higher=around.metric_is_better_higher),
        *_of_gains(headline),
        *_of_the_model(winner, around),
        *around.misgivings,
    ]


def _of_the_figure(winner: Entry, entries: Sequence[Entry], headline: Json, *, whole: float) -> list[str]:
    if were_judged(entries):
        return ["It was chosen without a single target label: label-free scores can agree and be wrong together."]
    figure, raw = Interval.read(headline.get("corrected")), Interval.read(headline.get("raw"))
    told = figure or winner.score
    found = []
    if told is not None and told.ends is not None:
        low, high = told.ends
        if high - low > WIDE * whole:
            found.append(
                f"Its interval is wide: new examples may bring anything from {wording.score(low)} to "
                f"{wording.score(high)}; more validation examples would narrow it."
            )
    if figure is not None and raw is not None and abs(figure.value - raw.value) >= FLATTERED * whole:
        found.append(
            f"Picking the best of many flatters: before correction it stood at {wording.score(raw.value)}, expect "
            f"{wording.score(figure.value)}."
        )
    if winner.score_kind == "few_labels":
        found.append("Only a few target labels were known, so the figure leans on label-free scores as well.")
    return found


def _of_the_test(winner: Entry, headline: Json, around: Circumstances) -> list[str]:
    shipped = winner.refit_test or winner.test
    if shipped is None:
        return ["No test set was read: the figures come from examples that the choice was made by."]
    found = []
    if winner.standard_errors_apart is not None and winner.standard_errors_apart > 1:
        found.append(
            f"Retraining changed it: {wording.score(shipped.value)} on test is {winner.standard_errors_apart:.1f} "
            "standard errors from the model that was searched."
        )
    if around.uses > 1:
        found.append(
            f"This test set has been read {around.uses} times; the more often, the less it says about new examples."
        )
    expected = Interval.read(headline.get("corrected"))
    if expected is not None and expected.ends is not None and not _inside(shipped.value, expected.ends):
        found.append(
            f"On test it scores {wording.score(shipped.value)}, outside the {wording.score(expected.ends[0])} to "
            f"{wording.score(expected.ends[1])} that validation promised."
        )
    return found


def _of_baselines(winner: Entry, entries: Sequence[Entry], *, metric_is_better_higher: bool) -> list[str]:
    """Baselines that did better on the test examples, where chance alone hardly does that."""
    own = winner.test
    if own is None or own.ends is None:
        return []
    found = []
    for entry in entries:
        if entry.baseline and entry is not winner and entry.test and entry.test.ends:
            low, high = entry.test.ends
            if low > own.ends[1] if metric_is_better_higher else high < own.ends[0]:
                figures = f"{wording.score(entry.test.value)} against {wording.score(own.value)}"
                found.append(f"On the same test examples the baseline {entry.baseline} does better: {figures}.")
    return found


def _of_gains(headline: Json) -> list[str]:
    found = []
    for name, words in (("transfer_gain", "a model that starts from nothing"), ("probe_gain", "the best linear probe")):
        gain = Interval.read(headline.get(name))
        if gain is not None and gain.ends is not None and gain.ends[0] <= 0 <= gain.ends[1]:
            found.append(f"It cannot be shown to be better than {words}.")
    return found


def _of_the_model(winner: Entry, around: Circumstances) -> list[str]:
    found = []
    if around.weakest is not None and around.weakest[1] < WEAK_RECALL:
        name, recall = around.weakest
        part = f"only {wording.share(recall, 1)}" if recall else "none"
        found.append(f"It finds {part} of “{name}”, the class that it knows least.")
    if around.refit and around.refit.get("shipped") == "trial" and around.refit.get("agreement") is not None:
        found.append("Retraining on all examples gave another model, so the trial’s own weights ship.")
    if around.warnings:
        which = "a warning" if around.warnings == 1 else f"{around.warnings} warnings"
        found.append(f"The audit of the data left {which}: see Data and audit.")
    if winner.latency_estimated and winner.latency_ms is not None:
        found.append("Its latency is an estimate.")
    return found


def _inside(value: float, ends: tuple[float, float]) -> bool:
    return ends[0] <= value <= ends[1]


def _costs(winner: Entry, timing: Json, price: Price | None) -> list[tuple[str, str]]:
    estimated = "about " if winner.latency_estimated else ""
    seconds = search_seconds(timing)
    lines = [
        ("one prediction", winner.latency_ms and f"{estimated}{wording.milliseconds(winner.latency_ms)}"),
        ("operations of one prediction", winner.flops and wording.magnitude(winner.flops)),
        ("size of the model", winner.model_mb and wording.megabytes(winner.model_mb)),
        ("parameters", winner.params and wording.magnitude(winner.params)),
        ("training it", winner.total_seconds and wording.duration(winner.total_seconds)),
        ("the whole search", seconds and wording.duration(seconds)),
        ("the whole search, in money", price and seconds and price.of(seconds)),
    ]
    return [(name, words) for name, words in lines if words]


def _runners_up(winner: Entry, entries: Sequence[Entry], *, higher_is_better: bool) -> list[RunnerUp]:
    others = [entry for entry in entries if entry.rank is not None and entry is not winner]
    return [RunnerUp(entry, _why_not(entry, winner, higher_is_better)) for entry in others[:RUNNERS_UP]]


def _why_not(entry: Entry, winner: Entry, higher_is_better: bool) -> str:
    if entry.reason and entry.reason.startswith(BARRED):
        return entry.reason
    if entry.tie_group is not None and entry.tie_group == winner.tie_group:
        return f"cannot be told apart from the winner, {_dearer(entry, winner)}"
    if entry.score is None or winner.score is None:
        return ""
    behind = (winner.score.value - entry.score.value) * (1 if higher_is_better else -1)
    if behind > 0:
        rank = "mean rank " if entry.guards and entry.score_kind == "label_free" else ""
        return f"{rank}{wording.score(behind)} {'lower' if higher_is_better else 'higher'}"
    return "clearly behind the best of those that the winner is tied with"


def _dearer(entry: Entry, winner: Entry) -> str:
    if not entry.flops or not winner.flops or entry.flops < winner.flops:
        return "and came after it"
    times = entry.flops / winner.flops
    return f"and costs {times:.1f} times as much to run" if times >= 1.05 else "costs the same, and came after it"


def circumstances(
    *,
    test: Mapping[str, Any],
    findings: Sequence[Json],
    confusion: Json | None,
    refit: Json | None,
    metric_is_better_higher: bool = True,
    whole: float = 1.0,
    misgivings: Sequence[str] = (),
) -> Circumstances:
    """What the other parts of the report say about the winner."""
    return Circumstances(
        uses=int(test.get("uses") or 0),
        warnings=sum(finding.get("severity") in ("warning", "error") for finding in findings),
        weakest=weakest_class(confusion) if confusion else None,
        refit=refit,
        metric_is_better_higher=metric_is_better_higher,
        whole=whole,
        misgivings=misgivings,
    )
