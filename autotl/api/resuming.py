"""`--resume`: a run's task opened again as it was begun, or a sentence on why it cannot go on.

Everything comes from the run's SQLite file and from JSON and YAML; a pickle in a run folder is never opened.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from autotl.api.asked import ASKED, as_asked, versions
from autotl.api.opening import BegunRun, OpenedTask, Overrides, check_words, opened, read_and_checked, wall_seconds
from autotl.data import Finding, TaskData, check_quickly, raise_errors
from autotl.errors import DataError, EnvironmentProblemError, NothingToResumeError, TaskError, UsageError
from autotl.plan import Plan
from autotl.plan.fields import parse_plan
from autotl.plan.reading import read_space
from autotl.plan.space import Space
from autotl.run import RunFolder, run_to_resume
from autotl.run.folder import STUDY
from autotl.run.known_inputs import known_inputs, read_known_inputs, what_changed
from autotl.run.study import ENDED, FINISHED, SPENT, reading
from autotl.task import Task, names_in, task_from_mapping
from autotl.task.duration import parse_duration
from autotl.task.yaml_reader import parse_document

FIXED = {"out": "--out", "start_with": "--start-with", "baselines": "--baselines"}  # what a run is begun with
_OF_NO_ACCOUNT = {"budget": None, "search_space": None}  # may change, and compared by what it means
MOST_DIFFERENCES = 20  # that are listed


def open_run(where: Path | str, task: Path | None, overrides: Overrides) -> OpenedTask:
    """The task of a run, to be searched on.

    Args:
        where: the run folder, or the URL of one, which is fetched.
        task: a task file that must ask for what the run was begun with, budget aside; None for the run's own record.
        overrides: more trials, more time and whatever else does not change which plans are tried.
    Raises:
        NothingToResumeError: the folder holds no search that could go on.
        TaskError: task or space are not those that the run was begun with; each difference is a line.
    """
    _refuse_fixed(overrides)
    run, facts = _begun(run_to_resume(where))
    asked = facts[ASKED]
    merged = _merged(asked["overrides"], overrides)
    if task is None:
        file = Path(asked["task_file"])
        read, space, findings = _as_begun(asked, facts, merged)
    else:
        file = task
        name = facts["task"]["name"] if names_in(task) else None  # of one of the tasks that the file lists
        read, space, _, findings = read_and_checked(task, merged, name=name)
    plans = _plans(asked["given"], folder=read.folder, modality=space.modality)
    found = opened(file, read, space, plans, findings, merged)
    recorded = {**asked, "task": _with_newer_keys(asked["task"], folder=read.folder)}
    differences = list(_differences(recorded, as_asked(found)))
    if differences:
        more = len(differences) - MOST_DIFFERENCES
        listed = [*differences[:MOST_DIFFERENCES], *([f"… and {more} more"] if more > 0 else [])]
        raise TaskError([f"{run.shown} was begun with another task. It goes on with what it was begun with:", *listed])
    begun = _with_budget(run, facts, read, merged)
    _refuse_finished(begun)
    return replace(found, begun=begun)


def refuse_changed_data(begun: BegunRun, data: TaskData) -> None:
    """Raises a DataError where the data are not those that the run was begun on, with what has changed."""
    before = begun.facts["data"]
    if data.summary["fingerprint"] == before["fingerprint"]:
        return
    now = dict(data.summary)
    seen = list(_changes(_flat(before.get("domains", {})), _flat(now.get("domains", {})), where="data"))
    seen += _changes(_flat(before.get("together", {})), _flat(now.get("together", {})), where="together")
    known = read_known_inputs(begun.run)
    seen += [] if known is None else [f"  {line}" for line in what_changed(known, known_inputs(data))]
    words = "  the same examples in another order, or under other classes"
    hint = "Bring them back, or begin a search of its own: autotl search without --resume."
    raise DataError([f"the data are not those that {begun.run.shown} was begun on:", *(seen or [words]), hint])


def as_begun(space: Space, begun: BegunRun, unavailable: Mapping[Any, str]) -> Space:
    """The space over the backbones that were at hand when the run was begun: Optuna's choices may not change.

    Raises:
        EnvironmentProblemError: one of them is not at hand any more.
        TaskError: the space is another.
    """
    before = begun.facts["space"]
    named = before["backbone"]
    is_choice = isinstance(named, Mapping) and set(named) == {"choice"}
    wanted = named["choice"] if is_choice else [named]
    kept = [spec for spec in space.values("backbone") if spec.as_plan_value() in wanted]
    if len(kept) < len(wanted):
        missing = [value for value in wanted if value not in [spec.as_plan_value() for spec in kept]]
        reasons = [unavailable[spec] for spec in unavailable if spec.as_plan_value() in missing]
        raise EnvironmentProblemError(
            "\n".join(
                [f"{begun.run.shown} was begun with backbones that are not at hand any more:", *(reasons or missing)]
            )
        )
    found = space.with_backbones(kept)
    changed = list(_changes(_flat(before), _flat(found.as_mapping()), where="search_space"))
    if changed:
        raise TaskError([f"{begun.run.shown} was begun with another search space:", *changed[:MOST_DIFFERENCES]])
    return found


def is_searched(begun: BegunRun) -> bool:
    """Whether the trials of the run had all ended by themselves, and none may follow."""
    why = begun.facts.get(ENDED)
    if why is None or why.startswith(("interrupted", "trouble")):
        return False
    return not (begun.has_more_trials or begun.has_more_time)


def resumed_words(begun: BegunRun) -> str:
    """What the report says of a run that did not come to its end in one go."""
    before, now = begun.facts["versions"], versions()
    others = [
        f"{name} {before[name]} then, {now.get(name, 'none')} now" for name in before if before[name] != now.get(name)
    ]
    changed = f" Other versions computed since: {', '.join(others)}." if others else ""
    return f"This search was stopped after {begun.facts.get(SPENT, 0):.0f} s and resumed.{changed}"


def facts_as_begun(path: Path) -> Mapping[str, Any] | None:
    """The facts of a run; None where no search was begun in the folder, or it was killed before it had written what it
    was asked, which it does before its first trial."""
    if not (path / STUDY).is_file():
        return None
    with reading(path / STUDY) as study:
        has_facts = bool(study.execute("SELECT 1 FROM sqlite_master WHERE name = 'autotl_facts'"))
        facts = study.facts() if has_facts else {}
    return facts if ASKED in facts else None


def _begun(run: RunFolder) -> tuple[RunFolder, Mapping[str, Any]]:
    path = run.path
    if not (path / STUDY).is_file():
        raise NothingToResumeError(
            f"nothing to resume: {path} holds no run. A search would be begun by its task alone."
        )
    run, facts = RunFolder.open(path), facts_as_begun(path)
    if facts is None:
        raise NothingToResumeError(
            f"nothing to resume: {path} was stopped before its search began, or is of a version that wrote nothing to "
            "resume by. Begin it again under another --out."
        )
    return run, facts


def _refuse_fixed(overrides: Overrides) -> None:
    given = [option for name, option in FIXED.items() if getattr(overrides, name) is not None]
    given += [] if overrides.early_stopping else ["--no-early-stop"]
    if given:
        words = (
            "a run goes on as it was begun. Besides --trials and --wall, what does not change its plans may be given."
        )
        raise UsageError(f"{' and '.join(given)} cannot go with --resume: {words}")


def _merged(begun_with: Mapping[str, Any], now: Overrides) -> Overrides:
    """What the run was begun with, and what is asked now in its place."""
    values = {name: value for name, value in begun_with.items() if name in {each.name for each in fields(Overrides)}}
    asked = {each.name: getattr(now, each.name) for each in fields(Overrides)}
    changed = {name: value for name, value in asked.items() if value != getattr(Overrides(), name)}
    return Overrides(**{**values, **changed})


def _as_begun(
    asked: Mapping[str, Any], facts: Mapping[str, Any], overrides: Overrides
) -> tuple[Task, Space, list[Finding]]:
    """Task, space and findings by the run's own record."""
    folder = Path(facts["folder"])
    if not folder.is_dir():
        raise DataError(
            f"{folder}, where the task lay, is not there any more. Name its file: autotl search task.yaml --resume …"
        )
    task = task_from_mapping(_read(asked["task"]), folder=folder, name=facts["task"]["name"])
    check_words(overrides, task)
    findings = check_quickly(task)
    raise_errors(findings)
    return task, read_space(task, facts["task"]["modality"]), findings


