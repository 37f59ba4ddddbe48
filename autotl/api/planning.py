"""`plan`: what a search would take, before anything is trained."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autotl.api.asked import price_of
from autotl.api.checking import with_lengths_of
from autotl.api.opening import Overrides, open_task, wall_seconds, wanted_baselines
from autotl.api.private_terms import Sizes, division_of, sentences_of
from autotl.api.room import needs_of, run_path
from autotl.data import load_data
from autotl.data.private_split import ProtectedRows
from autotl.errors import UsageError
from autotl.features import default_limit_bytes, features_folder
from autotl.plan.baselines import baselines
from autotl.plan.space import Space
from autotl.plan.suiting import SPACE, Ground, suited_to
from autotl.production.home import home_folder
from autotl.report.wording import counted, duration
from autotl.search.cost import CostLog, CostModel, Examples, Forecast, forecast
from autotl.search.disk import free_bytes
from autotl.search.memory import MB, memory_here
from autotl.search.resources import SHARE_OF_FREE_MEMORY, gpu_memory_mb, share_out, usable_cores
from autotl.task import Task, names_in
from autotl.task.duration import format_duration, parse_duration
from autotl.task.values import PRICE

WITHIN = 2.0  # times: how close estimates are meant to be (benchmarks/README.md says how close they were)


@dataclass(frozen=True)
class Planned:
    """What a search would take.

    Attributes:
        learnt_from: trials of this machine that the estimate rests on; with none it rests on typical figures.
        run_bytes: of the run folder at its fullest.
        free_disk, free_memory: bytes.
        price: `{an_hour, currency}`, None where nobody said what an hour costs.
    """

    forecast: Forecast
    wall_seconds: float
    learnt_from: int
    run_bytes: float
    free_disk: float
    free_memory: float
    price: Mapping[str, Any] | None
    notes: tuple[str, ...] = ()

    @property
    def cost(self) -> float | None:
        """Money for the whole command."""
        return None if self.price is None else float(self.price["an_hour"]) * self.forecast.seconds / 3600

    @property
    def sentences(self) -> list[str]:
        """The same in words."""
        found = self.forecast
        low, _, high = found.trial_seconds
        lines = [
            f"{counted(found.asked, 'trial')} and {counted(found.baselines, 'baseline')} on "
            f"{counted(found.workers, 'worker')}: about {duration(found.seconds)}, "
            f"{duration(found.afterwards)} of them for retraining, test and report.",
            self._of_wall(),
            f"A trial takes {duration(low)} to {duration(high)} for most plans.",
            f"Disk: about {_bytes(found.disk_bytes)} of stored features, up to {_bytes(self.run_bytes)} for the run, "
            f"{_bytes(self.free_disk)} free. "
            f"Memory: {_bytes(found.memory_mb * MB)}, {_bytes(self.free_memory)} free.",
        ]
        if self.cost is not None and self.price is not None:
            currency = f" {self.price['currency']}" if self.price["currency"] else ""
            lines.append(f"Cost: {self.cost:.2f}{currency} at {self.price['an_hour']:g}{currency} an hour.")
        if self.learnt_from:
            lines.append(f"Estimated from {self.learnt_from} trials that this machine has trained.")
        else:
            lines.append(
                "Estimated from typical figures and the measured speed of this machine, which has trained nothing yet."
            )
        return [*lines, *self.notes]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        told = asdict(self.forecast)
        return {
            "schema": 1,
            **told,
            "seconds_range": [self.forecast.seconds / WITHIN, self.forecast.seconds * WITHIN],
            "wall_seconds": self.wall_seconds,
            "learnt_from": self.learnt_from,
            "run_bytes": self.run_bytes,
            "free_disk_bytes": self.free_disk,
            "free_memory_bytes": self.free_memory,
            "price": None if self.price is None else dict(self.price),
            "cost": self.cost,
            "notes": list(self.notes),
        }

    def _of_wall(self) -> str:
        found = self.forecast
        if found.trials < found.asked:
            return f"The time of {duration(self.wall_seconds)} ends it after about {counted(found.trials, 'trial')}."
        return f"The time of {duration(self.wall_seconds)} is enough for all of them."


def plan_each(path: Path | str, *, price: str | None = None, **overrides: Any) -> dict[str, Planned]:
    """What a search of each task would take that a file lists, by its name; none where it is itself one task.

    Args:
        overrides: as `plan` takes them; `wall` is for all together, and each gets an equal part.
    """
    names = names_in(path)
    if overrides.get("wall") is not None and names:
        part = parse_duration(overrides["wall"]) / len(names)
        overrides = {**overrides, "wall": format_duration(part)}
    return {name: plan(path, name=name, price=price, **overrides) for name in names}


def plan(path: Path | str, *, name: str | None = None, price: str | None = None, **overrides: Any) -> Planned:
    """What a search of a task would take; reads the data, trains nothing and loads no network.

    Args:
        name: of one of the tasks that the file lists.
        price: what an hour of the machine costs, such as `2.40 EUR`; the task's own where left out.
        overrides: as `search` takes them.
    Raises:
        AutotlError: as `search` does, for a task or data that cannot be searched.
    """
    given = price_of(price) if price is not None and re.fullmatch(PRICE, price) else None
    if price is not None and given is None:
        raise UsageError(f"--price {price!r} is no price. Write an amount and, if you like, its currency: 2.40 EUR.")
    opened = open_task(Path(path), Overrides(**overrides), name=name)
    task, settings = opened.task, opened.overrides
    data = load_data(task)
    division = None if task.privacy is None else division_of(opened, Sizes.of(ProtectedRows.of(task, data)))
    asked = task.budget.trials if settings.trials is None else settings.trials
    space = suited_to(with_lengths_of(opened.space, data), Ground.of(data), where=task.where(SPACE))
    log = CostLog(home_folder())
    observed = log.trials()
    memory = memory_here().available * SHARE_OF_FREE_MEMORY
    gpu_mb = gpu_memory_mb()
    shares = share_out(
        cpus=usable_cores(),
        gpus=0 if gpu_mb is None else 1,
        cpus_per_trial=task.resources.cpus_per_trial,
        gpus_per_trial=task.resources.gpus_per_trial,
        workers=1 if task.deterministic else settings.workers,
        memory_mb=memory / MB,
        gpu_mb=gpu_mb,
    )
    folder = features_folder()
    found = forecast(
        space,
        Examples.of(data),
        CostModel(observed),
        trials=asked if division is None else division.trials,
        wall_seconds=wall_seconds(task, settings),
        workers=shares.workers,
        baselines=baselines(space, setting=data.setting, wanted=wanted_baselines(task, settings)),
        given=[plan for plan in opened.given if plan.backbone not in opened.unavailable],
        early_stopping=settings.early_stopping and data.score_kind != "label_free" and len(task.goals) == 1,
        stored=log.stored() if folder.is_dir() and any(folder.glob("*/*")) else frozenset(),
        observed=observed,
        commands=log.afterwards(),
        store_limit=float(default_limit_bytes(folder)),
    )
    written = task.resources.price_per_hour
    return Planned(
        forecast=found,
        wall_seconds=wall_seconds(task, settings),
        learnt_from=len(observed),
        run_bytes=float(needs_of(opened, data, run_path(opened))[0].bytes),
        free_disk=float(free_bytes(folder)),
        free_memory=float(memory_here().available),
        price=given or (None if written is None else price_of(written)),
        notes=(
            *_notes(found),
            *(() if division is None else sentences_of(task, division)),
            *(words for words in [in_company(task, space)] if words is not None),
        ),
    )


def in_company(task: Task, space: Space) -> str | None:
    """How the trials are divided of a task that may be learnt together with others; None of one that is alone."""
    if not task.tasks:
        return None
    others = ", ".join(each.name for each in task.tasks)
    if len(space.halves()) == 2:
        return (
            f"Half of the trials learn {task.name} alone, half together with {others}, on the labelled examples of all."
        )
    how = "alone" if space.halves()[0].values("together") == [None] else f"together with {others}"
    return f"All trials learn {task.name} {how}, as the search space says; the baselines learn it alone."


def _notes(found: Forecast) -> list[str]:
    if not found.unknown:
        return []
    names = ", ".join(found.unknown)
    return [f"What {names} cost is not known before a trial; a network of {4e8 / 1e9:g} GFLOP was assumed."]


def _bytes(number: float) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"
