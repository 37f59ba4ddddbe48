"""What people look at who did not run the search. Nothing here loads TensorFlow."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotl import leaderboard
from autotl.api.reopening import facts_of
from autotl.api.room import RUNS
from autotl.api.run_trial import RunTrial, open_trial
from autotl.api.standing import read_leaderboard
from autotl.errors import UsageError
from autotl.leaderboard import BestOfTask, FinishedRun
from autotl.leaderboard.comparing import Comparison, Said, Side, compare_sides
from autotl.run import RunFolder, trial_files
from autotl.run.folder import LEADERBOARD_JSON, STUDY, TASK
from autotl.run.scored_examples import EXAMPLES, ScoredExamples, read_scored_examples
from autotl.run.series import SERIES


def leaderboard_of(run: Path | str, *, sort: str | None = None, only_pareto: bool = False) -> list[Mapping[str, Any]]:
    """The rows of a run's leaderboard.json.

    Args:
        sort: a column to order them by (`leaderboard.sort_rows`); best first where left out.
        only_pareto: only trials that no other beats in score, latency and size at once.
    Raises:
        UsageError: no such column, or the folder is no run.
        StorageError: leaderboard.json is missing or cannot be read.
    """
    return arranged(read_leaderboard(RunFolder.open(Path(run))), sort=sort, only_pareto=only_pareto)


def arranged(
    content: Mapping[str, Any], *, sort: str | None = None, only_pareto: bool = False
) -> list[Mapping[str, Any]]:
    """The same of the content of a leaderboard.json that was read already."""
    rows: Sequence[Mapping[str, Any]] = content["trials"]
    better = content["higher_is_better"]
    if only_pareto:
        front = set(leaderboard.pareto_front(rows, higher_is_better=better))
        rows = [row for row in rows if row["trial"] in front]
    return list(rows) if sort is None else leaderboard.sort_rows(rows, sort, higher_is_better=better)


def read_overview(folder: Path | str | None = None) -> list[BestOfTask]:
    """The best of every task among the runs in a folder.

    Args:
        folder: `runs` where left out.
    Raises:
        UsageError: there is no run in it.
    """
    place = RUNS if folder is None else Path(folder)
    runs = [path.parent for path in place.glob(f"*/{STUDY}")] if place.is_dir() else []
    runs += [path.parent for series in place.glob(f"*/{SERIES}") for path in series.parent.glob(f"*/{STUDY}")]
    if not runs:
        raise UsageError(
            f"{place} is no run folder, and there is none in it. Name a run, or search first: autotl search task.yaml"
        )
    begun = sorted(runs, key=lambda path: (_began(path), path.name))
    return leaderboard.best_of_tasks(_finished(path) for path in begun if (path / LEADERBOARD_JSON).is_file())


def _began(run: Path) -> float:
    """When: a search writes its task before the first trial, and nobody touches it again."""
    path = run / TASK
    return (path if path.is_file() else run / STUDY).stat().st_mtime


def _finished(path: Path) -> FinishedRun:
    run = RunFolder.open(path)
    facts = facts_of(run)
    data = str(facts.get("data", {}).get("fingerprint", ""))
    return FinishedRun(str(path), read_leaderboard(run), facts.get("headline") or {}, data)


def compare(names: Sequence[str | Path]) -> Comparison:
    """Trials side by side, with a paired test of each against the first.

    Args:
        names: two or more of `RUN` (its winner) or `RUN/TRIAL`.
    Raises:
        UsageError: fewer than two, or one that names no trial.
    """
    if len(names) < 2:
        raise UsageError("compare takes two or more: autotl compare RUN_A RUN_B, or RUN/3 RUN/7.")
    return compare_sides([_side(open_trial(str(name))) for name in names])


def _side(trial: RunTrial) -> Side:
    facts, examples = facts_of(trial.run), read_scored_examples(trial.run)
    headline = facts.get("headline") or {}
    validation, test = _said(trial, examples)
    why = "there are no test outputs of"
    if examples is None:
        why = f"no {EXAMPLES} (the search has not ended, or an earlier version of autotl ran it) lies beside"
    if "privacy" in facts:
        why = "no answer to a single example, which would be one more look at protected ones, is kept of"
    return Side(
        label=trial.label,
        run=str(trial.run.path),
        task=trial.content["task"],
        metric=trial.content["metric"],
        regime=trial.content["regime"],
        classes=() if examples is None else examples.classes,
        positive=1 if examples is None else examples.positive,
        row=trial.row,
        corrected=headline.get("corrected") if trial.row["winner"] else None,
        validation=validation,
        test=test,
        why_untested=why,
    )


def _said(trial: RunTrial, examples: ScoredExamples | None) -> tuple[Said | None, Said | None]:
    """What a trial said of validation and test examples, where it and their labels are there."""
    if examples is None or not (trial.folder / trial_files.OUTPUTS).is_file():
        return None, None
    outputs = trial_files.read_outputs(trial.folder)
    scored = examples.validation_at(outputs.rows)
    validation = Said(scored.digests, scored.labels, scored.groups, outputs.validation)
    tested = trial_files.read_test_outputs(trial.folder).get(trial_files.TEST)
    if tested is None or examples.test is None:
        return validation, None
    return validation, Said(examples.test.digests, examples.test.labels, examples.test.groups, tested)
