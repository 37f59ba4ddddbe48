"""`search`: from an opened task to a run folder with its leaderboard, winner and report."""

import logging
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from autotl.api.beginning import begin_with, words_of
from autotl.api.checking import check_backbones, check_features, only_loading_tells, with_lengths_of
from autotl.api.means import Means
from autotl.api.opening import BegunRun, OpenedTask, Overrides, open_task, trial_seconds, wall_seconds
from autotl.api.pretraining import pretraining_sentence, with_pretrained
from autotl.api.resuming import as_begun, is_searched, open_run, refuse_changed_data, resumed_words
from autotl.api.room import needs_of, run_path
from autotl.api.run_log import logged_to
from autotl.api.signals import interrupted, stopped_by_signals
from autotl.api.sitting import Sitting
from autotl.api.stages import Stages
from autotl.backbones.availability import kept_offline, offline_by_environment
from autotl.data import TaskData, load_data
from autotl.errors import AutotlError, InterruptedSearchError, NoUsableModelError, StorageError, UsageError
from autotl.features import FeatureStore, features_folder
from autotl.plan.suiting import PLANS, SPACE, Ground, refuse_unsuited, suited_to
from autotl.plan.unfreezing import left_frozen
from autotl.run import Study, create_run
from autotl.run.cut_off import BROKE_OFF, INTERRUPTED, OUT_OF_BUDGET, reopen
from autotl.run.folder import LOG, STUDY
from autotl.run.ledger import owners_file
from autotl.run.study import ENDED, FINISHED, PARTIAL, SPENT
from autotl.search.budget import Budget
from autotl.search.disk import refuse_full_disks
from autotl.search.events import Listener, silent
from autotl.search.limits import too_large
from autotl.search.run import search as run_search
from autotl.trial.outcome import OutOfTimeError

if TYPE_CHECKING:
    from autotl.api.ending import Found

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """A finished search.

    Attributes:
        leaderboard: the content of leaderboard.json.
        sentences: what was found, in words.
        error: why the command must not end with 0 although the run is written: no usable model, a gate, a signal.
        is_whole: whether nothing is left that a resumed search would do.
        shown: where the run is kept: its path, or the URL that it was asked to be kept at.
    """

    path: Path
    leaderboard: dict[str, Any]
    sentences: tuple[str, ...]
    error: AutotlError | None = None
    is_whole: bool = True
    shown: str = ""

    @property
    def winner(self) -> dict[str, Any] | None:
        """The winning row."""
        return next((row for row in self.leaderboard["trials"] if row["winner"]), None)


def search(
    task: OpenedTask | Path | str | None = None,
    *,
    resume: Path | str | None = None,
    listen: Listener = silent,
    means: Means = Means(),
    **overrides: Any,
) -> Run:
    """Searches, retrains the winner, tests it once, writes the run folder and its report.

    Args:
        task: a path, or what `open_to_search` returned. With `resume` it may be left out.
        resume: the run folder of a search that was stopped, killed or is to be given more, which goes on.
        listen: is told of every event.
        means: by what plans are trained and the winner is shipped.
        overrides: as the fields of `Overrides`.
    Raises:
        AutotlError: nothing could be searched at all. What went wrong later is in `Run.error`.
    """
    if not isinstance(task, OpenedTask):
        settings = Overrides(**overrides, resume=resume)
        task = open_to_search(None if task is None else Path(task), settings)
    elif overrides:
        task = replace(task, overrides=replace(task.overrides, **overrides))
    with kept_offline() if task.overrides.offline or offline_by_environment() else nullcontext():
        try:
            return _search(task, listen, means)
        except OutOfTimeError:
            words = "the time was spent on pretraining, before the first trial. Give it more: --wall, or budget.wall."
            raise NoUsableModelError(words) from None


def open_to_search(task: Path | None, overrides: Overrides) -> OpenedTask:
    """A task that is ready to be searched, from its beginning or, with `resume`, from where its run was left.

    Raises:
        UsageError: neither is given.
        AutotlError: as `open_task` and `open_run` raise.
    """
    if overrides.resume is not None:
        return open_run(overrides.resume, task, overrides)
    if task is None:
        raise UsageError("name a task: autotl search task.yaml. Or a run to go on with: autotl search --resume RUN")
    return open_task(task, overrides)


def _search(task: OpenedTask, listen: Listener, means: Means) -> Run:
    with ExitStack() as held:
        if task.begun is not None:
            held.enter_context(task.begun.run.owned())
        return _search_alone(task, listen, means, held)


def _search_alone(task: OpenedTask, listen: Listener, means: Means, held: ExitStack) -> Run:
    """Nobody else writes the run that goes on, or the one that is made here."""
    begun = task.begun
    spent = 0.0 if begun is None else float(begun.facts.get(SPENT, 0.0))
    budget = Budget(
        wall_seconds(task.task, task.overrides),
        trial_seconds=trial_seconds(task.task, task.overrides),
        started=task.opened_at,
        spent_before=spent,
    )
    stages = Stages(listen)
    with stopped_by_signals(budget):
        try:
            with budget.broken_off_by_signals():
                task, data = _prepared(task, budget, stages)
        except KeyboardInterrupt:
            if budget.interrupted_by is None:
                raise
            raise _stopped_before_it_began(task, budget.interrupted_by) from None
        place = run_path(task)
        refuse_full_disks(needs_of(task, data, place))
        if begun is not None:
            task = replace(task, space=as_begun(task.space, begun, task.unavailable))
            run = begun.run
        else:
            run = create_run(place)
            held.enter_context(run.owned())
        study = Study(run.path / STUDY)
        try:
            with logged_to(run.path / LOG if task.task.privacy is None else owners_file(run.path, LOG)):
                return _conduct(Sitting(task, data, run, study, budget, stages), means)
        except AutotlError:
            if begun is None and not study.trials():  # nothing was begun: nothing half-written stays behind
                run.remove()
            raise
        finally:
            study.close()


