"""Methods that draw features together learn numbers, too, and joint losses are told how logits are read."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from pretend import a_plan, a_workshop
from pretend_domains import two_domains

from autotl.adaptation import METHODS
from autotl.adaptation.dan import Dan
from autotl.data.examples import UNKNOWN
from autotl.plan import Choice
from autotl.task.problem import REGRESSION
from autotl.trial.losses import LOSSES
from autotl.trial.model import Structure, TransferModel
from autotl.trial.outcome import Job

APPLY = [name for name in METHODS if name not in REGRESSION.no_methods]


def of_numbers(data):
    """The classes as numbers of two digits, those that are unknown as none."""
    numbers = np.where(data.labels == UNKNOWN, np.nan, 20.0 + 30.0 * data.labels)
    return replace(
        data, labels=numbers, problem=REGRESSION, classes=("size",), metric="rmse", score_kind="source-validation"
    )


@pytest.mark.parametrize(("name", "changed"), [*((name, {}) for name in APPLY), ("dan", {"joint": True})])
def test_methods_that_align_features_learn_numbers(tmp_path, name, changed):
    data = of_numbers(two_domains())
    workshop = a_workshop(tmp_path, data, metric="rmse")
    plan = a_plan(adaptation=Choice(name, {**METHODS[name].defaults, **changed}), learning_rate=1e-2, epochs=3)
    *_, last = [row for row in workshop.train([Job(0, plan)]) if row.ending is not None]
    assert last.ending.status == "complete", last.ending.reason
    said = last.ending.outputs.target
    assert said.shape[1] == 1
    assert 0.0 < said.mean() < 100.0, "in the unit of the labels"
    assert np.ptp(said) > 0


@pytest.mark.parametrize("learns_by", LOSSES)
def test_a_joint_loss_is_told_how_logits_are_read(learns_by, monkeypatch):
    seen = []

    def loss(self, batch, networks, values):
        seen.append(batch.activation)
        return 0.0

    monkeypatch.setattr(Dan, "loss", loss)
    features = keras.Input((4,))
    dan = Choice("dan", METHODS["dan"].defaults)
    structure = Structure.of(Choice("linear"), dan, classes=1, domains=2, joined=0, learns_by=learns_by)
    model = TransferModel(keras.Model(features, keras.layers.Identity()(features)), structure, seed=0)
    unknown = structure.supervised.no_labels(8, classes=1)
    model.compute_loss(y=unknown, y_pred={"features": np.zeros((8, 4)), "logits": np.zeros((8, 1))})
    assert seen == [LOSSES[learns_by].link.activation]
