"""What a search begins with, looked up before its first trial, and what is kept of it for later ones."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from autotl.api.opening import OpenedTask
from autotl.data import TaskData
from autotl.data.examples import class_labels, is_known
from autotl.plan.fields import parse_plan
from autotl.plan.reading import shipped_portfolio
from autotl.production.home import home_folder
from autotl.run import Study
from autotl.search.history import Likeness, PastRun, past_trials, recall, remember
from autotl.search.starting import PORTFOLIO, StartingPlan, starting_plans
from autotl.task.problem import CLASSIFICATION

BEGUN_WITH = "begun_with"  # the fact that holds the plans; a resumed search goes on with the same
REMEMBERED_AS = "remembered_as"  # the name under which later searches know the run


def begin_with(task: OpenedTask, data: TaskData, study: Study) -> list[StartingPlan]:
    """The plans that did well elsewhere, those of earlier searches on this machine first; written down for a resumed
    search.

    With `--no-history` no earlier search is asked. Our own portfolio was found with labels to judge by, so a search
    without them does without it.
    """
    facts = study.facts()
    if task.begun is not None:
        return [_read(each, data.modality) for each in facts.get(BEGUN_WITH, [])]
    is_asked = task.overrides.history
    found = starting_plans(
        task.space,
        runs=recall(home_folder()) if is_asked else (),
        likeness=likeness_of(data) if is_asked else None,
        portfolio=() if data.is_judged_without_labels or data.source_is_elsewhere else shipped_portfolio(data.modality),
        trials=task.task.budget.trials if task.overrides.trials is None else task.overrides.trials,
    )
    study.put_fact(BEGUN_WITH, [{"plan": each.plan.as_dict(), "origin": each.origin} for each in found])
    study.flush()  # from here on there is something to resume, whatever becomes of the machine
    return found


def keep_for_later(task: OpenedTask, data: TaskData, study: Study, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds a finished run to what later searches ask; one that was resumed takes its own place.

    Args:
        rows: of the leaderboard, the best first.
    """
    if not task.overrides.history or data.source_is_elsewhere:  # such plans fit no other source
        return
    facts = study.facts()
    if REMEMBERED_AS not in facts:
        study.put_fact(REMEMBERED_AS, uuid.uuid4().hex)
        facts = study.facts()
    spoken = [row for row in rows if row["status"] == "complete"]
    labels = {row["trial"]: _read({"plan": row["plan"]}, data.modality).plan.backbone.label for row in spoken}
    trials = past_trials(rows, labels)
    if trials:
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        run = PastRun(str(facts[REMEMBERED_AS]), task.task.name, ended, likeness_of(data), trials)
        remember(run, home_folder())


def likeness_of(data: TaskData) -> Likeness:
    """By what a task is compared with others."""
    taught = data.labels[data.folds[0].train]
    of_classes = class_labels(taught)
    counts = np.bincount(of_classes[of_classes >= 0], minlength=1)
    few = "few_labels" if data.has_few_labels else "labels"
    regime = "label_free" if data.score_kind == "label_free" else few
    return Likeness(
        modality=data.modality,
        setting=data.setting,
        # plans of other problems are judged by other scores, and theirs say nothing here
        regime=regime if data.problem is CLASSIFICATION else f"{data.problem.name}: {regime}",
        examples=int(is_known(taught).sum()),
        classes=len(data.classes),
        imbalance=round(float(counts.max() / max(counts.sum(), 1)), 4),
        digest=str(data.summary["fingerprint"]),
    )


def words_of(found: Sequence[StartingPlan]) -> str:
    """Where the plans come from: `2 of kitchen, 6 of the shipped portfolio`."""
    counts: dict[str, int] = {}
    for each in found:
        counts[each.origin] = counts.get(each.origin, 0) + 1
    return ", ".join(
        f"{count} of {'the shipped portfolio' if origin == PORTFOLIO else origin}" for origin, count in counts.items()
    )


def _read(written: Mapping[str, Any], modality: str) -> StartingPlan:
    plan = parse_plan(written["plan"], where="an earlier plan", folder=Path(), modality=modality)
    return StartingPlan(plan, written.get("origin", PORTFOLIO))
