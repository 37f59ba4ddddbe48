"""From the winning row to a bundle: retrain, test, calibrate, measure, write."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from autotl.backbones.reading import own_reading
from autotl.data import SealedTest, TaskData
from autotl.plan import Plan
from autotl.production.evaluation import TestResult, evaluate_on_test
from autotl.production.latency import latency_ms
from autotl.production.portrait import portrait_of
from autotl.production.refit import Refit, refit
from autotl.production.serving_model import ServingModel, serving_model
from autotl.production.tries import Tries
from autotl.run import RunFolder, trial_files
from autotl.scoring.answers import ANSWERS
from autotl.scoring.watching import Portrait
from autotl.trial.forms import form_of
from autotl.trial.outcome import Outputs
from autotl.trial.workshop import Workshop

THE_PORTRAIT = "the portrait of the training domain, which `autotl watch` asks for,"
Retrain = Literal["yes", "switched off", "no time", "adapted", "no source", "solved"]
WHY_NOT_RETRAINED: Mapping[str, str] = {
    "switched off": "retraining was switched off",
    "no time": "no time was left to retrain",
    "no source": "the source's examples are not here, so there is nothing to retrain on",
    "solved": "its head was solved from the source's sums, and those held out are there to tell how good it is",
    "adapted": "what was judged without labels is this very model, and adapting it again could end elsewhere",
}


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Contender:
    """A trial whose model is tested, or timed: the winner, or one that it is compared with."""

    number: int
    plan: Plan


@dataclass(frozen=True)
class Shipped:
    """What became of the winner.

    Attributes:
        model: the serving model, to be written as a bundle.
        test: figures by trial number as text, and `refit` for the shipped weights where they are the refit's.
        latency_ms: by trial number, measured.
        portrait: of the domain that the model is made for; None where it has too few examples or could not be drawn.
        thresholds: from which probability on each label is said, before calibration; None where an example has one
            label.
        failed: sentences on what could not be had.
    """

    model: ServingModel
    refit: Refit
    test: TestResult | None
    calibration: Mapping[str, Any]
    latency_ms: Mapping[int, float]
    portrait: Portrait | None
    thresholds: Sequence[float] | None = None
    failed: Sequence[str] = ()


def ship(
    winner: Contender,
    beside: Sequence[Contender],
    run: RunFolder,
    workshop: Workshop,
    test: SealedTest | None,
    *,
    retrain: Retrain,
    deadline: float,
) -> Shipped:
    """Retrains the winner, opens the test set once for it and those beside it, and makes the serving model.

    Args:
        beside: whom the winner is compared with: baselines, and of tasks learnt together the best of either kind.
        workshop: on the task's data, which holds no test labels.
        test: None where the task has no test set.
        retrain: whether to, and otherwise why the trial's own weights ship.
        deadline: time.monotonic() after which no training starts.
    """
    data = workshop.data
    outputs = trial_files.read_outputs(run.trial(winner.number))
    own = weights_of(winner, run, workshop)
    if retrain == "yes":
        refitted = refit(winner.plan, own, outputs, workshop, deadline=deadline)
    else:
        refitted = Refit("trial", own, f"{WHY_NOT_RETRAINED[retrain]}: the trial's own weights ship")
    models: dict[str, tuple[Plan, list[NDArray[Any]]]] = {
        str(contender.number): (contender.plan, weights_of(contender, run, workshop)) for contender in (winner, *beside)
    }
    if refitted.shipped == "refit":
        models["refit"] = (winner.plan, refitted.weights)
    thresholds = {str(each.number): _thresholds_of(each, run, workshop) for each in (winner, *beside)}
    thresholds["refit"] = thresholds[str(winner.number)]  # no example is left that the retrained model has not learnt
    tested = None if test is None else evaluate_on_test(models, test, workshop, thresholds=thresholds)
    calibration = calibration_of(outputs, data)
    latencies = {
        contender.number: measured_latency(contender.plan, models[str(contender.number)][1], workshop)
        for contender in (*beside, winner)
    }
    learner = workshop.trained(winner.plan, refitted.weights)
    model = serving_model(learner, own_reading(form_of(winner.plan, data)), temperature=calibration["temperature"])
    tries = Tries()
    temperature = float(calibration["temperature"])
    portrait = tries.had(THE_PORTRAIT, lambda: portrait_of(model, data, outputs, temperature=temperature))
    said_from = thresholds[str(winner.number)]
    return Shipped(model, refitted, tested, calibration, latencies, portrait, said_from, tries.failed)


def _thresholds_of(contender: Contender, run: RunFolder, workshop: Workshop) -> list[float] | None:
    return workshop.scorer.thresholds(workshop.data, trial_files.read_outputs(run.trial(contender.number)))


def weights_of(contender: Contender, run: RunFolder, workshop: Workshop) -> list[NDArray[Any]]:
    """Those that the trial left.

    A search that goes on after its end may find a winner whose weights were not kept then: its plan and seed give them
    again.
    """
    folder = run.trial(contender.number)
    if not (folder / trial_files.WEIGHTS).is_file():
        _log.info("trial %d kept no weights and is trained again", contender.number)
        learner = workshop.fit(contender.plan, workshop.folds(contender.plan.canonical())[0])
        trial_files.write_weights(folder, learner.weights())
    return trial_files.read_weights(folder)


def calibration_of(outputs: Outputs, data: TaskData) -> dict[str, Any]:
    """Temperature and what it was fitted on, from what a trial said of its validation rows."""
    calibration = ANSWERS[data.problem.name].calibration(data.labels[outputs.rows], outputs.validation)
    if data.exported is None:
        return calibration
    return calibration | {  # nothing here tells how sure the model may be, so it stays as sure as it came
        "temperature": data.exported.description.temperature,
        "fitted_on": "held-out outputs on the source, before it was exported",
    }


def measured_latency(plan: Plan, weights: list[NDArray[Any]], workshop: Workshop) -> float:
    """Milliseconds from a raw example to its label, by the model that would ship."""
    learner = workshop.trained(plan, weights)
    model = serving_model(learner, own_reading(form_of(plan, workshop.data)), temperature=1.0)
    return latency_ms(model, workshop.data.inputs[0])
