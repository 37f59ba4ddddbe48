"""A search under a budget of privacy: one plan after the other, each paid for before it is trained.

There is no sampler, no pruning and no second worker: a score that is looked at early is one more score to pay for, and
the plans are few. What is tried next follows from noisy scores alone, so choosing costs nothing beyond them.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from autotl.data.private_split import ProtectedRows
from autotl.plan import Plan
from autotl.plan.private import next_plan
from autotl.run.cut_off import INTERRUPTED, OUT_OF_BUDGET
from autotl.run.ledger import BudgetSpentError, Ledger
from autotl.scoring.intervals import Interval, wilson
from autotl.scoring.noisy_share import noisy_share
from autotl.search.budget import Budget
from autotl.search.earlier import EarlierTrial
from autotl.search.events import FeaturesComputed, Listener
from autotl.search.journal import Journal
from autotl.search.proposer import Proposal
from autotl.trial.outcome import Job, OutOfTimeError, Seconds
from autotl.trial.private.bench import PrivateBench
from autotl.trial.private.division import Division
from autotl.trial.private.head import PrivateHead, Training, train_head
from autotl.trial.private.noise import SecretDraws
from autotl.trial.progress import Progress, one_line

KIND = "validation"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PrivateOrder:
    """What is searched.

    Attributes:
        plans: all that may be tried, the `given` ones first.
        blends: whether the model that ships goes on learning from the public examples that it starts from.
    """

    plans: Sequence[Plan]
    given: int
    division: Division
    rows: ProtectedRows
    classes: int
    blends: bool = False


@dataclass
class PrivateSearch:
    """One sitting of a private search.

    Attributes:
        ledger: where every look at protected examples is paid for, before it is taken.
        key: of all noise of the run.
        listen: told of features that are under way; of trials the journal tells.
    """

    order: PrivateOrder
    bench: PrivateBench
    ledger: Ledger
    key: bytes
    budget: Budget
    journal: Journal
    listen: Listener

    def run(self, earlier: Sequence[EarlierTrial]) -> str:
        """Trains plans until the trials that are paid for, the plans or the time run out; returns which."""
        scores = {each.plan.key(): _score_of(each.row) for each in earlier if not each.is_unfinished}
        waiting = [each for each in earlier if each.is_unfinished]
        while len(scores) < self.order.division.trials:
            if self.budget.is_spent():
                return "interrupted" if self.budget.interrupted_by is not None else "budget"
            if waiting:
                again = waiting.pop(0)
                number, plan = again.number, again.plan
                self.journal.resumed(Proposal(number, plan, None, 0.0))
            else:
                proposed = next_plan(self.order.plans, scores, given=self.order.given)
                if proposed is None:
                    return "every plan of the space was tried"
                number, plan = len(scores), proposed
                self.journal.started(Proposal(number, plan, None, 0.0))
            scores[plan.key()] = self._train(number, plan)
        return "trials"

    def _train(self, number: int, plan: Plan) -> float | None:
        """Trains and scores one plan, and writes its row; its score, None where it failed."""
        progress, seconds = Progress(Job(number, plan, self.budget.search_ends)), Seconds()
        try:
            with progress.clock("features"):
                self._store(number, plan, progress)
            with progress.clock("train"):
                head = self.head_of(number, plan)
            with progress.clock("score"):
                found = self._score(number, plan, head)
            seconds = progress.row().seconds
        except OutOfTimeError:
            is_stopped = self.budget.interrupted_by is not None
            self.journal.ended(number, "pruned", reason=INTERRUPTED if is_stopped else OUT_OF_BUDGET, report=None)
            return None
        except BudgetSpentError:
            raise
        except Exception as error:  # a crashed trial is a row with its reason, never the end of a search
            _log.exception("trial %d failed", number)
            self.journal.ended(number, "failed", reason=one_line(error), report=None)
            return None
        final: dict[str, Any] = {
            "score": {**found.as_dict(), "kind": KIND},
            "scores": {"accuracy": found.value},
            "epsilon": self.order.division.epsilon_of_trial,
        }
        report = {
            "epoch": self.order.division.trial.epochs,
            "seconds": asdict(seconds),
            "size": asdict(self.bench.size(plan)),
            "extracted": progress.extracted,
            "final": final,
        }
        self.journal.ended(number, "complete", reason=None, report=report)
        return found.value

    def _store(self, number: int, plan: Plan, progress: Progress) -> None:
        for step in self.bench.extraction(plan, progress.check_deadline):
            if self.budget.interrupted_by is not None:
                raise OutOfTimeError
            progress.extracted = step.rows_computed
            self.listen(FeaturesComputed(number, step.rows_done, step.rows, step.seconds_left))

    def head_of(self, number: int, plan: Plan) -> PrivateHead:
        """The head that a trial trains; asked again, it is the same one, and paid for once."""
        division, rows = self.order.division, self.order.rows
        if division.pays_for_trials:
            learnt = self.bench.labelled(plan, rows.train)
            self.ledger.charge(number, plan, "training", "train", division.trial.looks())
        else:
            learnt = self.bench.labelled(plan, rows.public_train)
        draws = SecretDraws(self.key, "training", number, plan.key())
        return train_head(learnt, division.trial, draws, classes=self.order.classes)

    def _score(self, number: int, plan: Plan, head: PrivateHead) -> Interval:
        rows, noise = self.order.rows, self.order.division.score
        scored = self.bench.labelled(plan, rows.public_validation if noise is None else rows.validation)
        right = int(np.count_nonzero(head.predict(scored.features).argmax(axis=1) == scored.labels))
        if noise is None:
            return Interval(right / len(scored), *wilson(right, len(scored)))
        self.ledger.charge(number, plan, "score", "validation", [noise])
        draws = SecretDraws(self.key, "score", number, plan.key())
        counted = right + draws.discrete_laplace(Fraction(noise.epsilon))
        return noisy_share(counted, len(scored), epsilon=noise.epsilon)

    def final_head(self, number: int, plan: Plan) -> PrivateHead:
        """The head that ships: trained on every protected example with the budget's largest part, from what public
        examples teach where there are some."""
        division, rows = self.order.division, self.order.rows
        if division.ships_the_trial:
            return self.head_of(number, plan)
        learnt, start, beside = self.bench.labelled(plan, rows.all), None, None
        if len(rows.public_train):
            public = self.bench.labelled(plan, rows.public_train)
            start = train_head(public, Training(0.0), SecretDraws(self.key, "public"), classes=self.order.classes)
            beside = public if self.order.blends else None
        self.ledger.charge(number, plan, "final", "all", division.final.looks())
        draws = SecretDraws(self.key, "final", number, plan.key())
        return train_head(learnt, division.final, draws, classes=self.order.classes, public=beside, start=start)


def _score_of(row: Mapping[str, Any]) -> float | None:
    value = (row["score"] or {}).get("value") if row["status"] == "complete" else None
    return None if value is None else float(value)
