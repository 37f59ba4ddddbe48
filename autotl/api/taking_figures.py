"""What was measured while the winner was shipped, taken into the rows and told: latencies, and figures on the test."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autotl import leaderboard
from autotl.api.costs import cost_log
from autotl.api.latencies import LATENCY
from autotl.run import trial_files
from autotl.run.scored_examples import split_of
from autotl.scoring.answers import ANSWERS
from autotl.scoring.metrics import Labels, compute_all
from autotl.trial.scorer import counting_unknown

if TYPE_CHECKING:
    from autotl.api.ranking import RankedRun
    from autotl.production.evaluation import TestResult
    from autotl.production.shipping import Contender, Shipped
    from autotl.run.trial_row import Row


def take_latencies(ranked: "RankedRun", shipped: "Shipped") -> None:
    """What was measured goes into the rows; for the others it is estimated from that."""
    from autotl.production.latency import estimated_latency_ms

    by_number = {row["trial"]: row for row in ranked.rows}
    latencies = {**shipped.latency_ms, **ranked.latencies.measured}  # a winner keeps the one that it was judged by
    measured = {by_number[number]["flops"]: spent for number, spent in latencies.items()}
    cost_log(ranked.sitting.task.overrides).add(latencies=measured)
    for row in ranked.rows:
        if row["trial"] in latencies:
            row["latency_ms"], row["latency_estimated"] = latencies[row["trial"]], False
        elif row["flops"] is not None:
            row["latency_ms"] = estimated_latency_ms(row["flops"], measured)


def measure_front(ranked: "RankedRun") -> None:
    """With latency as a goal the models on the front are measured, as far as the time goes, and told of."""
    goals = ranked.sitting.task.task.goals
    if LATENCY in goals:
        by_number = {row["trial"]: row for row in ranked.rows}
        for trial in ranked.front:
            if ranked.sitting.budget.left > 0 and by_number[trial]["latency_estimated"]:
                by_number[trial] |= {LATENCY: ranked.latencies.of(by_number[trial]), "latency_estimated": False}
    if ranked.front:
        ranked.tell(leaderboard.sentences_of_front(len(ranked.front), goals))


def take_answers(ranked: "RankedRun", winner: "Row", contenders: "Sequence[Contender]", shipped: "Shipped") -> None:
    """What the contenders said of the test; without one, what the winner said of its validation examples."""
    outputs = ranked.outputs[winner["trial"]]
    if shipped.test is not None:
        _take_test(ranked, winner, contenders, shipped.test, shipped.thresholds)
    elif len(outputs.rows):
        _confuse(ranked, "validation", ranked.sitting.data.labels[outputs.rows], outputs.validation)


def _take_test(
    ranked: "RankedRun",
    winner: "Row",
    contenders: "Sequence[Contender]",
    test: "TestResult",
    thresholds: Sequence[float] | None,
) -> None:
    sitting, scorer = ranked.sitting, ranked.order.scorer
    sealed = sitting.data.test
    assert sealed is not None, "it was just read"
    _keep_answers(ranked, winner, contenders, test)
    if ranked.together is not None:
        said_by = {contender.number: test.probabilities[str(contender.number)] for contender in contenders}
        given = {"seed": scorer.seed, "positive": scorer.positive}
        ranked.together = leaderboard.with_test(ranked.together, test.labels, said_by, sealed.groups, **given)
    ranked.test_examples = split_of(sealed.inputs.digests, test.labels, sealed.groups)
    said = test.probabilities.get("refit", test.probabilities[str(winner["trial"])])
    counted = counting_unknown(test.labels, said)
    ranked.tested = compute_all(*counted, positive=scorer.positive, thresholds=thresholds)
    _confuse(ranked, "test", test.labels, said)
    facts = {"uses": test.uses, "rows": len(test.labels), "protocol": test.protocol, "fingerprint": sealed.fingerprint}
    sitting.study.put_fact("test", facts)
    ranked.tell(
        leaderboard.test_sentences(
            ranked.rows,
            metric=sitting.task.metric,
            uses=test.uses,
            rows_tested=len(test.labels),
            protocol=test.protocol,
            source_score=_on_source(ranked, winner),
            strangers=test.strangers,
        )
    )
    ranked.tell(leaderboard.test_sentences_of_together(ranked.together))


def _keep_answers(ranked: "RankedRun", winner: "Row", contenders: "Sequence[Contender]", test: "TestResult") -> None:
    """Figures go into the rows, answers into the trials' folders."""
    by_number = {row["trial"]: row for row in ranked.rows}
    for contender in contenders:
        by_number[contender.number]["test"] = test.figures[str(contender.number)]
        trial_files.add_test_outputs(
            ranked.sitting.run.trial(contender.number),
            test.probabilities[str(contender.number)],
            refitted=test.probabilities.get("refit") if contender.number == winner["trial"] else None,
        )
    winner["refit_test"] = test.figures.get("refit")


def _confuse(ranked: "RankedRun", split: str, labels: Labels, said: NDArray[np.float32]) -> None:
    """Notes which classes are taken for which, where an answer is a class."""
    data = ranked.sitting.data
    matrix = ANSWERS[data.problem.name].confusion(labels, said, len(data.classes))
    if matrix is not None:
        ranked.confusion = {"split": split, "classes": list(data.classes), "matrix": matrix}


def _on_source(ranked: "RankedRun", winner: "Row") -> dict[str, Any] | None:
    """The winner's score on the source where it was picked without target labels."""
    if ranked.sitting.data.score_kind != "label_free":
        return None
    value = winner["scores"].get(f"source_{ranked.sitting.task.metric}")
    return None if value is None else {"value": value}
