"""The loop of a private search: who is paid for, in which order, and what a stop changes."""

import json

import numpy as np
import pytest

pytest.importorskip("dp_accounting")

from autotl.backbones import BackboneSpec
from autotl.data.private_split import ProtectedRows
from autotl.features import ExtractionProgress
from autotl.plan import Plan
from autotl.run import RunFolder, Study
from autotl.run.cut_off import reopen
from autotl.run.ledger import open_ledger
from autotl.search.budget import Budget
from autotl.search.earlier import earlier_trials
from autotl.search.events import silent
from autotl.search.journal import Journal
from autotl.search.private_search import PrivateOrder, PrivateSearch
from autotl.trial.outcome import Size
from autotl.trial.private.division import divided, rehearsed
from autotl.trial.private.head import Labelled

PLANS = [Plan(BackboneSpec("scratch", "small_cnn"), image_size=size) for size in (16, 24, 32)]
WORTH = {16: 0.5, 24: 4.0, 32: 1.0}  # how far apart the classes lie in the features of each plan


class PretendBench:
    """Features that tell two classes apart, better or worse; a plan of 32 px may break."""

    def __init__(self, *, rows=1_200, breaks=False, blocks=1):
        draws = np.random.default_rng(0)
        self.labels = np.arange(rows) % 2
        self.noise = draws.normal(size=(rows, 6))
        self.breaks = breaks
        self.blocks = blocks

    def extraction(self, plan, check):
        check()
        if self.breaks and plan.image_size == 32:
            raise RuntimeError("no such network")
        yield from [ExtractionProgress.of_stored(len(self.labels))] * self.blocks

    def labelled(self, plan, rows):
        features = self.noise[rows] + WORTH[plan.image_size] * np.eye(6)[self.labels[rows]]
        return Labelled(features.astype(np.float32), self.labels[rows])

    def size(self, plan):
        return Size(params=10, model_mb=0.1, flops=plan.image_size)


def rows_of(*, public=False):
    parts = np.split(np.arange(1_200), [800, 1_000])
    none = np.empty(0, dtype=np.int64)
    if not public:
        return ProtectedRows(parts[0], parts[1], none, none)
    return ProtectedRows(parts[1], none, parts[0], parts[2])


def a_sitting(folder, bench, *, division=None, rows=None, wall=600.0):
    run = RunFolder(folder) if (folder / "trials").is_dir() else RunFolder.create(folder)
    study = Study(run.path / "study.db")
    ledger, key = open_ledger(run.path, epsilon=3.0, delta=1e-5)
    division = division or divided(3.0, 1e-5, trials=3, train=800, validation=200)
    order = PrivateOrder(PLANS, 0, division, rows or rows_of(), 2)
    budget = Budget(wall)
    journal = Journal(run, study, silent, score_kind="validation", spent=lambda: budget.spent)
    sitting = PrivateSearch(order, bench, ledger, key, budget, journal, silent)
    earlier = earlier_trials(study, modality="image")
    journal.take_up(earlier)
    budget.start_search()
    return sitting, earlier, study


def spending(sitting):
    return [(entry.trial, entry.purpose, entry.rows) for entry in sitting.ledger.entries()]


def test_every_trial_pays_for_its_training_and_its_score_and_says_so(tmp_path):
    sitting, earlier, study = a_sitting(tmp_path / "run", PretendBench())
    assert sitting.run(earlier) == "trials"
    rows = study.trials()
    assert [row["status"] for row in rows] == ["complete"] * 3
    assert {row["epsilon"] for row in rows} == {sitting.order.division.epsilon_of_trial}
    assert spending(sitting) == [
        (n, p, r) for n in range(3) for p, r in (("training", "train"), ("score", "validation"))
    ]
    best = max(rows, key=lambda row: row["score"]["value"])
    assert best["plan"]["image_size"] == 24
    assert "counted with noise" in best["score"]["note"]
    sitting.final_head(best["trial"], PLANS[1])
    assert sitting.ledger.spent == pytest.approx(3.0, rel=0.02)