def _plans(written: list[dict[str, Any]], *, folder: Path, modality: str) -> tuple[Plan, ...]:
    return tuple(
        parse_plan(plan, where=f"start_with[{index}]", folder=folder, modality=modality)
        for index, plan in enumerate(written)
    )


def _with_budget(run: RunFolder, facts: Mapping[str, Any], task: Task, overrides: Overrides) -> BegunRun:
    before = facts["task"]["budget"]
    trials = task.budget.trials if overrides.trials is None else overrides.trials
    return BegunRun(
        run,
        facts,
        has_more_time=wall_seconds(task, overrides) > parse_duration(before["wall"]).total_seconds(),
        has_more_trials=trials > int(before["trials"]),
    )


def _refuse_finished(begun: BegunRun) -> None:
    if FINISHED not in begun.facts or begun.has_more_trials or begun.has_more_time:
        return
    budget = begun.facts["task"]["budget"]
    raise NothingToResumeError(
        f"nothing to resume: {begun.run.shown} is finished. Its report: autotl report {begun.run.readable}. It goes on "
        f"with more trials than {budget['trials']} (--trials) or, where time ended it, with more than "
        f"{budget['wall']} in all (--wall)."
    )


def _with_newer_keys(written: str, *, folder: Path) -> str:
    """The record as this version writes it: keys that an earlier one did not know have their defaults."""
    return task_from_mapping(_read(written), folder=folder).as_yaml()


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = (_flat({**_read(each["task"]), **_OF_NO_ACCOUNT}) for each in (before, now))
    yield from _changes(old, new, where="")
    yield from _changes(_flat(before["space"]), _flat(now["space"]), where="search_space")


def _read(written: str) -> dict[str, Any]:
    content = parse_document(written.encode(), file="the task as it was begun").value
    assert isinstance(content, dict), "a search wrote it"
    return content


def _changes(before: Mapping[str, Any], now: Mapping[str, Any], *, where: str) -> Iterator[str]:
    """`seed: 0 there, 1 now`, a line for each value that is not the same."""
    for key in dict.fromkeys([*before, *now]):
        if before.get(key) != now.get(key):
            path = ".".join(part for part in (where, key) if part)
            yield f"  {path}: {_shown(before, key)} there, {_shown(now, key)} now"


def _shown(values: Mapping[str, Any], key: str) -> str:
    return repr(values[key]) if key in values else "nothing"


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Nested mappings and lists by dotted paths."""
    if isinstance(value, Mapping):
        items = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    else:
        return {path: value}
    return {key: leaf for name, item in items for key, leaf in _flat(item, name).items()} if items else {path: value}
