"""A winner ships though something that goes with it could not be had, and the headline says what and why."""

from types import SimpleNamespace

import pytest

from autotl.api import shipping_winner
from autotl.api.shipping_winner import ship_winner
from autotl.api.stages import Stages
from autotl.production import shipping
from autotl.production.evidence import gathering
from autotl.production.evidence.gathering import Evidence
from autotl.search.events import silent
from autotl.trial import comparing_domains, reference

WINNER = {"trial": 0, "baseline": None, "status": "complete", "winner": True, "test": None, "refit_test": None}
NO_PORTRAIT, NO_COLUMNS = "The portrait could not be had: OSError: it is gone.", "Columns could not be had: it is late."


@pytest.fixture
def shipped(monkeypatch):
    """What is written, of a ship and a gathering that could not have everything."""
    refit = SimpleNamespace(shipped="trial", as_dict=dict)
    made = SimpleNamespace(failed=[NO_PORTRAIT], test=None, refit=refit, calibration={}, latency_ms={})
    monkeypatch.setattr(shipping, "ship", lambda *_, **__: made)
    monkeypatch.setattr(gathering, "gather", lambda *_, **__: Evidence({}, None, [NO_COLUMNS]))
    monkeypatch.setattr(reference, "reference", lambda *_: None)
    monkeypatch.setattr(comparing_domains, "before_and_after", lambda *_: {}["features"])
    for name in ("import_keras", "_contenders", "retraining"):
        monkeypatch.setattr(shipping_winner, name, lambda *_: [None])
    monkeypatch.setattr(shipping_winner.trial_files, "read_weights", lambda _: [])
    written = []
    monkeypatch.setattr(shipping_winner, "_write_bundle", lambda *given: written.append(given))
    return written


def ranked():
    facts, sentences = {}, []
    sitting = SimpleNamespace(
        stages=Stages(silent),
        run=SimpleNamespace(trial=str),
        data=SimpleNamespace(domains=("target", "source"), test=None),
        task=SimpleNamespace(task=SimpleNamespace(goals=("accuracy",)), space=None, metric="accuracy", overrides=None),
        budget=SimpleNamespace(ends=0.0, search_ends=0.0, spent=0.0, left=0.0),
        study=SimpleNamespace(put_fact=facts.__setitem__, facts=facts),
        plan_of=lambda row: SimpleNamespace(backbone=SimpleNamespace(trusted=False)),
    )
    return SimpleNamespace(
        sitting=sitting,
        order=SimpleOrder(),
        rows=[],
        front=[],
        outputs={0: SimpleNamespace(rows=[])},
        latencies=SimpleNamespace(measured={}),
        bench=None,
        sentences=sentences,
        tell=sentences.extend,
    )


class SimpleOrder:
    """Makes no workshop, but knows what the scorer asks for."""

    scorer = SimpleNamespace(positive=1, seed=0)

    def __call__(self):
        return None


def test_what_could_not_be_had_is_told_before_the_bundle_is_written(shipped, monkeypatch):
    monkeypatch.setattr("autotl.api.taking_figures.take_latencies", lambda *_: None)
    run = ranked()
    ship_winner(run, WINNER)
    no_gap = "How far apart the domains are could not be had: KeyError: 'features'."
    assert run.sentences == [NO_PORTRAIT, NO_COLUMNS, no_gap]
    assert len(shipped) == 1
    assert run.sitting.study.facts["gap"] is None
