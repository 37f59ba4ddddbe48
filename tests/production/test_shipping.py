"""What ships of a winner: its model, how it was calibrated, and the portrait of what it was made for."""

import math

from pretend import a_plan, a_task, a_workshop

from autotl.production.bundle import PORTRAIT, write_bundle
from autotl.production.portrait import read_portrait
from autotl.production.shipping import Contender, ship
from autotl.run import RunFolder, trial_files
from autotl.trial.outcome import Job


def test_a_winner_ships_with_the_portrait_of_its_target(tmp_path):
    data = a_task()
    workshop, plan, run = a_workshop(tmp_path, data), a_plan(), RunFolder.create(tmp_path / "run")
    ending = list(workshop.train([Job(0, plan)]))[-1].ending
    trial_files.write_outputs(run.trial(0), ending.outputs)
    trial_files.write_weights(run.trial(0), ending.weights)
    shipped = ship(Contender(0, plan), [], run, workshop, None, retrain="switched off", deadline=math.inf)
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
