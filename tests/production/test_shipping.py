"""What ships of a winner: its model, how it was calibrated, and the portrait of what it was made for."""

import math

import pytest
from pretend import a_plan, a_task, a_workshop

from autotl.production import shipping
from autotl.production.bundle import PORTRAIT, write_bundle
from autotl.production.portrait import read_portrait
from autotl.production.shipping import Contender, ship
from autotl.run import RunFolder, trial_files
from autotl.trial.outcome import Job


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The data, and what `ship` takes of one trial."""
    folder, data = tmp_path_factory.mktemp("shipping"), a_task()
    workshop, plan, run = a_workshop(folder, data), a_plan(), RunFolder.create(folder / "run")
    ending = list(workshop.train([Job(0, plan)]))[-1].ending
    trial_files.write_outputs(run.trial(0), ending.outputs)
    trial_files.write_weights(run.trial(0), ending.weights)
    return data, (Contender(0, plan), [], run, workshop, None)


def test_a_winner_ships_without_a_portrait_that_cannot_be_drawn_and_that_is_told(trained, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a shape does not fit")

    monkeypatch.setattr(shipping, "portrait_of", broken)
    shipped = ship(*trained[1], retrain="switched off", deadline=math.inf)
    assert (shipped.portrait, len(shipped.failed)) == (None, 1)
    assert shipped.failed[0].startswith("The portrait of the training domain, which `autotl watch` asks for, could not")
    assert shipped.failed[0].endswith("be had: ValueError: a shape does not fit.")


def test_a_winner_ships_with_the_portrait_of_its_target(trained, tmp_path):
    data, given = trained
    shipped = ship(*given, retrain="switched off", deadline=math.inf)
    assert not shipped.failed
    description = {"classes": list(data.classes), "modality": "image", "temperature": 1.0}
    bundle = write_bundle(
        tmp_path / "winner",
        shipped.model,
        description=description,
        metrics={},
        card="",
        evidence={},
        portrait=shipped.portrait,
    )
    portrait = read_portrait(bundle)
    assert PORTRAIT in bundle.description["files"]
    assert portrait.sureness.examples == len(data.target_rows)
    assert portrait.sureness.accuracy is not None
    assert portrait.whole.examples == len(data.target_rows) // 2
