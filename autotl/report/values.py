"""What a report is made of: plain JSON values, as they stand in the run folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class ReportValues:
    """Everything a report shows. What a run does not have is left at its default, and its section says so or goes.

    An *interval* below is `{"value": float | None, "low": float | None, "high": float | None}`.

    Attributes:
        task: the resolved task: `name`, `modality`, `metric`, `budget`, `seed` …; further keys are listed as they are.
        leaderboard: `leaderboard.json` as `docs/run-folder.md` describes it, rows best first.
        setting: `{"name": "inductive" | "transductive" | "cross-domain", "sentences": [str]}`.
        data: `{"domains": [{"name", "role": "target" | "source", "splits": {split: {class: count} | count},
            "several": {split: {"examples", "without"}}}],
            "notes": [str], "broken": [[name, reason]], "houses": [house]}`; a split whose labels are hidden is a plain
            count, `broken` are all examples that were left out, `houses` stand behind sources of which only statistics
            are here: `{"source", "house", "examples", "measured": {"accuracy", "examples"} | None, "noise"}`.
            `several`, where an example may bear several labels, counts the examples and those that bear none.
        findings: of the audit: `{"code", "severity": "info" | "warning" | "error", "message", "examples": [str]}`.
        headline: `{"sentences": [str], "corrected": interval, "raw": interval, "transfer_gain": interval}`: what was
            found, in words (the first is the page's opening line); the winner's score corrected for selection and
            before it; winner minus `no_transfer` on the same examples.
        curves: trial number → one `{"epoch", "train_loss", "score"}` per epoch. Keys may be written as text.
        confusion: of the winner: `{"split", "classes": [str], "matrix": [[count]]}`, a row per true class.
        space: the search space as its YAML mapping.
        timing: `{"stages": [{"stage", "seconds"}]}`: the wall time of the command, stage by stage, in order. Seconds
            inside trials come from the leaderboard.
        calibration: `{"temperature", "bins": [{"confidence", "accuracy", "count"}], …}`, and of `error_…` (expected
            calibration error), `nll_…`, `brier_…` and `bins_before` as many as were measured, before and after scaling.
        evidence: how the winner behaves, as `autotl.production.evidence.gathering` stores it: `per_class`, `per_label`,
            `thresholds`, `abstaining`, `calibration_on_test`, `unlike`, `columns`, `numbers` (of a regression) and
            `note`, each missing or None where it was not measured.
        examples: single examples with what the answers hang on, as `autotl.production.evidence.examples` stores them;
            they hold content of the data. None also where they are not to be shown.
        refit: `{"shipped": "refit" | "trial", "reason", "agreement", "required_agreement"}`.
        gap: between source and target, `{"features", "before": panel, "after": panel}`, a panel as
            `autotl.scoring.gap.measure` gives it; None without a source.
        together: what it brought to learn the task together with others, as
            `autotl.leaderboard.best_alone_and_together` gives it, with the names of the `companions`; else None.
        importance: of settings, as `autotl.search.importance.importances` gives it; None where it was not worked out.
        privacy: of a run under a budget of privacy its terms, what was `spent`, and the `ledger`; None of any other.
        test: `{"uses", "rows", "protocol"}`: how often this test set has been read, this time included (None:
            that is not told).
        price: `{"an_hour", "currency"}` of the machine, where the user gave one.
        versions: library or machine part → version, as text.
        reproduce: shell commands, in order.
        partial: why this is not a whole run, e.g. "stopped by SIGINT"; None for one that is.
        generated: when the page was made, as text.
    """

    task: Json
    leaderboard: Json
    setting: Json = field(default_factory=dict)
    data: Json = field(default_factory=dict)
    findings: Sequence[Json] = ()
    headline: Json = field(default_factory=dict)
    curves: Mapping[int, Sequence[Json]] | Mapping[str, Sequence[Json]] = field(default_factory=dict)
    confusion: Json | None = None
    space: Json = field(default_factory=dict)
    timing: Json = field(default_factory=dict)
    calibration: Json | None = None
    evidence: Json = field(default_factory=dict)
    examples: Json | None = None
    refit: Json | None = None
    gap: Json | None = None
    together: Json | None = None
    importance: Json | None = None
    privacy: Json | None = None
    test: Json = field(default_factory=dict)
    price: Json | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    reproduce: Sequence[str] = ()
    partial: str | None = None
    generated: str = ""
