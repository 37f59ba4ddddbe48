"""The winner becomes a bundle: retrained, tested beside the baselines, with what backs it."""

from typing import TYPE_CHECKING, Any

from autotl.adaptation import METHODS
from autotl.api.describing import bundle_description, card_of
from autotl.api.quiet import import_keras
from autotl.run import trial_files
from autotl.run.folder import WINNER, written_whole
from autotl.search.cost.forecast import TRAININGS

if TYPE_CHECKING:
    from autotl.api.ranking import RankedRun
    from autotl.production.evidence.gathering import Evidence
    from autotl.production.shipping import Contender, Retrain, Shipped
    from autotl.production.tries import Tries
    from autotl.run.trial_row import Row

SAVED_MODEL = (
    "No bundle was written: the winner's backbone is a SavedModel, which a Keras file cannot hold. Its head "
    "is among the trial's weights."
)


def ship_winner(ranked: "RankedRun", winner: "Row") -> None:
    """Retrains, tests and bundles the winner; tests beside it the baselines, and the best alone and together."""
    import_keras()
    from autotl.api.taking_figures import measure_front, take_answers, take_latencies
    from autotl.production.shipping import ship
    from autotl.production.tries import Tries

    sitting = ranked.sitting
    sitting.stages.start("retrain", "retraining the winner and opening the test set")
    contenders = _contenders(ranked, winner)
    shipped = ship(
        contenders[0],
        contenders[1:],
        sitting.run,
        ranked.order(),
        sitting.data.test,
        retrain=retraining(ranked, winner),
        deadline=max(sitting.budget.ends, sitting.budget.search_ends + 1),
    )
    take_latencies(ranked, shipped)
    take_answers(ranked, winner, contenders, shipped)
    measure_front(ranked)
    evidence = _evidence(ranked, winner, shipped)
    tries = Tries()
    gap = _gap(ranked, winner, tries)
    ranked.tell([*shipped.failed, *evidence.failed, *tries.failed])
    sitting.stages.start("bundle", "writing the bundle")
    if sitting.plan_of(winner).backbone.trusted:
        ranked.tell([SAVED_MODEL])
    else:
        _write_bundle(ranked, winner, shipped, evidence, gap)
    facts = {"refit": shipped.refit.as_dict(), "calibration": shipped.calibration, "gap": gap}
    for name, value in {**facts, "evidence": evidence.figures}.items():
        sitting.study.put_fact(name, value)


def retraining(ranked: "RankedRun", winner: "Row") -> "Retrain":
    """Whether the winner is trained again before it ships, and otherwise why not."""
    task, data, budget = ranked.sitting.task, ranked.sitting.data, ranked.sitting.budget
    if not task.overrides.refit:
        return "switched off"
    if data.exported is not None:
        return "no source"
    if data.statistics and data.score_kind == "label_free":
        return "solved"
    judged_by_itself = data.score_kind == "label_free"
    if judged_by_itself and METHODS[winner["plan"]["adaptation"]["method"]].stage in ("joint", "post"):
        return "adapted"
    return "yes" if budget.left > TRAININGS * winner["seconds"]["train"] else "no time"


def _contenders(ranked: "RankedRun", winner: "Row") -> "list[Contender]":
    """The winner, and whoever is tested beside it."""
    from autotl.production.shipping import Contender

    baselines = [row for row in ranked.rows if row["baseline"] and row["status"] == "complete" and not row["winner"]]
    beside = [*baselines, *(row for row in ranked.alone_and_together if row not in (winner, *baselines))]
    return [Contender(row["trial"], ranked.sitting.plan_of(row)) for row in (winner, *beside)]


def _evidence(ranked: "RankedRun", winner: "Row", shipped: "Shipped") -> "Evidence":
    """How the winner behaves, gathered in what is left of the command's time."""
    from autotl.production.evidence.gathering import Winner, gather

    sitting, scorer = ranked.sitting, ranked.order.scorer
    sitting.stages.start("evidence", "looking at what the winner's answers hang on")
    subject = Winner(
        winner["trial"],
        sitting.plan_of(winner),
        sitting.data,
        ranked.outputs[winner["trial"]],
        trial_files.read_weights(sitting.run.trial(winner["trial"])),
        shipped,
        sitting.task.metric,
        scorer.positive,
        scorer.seed,
        lambda: ranked.bench,
    )
    return gather(subject, spent=sitting.budget.spent, left=sitting.budget.left)


def _gap(ranked: "RankedRun", winner: "Row", tries: "Tries") -> dict[str, Any] | None:
    """How far apart the domains are before adaptation and by the winner's features; None without a source."""
    sitting = ranked.sitting
    if len(sitting.data.domains) < 2:
        return None
    from autotl.trial.comparing_domains import before_and_after
    from autotl.trial.reference import reference

    sitting.stages.start("gap", "measuring how far apart the domains are")
    plan, weights = sitting.plan_of(winner), trial_files.read_weights(sitting.run.trial(winner["trial"]))
    workshop = ranked.bench

    def measured() -> dict[str, Any] | None:
        shown = reference(sitting.data, sitting.task.space, lambda: workshop)
        return before_and_after(sitting.data, shown, lambda rows: workshop.trained(plan, weights).predict(rows)[1])

    return tries.had("how far apart the domains are", measured)


def _write_bundle(
    ranked: "RankedRun", winner: "Row", shipped: "Shipped", evidence: "Evidence", gap: dict[str, Any] | None
) -> None:
    from autotl.production.bundle import EXAMPLES, FIGURES, write_bundle

    task, data, run = ranked.sitting.task, ranked.sitting.data, ranked.sitting.run
    files = {"calibration.json": shipped.calibration, "gap.json": gap, FIGURES: evidence.figures}
    files[EXAMPLES] = evidence.examples
    tested = winner["refit_test"] or winner["test"]  # of the weights that ship
    with written_whole(run.path / WINNER) as place:
        write_bundle(
            place,
            shipped.model,
            description=bundle_description(
                task.task,
                data,
                winner,
                run=run.path.name,
                shipped=shipped.refit.shipped,
                calibration=shipped.calibration,
            ),
            metrics={
                "score": winner["score"],
                "headline": ranked.headline,
                "test": tested,
                "trial_test": winner["test"],
            },
            card=card_of(
                task.task,
                data,
                winner,
                metric=task.metric,
                run=run.path.name,
                headline=ranked.headline["sentences"],
                corrected=ranked.headline["corrected"] or ranked.headline["raw"],
                test=tested,
                test_uses=shipped.test.uses if shipped.test is not None else 0,
                refit=shipped.refit.as_dict(),
                calibration=shipped.calibration,
                evidence=evidence.figures,
            ),
            evidence={name: value for name, value in files.items() if value is not None},
            portrait=shipped.portrait,
        )
