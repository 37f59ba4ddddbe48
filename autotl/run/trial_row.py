"""The row of one trial, as the run's database and the leaderboard hold it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from autotl.trial.outcome import Seconds

Row = dict[str, Any]  # plain JSON values under the keys of `new_row`
ReadRow = Mapping[str, Any]  # one that is only read


def new_row(number: int, plan: Mapping[str, Any], *, baseline: str | None) -> Row:
    """A leaderboard row of a trial that has just begun; what each key means is told in `docs/run-folder.md`."""
    return {
        "trial": number,
        "status": "running",
        "winner": False,
        "baseline": baseline,
        "baseline_of": None,
        "repeat_of": None,  # the trial whose plan it trains again, with another seed
        "seeds": None,  # of a trial that was repeated: `values`, their `mean` and the `deviation` of one training
        "plan": dict(plan),
        "score": None,
        "scores": {},
        "guards": {},
        "tie_group": None,
        "epochs": 0,
        "seconds": asdict(Seconds()),
        "extracted": 0,  # examples whose activations it computed; the others' were stored
        "params": None,
        "model_mb": None,
        "flops": None,
        "latency_ms": None,
        "latency_estimated": True,
        "memory_mb": None,
        "gpu_mb": None,
        "attempt": 1,
        "asked_batch_size": None,
        "failure": None,
        "reason": None,
        "test": None,
        "refit_test": None,
    }
