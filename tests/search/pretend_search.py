"""Whole searches without TensorFlow: a pretend workshop, a small space, and snapshots of what a kill would leave."""

import math
import shutil
import sqlite3
import time
from dataclasses import replace

from autotl.backbones import BackboneSpec
from autotl.plan import Choice, Plan
from autotl.plan.baselines import Baseline
from autotl.plan.space import Fixed, Options, Range, Space
from autotl.run import RunFolder, Study
from autotl.run.folder import STUDY
from autotl.search.budget import Budget
from autotl.search.cost import Examples
from autotl.search.run import SearchOrder, search
from autotl.trial.halving import left_behind
from autotl.trial.outcome import Ending, EpochRow, Seconds, Size

EPOCHS = 9
ALONE = Choice("hidden", {"units": 8})  # a head that is not trained beside others
LINEAR = Choice("linear")
EXAMPLES = Examples(
    rows=1_000,
    trained={False: 800, True: 800},
    scored={False: 200, True: 200},
    folds={False: 1, True: 1},
    target=200,
    digest="d1",
)


class PretendWorkshop:
    """Scores a plan by its learning rate, the better the nearer to 10 ** -2.5."""

    def __init__(self, seconds_per_epoch: float = 0.0) -> None:
        self.seconds_per_epoch = seconds_per_epoch

    def train(self, packet, *, rungs=()):
        """Epoch by epoch, as heads side by side are; the best third goes on."""
        under_way = {job.number: self.rows_of(job) for job in packet}
        for epoch in range(1, EPOCHS + 1):
            rows = {number: next(rows) for number, rows in under_way.items()}
            under_way = {number: under_way[number] for number, row in rows.items() if row.ending is None}
            if len(packet) > 1 and epoch in rungs:
                for number in left_behind({each: rows[each].score for each in under_way}, higher_is_better=True):
                    rows[number] = replace(rows[number], ending=Ending("pruned", f"stopped early after epoch {epoch}"))
                    del under_way[number]
            yield from rows.values()
            if not under_way:
                return

    def rows_of(self, job):
        best = 1.0 - abs(math.log10(job.plan.learning_rate) + 2.5) / 4
        size = Size(params=1, model_mb=1.0, flops=job.plan.batch_size)
        for epoch in range(1, job.plan.epochs + 1):
            time.sleep(self.seconds_per_epoch)
            score, ending = best * (1 - 0.5**epoch), None
            if epoch == job.plan.epochs:
                value = {"value": score, "low": None, "high": None, "kind": "validation"}
                ending = Ending("complete", score=value, scores={"accuracy": score})
            yield EpochRow(job.number, epoch, 1 - score, score, Seconds(train=0.01), size, ending)


def a_space(**changes) -> Space:
    backbone = BackboneSpec(origin="scratch", name="small_cnn")
    defaults = {name: getattr(Plan, name) for name in Plan.__dataclass_fields__ if name not in ("backbone", "seed")}
    return Space(
        {
            "backbone": Fixed(backbone),
            "adaptation": Fixed(Plan.adaptation),
            **{name: Fixed(value) for name, value in defaults.items()},
            "unfrozen_layers": Options({0: 0, 4: 4}),
            "learning_rate": Range(1e-5, 1.0, "log"),
            "epochs": Fixed(EPOCHS),
            "head": Fixed(ALONE),
            **changes,
        }
    )


def a_plan(**values) -> Plan:
    return Plan(BackboneSpec(origin="scratch", name="small_cnn"), **{"epochs": EPOCHS, "head": ALONE, **values})


def an_order(**changes) -> SearchOrder:
    order = {
        "name": "toy",
        "space": a_space(),
        "baselines": [Baseline("linear_probe", a_plan(learning_rate=2e-3)), Baseline("full_finetune", None)],
        "given": [a_plan(learning_rate=0.02, dropout=0.5)],
        "unavailable": [],
        "trials": 12,
        "seed": 3,
        "higher_is_better": True,
        "score_kind": "validation",
        "early_stopping": True,
        "deterministic": False,
        "cpus_per_trial": 1,
        "gpus_per_trial": 0,
        "workers": 1,
        **changes,
    }
    return SearchOrder(**order)


def run_search(path, order, *, listen=lambda event: None, budget=None, make_workshop=PretendWorkshop):
    """A new search, or the rest of one; why it ended, and what is in the database then."""
    run = RunFolder(path) if (path / STUDY).exists() else RunFolder.create(path)
    study = Study(path / STUDY)
    try:
        why = search(order, run, study, budget or Budget(300.0), make_workshop=make_workshop, listen=listen)
        return why, study.trials(), study.curves()
    finally:
        study.close()


def snapshot(path, to) -> None:
    """What is on disk if the process were killed now."""
    shutil.copytree(path, to, ignore=shutil.ignore_patterns(f"{STUDY}*"))
    source, target = sqlite3.connect(path / STUDY), sqlite3.connect(to / STUDY)
    source.backup(target)
    source.close()
    target.close()
