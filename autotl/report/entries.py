"""Leaderboard rows read once, at the door: past here every figure has a name and a type."""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from autotl.backbones.classical import NAMES
from autotl.backbones.pretrained import NAME as PRETRAINED
from autotl.leaderboard.tested import standard_errors_apart
from autotl.plan.plan import learns_together
from autotl.report.wording import NOTHING, plain, rate
from autotl.scoring.noise import DEVIATION

NAMING = ("method", "name", "application", "preset", "saved", "package", "exported")
"""The keys under which a choice that has parameters, or a backbone that has an origin, keeps its name."""

PARTS = ("features", "train", "score", "propose", "overhead")
"""Where the seconds of a trial go, in the order in which they are spent."""


@dataclass(frozen=True)
class Interval:
    """A figure with how sure of it we are; the ends are None where no interval is known."""

    value: float
    low: float | None
    high: float | None

    @classmethod
    def read(cls, given: Mapping[str, Any] | float | None) -> "Interval | None":
        """The interval in a JSON value (a mapping or a bare number); None where there is no value."""
        if isinstance(given, int | float):
            return cls(float(given), None, None)
        if not given or given.get("value") is None:
            return None
        return cls(given["value"], given.get("low"), given.get("high"))

    @property
    def ends(self) -> tuple[float, float] | None:
        """Both ends, or None where either is unknown."""
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True)
class Entry:
    """One trial on the leaderboard."""

    trial: int
    rank: int | None  # 1 is best; None where there is no score
    status: str  # complete, pruned, failed, skipped, running
    winner: bool
    baseline: str | None
    baseline_of: str | None
    backbone: str
    unfrozen: str  # a number of layers, or "all"
    head: str
    adaptation: str
    learning_rate: float | None
    plan: Mapping[str, Any]
    score: Interval | None
    score_kind: str | None
    test: Interval | None
    refit_test: Interval | None
    scores: Mapping[str, Any]  # but for those that only say how much another varies
    guards: Mapping[str, str]  # what each guard says of it, on a target without labels
    tie_group: str | None
    epochs: int | None
    seconds: Mapping[str, float]
    params: float | None
    model_mb: float | None
    latency_ms: float | None
    latency_estimated: bool
    flops: float | None
    reason: str | None  # why it failed, was skipped or pruned
    repeat_of: int | None = None  # the trial whose plan it trains again, with another seed
    seeds: int = 1  # trainings of its plan, of which the score is the mean
    seed_deviation: float | None = None  # of one training, as far as repeated plans tell
    epsilon: float | None = None  # of a budget of privacy, that its training spent
    standard_errors_apart: float | None = None  # the retrained model's test figure from the trial's own

    @property
    def is_baseline(self) -> bool:
        """Whether the run had this plan to compare with; of several linear probes only the best bears the name."""
        return self.baseline is not None or self.baseline_of is not None

    @property
    def total_seconds(self) -> float:
        """Everything the trial took."""
        return sum(self.seconds.values())

    @property
    def network(self) -> str:
        """The network in a few words: `MobileNetV2 at 160 px`."""
        return network_words(self.plan)

    @property
    def recipe(self) -> str:
        """What is done with the network in a few words: `12 unfrozen · linear · dann`."""
        return recipe_words(self.plan)

    @property
    def seed_words(self) -> str:
        """`3 seeds ± 0.004` of a plan that was trained more than once."""
        if self.seeds < 2:
            return ""
        return f"{self.seeds} seeds" + ("" if self.seed_deviation is None else f" ± {self.seed_deviation:.2g}")


def read_entries(leaderboard: Mapping[str, Any], *, only: Container[int] | None = None) -> list[Entry]:
    """The rows of a `leaderboard.json`, best first as they stand there, ranked where they have a score.

    Args:
        only: the trials to read; the others count for ranks alone, which of thousands saves most of the time.
    """
    entries: list[Entry] = []
    rank = 0
    for row in leaderboard.get("trials", []):
        scored = row.get("status") == "complete" and _has_value(row.get("score")) and row.get("repeat_of") is None
        rank += scored
        if only is None or row["trial"] in only:
            entries.append(_entry(plain(row), rank if scored else None))
    return entries


def _has_value(score: Any) -> bool:
    value = score.get("value") if isinstance(score, Mapping) else score
    return isinstance(value, int | float) and math.isfinite(value)


BY_LABELS = ("cross_validation", "few_labels")  # kinds of scores beside which guards speak and do not decide


def were_judged(entries: Sequence[Entry]) -> bool:
    """Whether a committee of label-free scores decided: the scores are its ranks then, not the task's metric."""
    return any(entry.guards for entry in entries) and not any(entry.score_kind in BY_LABELS for entry in entries)


def score_name(entries: Sequence[Entry], metric: str) -> str:
    """What the scores are, in words for a heading."""
    return "mean rank" if were_judged(entries) else metric.replace("_", " ")


