"""The verbs beside `search`, each a few lines over the rooms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotl.api.checking import check_backbones, check_features, with_lengths_of
from autotl.api.opening import OpenedTask, Overrides, open_tasks, wanted_baselines
from autotl.api.planning import in_company
from autotl.api.private_terms import division_as_listed, sentences_of
from autotl.api.quiet import import_keras
from autotl.api.room import needs_as_listed
from autotl.backbones import parse_spec, why_not_at_hand
from autotl.data import Finding, load_data
from autotl.errors import EnvironmentProblemError, UsageError
from autotl.plan.baselines import baselines
from autotl.plan.suiting import Ground, left_out, suited_to
from autotl.plan.unfreezing import left_frozen
from autotl.run import RunFolder
from autotl.run.folder import REPORT
from autotl.scoring.comparison import resolution_sentence
from autotl.search.disk import expected, lacking
from autotl.task import PROBLEMS, Task

if TYPE_CHECKING:
    from autotl.production.prediction import Predictions
    from autotl.report import ReportValues


DEMO_BACKBONE = "efficientnet_lite0"
FEW_IN_A_CLASS = 50  # below it `validate` says which differences cannot be seen


@dataclass(frozen=True)
class Validation:
    """What `validate` found in a task that has no mistake."""

    sentences: tuple[str, ...]
    findings: tuple[Finding, ...]
    description: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        findings = [
            {"code": found.code, "severity": found.severity, "message": found.message, "examples": list(found.examples)}
            for found in self.findings
        ]
        return {"schema": 1, **self.description, "findings": findings}


def validate(path: Path | str, *, full: bool = False) -> Validation:
    """Checks a task and its data, or all tasks that a file lists; with `full` opens files and loads backbones.

    Raises:
        TaskError, DataError: everything that is wrong, a line each.
    """
    each = [_validated(opened, full=full) for opened in open_tasks(Path(path), Overrides())]
    if len(each) == 1:
        return each[0]
    sentences = tuple(sentence for one in each for sentence in one.sentences)
    findings = tuple(found for one in each for found in one.findings)
    return Validation(sentences, findings, {"tasks": [one.description for one in each]})


def _validated(opened: OpenedTask, *, full: bool) -> Validation:
    findings = opened.findings
    searched, not_searched = _methods(opened)
    description = {**opened.description, "adaptation": {"searched": searched, "not_searched": not_searched}}
    if full:
        data = load_data(opened.task)
        findings = data.findings
        description["data"] = dict(data.summary)
        check_backbones(with_lengths_of(opened.space, data), data)
        check_features(opened.space, data, seed=opened.task.seed)
    return Validation(tuple(_sentences(opened)), findings, description)


def predict(model: Path | str, data: Path | str) -> "Predictions":
    """Labels and probabilities of raw inputs by a run's winner, a bundle, or a promoted model such as
    `kitchen@production`."""
    from autotl.api.signing_off import open_model

    bundle = open_model(model)  # what is no model is told at once, without Keras
    import_keras()  # before the room below, which would import TensorFlow with its greeting
    from autotl.production.prediction import predict as predict_with

    return predict_with(bundle, Path(data))


def predict_given(model: Path | str, content: bytes, *, where: str = "standard input") -> "Predictions":
    """The same for examples that are given instead of named: rows of a CSV below its header, or the path of an image on
    each line."""
    from autotl.api.signing_off import open_model

    bundle = open_model(model)
    import_keras()
    from autotl.production.prediction import predict_given as predict_with

    return predict_with(bundle, content, where=where)


def read_leaderboard(run: Path | str) -> dict[str, Any]:
    """leaderboard.json of a run."""
    from autotl.api.standing import read_leaderboard as read

    return read(RunFolder.open(Path(run)))


def write_report(run: Path | str) -> Path:
    """Lays report.html out anew from what the run folder holds."""
    return _laid_out(run, lambda values: values)


def write_report_without_examples(run: Path | str) -> Path:
    """The same report for people who may not see the data: it shows no example of it, and no name of one."""
    from autotl.report.discretion import without_examples

    return _laid_out(run, without_examples)


def _laid_out(run: Path | str, chosen: "Callable[[ReportValues], ReportValues]") -> Path:
    from autotl.api.standing import read_leaderboard as read
    from autotl.report import render
    from autotl.report.from_run import report_values

    folder = RunFolder.open(Path(run))
    return folder.write(REPORT, render(chosen(report_values(folder, read(folder)))))


def write_demo(out: Path) -> Path:
    """Writes the demo's data and task; returns the task's path.

    Raises:
        UsageError: the folder is not empty.
        EnvironmentProblemError: the package with the demo's backbone is not installed.
    """
    from autotl.data.printed_digits import write_demo as write

    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty. Choose another --out.")
    missing = why_not_at_hand(parse_spec(DEMO_BACKBONE, folder=out, where="demo"), offline=True)
    if missing is not None:
        raise EnvironmentProblemError(missing)
    return write(out)


def _sentences(opened: OpenedTask) -> list[str]:
    described = opened.description
    setting, classes = described["setting"], described["classes"]
    problem = PROBLEMS[opened.task.problem]
    lines = [f"{described['task']}: {setting} transfer, {problem.subject(classes)}, metric {opened.metric}."]
    lines.extend(described["follows"])
    lines.extend(described["notes"])
    scored = described["scored"]
    if scored is not None and scored["smallest_class"] < FEW_IN_A_CLASS and "accuracy" in problem.metrics:
        lines.append(resolution_sentence(scored["rows"]))
    lines.extend(f"Skipped: {why}" for why in opened.unavailable.values())
    lines.extend(left_frozen(opened.space))
    for spec in opened.space.values("backbone"):
        if why_not_at_hand(spec, offline=True) is not None:
            lines.append(f"{spec.label}: its weights are not on this machine; the search will try to download them.")
    wanted = wanted_baselines(opened.task, opened.overrides)
    names = dict.fromkeys(baseline.name for baseline in baselines(opened.space, setting=setting, wanted=wanted))
    labels = ", ".join(spec.label for spec in opened.space.values("backbone"))
    lines.append(f"Backbones: {labels}. Baselines: {', '.join(names) or 'none'}.")
    lines.extend(_of_methods(opened))
    lines.extend(_of_idle_settings(opened.task))
    if opened.task.privacy is not None:
        lines.extend(sentences_of(opened.task, division_as_listed(opened)))
    company = in_company(opened.task, suited_to(opened.space, Ground.promised_by(opened.task)))
    lines.extend([] if company is None else [company])
    needs = needs_as_listed(opened)
    return [*lines, expected(needs), *(f"Too little: {words}" for words in lacking(needs))]


def _methods(opened: OpenedTask) -> tuple[list[str], dict[str, str]]:
    """The methods of adaptation that are searched, and why others that the space names are not."""
    ground = Ground.promised_by(opened.task)
    searched = [choice.name for choice in suited_to(opened.space, ground).values("adaptation")]
    return list(dict.fromkeys(searched)), left_out(opened.space, ground)


def _of_idle_settings(task: Task) -> list[str]:
    """Settings that the task asks for and that have no effect on what it learns."""
    written = task.search_space if isinstance(task.search_space, dict) else {}
    fixed = PROBLEMS[task.problem].fixed.items()
    return [
        f"Not searched: {name} has no effect on 'problem: {task.problem}'; every plan has {value:g}."
        for name, value in fixed
        if written.get(name, value) != value
    ]


def _of_methods(opened: OpenedTask) -> list[str]:
    """The same in words."""
    searched, reasons = _methods(opened)
    lines = [f"Adaptation: {', '.join(searched)}."]
    for reason in dict.fromkeys(reasons.values()):
        names = [name for name, why in reasons.items() if why == reason]
        which = names[0] if len(names) == 1 else f"{', '.join(names)}: each"
        lines.append(f"Not searched: {which} {reason}.")
    return lines