def test_a_trial_that_breaks_before_it_looked_spends_nothing(tmp_path):
    sitting, earlier, study = a_sitting(tmp_path / "run", PretendBench(breaks=True))
    sitting.run(earlier)
    failed = next(row for row in study.trials() if row["status"] == "failed")
    assert failed["failure"] == "RuntimeError: no such network"
    assert failed["trial"] not in {trial for trial, *_ in spending(sitting)}


def test_a_rehearsal_on_public_examples_spends_nothing_and_the_last_training_does(tmp_path):
    division = rehearsed(3.0, 1e-5, trials=3, protected=200, public=800)
    sitting, earlier, study = a_sitting(tmp_path / "run", PretendBench(), division=division, rows=rows_of(public=True))
    sitting.run(earlier)
    assert spending(sitting) == []
    assert all("note" not in row["score"] for row in study.trials())
    head = sitting.final_head(1, PLANS[1])
    assert spending(sitting) == [(1, "final", "all")]
    held_out = sitting.bench.labelled(PLANS[1], rows_of(public=True).public_validation)
    assert np.mean(head.predict(held_out.features).argmax(axis=1) == held_out.labels) > 0.9


def test_without_time_nothing_is_begun(tmp_path):
    sitting, earlier, study = a_sitting(tmp_path / "run", PretendBench(), wall=0.0)
    assert sitting.run(earlier) == "budget"
    assert study.trials() == []


def test_a_signal_while_features_are_computed_leaves_a_trial_that_a_resumed_search_takes_up(tmp_path):
    sitting, earlier, study = a_sitting(tmp_path / "run", PretendBench(blocks=2))
    sitting.listen = lambda event: sitting.budget.interrupt(2)
    assert sitting.run(earlier) == "interrupted"
    (row,) = study.trials()
    assert (row["status"], row["reason"]) == ("pruned", "interrupted")
    assert spending(sitting) == []
    reopen(study, reasons=["interrupted"])
    again, earlier, study = a_sitting(tmp_path / "run", PretendBench())
    assert again.run(earlier) == "trials"
    assert [row["status"] for row in study.trials()] == ["complete"] * 3


def test_killed_anywhere_it_goes_on_to_the_same_scores_and_spends_nothing_twice(tmp_path):
    whole, earlier, study = a_sitting(tmp_path / "whole", PretendBench())
    key = (tmp_path / "whole" / "private" / "noise.key").read_bytes()
    whole.run(earlier)
    expected, spent = [(row["trial"], row["plan"], row["score"]) for row in study.trials()], whole.ledger.spent
    for kill_at in range(1, 7):  # before each line of the ledger was written, or right behind it
        folder = tmp_path / f"killed {kill_at}"
        RunFolder.create(folder)
        (folder / "private").mkdir()
        (folder / "private" / "noise.key").write_bytes(key)
        sitting, earlier, study = a_sitting(folder, PretendBench())
        sitting.ledger = KilledAfter(sitting.ledger, kill_at)
        with pytest.raises(KeyboardInterrupt):
            sitting.run(earlier)
        study.close()
        again, earlier, study = a_sitting(folder, PretendBench())
        assert again.run(earlier) == "trials"
        assert [(row["trial"], row["plan"], row["score"]) for row in study.trials()] == expected
        assert len(spending(again)) == len(set(spending(again))) == 6
        assert again.ledger.spent == spent


class KilledAfter:
    """A ledger whose process is killed right behind so many lines."""

    def __init__(self, ledger, lines):
        self.ledger, self.left = ledger, lines

    def charge(self, *values):
        self.ledger.charge(*values)
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_no_file_of_a_trial_holds_what_is_said_of_single_examples(tmp_path):
    sitting, earlier, _ = a_sitting(tmp_path / "run", PretendBench())
    sitting.run(earlier)
    files = {path.name for path in (tmp_path / "run" / "trials").rglob("*") if path.is_file()}
    assert files == {"plan.yaml", "curve.csv"}
    assert json.loads((tmp_path / "run" / "trials" / "0" / "plan.yaml").read_text())["unfrozen_layers"] == 0
