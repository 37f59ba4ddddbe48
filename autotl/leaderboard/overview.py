"""The best of every task among many runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from autotl.leaderboard.rows import winner_of
from autotl.leaderboard.without_labels import is_without_labels


@dataclass(frozen=True)
class FinishedRun:
    """What an overview reads of a run.

    Attributes:
        leaderboard: the content of its leaderboard.json.
        headline: what it found; empty while it is going.
        data: digest of the examples and labels that it searched on; two runs compare only where it is the same.
    """

    path: str
    leaderboard: Mapping[str, Any]
    headline: Mapping[str, Any]
    data: str


@dataclass(frozen=True)
class BestOfTask:
    """The best model that the runs of one task, on the same data, have found.

    Attributes:
        runs: how many there are, those without a winner included.
        run, trial: None where none has a winner.
        figure: `{value, low, high}`: on validation, corrected for selection; None without target labels.
        test: of the weights that ship; None where there was no test.
    """

    task: str
    metric: str
    regime: str
    runs: int
    run: str | None = None
    trial: int | None = None
    plan: Mapping[str, Any] | None = None
    figure: Mapping[str, Any] | None = None
    test: Mapping[str, Any] | None = None
    latency_ms: float | None = None
    model_mb: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def best_of_tasks(runs: Iterable[FinishedRun]) -> list[BestOfTask]:
    """One entry a task, metric and data, in the order of the tasks' names.

    The best run is the one whose winner promises most on new examples (the figure corrected for selection). Without
    target labels scores are ranks among the trials of one run, which compare with no other run: the latest counts.

    Args:
        runs: in the order in which they were begun.
    """
    groups: dict[tuple[str, str, str], list[FinishedRun]] = {}
    for run in runs:
        content = run.leaderboard
        groups.setdefault((str(content["task"]), str(content["metric"]), run.data), []).append(run)
    return [_best(same) for _, same in sorted(groups.items(), key=lambda item: item[0])]


def _best(runs: Sequence[FinishedRun]) -> BestOfTask:
    newest = runs[-1].leaderboard
    known = {"task": newest["task"], "metric": newest["metric"], "runs": len(runs)}
    won = [(run, winner) for run in runs if (winner := winner_of(run.leaderboard["trials"])) is not None]
    if not won:
        return BestOfTask(regime=newest["regime"], **known)
    labelled = [(run, winner) for run, winner in won if not is_without_labels(run.leaderboard["trials"])]
    sign = 1 if newest["higher_is_better"] else -1
    run, winner = max(labelled, key=lambda pair: sign * _figure(*pair)["value"]) if labelled else won[-1]
    return BestOfTask(
        regime=run.leaderboard["regime"],
        run=run.path,
        trial=winner["trial"],
        plan=winner["plan"],
        figure=_figure(run, winner) if labelled else None,
        test=winner.get("refit_test") or winner.get("test"),
        latency_ms=winner.get("latency_ms"),
        model_mb=winner.get("model_mb"),
        **known,
    )


def _figure(run: FinishedRun, winner: Mapping[str, Any]) -> Mapping[str, Any]:
    """Corrected where the run has finished; else the winner's own score."""
    corrected: Mapping[str, Any] | None = run.headline.get("corrected")
    if corrected is not None and corrected.get("value") is not None:
        return corrected
    score: Mapping[str, Any] = winner["score"]
    return score
