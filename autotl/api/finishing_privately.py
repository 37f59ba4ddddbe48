"""What follows the last trial of a private search: the model that ships costs what is left of the budget."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from autotl import leaderboard
from autotl.api.describing import bundle_description, card_of
from autotl.api.ending import Found, ending_error, write_report
from autotl.api.sitting import Sitting
from autotl.api.standing import write_leaderboard
from autotl.data import TaskData
from autotl.leaderboard import Gate, winner_of
from autotl.plan import Plan
from autotl.run.folder import WINNER, written_whole
from autotl.run.ledger import Ledger, forget_key
from autotl.run.study import FINISHED, PARTIAL, SPENT
from autotl.run.trial_row import Row
from autotl.scoring.intervals import Interval, wilson
from autotl.scoring.noisy_share import noisy_share
from autotl.search.limits import limits_of
from autotl.task import PRIVATE_METRIC, is_protected
from autotl.trial.private.noise import SecretDraws

if TYPE_CHECKING:
    from autotl.search.private_search import PrivateSearch

PRIVACY = "privacy"  # the fact with terms and spending
NOT_CALIBRATED = "nothing: calibrating would take one more look at protected examples"


def finish_privately(sitting: Sitting, told: TaskData, search: "PrivateSearch") -> Found:
    """Ships the winner of a search that was not stopped, and writes leaderboard and report.

    Args:
        told: the data as they may be told of.
    """
    study, is_stopped = sitting.study, sitting.budget.interrupted_by is not None
    sitting.stages.start("rank", "ranking the trials")
    finisher = _Finisher(sitting, told, search)
    if is_stopped:
        study.put_fact(PARTIAL, "stopped by a signal before its trials had ended")
    winner = next((row for row in finisher.rows if row["winner"]), None)
    if winner is not None and not is_stopped:
        finisher.ship(winner)
    found = finisher.write()
    with study.transaction():
        study.put_fact(SPENT, sitting.budget.spent)
        if not is_stopped:
            study.put_fact(FINISHED, True)
    if not is_stopped:
        forget_key(sitting.run.path)
    return found


class _Finisher:
    """The rows of a private run, and what is told of them."""

    def __init__(self, sitting: Sitting, told: TaskData, search: "PrivateSearch") -> None:
        self._sitting, self._told, self._search = sitting, told, search
        task = sitting.task.task
        nothing: dict[str, Any] = {"outputs": {}, "labels": np.zeros(0, dtype=np.int64), "groups": None}
        values = {"metric": PRIVATE_METRIC, "seed": task.seed, **nothing}
        limits = limits_of(task.limits)
        self.rows: list[Row] = leaderboard.rank(sitting.study.trials(), higher_is_better=True, limits=limits, **values)
        self.headline = leaderboard.headline(self.rows, **values)
        self._tested: float | None = None

    def ship(self, winner: Row) -> None:
        """Trains the model that ships, tests it once and writes the bundle."""
        from autotl.production.bundle import write_bundle
        from autotl.production.serving_model import serving_private_head

        plan, division = self._sitting.plan_of(winner).canonical(), self._search.order.division
        self._sitting.stages.start("retrain", "training the model that ships, with the rest of the budget")
        head = self._search.final_head(winner["trial"], plan)
        is_trial = division.ships_the_trial
        reason = "it was trained with the whole budget, and training again would cost another"
        if not is_trial:
            epsilon = f"epsilon {division.epsilon_of_final:.3g}"
            reason = f"trained on all {division.protected:,} protected examples with {epsilon}"
        refit = {"shipped": "trial" if is_trial else "refit", "reason": reason}
        self._score_on_public(plan, head)
        self._test(winner, plan, head)
        self.headline["sentences"] += self._sentences()
        self._sitting.stages.start("bundle", "writing the bundle")
        with written_whole(self._sitting.run.path / WINNER) as place:
            write_bundle(
                place,
                serving_private_head(self._search.bench.network(plan), head),
                description=self._description(winner, refit["shipped"]),
                metrics={
                    "score": winner["score"],
                    "headline": self.headline,
                    "test": winner["refit_test"] or winner["test"],
                    "privacy": self._privacy(),
                },
                card=self._card(winner, refit),
                evidence={"privacy.json": self._privacy()},
            )
        self._sitting.study.put_fact("refit", refit)

    def _description(self, winner: Row, shipped: str) -> Row:
        run, task = self._sitting.run.path.name, self._sitting.task.task
        return bundle_description(task, self._told, winner, run=run, shipped=shipped, calibration={"temperature": 1.0})

    def _card(self, winner: Row, refit: Row) -> str:
        from autotl.production.evidence.figures import NOTHING

        return card_of(
            self._sitting.task.task,
            self._told,
            winner,
            metric=PRIVATE_METRIC,
            run=self._sitting.run.path.name,
            headline=self.headline["sentences"],
            corrected=None,
            test=winner["refit_test"] or winner["test"],
            test_uses=int(self._sitting.study.facts().get("test", {}).get("uses") or 0),
            refit=refit,
            calibration={"temperature": 1.0, "fitted_on": NOT_CALIBRATED},
            evidence=NOTHING,
        )

    def _score_on_public(self, plan: Plan, head: Any) -> None:
        """The model that ships on public examples of the target that it has not learnt from, where there are some."""
        rows = self._search.order.rows.public_validation
        if not (self._search.order.blends and len(rows)):
            return
        scored = self._search.bench.labelled(plan, rows)
        right = int(np.count_nonzero(head.predict(scored.features).argmax(axis=1) == scored.labels))
        low, high = wilson(right, len(rows))
        self.headline["sentences"].append(
            f"On {len(rows):,} public target examples that it has not learnt from, the model that ships has accuracy "
            f"{right / len(rows):.3f} ({low:.3f} to {high:.3f})."
        )

    def _test(self, winner: Row, plan: Plan, head: Any) -> None:
        """One count on the test set; of protected examples with noise that was paid for."""
        from autotl.production.evaluation import count_on_test

        test, search = self._sitting.data.test, self._search
        if test is None:
            return
        self._sitting.stages.start("test", "opening the test set")
        epsilon, is_paid = search.order.division.test.epsilon, is_protected(self._sitting.task.task, "target")
        if is_paid:
            search.ledger.charge(winner["trial"], plan, "test", "test", [search.order.division.test])
        draws = SecretDraws(search.key, "test", winner["trial"], plan.key())
        counted = count_on_test(
            lambda inputs: head.predict(search.bench.features_of(plan, inputs)),
            test,
            noise=lambda: draws.discrete_laplace(Fraction(epsilon)) if is_paid else 0,
        )
        found = (
            noisy_share(counted.right, counted.rows, epsilon=epsilon)
            if is_paid
            else Interval(counted.right / counted.rows, *wilson(counted.right, counted.rows))
        )
        winner["test" if search.order.division.ships_the_trial else "refit_test"] = found.as_dict()
        self._tested = found.value
        uses = None if is_paid else counted.uses  # that others were tested on the very same examples was not paid for
        self._sitting.study.put_fact("test", {"uses": uses, "rows": counted.rows, "protocol": counted.protocol})
        self.headline["sentences"] += leaderboard.test_sentences(
            self.rows,
            metric=PRIVATE_METRIC,
            uses=uses or 0,
            rows_tested=counted.rows,
            protocol=counted.protocol,
            source_score=None,
            strangers=(),  # that somebody is of another class was not paid for
        )

    def _sentences(self) -> list[str]:
        division, whose = self._search.order.division, self._sitting.task.task.privacy
        assert whose is not None
        lines = [
            f"Every {whose.protects} example is protected by ({division.epsilon:g}, {division.delta:g})-differential "
            f"privacy, the search included: {self._search.ledger.spent:.3g} of epsilon {division.epsilon:g} is spent."
        ]
        if not division.pays_for_trials:
            lines.append("The search rehearsed on public examples: the scores of its trials are theirs.")
        return lines

    def _privacy(self) -> Row:
        """Terms, spending, and who spent it."""
        ledger = self._search.ledger
        entries = [
            {
                "time": entry.time,
                "trial": entry.trial,
                "purpose": entry.purpose,
                "rows": entry.rows,
                "epsilon": _alone(ledger, entry.looks),
            }
            for entry in ledger.entries()
        ]
        return {**self._search.order.division.as_dict(), "spent": ledger.spent, "ledger": entries}

    def write(self) -> Found:
        """Leaderboard and report."""
        sitting, sentences = self._sitting, self.headline["sentences"]
        sitting.stages.start("report", "writing the report")
        content = write_leaderboard(sitting.run, self.rows, sitting.study.facts())
        write_report(sitting, content, {PRIVACY: self._privacy(), "headline": self.headline})
        return content, tuple(sentences), ending_error(sitting, self.rows, sentences, self._reached)

    def _reached(self, gate: Gate) -> float | None:
        """The figure of the one metric that a private search has."""
        if gate.metric != PRIVATE_METRIC:
            return None
        if gate.on_test:
            return self._tested
        winner = winner_of(self.rows)
        return None if winner is None else winner["score"]["value"]


def _alone(ledger: Ledger, looks: Any) -> float:
    from autotl.trial.private.accountant import epsilon_of

    return epsilon_of(looks, ledger.delta)
