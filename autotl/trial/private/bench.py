"""What private heads are trained on: features that frozen networks give of a task's examples."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from autotl.backbones.network import Network
from autotl.data.examples import Inputs, Rows
from autotl.features import ExtractionProgress
from autotl.plan import Plan
from autotl.trial.learner import Features, without_check
from autotl.trial.network_learner import NetworkLearner
from autotl.trial.outcome import Size
from autotl.trial.private.head import Labelled
from autotl.trial.workshop import Workshop


@dataclass
class PrivateBench:
    """A workshop's networks and stored features, without anything in it that learns."""

    workshop: Workshop
    _learners: dict[str, NetworkLearner] = field(default_factory=dict, init=False)  # the latest, by its plan

    def extraction(self, plan: Plan, check: Callable[[], None]) -> Iterator[ExtractionProgress]:
        """Stores the features of every example of the task, telling after each block how far that is."""
        return self.workshop.bench.extraction(plan, check)

    def labelled(self, plan: Plan, rows: Rows) -> Labelled:
        """Features and labels of rows of the task's data."""
        return Labelled(self.features(plan, rows), self.workshop.data.labels[rows])

    def features(self, plan: Plan, rows: Rows) -> Features:
        """(n, d) of rows of the task's data, as the network gives them."""
        if not len(rows):
            return np.zeros((0, 0), dtype=np.float32)
        return self._learner(plan).predict(rows)[1]

    def features_of(self, plan: Plan, inputs: Inputs) -> Features:
        """(n, d) of inputs outside the task's pools, such as the test set."""
        return self._learner(plan).look_at(inputs)[1]

    def network(self, plan: Plan) -> Network:
        """The frozen network of a plan."""
        return self.workshop.bench.network(plan)

    def size(self, plan: Plan) -> Size:
        """Of the network with its head."""
        return self._learner(plan).size()

    def _learner(self, plan: Plan) -> NetworkLearner:
        if plan.key() not in self._learners:
            self._learners = {plan.key(): self.workshop.bench.learner(plan, without_check)}
        return self._learners[plan.key()]
