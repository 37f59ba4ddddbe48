"""A run folder of as many trials as wanted, as a search leaves it: every file of the contract, nothing trained.

python -m benchmarks.speed.many_trials FOLDER TRIALS

Plans come from the shipped space for images through Optuna, whose tables are in `study.db` as after a search; what a
plan scores is a smooth function of it and some noise.
"""

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from autotl import leaderboard
from autotl.api.asked import versions
from autotl.api.standing import write_leaderboard
from autotl.leaderboard.words import model
from autotl.plan.plan import Plan
from autotl.plan.space import Space, parse_space
from autotl.run import RunFolder, Study
from autotl.run.folder import STUDY
from autotl.run.optuna_tables import complete_trials, optuna_study
from autotl.run.study import ENDED
from autotl.run.trial_row import new_row
from autotl.scoring.metrics import METRICS
from autotl.search.importance import importances

CLASSES = tuple(f"class {number}" for number in range(10))
BACKBONES = {  # what it is worth, parameters, operations, milliseconds of one prediction
    "efficientnet_lite0": (0.030, 3.41e6, 3.9e8, 9.8),
    "efficientnet_lite1": (0.048, 4.19e6, 6.1e8, 14.1),
    "MobileNetV2": (0.0, 2.26e6, 3.0e8, 7.6),
}
DEPTHS = {"0": 0.70, "4": 0.74, "12": 0.78, "24": 0.77}
EPOCHS = 9
SPACE: dict[str, Any] = {
    "backbone": {"choice": list(BACKBONES)},
    "image_size": {"choice": [96, 128, 160]},
    "unfrozen_layers": {"choice": [int(depth) for depth in DEPTHS]},
    "learning_rate": {"log": [3.0e-4, 1.0e-2]},
    "backbone_rate_ratio": {"log": [0.01, 1.0]},
    "head": {"choice": {"linear": {}, "hidden": {"units": {"choice": [128, 512]}}}},
    "dropout": {"linear": [0.0, 0.5]},
    "label_smoothing": {"choice": [0.0, 0.1]},
    "weight_decay": {"log": [1.0e-6, 1.0e-2]},
    "epochs": EPOCHS,
    "views": {"choice": [0, 2]},
    "adaptation": {"choice": {"none": {}, "mcc": {"weight": {"log": [0.1, 1.0]}}}},
}


def write_run(path: Path, trials: int, *, seed: int = 0) -> RunFolder:
    """The folder of a run of so many trials, a sixth of them pruned and a fiftieth failed."""
    chance = np.random.default_rng(seed)
    space = parse_space(SPACE, where=str, folder=path)
    run = RunFolder.create(path)
    study = Study(run.path / STUDY)
    sampler = optuna.samplers.RandomSampler(seed=seed)
    rows = []
    with (
        optuna_study(study, name="many", higher_is_better=True, sampler=sampler) as asked,
        study.transaction(),
    ):
        for number in range(trials):
            trial = asked.ask()
            row = _row(number, space.suggest(trial, seed=number), chance)
            _tell(asked, trial, row)
            for epoch, score in enumerate(_curve(row, chance), start=1):
                study.put_epoch(number, epoch, 2.0 * 0.8**epoch, score)
            rows.append(row)
    ranked = leaderboard.standing(rows, higher_is_better=True)
    _crown(ranked)
    facts = _facts(path, space, ranked, trials)
    facts["importance"] = importances(complete_trials(study), higher_is_better=True)
    with study.transaction():
        for row in ranked:
            study.put_trial(row["trial"], row["status"], row)
        for name, value in facts.items():
            study.put_fact(name, value)
    study.close()
    write_leaderboard(run, ranked, facts)
    return run


