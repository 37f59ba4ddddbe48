"""A worker's fiftieth trial is as its first: nothing that training changes is left for the next plan."""

import numpy as np
import pytest
from pretend import a_plan, a_workshop
from pretend_domains import two_domains

from autotl.adaptation import METHODS
from autotl.plan import Choice
from autotl.trial.outcome import Job


def of_every_kind():
    """Plans of every method, frozen and not, with everything at work that keeps a state of its own."""
    choices = [Choice(name, METHODS[name].defaults) for name in METHODS]
    plans = []
    for number, choice in enumerate(choices):
        own = {"adaptation": choice, "epochs": 2, "dropout": 0.3, "weight_decay": 0.01, "seed": number}
        plans.append(a_plan(**own, learning_rate=1e-2, label_smoothing=0.1))
        plans.append(a_plan(**own, unfrozen_layers=3, views=number % 2, head=Choice("hidden", {"units": 8})))
    return plans


def everything(workshop, number, plan):
    """Losses, scores, outputs and weights of a trial."""
    rows = list(workshop.train([Job(number, plan)]))
    ending = rows[-1].ending
    assert ending.status == "complete", ending.reason
    return [
        np.array([row.train_loss for row in rows]),
        ending.outputs.validation,
        ending.outputs.target,
        *([] if ending.outputs.mixed is None else [ending.outputs.mixed]),
        ending.outputs.features,
        *ending.weights,
    ]


def test_plans_give_the_same_curves_outputs_and_weights_early_and_late_in_a_worker(tmp_path):
    plans = of_every_kind()
    assert len(plans) == 2 * len(METHODS) > 25
    workshop = a_workshop(tmp_path, two_domains(source=60, target=45))
    first = [everything(workshop, number, plan) for number, plan in enumerate(plans)]
    for number, plan in reversed(list(enumerate(plans))):  # the first plan comes again as the last of over fifty
        for one, again in zip(first[number], everything(workshop, number, plan), strict=True):
            np.testing.assert_array_equal(one, again, err_msg=f"{plan.adaptation.name}, {plan.unfrozen_layers}")


@pytest.mark.parametrize("name", ["dann", "mcc", "tent"])
def test_twenty_plans_of_one_method_share_one_compiled_step(tmp_path, name):
    workshop = a_workshop(tmp_path, two_domains(source=60, target=45))

    def plan(number):
        method = Choice(name, METHODS[name].defaults)
        return a_plan(
            adaptation=method, learning_rate=1e-3 * (1 + number), dropout=0.02 * number, epochs=1, seed=number
        ).canonical()

    trainer = workshop.bench.trainer(plan(0))
    traces = []
    original = trainer.model.compute_loss
    trainer.model.compute_loss = lambda *args, **kwargs: traces.append(1) or original(*args, **kwargs)
    everything(workshop, 0, plan(0))
    first = len(traces)
    for number in range(1, 20):
        everything(workshop, number, plan(number))
    assert first > 0
    assert len(traces) == first