def _stopped_before_it_began(task: OpenedTask, number: int) -> InterruptedSearchError:
    left = "nothing was written" if task.begun is None else f"{task.begun.run.path} is as it was"
    return interrupted(number, f" before the first trial; {left}")


def _prepared(task: OpenedTask, budget: Budget, stages: Stages) -> tuple[OpenedTask, TaskData]:
    """The data, and the task as they and the backbones that are at hand let it be."""
    stages.start("data", "reading and checking the data")
    data = load_data(task.task)
    if task.begun is not None:
        if task.task.privacy is None:  # else only the run's own key tells
            refuse_changed_data(task.begun, data)
        data = _noted(data, resumed_words(task.begun))
    if task.task.resources.precision != "float32":
        precision = task.task.resources.precision
        words = f"frozen layers computed in {precision} while searching; the shipped model computes in float32"
        data = _noted(data, words)
    ground = Ground.of(data)
    refuse_unsuited(task.given, ground, where=task.task.where(PLANS))
    space = suited_to(with_lengths_of(task.space, data), ground, where=task.task.where(SPACE))
    task = replace(task, space=space)
    for sentence in (*left_frozen(space), *too_large(space, task.task.limits)[1]):
        data = _noted(data, sentence)
    task, pretraining = with_pretrained(task, data, budget, stages)
    if pretraining is not None:
        data = _noted(data, pretraining_sentence(pretraining))
        data = replace(data, summary={**data.summary, "pretraining": pretraining})
    check_features(task.space, data, seed=task.task.seed)
    if only_loading_tells(task.space):
        stages.start("backbones", "loading the backbones")
        task = replace(task, unavailable={**task.unavailable, **check_backbones(task.space, data)})
        at_hand = [spec for spec in task.space.values("backbone") if spec not in task.unavailable]
        task = replace(task, space=task.space.with_backbones(at_hand))
    FeatureStore(features_folder(), limit_bytes=0)  # a store that cannot be made is told before there is a run
    return task, data


def _conduct(sitting: Sitting, means: Means) -> Run:
    from autotl.api.asked import write_what_was_asked
    from autotl.api.finishing import finish
    from autotl.api.standing import keep_standing

    task, data, run, study = sitting.task, sitting.data, sitting.run, sitting.study
    if task.task.privacy is not None:
        from autotl.api.searching_privately import search_privately

        return _conducted(sitting, search_privately(sitting))
    why: str | None = None
    if task.begun is not None and is_searched(task.begun):
        why = task.begun.facts[ENDED]
        study.drop_fact(PARTIAL)
    elif task.begun is not None:
        _go_on(task.begun, study)
    for name, reason in cast(list[list[str]], data.summary["broken"]):
        _log.info("left out: %s: %s", name, reason)
    write_what_was_asked(task, data, run, study)
    order = means.workshop_order(task, data)
    trouble: AutotlError | None = None
    if why is None:
        starting = begin_with(task, data, study)
        begun_with = f", beginning with plans that did well elsewhere: {words_of(starting)}" if starting else ""
        sitting.stages.start("search", f"searching{begun_with}")
        listen = keep_standing(run, study, sitting.stages.listen)
        try:
            told = means.search_order(task, data, starting)
            why = run_search(told, run, study, sitting.budget, make_workshop=order, listen=listen)
        except AutotlError as error:
            if not study.trials():
                raise
            why, trouble = f"trouble: {error}", error
    _log.info("the search ended: %s", why)
    try:
        return _conducted(sitting, finish(sitting, order, why=why, trouble=trouble, ship=means.ship))
    except StorageError as error:
        if trouble is None:
            raise
        words = (
            f"{trouble}. What had finished is in {run.path}; make room there, then: autotl search --resume {run.path}"
        )
        raise StorageError(words) from error


def _conducted(sitting: Sitting, found: "Found") -> Run:
    run, (content, sentences, failure) = sitting.run, found
    is_whole = FINISHED in sitting.study.facts()
    return Run(run.readable, content, sentences, failure, is_whole=is_whole, shown=run.shown)


def _noted(data: TaskData, words: str) -> TaskData:
    """The data with one more sentence that the report shows."""
    return replace(data, summary={**data.summary, "notes": [*cast(list[str], data.summary["notes"]), words]})


def _go_on(begun: BegunRun, study: Study) -> None:
    """What an earlier sitting cut off is under way again, and the run is not at its end any more."""
    with study.transaction():
        reopen(study, reasons=(INTERRUPTED, BROKE_OFF, *((OUT_OF_BUDGET,) if begun.has_more_time else ())))
        for fact in (ENDED, PARTIAL, FINISHED):
            study.drop_fact(fact)