def _row(number: int, plan: Plan, chance: np.random.Generator) -> dict[str, Any]:
    worth, params, operations, latency = BACKBONES[plan.backbone.label]
    pixels = plan.image_size or 0
    expected = DEPTHS[str(plan.unfrozen_layers)] + worth + 0.02 * (pixels - 128) / 32
    expected -= 0.04 * abs(math.log10(plan.learning_rate) + 2.8)
    value = float(np.clip(expected + chance.normal(0, 0.01), 0.1, 0.99))
    row = new_row(number, plan.as_dict(), baseline=None)
    failed, pruned = chance.uniform() < 0.02, chance.uniform() < 1 / 6
    row["status"] = "failed" if failed else "pruned" if pruned else "complete"
    row["failure"] = row["reason"] = "diverged: the loss was NaN in epoch 3" if failed else None
    row["epochs"] = 3 if failed or pruned else EPOCHS
    if not failed:
        low, high = (None, None) if pruned else (round(value - 0.036, 4), round(value + 0.034, 4))
        row["score"] = {"value": round(value, 4), "low": low, "high": high, "kind": "validation"}
    if row["status"] == "complete":
        row["scores"] = dict.fromkeys(METRICS, value)
    resolution = (pixels / 224) ** 2
    row |= {"params": int(params), "model_mb": params * 4 / 1e6, "flops": int(operations * resolution)}
    row["latency_ms"] = latency * resolution * float(chance.uniform(0.95, 1.05))
    train = float(chance.uniform(0.8, 1.2)) * (1.0 if plan.unfrozen_layers == 0 else 4.0)
    row["seconds"] = {"features": 0.3, "train": train, "score": 0.1 * train, "propose": 0.005, "overhead": 0.02}
    return row


def _tell(study: optuna.Study, trial: optuna.Trial, row: dict[str, Any]) -> None:
    if row["status"] == "complete":
        study.tell(trial, row["score"]["value"])
    elif row["status"] == "pruned":
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)


def _curve(row: dict[str, Any], chance: np.random.Generator) -> list[float]:
    end = row["score"]["value"] if row["score"] else 0.3
    return [end * (1 - 0.6 * 0.6**epoch) + float(chance.normal(0, 0.005)) for epoch in range(1, row["epochs"] + 1)]


def _crown(ranked: list[dict[str, Any]]) -> None:
    """The first wins, those within a hundredth of it are tied with it, and the best three frozen ones are baselines."""
    ranked[0]["winner"] = True
    best = ranked[0]["score"]["value"]
    for row in ranked:
        if row["status"] == "complete" and row["score"]["value"] > best - 0.01:
            row["tie_group"] = 1
    for place, row in enumerate([row for row in ranked if row["plan"]["unfrozen_layers"] == 0][: len(BACKBONES)]):
        row["baseline"], row["baseline_of"] = ("linear_probe", None) if place == 0 else (None, "linear_probe")
    for row in [ranked[0], *(row for row in ranked if row["baseline"])]:
        value = row["score"]["value"] - 0.01
        row["test"] = {"value": value, "low": value - 0.025, "high": value + 0.024}


def _facts(path: Path, space: Space, ranked: list[dict[str, Any]], trials: int) -> dict[str, Any]:
    score = ranked[0]["score"]
    confusion = [[90 if own == said else (own * said) % 3 for said in range(10)] for own in range(10)]
    per_class = {"train": 160, "validation": 40, "test": 100}
    splits = {split: {"rows": 10 * each, "classes": dict.fromkeys(CLASSES, each)} for split, each in per_class.items()}
    return {
        "task": {
            "name": "many-trials",
            "modality": "image",
            "metric": "accuracy",
            "budget": {"trials": trials, "wall": "36000s"},
            "seed": 0,
        },
        "regime": "validation",
        "higher_is_better": True,
        "setting": {"name": "inductive", "sentences": ["The target has labels."]},
        "data": {"fingerprint": "0", "domains": {"target": splits}, "notes": [], "broken": []},
        "findings": [],
        "space": space.as_mapping(),
        "versions": versions(),
        "reproduce": [f"autotl search task.yaml --out {path}"],
        "headline": {
            "winner": ranked[0]["trial"],
            "sentences": [f"Trial {ranked[0]['trial']} won: {model(ranked[0])}."],
            "corrected": {name: score[name] for name in ("value", "low", "high")},
            "raw": {name: score[name] for name in ("value", "low", "high")},
        },
        "confusion": {"split": "test", "classes": list(CLASSES), "matrix": confusion},
        "timing": {"stages": [{"stage": "search", "seconds": 3.0 * trials}, {"stage": "report", "seconds": 2.0}]},
        "test": {"uses": 1, "rows": 1000, "protocol": "share"},
        ENDED: "trials",
    }


if __name__ == "__main__":
    write_run(Path(sys.argv[1]), int(sys.argv[2]))