def winner_of(entries: Sequence[Entry]) -> Entry | None:
    """The winning entry; None while there is none."""
    return next((entry for entry in entries if entry.winner), None)


def network_words(plan: Mapping[str, Any]) -> str:
    """The network of a plan: `MobileNetV2 at 160 px`."""
    size = plan.get("image_size")
    return f"{backbone_name(plan)} at {size} px" if size else backbone_name(plan)


def recipe_words(plan: Mapping[str, Any]) -> str:
    """What a plan does with its network: `12 unfrozen · linear · dann`; `no network` where it has none."""
    if named(plan.get("backbone")) in NAMES:
        return "no network"
    unfrozen, head, tap = named(plan.get("unfrozen_layers")), named(plan.get("head")), named(plan.get("tap"))
    adaptation, crop = named(plan.get("adaptation")), named(plan.get("crop"))
    parts = ["frozen" if unfrozen in ("0", NOTHING) else f"{unfrozen} unfrozen"]
    parts += [f"crop {crop}"] if crop not in ("none", NOTHING) else []
    parts += [f"tap {tap}"] if tap not in ("last", NOTHING) else []
    parts += [head] if head != NOTHING else []
    parts += [adaptation] if adaptation not in ("none", NOTHING) else []
    parts += [f"together, {plan['together']}"] if learns_together(plan) else []
    return " · ".join(parts)


def backbone_name(plan: Mapping[str, Any]) -> str:
    """The backbone's name; of one that a path leads to, the path's last part."""
    name = named(plan.get("backbone"))
    return PurePath(name).name or name


def named(choice: Any) -> str:
    """The name of a plan's choice, which may be a bare value or a mapping with its parameters.

    `{"method": "dann", "weight": 0.3}` and `{"name": "dann", …}` are `dann`; `{"application": "VGG16"}` is `VGG16`.
    """
    if choice is None:
        return NOTHING
    if isinstance(choice, Mapping):
        if PRETRAINED in choice:
            return PRETRAINED  # its file lies in the cache, named by a digest
        key = next((key for key in NAMING if choice.get(key) is not None), None)
        return (
            _last_part(choice[key]) if key else ", ".join(f"{key} {value}" for key, value in choice.items()) or NOTHING
        )
    return str(choice)


def _last_part(value: Any) -> str:
    """Of an absolute path its last part: where files lie on the machine of the search is nobody's business."""
    text = str(value)
    return PurePath(text).name if PurePath(text).is_absolute() and PurePath(text).name else text


def parameters(choice: Any) -> str:
    """The parameters that a choice carries beside its name, as `weight 0.3, hidden 256`."""
    if not isinstance(choice, Mapping) or PRETRAINED in choice:
        return ""
    chosen = named(choice)
    nested = choice.get("parameters")
    given = nested if isinstance(nested, Mapping) else choice
    return ", ".join(
        f"{key} {rate(value) if isinstance(value, float) else _last_part(value)}"
        for key, value in given.items()
        if key != "digest"
        and not (isinstance(value, str) and chosen in (value, _last_part(value)))
        and not isinstance(value, Mapping)
    )


def _entry(row: Mapping[str, Any], rank: int | None) -> Entry:
    plan = row.get("plan") or {}
    given_score = row.get("score") or {}
    return Entry(
        trial=row["trial"],
        rank=rank,
        status=row.get("status", "complete"),
        winner=bool(row.get("winner")),
        baseline=row.get("baseline"),
        baseline_of=row.get("baseline_of"),
        backbone=backbone_name(plan),
        unfrozen=named(plan.get("unfrozen_layers")),
        head=named(plan.get("head")),
        adaptation=named(plan.get("adaptation")),
        learning_rate=plan.get("learning_rate"),
        plan=plan,
        score=Interval.read(row.get("score")),
        score_kind=given_score.get("kind"),
        # of a private trial only the model that ships is tested
        test=Interval.read(row.get("test") or (row.get("refit_test") if "epsilon" in row else None)),
        refit_test=Interval.read(row.get("refit_test")),
        scores={name: value for name, value in (row.get("scores") or {}).items() if not name.endswith(DEVIATION)},
        guards=row.get("guards") or {},
        tie_group=None if row.get("tie_group") is None else str(row["tie_group"]),
        epochs=row.get("epochs"),
        seconds={part: (row.get("seconds") or {}).get(part) or 0.0 for part in PARTS},
        params=row.get("params"),
        model_mb=row.get("model_mb"),
        latency_ms=row.get("latency_ms"),
        latency_estimated=bool(row.get("latency_estimated")),
        flops=row.get("flops"),
        reason=row.get("failure") or row.get("reason"),
        standard_errors_apart=standard_errors_apart({"test": None, "refit_test": None, **row}),
        repeat_of=row.get("repeat_of"),
        epsilon=row.get("epsilon"),
        seeds=len((row.get("seeds") or {}).get("trials") or (None,)),
        seed_deviation=(row.get("seeds") or {}).get("deviation"),
    )
