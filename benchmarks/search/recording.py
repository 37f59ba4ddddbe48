"""Full pools of real trials: the product's trainer on plans drawn from each task's space, every epoch kept.

python -m benchmarks.search.recording [--only flowers digits] [--into benchmarks/search/recorded]

Plans of one modality are the same for all its tasks. Linear heads on the same features are trained side by side, the
others one after the other; none is stopped early. Features are computed in a store of their own, for every cut by
itself, and their seconds are kept apart from training's, so that a replay can charge whoever needs a cut first.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from autotl.plan import Plan, trial_seed
from autotl.plan.packets import packet_key
from autotl.plan.plan import cut_key
from autotl.plan.space import Space
from benchmarks.search.pools import RECORDED, Pool, PoolTrial, Screened, without_paths, write_pool
from benchmarks.search.tasks import TASKS, PoolTask
from benchmarks.shared import parser

MOST_DRAWS = 50_000


def main() -> None:
    """Records the pools of the tasks asked for, each into a file of its own as soon as it is done."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--only", nargs="+", choices=list(TASKS), default=list(TASKS))
    arguments.add_argument("--into", type=Path, default=RECORDED)
    arguments.add_argument("--share", type=float, default=1.0, help="of the plans of each pool, for a first try")
    given = arguments.parse_args()
    for name in given.only:
        task = TASKS[name]
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            os.environ["AUTOTL_CACHE_DIR"] = str(Path(folder) / "cache")
            os.environ["AUTOTL_HOME"] = str(Path(folder) / "home")
            pool = recorded(task, given.shared, Path(folder), share=given.share)
        write_pool(pool, given.into)
        best = max(trial.scores[-1] for trial in pool.trials)
        print(f"{name}: {len(pool.trials)} trials, best {best:.3f}, {time.perf_counter() - started:.0f} s", flush=True)


def recorded(task: PoolTask, shared: Path, folder: Path, *, share: float) -> Pool:
    """The pool of one task, its data made below `folder`."""
    from autotl.api.checking import with_lengths_of
    from autotl.api.opening import Overrides, open_task
    from autotl.api.orders import workshop_order
    from autotl.api.pretraining import with_pretrained
    from autotl.api.stages import Stages
    from autotl.data import load_data
    from autotl.plan.suiting import Ground, suited_to
    from autotl.search.budget import Budget
    from autotl.search.events import silent

    path = folder / "task.yaml"
    path.write_text(task.write(task, shared, folder), encoding="utf-8")
    opened = open_task(path, Overrides())
    data = load_data(opened.task)
    space = suited_to(with_lengths_of(opened.space, data), Ground.of(data))
    opened, _ = with_pretrained(replace(opened, space=space), data, Budget(3_600), Stages(silent))
    space = opened.space
    workshop = workshop_order(replace(opened, space=space), data)()
    workshop.bench._unfrozen_choices = ()  # every cut by itself, so that each has seconds of its own
    workshop.bench._taps = ()
    plans = drawn(space, cheap=int(task.cheap * share), dear=int(task.dear * share))
    trials, features = _trained(workshop, data, plans)
    return Pool(
        task=task.name,
        modality=task.modality,
        metric=opened.metric,
        examples={"train": len(data.folds[0].train), "validation": len(data.folds[0].validation)},
        classes=len(data.classes),
        space=without_paths(space.as_mapping()),
        trials=tuple(trials),
        feature_seconds=features,
        screened=tuple(_screened(workshop, data, plans)),
    )


def drawn(space: Space, *, cheap: int, dear: int) -> list[Plan]:
    """So many different plans, drawn at random, that train a head alone, and that train more; by what they share."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    plans: dict[str, Plan] = {}
    wanted = {True: cheap, False: dear}
    for number in range(MOST_DRAWS):
        plan = space.suggest(study.ask(), seed=trial_seed(0, number))
        if plan.key() not in plans and wanted[plan.unfrozen_layers == 0] > 0:
            plans[plan.key()] = plan
            wanted[plan.unfrozen_layers == 0] -= 1
        if not any(wanted.values()):
            break
    return sorted(plans.values(), key=lambda plan: (cut_key(plan.as_dict()), packet_key(plan) or ""))


def _trained(workshop: Any, data: Any, plans: Sequence[Plan]) -> tuple[list[PoolTrial], dict[str, float]]:
    """Every plan's trial, and what the features of each cut took, in seconds of the processor: others work on it."""
    trials: list[PoolTrial] = []
    features: dict[str, float] = {}
    truth = data.test.open_labels()
    for packet in _packets(plans):
        cut = cut_key(without_paths(packet[0].as_dict()))
        started = time.process_time()
        if cut not in features:
            for _ in workshop.bench.extraction(packet[0], lambda: None):
                pass
            features[cut] = round(time.process_time() - started, 3)
        started = time.process_time()
        found = _rows(workshop, packet)
        seconds = (time.process_time() - started) / len(packet)
        for plan, rows in zip(packet, found, strict=True):
            last = rows[-1]
            if last.ending.status != "complete":
                print(f"    {last.ending.status}: {last.ending.reason}", flush=True)
                continue
            test = workshop.trained(plan, last.ending.weights).predict_inputs(data.test.inputs)
            trials.append(
                PoolTrial(
                    plan=without_paths(plan.as_dict()),
                    scores=tuple(round(float(row.score), 5) for row in rows),
                    test=round(float(workshop.scorer.value(truth, test)), 5),
                    epoch_seconds=round(seconds / len(rows), 4),
                    flops=last.size.flops,
                    params=last.size.params,
                )
            )
    return trials, features


def _packets(plans: Sequence[Plan]) -> Iterator[list[Plan]]:
    for key, group in groupby(plans, key=packet_key):
        members = list(group)
        yield from [members] if key is not None else [[plan] for plan in members]


def _rows(workshop: Any, packet: Sequence[Plan]) -> list[list[Any]]:
    """The epochs of each plan."""
    from autotl.trial.outcome import Job

    found: dict[int, list[Any]] = {number: [] for number in range(len(packet))}
    for row in workshop.train([Job(number, plan) for number, plan in enumerate(packet)]):
        if row.features is None:
            found[row.number].append(row)
    return [found[number] for number in range(len(packet))]


def _screened(workshop: Any, data: Any, plans: Sequence[Plan]) -> Iterator[Screened]:
    """What every transferability score says of each place that features are taken from."""
    from autotl.scoring.transferability import TRANSFERABILITY, sample_rows

    train = data.folds[0].train
    train = train[data.domain_of[train] == 0]
    rows = train[sample_rows(data.labels[train])]
    places = {cut_key(plan.as_dict()): plan for plan in plans if plan.unfrozen_layers == 0}
    for plan in places.values():
        bare = Plan(**{**vars(plan), "head": Plan.head, "adaptation": Plan.adaptation, "join": None}).canonical()
        trainer = workshop.bench.trainer(bare)
        material = workshop.bench.material(bare, trainer, lambda: None)
        batches = material.prediction_batches(rows)
        features = trainer.pooled(batches).astype(np.float64)
        scores, seconds = {}, {}
        for name, score in TRANSFERABILITY.items():
            started = time.process_time()
            scores[name] = round(float(score(features, data.labels[rows])), 6)
            seconds[name] = round(time.process_time() - started, 4)
        size = workshop.bench.size_of(bare, trainer)
        yield Screened(without_paths(bare.as_dict()), scores, seconds, size.params, size.flops)


if __name__ == "__main__":
    main()
