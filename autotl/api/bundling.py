"""A bundle of a trial that the search did not ship, made from the weights that it kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotl.api.describing import bundle_description, card_of
from autotl.api.quiet import import_keras
from autotl.api.reopening import reopen_task
from autotl.api.run_trial import RunTrial, refuse_unless_kept
from autotl.errors import UsageError
from autotl.production.bundle import Bundle
from autotl.run import trial_files
from autotl.scoring.metrics import compute_all
from autotl.task.problem import CLASSIFICATION
from autotl.trial.scorer import counting_unknown

OWN_WEIGHTS = "the search did not ship it, so it was not retrained: the trial's own weights ship"


@dataclass(frozen=True)
class MadeBundle:
    """A bundle with what was measured while making it.

    Attributes:
        test: `{value, low, high}` by the task's metric; None where the test set stayed closed.
        tested: the same model on test by every metric.
    """

    bundle: Bundle
    latency_ms: float
    test: dict[str, Any] | None
    tested: dict[str, float]


def bundle_of_trial(
    trial: RunTrial, place: Path, *, evaluate: bool, folder: Path | None, expected: dict[str, Any] | None
) -> MadeBundle:
    """Writes a bundle of a trial's own weights.

    Args:
        place: an empty folder.
        evaluate: whether the test set is opened for it, which is counted.
        folder: where the task's paths start, if its files have moved.
        expected: its figure on validation, corrected for selection; told by the card.
    Raises:
        UsageError: it kept no weights, no Keras file can hold it, or there is no test set to evaluate it on.
        DataError, StorageError: the run's data cannot be read or have changed.
    """
    refuse_unless_kept(trial.run, trial.content["trials"], trial.row)
    reopened = reopen_task(trial.run, folder=folder)
    plan = reopened.plan_of(trial.row)
    if plan.backbone.trusted:
        raise UsageError(f"{trial.label} runs a SavedModel, which a Keras file cannot hold.")
    data = reopened.read_data()
    if evaluate and data.test is None:
        raise UsageError(f"{trial.run.path} has no test set, so --evaluate has nothing to open.")
    import_keras()
    from autotl.backbones.reading import own_reading
    from autotl.production.bundle import FIGURES, write_bundle
    from autotl.production.evaluation import evaluate_on_test
    from autotl.production.evidence.figures import NOTHING, TEST, Said, figures_of, name_of_validation
    from autotl.production.portrait import portrait_of
    from autotl.production.serving_model import serving_model
    from autotl.production.shipping import THE_PORTRAIT, calibration_of, measured_latency
    from autotl.production.tries import Tries
    from autotl.trial.forms import form_of

    workshop = reopened.workshop_order(data)()
    weights = trial_files.read_weights(trial.folder)
    outputs = trial_files.read_outputs(trial.folder)
    calibration = calibration_of(outputs, data)
    temperature = calibration["temperature"]
    thresholds = workshop.scorer.thresholds(data, outputs)
    found = None
    if evaluate and data.test:
        found = evaluate_on_test({"trial": (plan, weights)}, data.test, workshop, thresholds={"trial": thresholds})
    test = trial.row["test"] if found is None else found.figures["trial"]
    latency = measured_latency(plan, weights, workshop)
    model = serving_model(workshop.trained(plan, weights), own_reading(form_of(plan, data)), temperature=temperature)
    figures: dict[str, Any] = {}
    if data.problem is CLASSIFICATION:
        figures = figures_of(
            Said.of(name_of_validation(data), outputs.validation, data.labels[outputs.rows], temperature=temperature),
            test=None
            if found is None
            else Said.of(TEST, found.probabilities["trial"], found.labels, temperature=temperature),
            target=None,
            classes=data.classes,
            positive=workshop.scorer.positive,
            temperature=temperature,
            grouped=data.groups is not None,
        )
    evidence = {**NOTHING, **figures}
    tries = Tries()
    portrait = tries.had(THE_PORTRAIT, lambda: portrait_of(model, data, outputs, temperature=temperature))
    run = trial.run.path.name
    card = card_of(
        reopened.task,
        data,
        trial.row,
        metric=reopened.metric,
        run=run,
        headline=[*_headline(trial, reopened.facts), *tries.failed],
        corrected=expected,
        test=test,
        test_uses=found.uses if found is not None else int(reopened.facts.get("test", {}).get("uses") or 0),
        refit={"reason": OWN_WEIGHTS},
        calibration=calibration,
        evidence=evidence,
    )
    bundle = write_bundle(
        place,
        model,
        description=bundle_description(
            reopened.task, data, trial.row, run=run, shipped="trial", calibration=calibration
        ),
        metrics={"score": trial.row["score"], "test": test},
        card=card,
        evidence={"calibration.json": calibration, FIGURES: evidence},
        portrait=portrait,
    )
    if found is None:
        return MadeBundle(bundle, latency, test, {})
    counted = counting_unknown(found.labels, found.probabilities["trial"])
    tested = compute_all(*counted, positive=workshop.scorer.positive, thresholds=thresholds)
    return MadeBundle(bundle, latency, test, tested)


def _headline(trial: RunTrial, facts: Mapping[str, Any]) -> Sequence[str]:
    if trial.row["winner"]:
        told: Sequence[str] = (facts.get("headline") or {}).get("sentences") or [f"Trial {trial.number} won."]
        return told
    return [f"Trial {trial.number} of {trial.run.path.name}, which is not the one that won: a person chose it."]
